"""How the server ends: drain on SIGTERM, the deadline, and at once."""

import signal
import socket
import time
import unittest

from dyno import DEADLINE, Server, wait_for
from wire import connect, receive_exactly, secure, server_closes


def is_refused(port):
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it came just when the listener went
    return False


class Drain(unittest.TestCase):
    def test_an_open_connection_finishes_while_new_ones_are_refused(self):
        with Server("--drain-timeout", "60s") as server, secure(server.port) as link:
            link.sendall(b"before")
            self.assertEqual(receive_exactly(link, 6), b"before")
            server.signal(signal.SIGTERM)
            wait_for(lambda: is_refused(server.port), "new connections to be refused")
            link.sendall(b"during")
            self.assertEqual(receive_exactly(link, 6), b"during")
            self.assertIsNone(server.process.poll())
            link.unwrap()
            link.close()
            self.assertEqual(server.wait(), 0)

    def test_a_long_http_answer_is_sent_to_its_end(self):
        with Server("--service", "http", "--drain-timeout", "60s") as server:
            with secure(server.port) as link:
                link.sendall(b"GET /40m HTTP/1.1\r\nHost: x\r\n\r\n")
                received = len(receive_exactly(link, 100_000))
                server.signal(signal.SIGTERM)
                wait_for(lambda: is_refused(server.port), "new connections to be refused")
                while piece := link.recv(1 << 20):
                    received += len(piece)
                self.assertGreaterEqual(received, 40_000_000)
            self.assertEqual(server.wait(), 0)

    def test_the_deadline_ends_what_is_still_open(self):
        with Server("--drain-timeout", "500ms") as server, secure(server.port) as link:
            link.sendall(b"x")
            link.recv(1)
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertTrue(server_closes(link))
            self.assertGreaterEqual(time.monotonic() - started, 0.45)
            self.assertEqual(server.wait(), 0)

    def test_without_connections_it_ends_at_once(self):
        with Server("--drain-timeout", "60s") as server:
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - started, DEADLINE / 2)

    def test_a_second_signal_ends_it_at_once(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(second), Server("--drain-timeout", "60s") as server:
                with secure(server.port) as link:
                    link.sendall(b"x")
                    link.recv(1)
                    server.signal(signal.SIGTERM)
                    wait_for(lambda: is_refused(server.port), "the drain to begin")
                    started = time.monotonic()
                    server.signal(second)
                    self.assertEqual(server.wait(), 0)
                    self.assertLess(time.monotonic() - started, 10)
                    self.assertTrue(server_closes(link))

    def test_an_interrupt_ends_it_at_once(self):
        with Server("--drain-timeout", "60s") as server, secure(server.port) as link:
            link.sendall(b"x")
            link.recv(1)
            server.signal(signal.SIGINT)
            self.assertEqual(server.wait(), 0)

    def test_the_port_and_the_admin_socket_are_free_afterwards(self):
        with Server() as server:
            port, admin = server.port, server.admin.removeprefix("unix:")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            with socket.create_server(("127.0.0.1", port)):
                pass
            with socket.socket(socket.AF_UNIX) as link, self.assertRaises(OSError):
                link.connect(admin)


if __name__ == "__main__":
    unittest.main()
