"""What a running server has given up, and that it goes on without: reload, rotation, verification,
its admin endpoint and its end are those of the other tests, which run in the sandbox too."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import unittest

from dyno import (BINARY, SANITIZED, Certificates, Directory, Server, load, needs, run, tlsdyno,
                  wait_for)
from wire import connect, secure

NOBODY = "nobody"
AS_ROOT = os.geteuid() == 0
CAN_FILTER = "Landlock          yes" in tlsdyno("serve", "--show-features").stdout


def status(server):
    """/proc/PID/status: {"Seccomp": "2", ...}"""
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines())


def reload(server):
    before = server.stdout().count("reloaded ")
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.stdout().count("reloaded ") >= before + 1, "the line about the reload")


def served_fingerprint(server):
    with secure(server.port) as link:
        return link.getpeercert(binary_form=True)


def is_taken(port):
    try:
        connect(port).close()
        return True
    except ConnectionRefusedError:
        return False


class Sandbox(unittest.TestCase):
    def test_every_thread_is_held_to_it(self):
        with Server(threads=2) as server:
            tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
            for task in tasks.iterdir():
                text = (task / "status").read_text()
                self.assertRegex(text, r"(?m)^Seccomp:\t2$")
                self.assertRegex(text, r"(?m)^NoNewPrivs:\t1$")
            self.assertGreaterEqual(len(list(tasks.iterdir())), 4)  # main, two workers, admin
            self.assertNotIn("incomplete", server.stderr())

    def test_no_thread_is_asked_for_later(self):
        with Server(threads=1) as server:
            load(server.target, "--insecure", "-c", 4, "-n", 100, "--admin", server.admin)
            self.assertEqual(server.stderr(), "")

    def test_there_are_no_core_dumps(self):
        with Server() as server:
            limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
            self.assertRegex(limits, r"(?m)^Max core file size +0 +0 ")

    @unittest.skipUnless(AS_ROOT, "root may look into what it starts; needs to become nobody")
    @unittest.skipIf(SANITIZED, "a sanitizer allows no dumps either")
    @needs("setpriv", "prlimit")
    def test_its_memory_is_closed_to_its_own_user_and_to_dumps(self):
        """/proc/PID/environ may be read by whom ptrace(2) allows to look into the process."""
        for options, is_open in ((), False), (("--no-sandbox",), True):
            with self.subTest(options=options), Directory() as directory:
                os.chmod(directory, 0o777)
                shutil.copy(BINARY, directory)
                become = ("setpriv", "--reuid", NOBODY, "--clear-groups")
                with open(directory / "out", "wb") as out:
                    process = subprocess.Popen(
                        [*become, "prlimit", "--core=unlimited", directory / "tlsdyno", "serve",
                         "--listen", "127.0.0.1:0", *options],
                        cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
                try:
                    wait_for(lambda: "OpenSSL" in (directory / "out").read_text(), "the server")
                    environ = pathlib.Path(f"/proc/{process.pid}/environ")
                    self.assertEqual(run(*become, "cat", environ).returncode == 0, is_open)
                    self.assertEqual(environ.stat().st_uid != 0, is_open)
                finally:
                    process.send_signal(signal.SIGABRT)
                    _, status = os.waitpid(process.pid, 0)
                    process.returncode = -signal.SIGABRT
                if not is_open:
                    self.assertFalse(os.WCOREDUMP(status))
                self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)

    def test_it_can_be_left_out(self):
        with Server("--no-sandbox") as server:
            self.assertEqual(status(server)["Seccomp"], "0")
            self.assertEqual(status(server)["NoNewPrivs"], "0")

    def test_features_say_what_the_kernel_has(self):
        done = tlsdyno("serve", "--show-features", check=0)
        self.assertRegex(done.stdout, r"(?m)^  Landlock +(yes \(version \d+\)|no: .+)$")
        self.assertRegex(done.stdout, r"(?m)^  seccomp +(yes|no)$")

    def test_a_reload_reads_files_that_were_renamed_into_place(self):
        with Directory() as directory:
            old, new = Certificates(directory / "old"), Certificates(directory / "new")
            with Server("--cert", old.cert, "--key", old.key) as server:
                first = served_fingerprint(server)
                for source, target in ((new.cert, old.cert), (new.key, old.key)):
                    shutil.copy(source, target.with_suffix(".next"))
                    os.replace(target.with_suffix(".next"), target)
                reload(server)
                wait_for(lambda: served_fingerprint(server) != first, "the new certificate")

    def test_a_reload_follows_links_as_they_were_at_the_start(self):
        """As certbot keeps them: live/cert.pem leads to archive/cert1.pem, later to cert2.pem."""
        with Directory() as directory:
            made = Certificates(directory / "archive")
            (directory / "live").mkdir()
            cert, key = directory / "live/cert.pem", directory / "live/key.pem"
            cert.symlink_to("../archive/server.pem")
            key.symlink_to("../archive/server.key")
            with Server("--cert", cert, "--key", key) as server:
                shutil.copy(made.cert, directory / "archive/server2.pem")
                cert.unlink()
                cert.symlink_to("../archive/server2.pem")
                reload(server)

    @unittest.skipUnless(CAN_FILTER, "this kernel has no Landlock")
    def test_a_reload_that_would_read_elsewhere_says_why_it_cannot(self):
        with Directory() as directory:
            made = Certificates(directory / "made")
            elsewhere = directory / "elsewhere"
            elsewhere.mkdir()
            with Server("--cert", made.cert, "--key", made.key) as server:
                shutil.move(made.cert, elsewhere / "cert.pem")
                made.cert.symlink_to(elsewhere / "cert.pem")
                server.signal(signal.SIGHUP)
                wait_for(lambda: "not reloaded" in server.stderr(), "the line about the reload")
                self.assertIn("--no-sandbox", server.stderr())
                secure(server.port).close()

    def test_roots_that_openssl_looks_up_later_are_found(self):
        """SSL_CERT_DIR: files named after the hash of the subject, read when a client comes."""
        with Directory() as directory:
            made = Certificates(directory / "made")
            roots = directory / "roots"
            roots.mkdir()
            name = run("openssl", "x509", "-hash", "-noout", "-in", made.ca, check=0).stdout.strip()
            (roots / f"{name}.0").symlink_to(made.ca)
            os.environ["SSL_CERT_DIR"] = str(roots)
            self.addCleanup(os.environ.pop, "SSL_CERT_DIR")
            with Server("--cert", made.cert, "--key", made.key, "--request-cert") as server:
                load(server.target, "--ca", made.ca, "-c", 1, "-n", 5, "--mode", "handshake",
                     "--cert", made.client_cert, "--key", made.client_key)
                self.assertEqual(server.counter("handshakes"), 5)


@unittest.skipUnless(AS_ROOT, "only root can become somebody else")
class User(unittest.TestCase):
    def test_root_goes_on_as_the_user(self):
        with Server("--user", NOBODY) as server:
            identity = pwd.getpwnam(NOBODY)
            for key, number in (("Uid", identity.pw_uid), ("Gid", identity.pw_gid)):
                self.assertEqual(status(server)[key].split(), [str(number)] * 4)
            self.assertEqual(int(status(server)["CapEff"], 16), 0)
            load(server.target, "--insecure", "-c", 2, "-n", 10, "--mode", "rr")

    def test_a_privileged_port_is_bound_first(self):
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first <= 1:
            self.skipTest("no port is privileged here")
        port = next(port for port in range(first - 1, 0, -1) if not is_taken(port))
        with Server("--user", NOBODY, listen=(f"127.0.0.1:{port}",)) as server:
            self.assertNotEqual(status(server)["Uid"].split()[1], "0")
            secure(port).close()

    def test_files_that_the_user_cannot_read_are_named_and_served(self):
        with Directory() as directory:
            made = Certificates(directory / "made")
            os.chmod(directory, 0o755)
            os.chmod(directory / "made", 0o755)
            with Server("--user", NOBODY, "--cert", made.cert, "--key", made.key) as server:
                self.assertRegex(server.stderr(), rf"nobody cannot read {made.key}")
                self.assertNotIn(f"cannot read {made.cert}", server.stderr())
                secure(server.port).close()
                os.chmod(made.key, 0o644)
                reload(server)

    def test_a_key_log_is_still_written(self):
        with Directory() as directory:
            path = directory / "keys"
            with Server("--user", NOBODY, "--keylog-file", path) as server:
                secure(server.port).close()
                wait_for(lambda: "CLIENT_HANDSHAKE" in path.read_text(), "lines in the key log")

    def test_nobody_and_root_are_refused(self):
        for name, words in (("no-such-user", "no user 'no-such-user'"), ("root", "is root"),
                            ("nobody:no-such-group", "no group")):
            done = tlsdyno("serve", "--user", name, check=2)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
