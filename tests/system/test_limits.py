"""Named limits: connections, and the memory that a client can make the server hold."""

import collections
import contextlib
import os
import time
import unittest

from dyno import DEADLINE, Server, scaled, tlsdyno, wait_for
from wire import RawClient, client_context, connect, receive_exactly, secure, server_closes

MIB = 1 << 20


def settle(server):
    """Waits until the server has sent nothing for a while."""
    last, since = -1, time.monotonic()

    def still():
        nonlocal last, since
        now = server.counter("plain_bytes_out")
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > 1.5

    wait_for(still, "the source to be stopped by back-pressure")
    return last


def check_echo(test, link):
    word = os.urandom(8)
    link.sendall(word)
    test.assertEqual(receive_exactly(link, 8), word)


class MaxConnections(unittest.TestCase):
    def test_more_connections_are_refused_at_once_and_counted(self):
        with Server("--max-connections", 8, threads=1) as server, contextlib.ExitStack() as stack:
            links = [stack.enter_context(secure(server.port)) for _ in range(8)]
            for refused in range(1, 4):
                started = time.monotonic()
                with connect(server.port) as extra:
                    self.assertTrue(server_closes(extra))
                self.assertLess(time.monotonic() - started, DEADLINE / 2)
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


class MaxHandshakes(unittest.TestCase):
    def test_handshakes_under_way_are_limited_and_open_connections_do_not_count(self):
        with Server("--max-handshakes", 4, threads=1) as server, contextlib.ExitStack() as stack:
            good = [stack.enter_context(secure(server.port)) for _ in range(6)]
            # A client is done when it has sent its Finished; the server not yet, and would refuse
            # one of the silent ones.
            server.wait_counter("handshakes_in_progress", 0)
            silent = [stack.enter_context(connect(server.port)) for _ in range(4)]
            server.wait_counter("handshakes_in_progress", 4)
            with connect(server.port) as extra:
                self.assertTrue(server_closes(extra))
            server.wait_counter("connections_refused", 1, "handshakes")
            silent[0].close()
            server.wait_counter("handshakes_in_progress", 3)
            good.append(stack.enter_context(secure(server.port)))
            for link in good:
                check_echo(self, link)


class PerAddress(unittest.TestCase):
    def test_connections_of_one_address_are_limited_in_all_workers_together(self):
        with Server("--max-connections-per-address", 3) as server, \
                contextlib.ExitStack() as stack:
            links = [stack.enter_context(secure(server.port)) for _ in range(3)]
            for refused in range(1, 9):  # wherever the kernel puts them
                with connect(server.port) as extra:
                    self.assertTrue(server_closes(extra))
                server.wait_counter("connections_refused", refused, "address_connections")
            other = stack.enter_context(secure(server.port, source="127.0.0.2"))
            for link in [*links, other]:
                check_echo(self, link)
            links[0].close()
            server.wait_counter("connections_open", 3)
            check_echo(self, stack.enter_context(secure(server.port)))

    def test_handshakes_of_one_address_are_limited_by_the_second(self):
        with Server("--max-handshakes-per-address", 2) as server:
            outcomes = collections.Counter()
            started = time.monotonic()
            while outcomes["refused"] < 4 or outcomes["good"] < 4:
                with connect(server.port) as link:
                    outcomes[self.handshake(link)] += 1
            seconds = int(time.monotonic() - started) + 2  # begun and not complete count too
            self.assertLessEqual(outcomes["good"], 2 * seconds)
            server.wait_counter("connections_refused", outcomes["refused"], "address_handshakes")
            with secure(server.port, source="127.0.0.2") as other:
                check_echo(self, other)

    @staticmethod
    def handshake(link):
        try:
            client_context().wrap_socket(link, server_hostname="localhost")
        except OSError:
            return "refused"
        return "good"

    def test_by_default_one_address_may_have_thousands(self):
        count = scaled(2000, 200)
        with Server() as server, contextlib.ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(connect(server.port))
            server.wait_counter("handshakes_in_progress", count)
            self.assertEqual(server.counter("connections_refused"), 0)
            with secure(server.port) as link:
                check_echo(self, link)


class MaxBuffers(unittest.TestCase):
    # A reader that stalls leaves between a quarter of its queue's 128 KiB and all of it, as the
    # kernel's buffers happen to fill: even the least is too much of 150 of them.
    LIMIT = 4 * MIB

    def test_readers_that_never_read_stay_within_the_total_and_make_room(self):
        """More of them than there is room for, without a write timeout to help."""
        count = 150
        with Server("--service", "source", "--listen", "127.0.0.1:0,echo", "--write-timeout",
                    "1h", "--max-buffers", self.LIMIT, threads=1) as server, \
                contextlib.ExitStack() as stack:
            good = stack.enter_context(secure(server.ports[1]))
            check_echo(self, good)
            before = server.resident_bytes()
            for _ in range(count):
                client = stack.enter_context(RawClient(server.port, receive_buffer=4096))
                with contextlib.suppress(OSError):  # refused, which is as good
                    client.handshake()
                check_echo(self, good)
            wait_for(lambda: server.counter("connections_closed", "overflow") > 0,
                     "a reader to be dropped")
            # Besides the total: what a connection costs, output waiting or not.
            self.assertLess(server.resident_bytes() - before,
                            self.LIMIT + count * scaled(160, 400) * 1024)
            check_echo(self, good)
            another = wait_for(lambda: self.another(server.ports[1]), "room for a new connection")
            check_echo(self, stack.enter_context(another))

    @staticmethod
    def another(port):
        with contextlib.suppress(OSError):  # refused: those who stall are not gone yet
            return secure(port)

    def test_output_for_one_client_can_be_limited(self):
        with Server("--service", "source", "--max-output", "16Ki", threads=1) as server:
            with RawClient(server.port, receive_buffer=4096) as client:
                client.handshake()
                settle(server)
                queued = server.counter("plain_bytes_out") - server.counter("wire_bytes_out")
                self.assertLess(queued, 16 * 1024 + 64 * 1024)  # and what one write takes

    def test_too_small_a_total_is_bad_usage(self):
        for option in ("--max-buffers", "--max-output"):
            self.assertIn(option[2:], tlsdyno("serve", option, 1000, check=2).stderr)


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
            # The kernel took the last of it when the server was busy elsewhere, perhaps.
            wait_for(lambda: server.counter("recv_pauses") >= count, "back-pressure on each")
            self.assertLess(server.resident_bytes() - before,
                            self.BYTES_SHARED + count * self.BYTES_EACH)

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
                settled = settle(server)
                self.assertEqual(server.counter("plain_bytes_out"), settled)
                self.assertLess(settled, 16 * MIB)  # the kernel's socket buffers are most of it


if __name__ == "__main__":
    unittest.main()
