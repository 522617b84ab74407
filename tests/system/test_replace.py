"""Reloads under load, and one server in another's place: no connection may fail."""

import contextlib
import signal
import socket
import subprocess
import threading
import unittest

from dyno import BINARY, DEADLINE, Certificates, Directory, Server, load, scaled, wait_for
from wire import client_context

REPLACEMENTS = 2


class Reload(unittest.TestCase):
    def test_under_load_no_connection_fails(self):
        with Directory() as directory:
            files = Certificates(directory)
            with Server("--cert", files.cert, "--key", files.key) as server:
                reports = []
                count = scaled(10_000, 1_000)
                runner = threading.Thread(target=lambda: reports.append(
                    load(server.target, "--insecure", "--mode", "handshake", "-n", str(count),
                         "-c", "16", "-d", "10m", "--warmup", "0s", timeout=DEADLINE * 10)))
                runner.start()
                reloads = 0
                while reloads < 20 or runner.is_alive():
                    server.signal(signal.SIGHUP)
                    reloads += 1
                    wait_for(lambda: server.stdout().count("\nreloaded ") == reloads
                             or server.stderr(), "the reload")
                    done = server.counter("handshakes")
                    wait_for(lambda: not runner.is_alive()
                             or server.counter("handshakes") > done + count // 50, "more of them")
                runner.join()
                self.assertEqual(reports[0].errors, [])
                self.assertEqual(server.counter("handshakes_failed"), 0)
                self.assertGreaterEqual(server.counter("handshakes"), count)


class Visitors:
    """Clients that connect, say a word, hear it and go, one after the other, until told to stop."""

    def __init__(self, port, threads=4, tls=False):
        self.port = port
        self.tls = client_context() if tls else None
        self.visits = 0
        self.failures = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def visit(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as link:
            if self.tls:
                link = self.tls.wrap_socket(link, server_hostname="localhost")
            with link:
                link.sendall(b"hello")
                heard = b""
                while len(heard) < 5:
                    piece = link.recv(5)
                    if not piece:
                        raise AssertionError("the server closed")
                    heard += piece

    def run(self):
        while not self.stopped.is_set():
            try:
                self.visit()
                self.visits += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def wait_for_more(self, count=200):
        wanted = self.visits + count
        wait_for(lambda: self.visits >= wanted or self.failures, "visits")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class HandOver(unittest.TestCase):
    def check(self, words, tls):
        with contextlib.ExitStack() as stack:
            old = stack.enter_context(Server("--reuse", listen=("127.0.0.1:0" + words,)))
            visitors = stack.enter_context(Visitors(old.port, tls=tls))
            for _ in range(REPLACEMENTS):
                visitors.wait_for_more()
                new = stack.enter_context(
                    Server("--reuse", listen=(f"127.0.0.1:{old.port}{words}",)))
                old.signal(signal.SIGTERM)
                self.assertEqual(old.wait(), 0)
                visitors.wait_for_more()
                self.assertGreater(new.counter("accepts"), 0)
                old = new
            visitors.stopped.set()
            self.assertEqual(visitors.failures, [])

    def test_of_a_port_fails_no_plain_connection(self):
        self.check(",plain", False)

    def test_of_a_port_fails_no_tls_connection(self):
        self.check("", True)

    def test_does_not_join_a_worker_that_is_alone(self):
        with Server(threads=1) as server:
            done = subprocess.run(
                [BINARY, "serve", "--reuse", "--listen", f"127.0.0.1:{server.port}"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(done.returncode, 1)
            self.assertIn("in use", done.stderr)


class Activation(unittest.TestCase):
    @contextlib.contextmanager
    def serving(self, listener, directory):
        out = directory / "out"
        number = listener.fileno()
        with open(out, "wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f'exec env LISTEN_PID=$$ LISTEN_FDS=1 "$@" 3<&{number}', "bash",
                 BINARY, "serve", "--threads", "2"],
                pass_fds=[number], stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: "OpenSSL" in out.read_text(), "the server's start-up lines")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def test_a_restart_refuses_nobody(self):
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, \
                Directory() as directory, \
                Visitors(listener.getsockname()[1], tls=True) as visitors:
            for _ in range(REPLACEMENTS + 1):
                with self.serving(listener, directory) as process:
                    visitors.wait_for_more()
                    process.send_signal(signal.SIGTERM)
                    self.assertEqual(process.wait(DEADLINE), 0)
            with self.serving(listener, directory) as process:
                visitors.wait_for_more()
                visitors.stopped.set()
                for thread in visitors.threads:
                    thread.join()
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(DEADLINE), 0)
            self.assertEqual(visitors.failures, [])


if __name__ == "__main__":
    unittest.main()
