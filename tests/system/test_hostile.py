"""Attacks on the wire, before and after the handshake, one at a time and many at once. Each ends
its own connection alone and is counted; meanwhile an open connection goes on, and afterwards a new
one works. (Peers that vanish, and the simplest non-TLS, are in test_vanish.py.)"""

import contextlib
import os
import socket
import ssl
import unittest

from dyno import DEADLINE, Server, scaled, wait_for
from wire import (ALERT, APPLICATION_DATA, HANDSHAKE, RawClient, client_context, client_hello,
                  connect, extension, handshake_message, real_client_hello, record, secure,
                  server_closes)

CHANGE_CIPHER_SPEC, HEARTBEAT = 20, 24
TLS_1_2 = ssl.TLSVersion.TLSv1_2
TLS_1_3 = ssl.TLSVersion.TLSv1_3


# Before the handshake: what is sent, and the kind of failure that it must count as.
OPENINGS = {
    "an SSLv3 hello": (record(HANDSHAKE, client_hello(0x0300), 0x0300), "version"),
    "a TLS 1.0 hello": (record(HANDSHAKE, client_hello(0x0301), 0x0301), "version"),
    "a TLS 1.1 hello": (record(HANDSHAKE, client_hello(0x0302), 0x0301), "version"),
    "no suite in common": (record(HANDSHAKE, client_hello(suites=b"\x00\x05")), "no_shared"),
    "suites of an odd length": (record(HANDSHAKE, client_hello(suites=b"\x00\x05\x00")), None),
    "extensions that overrun": (record(HANDSHAKE, client_hello(extensions=b"\x00\x00\xff\xff")),
                                None),
    "a server name that overruns": (record(HANDSHAKE, client_hello(
        extensions=extension(0, b"\xff\xff\x00\xff\xff"))), None),
    "an empty ALPN list": (record(HANDSHAKE, client_hello(extensions=extension(16, b"\0\0"))),
                           None),
    "a hello of 16 MiB announced": (record(HANDSHAKE, b"\x01\xff\xff\xff" + bytes(16000)), None),
    "a ServerHello": (record(HANDSHAKE, handshake_message(2, bytes(60))), None),
    "a Finished": (record(HANDSHAKE, handshake_message(20, bytes(12))), None),
    "application data": (record(APPLICATION_DATA, b"GET / HTTP/1.1\r\n\r\n"), None),
    "an alert": (record(ALERT, b"\x02\x28"), "protocol"),
    "a heartbeat": (record(HEARTBEAT, b"\x01\x40\x00"), None),
    "a record without a payload": (record(HANDSHAKE, b"") * 64, None),
    "a record of the impossible version 9": (record(HANDSHAKE, client_hello(), 0x0909), "not_tls"),
    "a record larger than any": (record(HANDSHAKE, bytes(16384 + 2048 + 1)), None),
    "an SSH greeting": (b"SSH-2.0-OpenSSH_9.2\r\n", "not_tls"),
    "a request to a proxy": (b"CONNECT localhost:443 HTTP/1.1\r\n\r\n", "not_tls"),
    "zeros": (bytes(4096), "not_tls"),
}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def setUp(self):
        self.bystander = self.enterContext(secure(self.server.port))
        self.check_echo(self.bystander)

    def check_echo(self, link):
        word = os.urandom(8)
        link.sendall(word)
        self.assertEqual(link.recv(100), word)

    def take_hello(self):
        """A real ClientHello; the connection that it was made for has been counted and is gone."""
        accepts = self.server.counter("accepts")
        hello = real_client_hello(self.server.port)
        self.server.wait_counter("accepts", accepts + 1)
        self.server.wait_counter("connections_open", 1)
        return hello

    @contextlib.contextmanager
    def attack(self, counter, label=None, count=1):
        """What happens in the block must count so often and disturb nobody."""
        before = self.server.counter(counter, label)
        yield
        self.server.wait_counter(counter, before + count, label)
        self.check_echo(self.bystander)
        with secure(self.server.port) as link:
            self.check_echo(link)
        self.server.wait_counter("connections_open", 1)
        self.server.wait_counter("handshakes_in_progress", 0)


