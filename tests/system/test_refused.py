"""What the kernel or an administrator refuses: io_uring, locked memory, open files. The program ends
with status 1 and one sentence that names the cause and the remedy, or goes on with less and says
so."""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

from dyno import BINARY, DEADLINE, Directory, Server, needs, run, tlsdyno
from wire import secure

FORBID = pathlib.Path(__file__).with_name("forbid.py")
COMMANDS = (("serve", "--listen", "127.0.0.1:0"),
            ("load", "--insecure", "-d", "100ms", "127.0.0.1:1"))
STUDY = ("sweep", "quick", "-d", "100ms")
AS_ROOT = os.geteuid() == 0


class Rings(unittest.TestCase):
    def check(self, words, *within):
        """The commands end with 1 and a sentence with all of the words."""
        for command in (*COMMANDS, STUDY):
            with self.subTest(command=command[0], within=within):
                done = run(*within, BINARY, *command, check=1)
                line = done.stderr.strip().splitlines()[-1]
                self.assertTrue(line.startswith("tlsdyno: "), done.stderr)
                for word in words:
                    self.assertIn(word, line)
                self.assertEqual(done.stdout, "")

    def test_forbidden_by_a_filter(self):
        for number in (errno.EPERM, errno.ENOSYS):
            for calls in ("io_uring_setup", "io_uring_register", "io_uring_enter",
                          "io_uring_setup,io_uring_enter,io_uring_register"):
                self.check(("seccomp filter", "io_uring_setup", "SystemCallFilter="),
                           sys.executable, FORBID, number, calls)

    @unittest.skipUnless(AS_ROOT, "needs root, for a mount namespace")
    @needs("unshare")
    def test_switched_off(self):
        """The machine's setting is as it was: another lies over it, and a filter does its work."""
        setting = pathlib.Path("/proc/sys/kernel/io_uring_disabled")
        if not setting.exists():
            self.skipTest("this kernel has no such setting")
        with Directory() as directory:
            (directory / "two").write_text("2\n")
            self.check((f"kernel.{setting.name} is 2", f"sysctl kernel.{setting.name}=0"),
                       "unshare", "--mount", "sh", "-c",
                       f'mount --bind {directory}/two {setting} && exec "$@"', "sh",
                       sys.executable, FORBID, errno.EPERM, "io_uring_setup")

    def test_features_say_so_and_the_rest(self):
        done = run(sys.executable, FORBID, errno.EPERM, "io_uring_setup", BINARY, "serve",
                   "--show-features", check=0)
        self.assertRegex(done.stdout, r"(?m)^io_uring: not usable: a seccomp filter")
        self.assertRegex(done.stdout, r"(?m)^OpenSSL ")


@unittest.skipUnless(AS_ROOT, "needs root, to become nobody, to whom limits apply")
@needs("setpriv", "prlimit")
class Limits(unittest.TestCase):
    def setUp(self):
        directory = self.enterContext(Directory())
        os.chmod(directory, 0o755)
        self.program = directory / "tlsdyno"  # where nobody can run it
        shutil.copy(BINARY, self.program)

    def limited(self, limit, value, *arguments):
        return ["setpriv", "--reuid", "nobody", "--clear-groups", "prlimit", f"--{limit}={value}",
                *arguments]

    def as_nobody(self, limit, value, *arguments):
        return run(*self.limited(limit, value, *arguments))

    def test_locked_memory_that_is_too_little(self):
        for command in COMMANDS:
            done = self.as_nobody("memlock", 0, "timeout", "-s", "INT", "5", self.program, *command)
            if "listening on" in done.stdout or "TCP connect" in done.stderr:
                self.skipTest("this kernel does not count rings")
            self.assertEqual(done.returncode, 1, done.stderr)
            for word in ("may lock 0 KiB", "ulimit -l", "LimitMEMLOCK=", "--threads"):
                self.assertIn(word, done.stderr)

    def test_locked_memory_that_is_little_is_shared(self):
        """Rings of the usual size would fill a limit of 4 MiB with twelve threads; half of it is for
        those twelve, and the other half for twelve more."""
        words = (self.program, "serve", "--listen", "127.0.0.1:0", "--threads", "12")
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                process = stack.enter_context(subprocess.Popen(
                    self.limited("memlock", 4 << 20, *words), stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
                stack.callback(process.terminate)
                self.assertRegex(process.stdout.readline(), "^listening on")

    def test_files_that_are_too_few_to_start(self):
        done = self.as_nobody("nofile", 9, self.program, *COMMANDS[0])
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("raise `ulimit -n`", done.stderr)


class Files(unittest.TestCase):
    def few(self, number, *command):
        return ["prlimit", f"--nofile={number}:{number}", *command]

    @needs("prlimit")
    def test_that_are_few_are_told_of(self):
        process = subprocess.Popen(
            self.few(200, BINARY, *COMMANDS[0], "--threads", "1"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            first = process.stdout.readline()
            port = int(re.match(r"listening on \S+:(\d+)", first).group(1))
            secure(port).close()
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(errors, r"limit of 200 open files is enough for \d+ connections; .*ulimit -n")

    @needs("prlimit")
    def test_of_a_study_are_told_of_before_it(self):
        done = run(*self.few(60, BINARY), "sweep", "--suites", "TLS_AES_128_GCM_SHA256",
                   "--messages", "64", "-c", "1,200", "-r", "1", "-d", "100ms")
        self.assertRegex(done.stderr.splitlines()[0], "--connections 200 needs .* ulimit -n")
        self.assertEqual(done.stderr.count("ulimit -n"), 1)

    @needs("prlimit")
    def test_of_a_load_are_told_of_before_and_counted_after(self):
        with Server() as server:
            done = run(*self.few(60, BINARY), "load", server.target, "--insecure", "-t", "1", "-c",
                       "200", "-n", "1000", "-d", "60s", "--mode", "rr", "--warmup", "0s")
            self.assertRegex(done.stderr, "--connections 200 needs .* ulimit -n")
            self.assertRegex(done.stdout, "(?i)too many open files")
            server.wait_idle()


if __name__ == "__main__":
    unittest.main()
