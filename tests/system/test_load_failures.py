"""What `tlsdyno load` does when nothing works: counts by reason, exits 1, never hangs."""

import contextlib
import socket
import threading
import time
import unittest

from dyno import DEADLINE, Certificates, Directory, Server, load, tlsdyno, wait_for


@contextlib.contextmanager
def tcp_server(serve):
    """Calls serve(link) for each connection, in threads; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threads = []

    def handle(link):
        with link, contextlib.suppress(OSError):
            serve(link)

    def accept():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            link.settimeout(30)
            threads.append(threading.Thread(target=handle, args=(link,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield "127.0.0.1:%d" % listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


def reasons(report, phase):
    return " / ".join(error["reason"] for error in report.errors if error["phase"] == phase)


class NothingWorks(unittest.TestCase):
    def check_fails(self, target, *arguments):
        """A run in which nothing succeeds, within a few seconds."""
        started = time.monotonic()
        report = load(target, "--insecure", "-c", 4, "-d", "2s", "--timeout", "1s", *arguments,
                      check=1)
        self.assertLess(time.monotonic() - started, DEADLINE)
        self.assertGreater(sum(error["count"] for error in report.errors), 0)
        return report

    def test_a_dead_server(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            target = "127.0.0.1:%d" % listener.getsockname()[1]
        for mode in ("handshake", "rr", "upload", "download"):
            with self.subTest(mode):
                report = self.check_fails(target, "--mode", mode)
                self.assertIn("refused", reasons(report, "connect"))

    def test_a_dead_unix_socket(self):
        with Directory() as directory:
            report = self.check_fails(f"unix:{directory}/nobody")
            self.assertNotEqual(reasons(report, "connect"), "")

    def test_where_nobody_listens_it_gives_up_and_says_what_to_look_at(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            target = "127.0.0.1:%d" % listener.getsockname()[1]
        for mode in ("handshake", "rr"):
            with self.subTest(mode):
                report = load(target, "--insecure", "--mode", mode, "-c", 4, "-d", "1h", "--idle", 2,
                              check=1)
                self.assertFalse(report["interrupted"])
                self.assertIn(f"is {target} its address, and is the server running?",
                              report.process.stderr)

    def test_a_server_that_hangs_up_on_everybody_is_there_and_tried_to_the_end(self):
        with tcp_server(lambda link: None) as target:
            report = load(target, "--insecure", "-c", 2, "-d", "4s", check=1)
        # It begins a moment after the clock; who gave up would have done so after two seconds.
        self.assertGreater(report["measured_seconds"], 3)

    def test_a_server_that_says_nothing(self):
        with tcp_server(lambda link: link.recv(1 << 20) and time.sleep(5)) as target:
            report = self.check_fails(target)
            self.assertIn("time", reasons(report, "handshake"))

    def test_a_server_that_speaks_something_else(self):
        with tcp_server(lambda link: link.sendall(b"SSH-2.0-OpenSSH_9.2\r\n") or link.recv(100)) \
                as target:
            report = self.check_fails(target)
            self.assertNotEqual(reasons(report, "handshake"), "")

    def test_a_server_that_closes_at_once(self):
        with tcp_server(lambda link: None) as target:
            report = self.check_fails(target)
            self.assertNotEqual(reasons(report, "handshake"), "")

    def test_a_server_that_closes_midway(self):
        with Server("--idle-timeout", "120s") as server:
            def cut(link):
                """Passes the handshake on, then cuts in the middle of an answer."""
                with socket.create_connection(("127.0.0.1", server.port)) as upstream:
                    upstream.settimeout(0.2)
                    passed = 0
                    while passed < 20_000:
                        link.settimeout(0.05)
                        with contextlib.suppress(socket.timeout):
                            data = link.recv(65536)
                            if not data:
                                return
                            upstream.sendall(data)
                        with contextlib.suppress(socket.timeout):
                            upstream.settimeout(0.05)
                            data = upstream.recv(65536)[: 20_000 - passed]
                            passed += len(data)
                            link.sendall(data)

            with tcp_server(cut) as target:
                report = self.check_fails(target, "--mode", "rr", "-m", "1M")
                self.assertEqual(report["messages"]["count"], 0)
                self.assertNotEqual(reasons(report, "transfer"), "")

    def test_a_certificate_that_nobody_vouches_for(self):
        with Server() as server:
            report = load(server.target, "-c", 2, "-d", "2s", check=1)
            self.assertIn("self", reasons(report, "handshake"))  # "self-signed certificate"
            server.wait_idle()
            self.assertEqual(server.counter("handshakes"), server.counter("handshakes", "full"))

    def test_a_certificate_of_another_authority_or_host(self):
        with Directory() as directory:
            files = Certificates(directory)
            (directory / "other").mkdir()
            other = Certificates(directory / "other")
            with Server("--cert", files.cert, "--key", files.key) as server:
                load(server.target, "--ca", files.ca, "-c", 1, "-n", 5)
                load(server.target, "--ca", other.ca, "-c", 1, "-d", "500ms", check=1)
                wrong = load(server.target, "--ca", files.ca, "--verify-host", "elsewhere.example",
                             "-c", 1, "-d", "2s", check=1)
                self.assertIn("name", reasons(wrong, "handshake").lower())

    def test_no_version_in_common(self):
        with Server("--min-version", "1.3") as server:
            report = self.check_fails(server.target, "--max-version", "1.2")
            self.assertNotEqual(reasons(report, "handshake"), "")
            self.assertGreater(server.counter("handshakes_failed", "version"), 0)

    def test_no_suite_in_common(self):
        with Server("--ciphersuites", "TLS_AES_128_GCM_SHA256", "--min-version", "1.3") as server:
            self.check_fails(server.target, "--ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")
            self.assertGreater(server.counter("handshakes_failed", "no_shared"), 0)

    def test_http_from_a_server_that_echoes(self):
        with Server() as server:
            report = self.check_fails(f"https://{server.target}/1", "--mode", "rr")
            self.assertEqual(report["messages"]["count"], 0)

    def test_a_host_that_does_not_exist(self):
        done = tlsdyno("load", "no-such-host.invalid:4433", "-n", 1)
        self.assertIn(done.returncode, (1, 2))
        self.assertIn("no-such-host.invalid", done.stderr)


class ServerEndsMidway(unittest.TestCase):
    def test_what_succeeded_before_still_counts(self):
        with Server("--drain-timeout", "10ms") as server:
            def end():
                wait_for(lambda: server.counter("plain_bytes_out") > 10_000, "some answers")
                server.process.terminate()

            thread = threading.Thread(target=end)
            thread.start()
            # Some answers came, so the run as a whole is no failure; the errors are in the report.
            report = load(server.target, "--insecure", "--mode", "rr", "-c", 4, "-d", "3s")
            thread.join()
            self.assertGreater(report["messages"]["count"], 0)
            self.assertGreater(sum(error["count"] for error in report.errors), 0)
            server.wait()


if __name__ == "__main__":
    unittest.main()