class BeforeTheHandshake(Hostile):
    def test_openings_that_are_none(self):
        for name, (data, kind) in OPENINGS.items():
            with self.subTest(name), self.attack("handshakes_failed", kind):
                with connect(self.server.port) as link:
                    with contextlib.suppress(OSError):  # it may close before all is sent
                        link.sendall(data)
                    self.assertTrue(server_closes(link))

    def test_a_hello_in_pieces_of_one_byte_is_a_good_one(self):
        # The twin of all that: unusual, and allowed.
        with RawClient(self.server.port) as client:
            client.step()
            hello = client.take_output()
            client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for index in range(len(hello)):
                client.link.sendall(hello[index : index + 1])
            client.fill()
            client.handshake()
            client.send(b"good")
            self.assertEqual(client.receive(4), b"good")

    def test_a_hello_in_records_of_one_byte_is_a_good_one(self):
        with RawClient(self.server.port) as client:
            client.step()
            hello = client.take_output()[5:]
            client.link.sendall(b"".join(record(HANDSHAKE, hello[index : index + 1], 0x0301)
                                         for index in range(len(hello))))
            client.fill()
            client.handshake()
            client.send(b"good")
            self.assertEqual(client.receive(4), b"good")

    def test_hellos_with_noise_in_each_place(self):
        hello = self.take_hello()
        for offset in range(5, len(hello), scaled(7, 31)):
            with self.subTest(offset):
                damaged = bytearray(hello)
                damaged[offset] ^= 0xFF
                # Some damage is harmless, and then it is the client that goes away.
                with connect(self.server.port) as link:
                    link.sendall(damaged)
                    link.shutdown(socket.SHUT_WR)
                    self.assertTrue(server_closes(link))
        self.check_echo(self.bystander)
        self.server.wait_counter("connections_open", 1)
        with secure(self.server.port) as link:
            self.check_echo(link)

    def test_truncated_hellos_of_each_length(self):
        hello = self.take_hello()
        lengths = range(1, len(hello), scaled(7, 31))
        with self.attack("handshakes_failed", "closed", len(lengths)):
            for length in lengths:
                with connect(self.server.port) as link:
                    link.sendall(hello[:length])
                    link.shutdown(socket.SHUT_WR)
                    self.assertTrue(server_closes(link), length)

    def test_many_at_once(self):
        count = scaled(200, 40)
        with self.attack("handshakes_failed", count=count), contextlib.ExitStack() as stack:
            links = [stack.enter_context(connect(self.server.port)) for _ in range(count)]
            for index, link in enumerate(links):
                data = list(OPENINGS.values())[index % len(OPENINGS)][0]
                with contextlib.suppress(OSError):
                    link.sendall(data)
            for link in links:
                self.assertTrue(server_closes(link))


class AfterTheHandshake(Hostile):
    def check(self, version, data):
        """The server ends the connection at once and counts an error of TLS."""
        with self.attack("tls_errors"), RawClient(self.server.port,
                                                  client_context(version)) as client:
            client.handshake()
            client.send(b"good")
            self.assertEqual(client.receive(4), b"good")
            with contextlib.suppress(OSError):
                client.link.sendall(data)
            self.assertTrue(server_closes(client.link))

    def test_records_that_are_none(self):
        for version in (TLS_1_2, TLS_1_3):
            for name, data in {
                "plain text": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "noise in a record": record(APPLICATION_DATA, os.urandom(200)),
                "a record larger than any": record(APPLICATION_DATA, bytes(16384 + 2048 + 1)),
                "a record too short for its tag": record(APPLICATION_DATA, bytes(7)),
                "an unencrypted alert": record(ALERT, b"\x01\x00"),
                "an unencrypted hello": record(HANDSHAKE, client_hello()),
                "a heartbeat": record(HEARTBEAT, b"\x01\x40\x00"),
                "an unknown type": record(99, bytes(40)),
                "zeros": bytes(4096),
            }.items():
                with self.subTest(name, version=version.name):
                    self.check(version, data)

    def test_a_record_sent_twice(self):
        for version in (TLS_1_2, TLS_1_3):
            with self.subTest(version.name), self.attack("tls_errors"), \
                    RawClient(self.server.port, client_context(version)) as client:
                client.handshake()
                client.tls.write(b"once")
                replayed = client.take_output()
                client.link.sendall(replayed)
                self.assertEqual(client.receive(4), b"once")
                client.link.sendall(replayed)
                self.assertTrue(server_closes(client.link))

    def test_records_in_the_wrong_order(self):
        with self.attack("tls_errors"), RawClient(self.server.port) as client:
            client.handshake()
            client.tls.write(b"first")
            first = client.take_output()
            client.tls.write(b"second")
            client.link.sendall(client.take_output() + first)
            self.assertTrue(server_closes(client.link))

    def test_changes_of_the_cipher_without_end(self):
        with self.attack("tls_errors"), RawClient(self.server.port,
                                                  client_context(TLS_1_2)) as client:
            client.handshake()
            client.tls.write(b"good")
            client.flush()
            self.assertEqual(client.receive(4), b"good")
            with contextlib.suppress(OSError):
                client.link.sendall(record(CHANGE_CIPHER_SPEC, b"\x01") * 1000)
            self.assertTrue(server_closes(client.link))

    def test_a_client_that_only_sends(self):
        # Its echo finds no reader: back-pressure holds it, and its end frees everything.
        client = self.enterContext(RawClient(self.server.port, receive_buffer=4096))
        client.handshake()
        client.link.settimeout(scaled(0.3, 1.0))
        pauses = self.server.counter("recv_pauses")
        with contextlib.suppress(TimeoutError):
            while True:
                client.send(bytes(16384))
        wait_for(lambda: self.server.counter("recv_pauses") > pauses, "back-pressure")
        self.check_echo(self.bystander)
        client.link.settimeout(DEADLINE)
        client.reset()
        self.server.wait_counter("connections_open", 1)
        with secure(self.server.port) as link:
            self.check_echo(link)


if __name__ == "__main__":
    unittest.main()
