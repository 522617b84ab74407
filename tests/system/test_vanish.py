"""Clients that vanish in each state, orderly and by reset; and bytes that are no TLS. Afterwards a
good connection works and nothing is left over."""

import os
import socket
import ssl
import unittest

from dyno import Server, wait_for
from wire import RawClient, client_context, connect, secure, server_closes


def after_connect(client):
    pass


def half_a_client_hello(client):
    client.step()
    hello = client.take_output()
    client.link.sendall(hello[: len(hello) // 2])


def after_client_hello(client):
    client.step()
    client.flush()


def after_server_flight(client):
    client.step()
    client.flush()
    client.fill()


def half_a_finished(client):
    while not client.step():
        output = client.take_output()
        client.link.sendall(output)
        client.fill()
    output = client.take_output()
    client.link.sendall(output[: len(output) // 2])


def after_handshake(client):
    client.handshake()


def half_a_record(client):
    client.handshake()
    client.tls.write(bytes(10000))
    record = client.take_output()
    client.link.sendall(record[: len(record) // 2])


def with_an_answer_under_way(client):
    client.handshake()
    for _ in range(20):
        client.send(bytes(50000))


def after_close_notify(client):
    client.handshake()
    try:
        client.tls.unwrap()
    except ssl.SSLWantReadError:
        pass  # the server's close_notify has not come yet
    client.flush()


STATES = (after_connect, half_a_client_hello, after_client_hello, after_server_flight,
          half_a_finished, after_handshake, half_a_record, with_an_answer_under_way,
          after_close_notify)


class Vanish(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def check_good(self):
        with secure(self.server.port) as link:
            link.sendall(b"good")
            self.assertEqual(link.recv(4), b"good")
        self.server.wait_idle()

    def test_clients_that_close_in_each_state(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for state in STATES:
                with self.subTest(state.__name__, version=version.name):
                    client = RawClient(self.server.port, client_context(version))
                    state(client)
                    client.close()
                    self.check_good()

    def test_clients_that_reset_in_each_state(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for state in STATES:
                with self.subTest(state.__name__, version=version.name):
                    client = RawClient(self.server.port, client_context(version))
                    state(client)
                    client.reset()
                    self.check_good()

    def test_a_close_without_close_notify_is_told_from_a_clean_one(self):
        self.server.wait_idle()
        truncated = self.server.counter("connections_closed", "truncated")
        clean = self.server.counter("connections_closed", "clean")
        client = RawClient(self.server.port)
        client.handshake()
        client.link.shutdown(socket.SHUT_WR)  # a close with the ticket unread would be a reset
        self.assertTrue(server_closes(client.link))
        client.close()
        wait_for(lambda: self.server.counter("connections_closed", "truncated") > truncated,
                 "a truncated connection")
        client = RawClient(self.server.port)
        after_close_notify(client)
        self.assertTrue(server_closes(client.link))
        client.close()
        wait_for(lambda: self.server.counter("connections_closed", "clean") > clean,
                 "a clean connection")

    def test_a_handshake_that_was_given_up_is_counted_as_closed(self):
        self.server.wait_idle()
        before = self.server.counter("handshakes_failed", "closed")
        client = RawClient(self.server.port)
        after_client_hello(client)
        client.close()
        self.server.wait_counter("handshakes_failed", before + 1, "closed")


class NotTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def refuse(self, data):
        """The server closes, and soon; the connection counts as failed."""
        before = self.server.counter("handshakes_failed")
        with connect(self.server.port) as link:
            link.sendall(data)
            self.assertTrue(server_closes(link))
        self.server.wait_counter("handshakes_failed", before + 1)
        with secure(self.server.port) as link:
            link.sendall(b"good")
            self.assertEqual(link.recv(4), b"good")
        self.server.wait_idle()

    def test_plain_http(self):
        before = self.server.counter("handshakes_failed", "not_tls")
        self.refuse(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.server.wait_counter("handshakes_failed", before + 1, "not_tls")

    def test_an_ssl_2_hello(self):
        # Length with the high bit set, CLIENT-HELLO, version 2, one cipher, no session, challenge.
        body = bytes([1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80]) + bytes(16)
        self.refuse(bytes([0x80, len(body)]) + body)

    def test_random_bytes(self):
        for _ in range(20):
            data = os.urandom(600)
            # A second byte of 3 would announce a record, for whose end the server rightly waits.
            self.refuse(bytes([0x55, 0xaa]) + data)

    def test_a_record_of_an_impossible_length(self):
        self.refuse(b"\x16\x03\x01\xff\xff" + bytes(70000))

    def test_a_client_hello_of_noise(self):
        self.refuse(b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03" + os.urandom(250))

    def test_a_flipped_bit_in_a_record_ends_that_connection_only(self):
        before = self.server.counter("tls_errors")
        with secure(self.server.port) as other, RawClient(self.server.port) as client:
            client.handshake()
            client.tls.write(b"soon to be corrupt")
            record = bytearray(client.take_output())
            record[-1] ^= 1
            client.link.sendall(record)
            self.assertTrue(server_closes(client.link))
            self.server.wait_counter("tls_errors", before + 1)
            other.sendall(b"undisturbed")
            self.assertEqual(other.recv(11), b"undisturbed")


if __name__ == "__main__":
    unittest.main()
