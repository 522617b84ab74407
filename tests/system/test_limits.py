"""Named limits: connections, and the memory that a client can make the server hold."""

import contextlib
import time
import unittest

from dyno import Server, scaled, tlsdyno, wait_for
from wire import RawClient, connect, receive_exactly, secure, server_closes

MIB = 1 << 20


class MaxConnections(unittest.TestCase):
    def test_more_connections_are_refused_at_once_and_counted(self):
        with Server("--max-connections", 8, threads=1) as server, contextlib.ExitStack() as stack:
            links = [stack.enter_context(secure(server.port)) for _ in range(8)]
            for refused in range(1, 4):
                started = time.monotonic()
                with connect(server.port) as extra:
                    self.assertTrue(server_closes(extra))
                self.assertLess(time.monotonic() - started, 2)
                server.wait_counter("connections_refused", refused)
            for link in links:  # the open ones have not noticed
                link.sendall(b"here")
                self.assertEqual(receive_exactly(link, 4), b"here")
            self.assertEqual(server.counter("connections_open"), 8)

    def test_a_closed_connection_makes_room_for_another(self):
        with Server("--max-connections", 2, threads=1) as server:
            for _ in range(5):
                with secure(server.port) as one, secure(server.port) as two:
                    for link in (one, two):
                        link.sendall(b"x")
                        self.assertEqual(link.recv(1), b"x")
                server.wait_counter("connections_open", 0)
            self.assertEqual(server.counter("connections_refused"), 0)

    def test_no_connections_at_all_is_bad_usage(self):
        self.assertIn("max-connections", tlsdyno("serve", "--max-connections", 0, check=2).stderr)


class ReaderThatNeverReads(unittest.TestCase):
    # As the README promises: receive buffers for all connections of a worker, and for each one.
    BYTES_SHARED = scaled(80 * MIB, 400 * MIB)  # sanitizers pad
    BYTES_EACH = 2 * MIB
    # Far more than a socket's buffers take: a client that sends so much has not been stopped.
    STOPPED_BYTES = 64 * MIB

    def test_it_neither_grows_the_server_nor_stays(self):
        count = scaled(100, 20)
        with Server("--write-timeout", "5s", threads=1) as server, contextlib.ExitStack() as stack:
            before = server.resident_bytes()
            clients = self.open(server, stack, count)
            self.push(clients)
            self.assertLess(server.resident_bytes() - before,
                            self.BYTES_SHARED + count * self.BYTES_EACH)
            self.assertGreaterEqual(server.counter("recv_pauses"), count)

            with secure(server.port) as good:
                good.sendall(b"meanwhile")
                self.assertEqual(receive_exactly(good, 9), b"meanwhile")
            server.wait_counter("timeouts", count, "write")
            server.wait_idle()

    @staticmethod
    def open(server, stack, count):
        clients = []
        for _ in range(count):
            client = stack.enter_context(RawClient(server.port, receive_buffer=4096))
            client.handshake()
            client.link.settimeout(0.01)
            clients.append(client)
        return clients

    def push(self, clients):
        """Sends to each until none takes any more: until back-pressure has reached the sender."""
        sent = dict.fromkeys(clients, 0)
        block = bytes(65536)
        while sent:
            for client in list(sent):
                try:
                    client.send(block)
                except OSError:  # a time-out: the socket takes nothing more
                    del sent[client]
                    continue
                sent[client] += len(block)
                self.assertLess(sent[client], self.STOPPED_BYTES)


class SourceWithoutEnd(unittest.TestCase):
    def test_an_endless_answer_to_a_reader_that_stopped_stays_bounded(self):
        with Server("--service", "source", threads=1) as server:
            with RawClient(server.port, receive_buffer=4096) as client:
                client.handshake()
                settled = self.settle(server)
                self.assertEqual(server.counter("plain_bytes_out"), settled)
                self.assertLess(settled, 16 * MIB)  # the kernel's socket buffers are most of it

    @staticmethod
    def settle(server):
        """Waits until the server has sent nothing for half a second."""
        last, since = -1, time.monotonic()

        def still():
            nonlocal last, since
            now = server.counter("plain_bytes_out")
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since > 0.5

        wait_for(still, "the source to be stopped by back-pressure")
        return last


if __name__ == "__main__":
    unittest.main()
