"""Handshake, idle and write time-outs, seen from outside."""

import contextlib
import ssl
import time
import unittest

from dyno import Server, tlsdyno
from wire import RawClient, client_context, connect, secure, server_closes


class HandshakeTimeout(unittest.TestCase):
    def test_a_silent_client_is_dropped_after_the_time_given(self):
        for text, seconds in (("10ms", 0.01), ("200ms", 0.2), ("1s", 1)):
            with self.subTest(text), Server("--handshake-timeout", text) as server:
                started = time.monotonic()
                with connect(server.port) as link:
                    self.assertTrue(server_closes(link))
                elapsed = time.monotonic() - started
                self.assertGreaterEqual(elapsed, seconds * 0.95)
                self.assertLess(elapsed, seconds + 10)  # by default it is two minutes
                server.wait_counter("timeouts", 1, "handshake")
                server.wait_counter("handshakes_failed", 1, "timeout")
                server.wait_idle()

    def test_a_client_that_dribbles_does_not_earn_more_time(self):
        with Server("--handshake-timeout", "300ms") as server:
            client = RawClient(server.port)
            client.step()
            hello = client.take_output()
            with self.assertRaises(OSError):  # long before all of it has gone
                for byte in hello:
                    client.link.sendall(bytes([byte]))
                    time.sleep(0.02)  # the dribble itself
            client.close()
            server.wait_counter("timeouts", 1, "handshake")

    def test_in_whatever_state_the_server_closes_by_itself(self):
        """The clients keep their sockets open until the server has none of theirs any more."""
        with Server("--handshake-timeout", "2s") as server, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(RawClient(server.port)) for _ in range(5)]
            silent, half, finished, dribbling, answered = clients
            for client in (half, finished, dribbling, answered):
                client.step()
            hello = half.take_output()
            half.link.sendall(hello[: len(hello) // 2])
            finished.flush()  # and never reads what is said to it
            answered.flush()
            answered.fill()  # the server's flight, and no Finished
            hello = dribbling.take_output()
            for byte in hello[:-1]:
                with contextlib.suppress(OSError):
                    dribbling.link.sendall(bytes([byte]))
                if server.counter("connections_open") == 0:
                    break
                time.sleep(0.01)  # the dribble itself
            server.wait_counter("timeouts", 5, "handshake")
            server.wait_idle()
            for client in clients:
                self.assertTrue(server_closes(client.link))

    def test_a_client_in_time_stays(self):
        with Server("--handshake-timeout", "2s") as server, secure(server.port) as link:
            time.sleep(2.2)  # past the time that the handshake was given
            link.sendall(b"still here")
            self.assertEqual(link.recv(100), b"still here")
            self.assertEqual(server.counter("timeouts", "handshake"), 0)

    def test_less_than_ten_milliseconds_is_bad_usage(self):
        done = tlsdyno("serve", "--handshake-timeout", "9ms", check=2)
        self.assertIn("handshake-timeout", done.stderr)


class FatalAlert(unittest.TestCase):
    def test_whoever_sends_it_the_server_closes(self):
        """Though the clients keep their sockets open, until the server has none of theirs."""
        with Server() as server, contextlib.ExitStack() as stack:
            distrustful = client_context()
            distrustful.verify_mode = ssl.CERT_REQUIRED
            clients = [stack.enter_context(RawClient(server.port, context))
                       for context in (None, distrustful, None, None)]
            early, late, wrong, corrupt = clients
            early.step()
            early.flush()
            early.fill()
            early.link.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # handshake_failure
            late.step()
            late.flush()
            with self.assertRaises(ssl.SSLCertVerificationError):
                while not late.step():
                    late.fill()
            late.flush()  # its alert, encrypted
            wrong.link.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")  # a hello of 1 byte
            corrupt.handshake()
            corrupt.send(b"good")
            self.assertEqual(corrupt.receive(4), b"good")
            corrupt.link.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            server.wait_counter("handshakes_failed", 2, "alert")
            server.wait_counter("handshakes_failed", 3)
            server.wait_counter("tls_errors", 1)
            server.wait_idle()
            for client in clients:
                self.assertTrue(server_closes(client.link))


class IdleTimeout(unittest.TestCase):
    def test_a_silent_connection_is_dropped(self):
        with Server("--idle-timeout", "300ms") as server, secure(server.port) as link:
            started = time.monotonic()  # before the server can have heard it
            link.sendall(b"x")
            self.assertEqual(link.recv(1), b"x")
            self.assertTrue(server_closes(link))
            self.assertGreaterEqual(time.monotonic() - started, 0.25)
            server.wait_counter("timeouts", 1, "idle")
            server.wait_idle()

    def test_a_talking_connection_stays(self):
        with Server("--idle-timeout", "2s") as server, secure(server.port) as link:
            for _ in range(8):
                time.sleep(0.3)
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
        with Server("--service", "source", "--write-timeout", "2s") as server:
            with RawClient(server.port, receive_buffer=65536) as client:
                client.handshake()
                end = time.monotonic() + 4.5
                while time.monotonic() < end:
                    client.link.recv(65536)
                    time.sleep(0.01)
                self.assertEqual(server.counter("timeouts", "write"), 0)
                self.assertEqual(server.counter("connections_open"), 1)


if __name__ == "__main__":
    unittest.main()
