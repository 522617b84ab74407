"""Handshake, idle and write time-outs, seen from outside."""

import time
import unittest

from dyno import SANITIZED, Server, tlsdyno
from wire import RawClient, connect, secure, server_closes


class HandshakeTimeout(unittest.TestCase):
    def test_a_silent_client_is_dropped_after_the_time_given(self):
        for text, seconds in (("10ms", 0.01), ("200ms", 0.2), ("1s", 1)):
            with self.subTest(text), Server("--handshake-timeout", text) as server:
                started = time.monotonic()
                with connect(server.port) as link:
                    self.assertTrue(server_closes(link))
                elapsed = time.monotonic() - started
                self.assertGreaterEqual(elapsed, seconds * 0.95)
                self.assertLess(elapsed, seconds + (2 if SANITIZED else 0.5))
                server.wait_counter("timeouts", 1, "handshake")
                server.wait_counter("handshakes_failed", 1, "timeout")
                server.wait_idle()

    def test_a_client_that_dribbles_does_not_earn_more_time(self):
        with Server("--handshake-timeout", "300ms") as server:
            client = RawClient(server.port)
            client.step()
            hello = client.take_output()
            started = time.monotonic()
            try:
                for byte in hello:
                    client.link.sendall(bytes([byte]))
                    time.sleep(0.02)  # the dribble itself
                    if time.monotonic() - started > 10:
                        break
            except OSError:
                pass  # dropped, as it should be
            self.assertTrue(server_closes(client.link))
            self.assertLess(time.monotonic() - started, 5)
            client.close()
            server.wait_counter("timeouts", 1, "handshake")

    def test_a_client_in_time_stays(self):
        with Server("--handshake-timeout", "500ms") as server, secure(server.port) as link:
            time.sleep(0.7)  # past the time that the handshake was given
            link.sendall(b"still here")
            self.assertEqual(link.recv(100), b"still here")
            self.assertEqual(server.counter("timeouts", "handshake"), 0)

    def test_less_than_ten_milliseconds_is_bad_usage(self):
        done = tlsdyno("serve", "--handshake-timeout", "9ms", check=2)
        self.assertIn("handshake-timeout", done.stderr)


class IdleTimeout(unittest.TestCase):
    def test_a_silent_connection_is_dropped(self):
        with Server("--idle-timeout", "300ms") as server, secure(server.port) as link:
            link.sendall(b"x")
            self.assertEqual(link.recv(1), b"x")
            started = time.monotonic()
            self.assertTrue(server_closes(link))
            self.assertGreaterEqual(time.monotonic() - started, 0.25)
            server.wait_counter("timeouts", 1, "idle")
            server.wait_idle()

    def test_a_talking_connection_stays(self):
        with Server("--idle-timeout", "500ms") as server, secure(server.port) as link:
            for _ in range(10):
                time.sleep(0.1)
                link.sendall(b"x")
                self.assertEqual(link.recv(1), b"x")
            self.assertEqual(server.counter("timeouts", "idle"), 0)


class WriteTimeout(unittest.TestCase):
    def test_a_client_that_stops_reading_is_dropped(self):
        with Server("--service", "source", "--write-timeout", "500ms") as server:
            with RawClient(server.port, receive_buffer=4096) as client:
                client.handshake()
                server.wait_counter("timeouts", 1, "write")
                server.wait_idle()

    def test_a_client_that_reads_slowly_stays(self):
        with Server("--service", "source", "--write-timeout", "1s") as server:
            with RawClient(server.port, receive_buffer=65536) as client:
                client.handshake()
                end = time.monotonic() + 2.5
                while time.monotonic() < end:
                    client.link.recv(65536)
                    time.sleep(0.01)
                self.assertEqual(server.counter("timeouts", "write"), 0)
                self.assertEqual(server.counter("connections_open"), 1)


if __name__ == "__main__":
    unittest.main()
