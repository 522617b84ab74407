"""Attacks by many connections at once. While each lasts an open connection goes on and the server's
memory stays within what the README says; afterwards nothing is left, a new connection works, and a
counter tells what happened. (How much throughput is left for others: bench/hostile.)"""

import contextlib
import os
import socket
import ssl
import unittest

from dyno import Server, scaled, wait_for
from wire import (HANDSHAKE, RawClient, client_hello, connect, extension, receive_exactly, record,
                  secure, server_closes)

KIB = 1024
BYTES_SHARED = scaled(24, 300) * KIB * KIB  # receive buffers; sanitizers pad
BYTES_EACH = scaled(80, 400) * KIB  # in the handshake, or busy
COUNT = scaled(200, 40)


class Flood(unittest.TestCase):
    ARGUMENTS = ()

    def setUp(self):
        self.server = self.enterContext(
            Server("--listen", "127.0.0.1:0,http", *self.ARGUMENTS, threads=1))
        self.bystander = self.enterContext(secure(self.server.port))
        self.check_echo(self.bystander)
        self.stack = self.enterContext(contextlib.ExitStack())
        self.before = self.server.resident_bytes()
        self.most = self.before

    def check_echo(self, link):
        word = os.urandom(8)
        link.sendall(word)
        self.assertEqual(receive_exactly(link, 8), word)

    def look(self):
        """Once in a while during the attack."""
        self.check_echo(self.bystander)
        self.most = max(self.most, self.server.resident_bytes())

    def settle(self, count=COUNT):
        """Ends the attack."""
        self.look()
        self.assertLess(self.most - self.before, BYTES_SHARED + count * BYTES_EACH)
        self.stack.close()
        self.server.wait_counter("connections_open", 1)
        self.server.wait_counter("handshakes_in_progress", 0)
        self.check_echo(self.bystander)
        with secure(self.server.port) as link:
            self.check_echo(link)

    def http(self, **options):
        return self.stack.enter_context(RawClient(self.server.ports[1], **options))


class Handshakes(Flood):
    def test_hellos_whose_clients_never_go_on(self):
        failed = self.server.counter("handshakes_failed", "closed")
        for _ in range(COUNT):
            client = self.stack.enter_context(RawClient(self.server.port))
            client.step()
            client.flush()
        self.server.wait_counter("handshakes_in_progress", COUNT)
        self.settle()
        self.server.wait_counter("handshakes_failed", failed + COUNT, "closed")

    def test_hellos_that_come_byte_by_byte(self):
        clients = []
        for _ in range(scaled(60, 20)):
            client = self.stack.enter_context(RawClient(self.server.port))
            client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.step()
            clients.append((client, client.take_output()))
        for index in range(100):
            for client, hello in clients:
                client.link.sendall(hello[index : index + 1])
            if index % 20 == 0:
                self.look()
        self.server.wait_counter("handshakes_in_progress", len(clients))
        for client, hello in clients:  # slow is not wrong
            client.link.sendall(hello[100:])
            client.fill()
            client.handshake()
        self.settle()

    def test_the_largest_hellos(self):
        padding = extension(21, bytes(60000))  # RFC 7685
        hello = client_hello(extensions=extension(13, b"\0\2\4\3") + padding)
        pieces = [hello[at : at + 16384] for at in range(0, len(hello), 16384)]
        for _ in range(COUNT):
            link = self.stack.enter_context(connect(self.server.port))
            link.sendall(b"".join(record(HANDSHAKE, piece, 0x0301) for piece in pieces[:-1]))
        self.server.wait_counter("handshakes_in_progress", COUNT)
        self.settle()

    def test_tickets_that_are_garbage(self):
        rejected = self.server.counter("tickets_rejected")
        failed = self.server.counter("handshakes_failed")
        for index in range(COUNT):
            link = self.stack.enter_context(connect(self.server.port))
            ticket = extension(35, os.urandom(1 + 37 * index % 1500))
            groups = extension(10, b"\0\2\0\x17") + extension(13, b"\0\2\4\3")
            link.sendall(record(HANDSHAKE, client_hello(extensions=groups + ticket), 0x0301))
            self.assertEqual(link.recv(1), bytes([HANDSHAKE]))  # a full handshake, no alert
        self.settle()
        self.server.wait_counter("handshakes_failed", failed + COUNT)
        # Those too short to name a key are no tickets.
        self.assertGreater(self.server.counter("tickets_rejected") - rejected, COUNT * 0.9)

    def test_connections_that_say_nothing(self):
        for _ in range(COUNT):
            self.stack.enter_context(connect(self.server.port))
        self.server.wait_counter("handshakes_in_progress", COUNT)
        self.settle()


class Refused(Flood):
    """Failing handshakes take no descriptor with them (Node's CVE-2026-21637)."""

    ARGUMENTS = ("--alpn", "only")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def test_protocols_without_overlap_leave_no_descriptor(self):
        before = self.descriptors()
        failed = self.server.counter("handshakes_failed", "no_shared")
        for _ in range(COUNT):
            with self.assertRaises(ssl.SSLError):
                secure(self.server.port, alpn=["another"])
        self.settle()
        self.server.wait_counter("handshakes_failed", failed + COUNT, "no_shared")
        wait_for(lambda: self.descriptors() <= before, "the descriptors to be closed")


class Http(Flood):
    def open(self, count, **options):
        clients = []
        for _ in range(count):
            client = self.http(**options)
            client.handshake()
            clients.append(client)
        return clients

    def test_requests_that_never_end(self):
        clients = self.open(COUNT // 2)
        for round_number in range(10):
            for client in clients:
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n" if round_number == 0 else b"X: y\r\n")
        self.look()
        self.settle()

    def test_bodies_that_never_end(self):
        clients = self.open(COUNT // 2)
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(4):
            for client in clients:
                client.send(bytes(65536))
            self.look()
        self.settle()

    def test_heads_that_are_too_long(self):
        errors = {
            b"431": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 70000 + b"\r\n",
            b"414": b"GET /" + b"y" * 70000 + b" HTTP/1.1\r\n",
        }
        for status, head in errors.items():
            for client in self.open(COUNT // 4):
                with contextlib.suppress(OSError):  # it need not wait for all of it
                    client.send(head)
                self.assertIn(b"HTTP/1.1 " + status, client.receive(12))
                self.assertTrue(server_closes(client.link))
        self.settle()

    def test_many_fields_are_too_many(self):
        for client in self.open(COUNT // 4):
            with contextlib.suppress(OSError):
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 20000)
            self.assertIn(b"HTTP/1.1 431", client.receive(12))
        self.settle()

    def test_requests_without_reading_the_answers(self):
        count = scaled(20, 5)
        for client in self.open(count, receive_buffer=4096):
            client.link.settimeout(scaled(0.05, 0.5))
            with contextlib.suppress(TimeoutError):
                while True:
                    client.send(b"GET /64ki HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        wait_for(lambda: self.server.counter("recv_pauses") >= 1, "back-pressure")
        self.look()
        self.assertLess(self.most - self.before, BYTES_SHARED + count * 2048 * KIB)
        self.most = self.before
        self.settle()


if __name__ == "__main__":
    unittest.main()
