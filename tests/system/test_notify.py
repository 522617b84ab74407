"""What a service manager hears from the server (sd_notify(3)): that it is ready, reloads, ends, and
that all of its threads are alive. The sandbox is on."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import time
import unittest

from dyno import Certificates, Directory, Server, wait_for
from wire import secure

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL of waitpid(2)


class Manager:
    """The socket that a manager listens on, and all messages so far."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.setblocking(False)
        self.name = name
        self.messages = []

    def heard(self):
        try:
            while True:
                self.messages.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self.messages

    def count(self, message):
        return self.heard().count(message)

    def lines(self, name):
        """The values that a name was given."""
        return [line.partition("=")[2] for message in self.heard()
                for line in message.split("\n") if line.startswith(name + "=")]

    def wait_for(self, message, count=1):
        wait_for(lambda: self.count(message) >= count, f"{message}, {count} of them")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()


def worker_of(process):
    """A thread that waits for its ring."""
    tasks = pathlib.Path(f"/proc/{process}/task")
    return wait_for(lambda: next((int(task.name) for task in tasks.iterdir()
                                  if "io_cqring_wait" in (task / "wchan").read_text()), None),
                    "a worker that is idle")


@contextlib.contextmanager
def stopped(thread):
    """One thread stopped, and the rest of its process not, as only ptrace(2) can."""
    trace = ctypes.CDLL(None, use_errno=True).ptrace
    if trace(PTRACE_SEIZE, thread, 0, 0) != 0:
        raise unittest.SkipTest("cannot trace: " + os.strerror(ctypes.get_errno()))
    trace(PTRACE_INTERRUPT, thread, 0, 0)
    os.waitpid(thread, WAIT_ALL)
    try:
        yield
    finally:
        trace(PTRACE_DETACH, thread, 0, 0)


class Notify(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.manager = self.enterContext(Manager(str(self.directory / "manager")))

    def server(self, *arguments, name=None, **environment):
        return Server(*arguments, environment={"NOTIFY_SOCKET": name or self.manager.name,
                                               **environment})

    def test_it_is_ready_when_it_listens(self):
        with self.server() as server:
            self.manager.wait_for("READY=1")
            self.assertEqual(self.manager.heard()[0], "READY=1")
            secure(server.port).close()
            wait_for(lambda: self.manager.lines("STATUS"), "the status")
            self.assertRegex(self.manager.lines("STATUS")[0], r"^\d connections open, \d accepted")
            self.assertEqual(self.manager.count("WATCHDOG=1"), 0)
            self.assertEqual(server.stderr(), "")

    def test_names_without_a_file_are_reached(self):
        with Manager(f"@tlsdyno-{os.getpid()}") as manager, self.server(name=manager.name):
            manager.wait_for("READY=1")

    def test_a_manager_that_is_not_there_is_told_of(self):
        with self.server(name=str(self.directory / "nobody")) as server:
            self.assertRegex(server.stderr(), "cannot reach the service manager .*nobody: No such")
            secure(server.port).close()

    def test_a_reload_is_framed_however_it_ends(self):
        files = Certificates(self.directory / "ca")
        with self.server("--cert", files.cert, "--key", files.key) as server:
            self.manager.wait_for("READY=1")
            before = time.monotonic_ns() // 1000
            for good in (True, False):
                self.manager.messages.clear()
                if not good:
                    files.cert.write_text("no certificate\n")
                server.signal(signal.SIGHUP)
                self.manager.wait_for("READY=1")
                told = [text for text in self.manager.heard() if not text.startswith("STATUS")]
                self.assertRegex(told[0], r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
                self.assertEqual(told[1:], ["READY=1"])
                since = int(self.manager.lines("MONOTONIC_USEC")[0])
                self.assertTrue(before <= since <= time.monotonic_ns() // 1000, since)
                before = since
            self.assertIn("not reloaded", server.stderr())

    def test_the_end_is_told_when_it_begins(self):
        with self.server("--drain-timeout", "600s") as server, secure(server.port):
            server.wait_counter("handshakes_in_progress", 0)
            server.signal(signal.SIGTERM)
            wait_for(lambda: self.manager.lines("STOPPING") == ["1"], "STOPPING=1")
            self.assertEqual(self.manager.lines("EXTEND_TIMEOUT_USEC"), ["605000000"])
            self.assertIsNone(server.process.poll())

    def test_the_watchdog_is_fed_through_a_drain(self):
        with self.server(WATCHDOG_USEC="200000") as server, secure(server.port):
            self.manager.wait_for("WATCHDOG=1", 3)
            server.signal(signal.SIGTERM)
            wait_for(lambda: self.manager.lines("STOPPING"), "STOPPING=1")
            self.manager.wait_for("WATCHDOG=1", self.manager.count("WATCHDOG=1") + 3)

    def test_the_watchdog_is_not_fed_while_a_worker_hangs(self):
        with self.server("--no-sandbox", WATCHDOG_USEC="1000000") as server:
            self.manager.wait_for("WATCHDOG=1")
            with stopped(worker_of(server.process.pid)):
                lines = server.stderr().count("\n")
                wait_for(lambda: server.stderr().count("\n") > lines, "the line about the worker")
                self.assertRegex(server.stderr(), r"(?m)^tlsdyno: worker \d has not answered for .* s$")
                fed = self.manager.count("WATCHDOG=1")
                server.signal(signal.SIGHUP)  # the main thread lives
                self.manager.wait_for("READY=1", 2)
                self.assertEqual(self.manager.count("WATCHDOG=1"), fed)
            self.manager.wait_for("WATCHDOG=1", fed + 1)


if __name__ == "__main__":
    unittest.main()
