"""tlsdyno top: on a terminal that is a pty of ours, and without one."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import unittest

from dyno import BINARY, Directory, Server, load, tlsdyno, wait_for


class Terminal:
    """`tlsdyno top` on a terminal of so many rows and columns; what it wrote is in .text."""

    def __init__(self, *arguments, rows=24, columns=80, name="xterm"):
        self.process_id, self.descriptor = pty.fork()
        if self.process_id == 0:
            os.environ["TERM"] = name
            os.execv(BINARY, [str(BINARY), "top", *map(str, arguments)])
        self.text = ""
        self.status = None
        self.rows = rows
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.process_id, signal.SIGWINCH)

    def read(self):
        while select.select([self.descriptor], [], [], 0)[0]:
            try:
                more = os.read(self.descriptor, 65536)
            except OSError:  # the other side is closed
                break
            if not more:
                break
            self.text += more.decode("ascii", "replace")
        return self.text

    def press(self, key):
        self.text = ""
        os.write(self.descriptor, key.encode())

    def wait_for(self, words):
        wait_for(lambda: words in self.read(), f"{words!r} on the terminal, which has {self.text!r}")

    def redrawn(self):
        """All that is on it: a terminal that changes its size is written anew, not only where
        something else shall stand."""
        self.rows = 25 if self.rows == 24 else 24
        self.text = ""
        self.resize(self.rows, 80)
        self.wait_for("q quit")
        return self.text

    def end(self):
        def ended():
            self.read()
            process_id, self.status = os.waitpid(self.process_id, os.WNOHANG)
            return process_id
        wait_for(ended, "top to end")
        return os.waitstatus_to_exitcode(self.status)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.status is None:
            os.kill(self.process_id, signal.SIGKILL)
            os.waitpid(self.process_id, 0)
        os.close(self.descriptor)


class Top(unittest.TestCase):
    def test_keys_pause_sort_and_end(self):
        with Server() as server, Terminal("-i", "100ms", server.admin) as terminal:
            terminal.wait_for("messages/s")
            terminal.wait_for("sort by: core")
            terminal.press("r")
            terminal.wait_for("CPU")
            terminal.press("p")
            terminal.wait_for("PAUSED")
            terminal.press("p")
            terminal.wait_for("pause")
            terminal.press("q")
            self.assertEqual(terminal.end(), 0)
            self.assertIn("\x1b[?1049l", terminal.text, "the terminal is left as it was")

    def test_it_follows_the_size_of_the_terminal(self):
        with Server() as server, Terminal("-i", "100ms", server.admin) as terminal:
            terminal.wait_for("q quit")
            for rows, columns in ((60, 132), (5, 20), (24, 80)):
                terminal.text = ""
                terminal.resize(rows, columns)
                terminal.wait_for("tlsdyno top")
            terminal.press("q")
            self.assertEqual(terminal.end(), 0)

    def test_a_server_that_goes_away_is_said_and_asked_again(self):
        directory = self.enterContext(Directory())
        command = [str(BINARY), "serve", "--threads", "1", "--listen", "127.0.0.1:0", "--admin",
                   f"unix:{directory}/admin"]

        def start():
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        server = start()
        try:
            wait_for((directory / "admin").exists, "the admin endpoint")
            with Terminal("-i", "100ms", f"unix:{directory}/admin") as terminal:
                terminal.wait_for("messages/s")
                server.terminate()
                server.wait()
                terminal.wait_for("NO ANSWER, trying again")
                server = start()
                wait_for(lambda: "NO ANSWER" not in terminal.redrawn(), "the server's answer")
                wait_for(lambda: "messages/s" in terminal.redrawn(), "its figures")
                terminal.press("q")
                self.assertEqual(terminal.end(), 0)
        finally:
            server.kill()
            server.wait()

    def test_keys_work_while_the_server_keeps_its_answer_back(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            with Terminal("-i", "100ms", "http://127.0.0.1:%d" % listener.getsockname()[1]) as terminal:
                terminal.wait_for("Waiting for two answers")
                link, _ = listener.accept()
                with link:
                    self.assertIn(b"GET /stats", link.recv(1000))
                    terminal.press("p")
                    terminal.wait_for("go on")
                    terminal.press("q")
                    self.assertEqual(terminal.end(), 0)
                # Whoever gives up after a while says so.
                self.assertNotIn("NO ANSWER", terminal.text)

    @unittest.skipIf(os.environ.get("TLSDYNO_SANITIZED"), "newterm() leaks when it fails")
    def test_a_terminal_that_ncurses_does_not_know_is_named(self):
        with Server() as server, Terminal(server.admin, name="no-such") as terminal:
            self.assertEqual(terminal.end(), 1)
            self.assertIn("'no-such'", terminal.text)
            self.assertIn("--once", terminal.text)


class Once(unittest.TestCase):
    def test_without_a_terminal_it_prints_one_table(self):
        with Server(threads=2) as server:
            load(server.target, "--insecure", "--mode", "rr", "-n", 50, "-c", 2, "-t", 1)
            done = tlsdyno("top", "-i", "100ms", server.admin, check=0)
            self.assertNotIn("\x1b", done.stdout)
            lines = done.stdout.splitlines()
            self.assertTrue(all(len(line) <= 80 for line in lines), done.stdout)
            self.assertEqual(len([line for line in lines if re.match(r" +(CPU \d+|#\d+) ", line)]),
                             2, done.stdout)
            self.assertTrue(any(re.match(r" +all ", line) for line in lines), done.stdout)

    def test_nobody_there_is_a_failure_and_a_wrong_url_wrong_use(self):
        done = tlsdyno("top", "--once", "http://127.0.0.1:1", check=1)
        self.assertIn("cannot read the server's counters", done.stderr)
        self.assertIn("neither http://HOST:PORT nor unix:PATH",
                      tlsdyno("top", "ftp://x", check=2).stderr)
        self.assertIn("top needs a URL", tlsdyno("top", check=2).stderr)
        self.assertIn("--interval", tlsdyno("top", "-i", "1ms", "unix:/x", check=2).stderr)


if __name__ == "__main__":
    unittest.main()
