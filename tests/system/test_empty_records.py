"""Records without payload in a row: a client that seals whatever it likes. It negotiates a suite
without encryption, so that a hash of the standard library is all that it takes."""

import contextlib
import hmac
import ssl
import struct
import unittest

from dyno import Directory, Server, needs
from s_client import SClient
from wire import (ALERT, APPLICATION_DATA, RawClient, client_context, receive_exactly, record,
                  secure, server_closes)

SUITES = "ECDHE-ECDSA-NULL-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
NO_ENCRYPT_THEN_MAC = 1 << 19  # SSL_OP_..., which Python's module does not name
WARNING = b"\x01\x6e"  # unsupported_extension
DEFAULT = 32


def prf(secret, seed, count):
    """RFC 5246 5."""
    out = b""
    block = seed
    while len(out) < count:
        block = hmac.digest(secret, block, "sha256")
        out += hmac.digest(secret, block + seed, "sha256")
    return out[:count]


class Sealer(RawClient):
    """A client that after its handshake sends records of its own making."""

    def __init__(self, port):
        self.stack = contextlib.ExitStack()
        log = self.stack.enter_context(Directory()) / "keylog"
        context = client_context(version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0")
        # OpenSSL takes empty records without encryption only where the MAC comes first.
        context.options |= NO_ENCRYPT_THEN_MAC
        context.keylog_filename = str(log)
        super().__init__(port, context)
        self.handshake()
        _, random, secret = log.read_text().splitlines()[-1].split()
        server_random = self.received[11:43]  # of the ServerHello, the first that came
        seed = b"key expansion" + server_random + bytes.fromhex(random)
        self.key = prf(bytes.fromhex(secret), seed, 20)
        self.sequence = 1  # Finished was 0

    def sealed(self, payload, kind=APPLICATION_DATA):
        head = struct.pack("!QBHH", self.sequence, kind, 0x0303, len(payload))
        self.sequence += 1
        return record(kind, payload + hmac.digest(self.key, head + payload, "sha1"))

    def send_empty(self, count):
        self.link.sendall(b"".join(self.sealed(b"") for _ in range(count)))

    def echo(self, word):
        self.link.sendall(self.sealed(word))
        assert self.receive(len(word)) == word

    def close(self):
        super().close()
        self.stack.close()


class EmptyRecords(unittest.TestCase):
    def serve(self, *arguments):
        return Server("--min-version", "1.0", "--ciphers", SUITES, *arguments, threads=1)

    def check_dropped(self, server, client, dropped):
        self.assertTrue(server_closes(client.link))
        client.close()
        server.wait_counter("connections_closed", dropped, "empty_records")
        self.assertEqual(server.counter("tls_errors"), dropped)
        with secure(server.port) as link:
            link.sendall(b"good")
            self.assertEqual(receive_exactly(link, 4), b"good")
        server.wait_idle()

    def check_limit(self, server, limit):
        with Sealer(server.port) as client:
            for index in range(3):
                client.send_empty(limit)
                client.echo(b"good %d" % index)
            self.assertEqual(server.counter("connections_closed", "empty_records"), 0)
            client.send_empty(limit + 1)
            self.check_dropped(server, client, 1)
        with Sealer(server.port) as client:  # what comes at once is too late
            client.link.sendall(b"".join(client.sealed(b"") for _ in range(limit + 1))
                                + client.sealed(b"late"))
            self.check_dropped(server, client, 2)

    def test_a_connection_bears_as_many_as_openssl_by_default(self):
        with self.serve() as server:
            self.check_limit(server, DEFAULT)

    def test_the_limit_can_be_set(self):
        for limit in (0, 1, 5):
            with self.subTest(limit), self.serve("--max-empty-records", limit) as server:
                self.check_limit(server, limit)

    def test_warnings_count_as_well(self):
        with self.serve("--max-empty-records", 2) as server, Sealer(server.port) as client:
            client.link.sendall(client.sealed(WARNING, ALERT) + client.sealed(b""))
            client.echo(b"good")
            client.link.sendall(client.sealed(WARNING, ALERT) + client.sealed(b"")
                                + client.sealed(WARNING, ALERT))
            self.check_dropped(server, client, 1)

    def test_one_byte_in_each_is_payload(self):
        with self.serve("--max-empty-records", 0) as server, Sealer(server.port) as client:
            client.link.sendall(b"".join(client.sealed(b"x") for _ in range(1000)))
            self.assertEqual(client.receive(1000), b"x" * 1000)

    @needs("openssl")
    def test_openssls_clients_send_single_ones_before_tls_1_1(self):
        """In CBC suites, ahead of each record of data, to hide the next IV."""
        old = ("-tls1", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        with self.serve("--max-empty-records", 1) as server:
            with SClient(server, *old) as client:
                for index in range(3):
                    client.echo(f"number {index}")
            server.wait_idle()
            self.assertEqual(server.counter("tls_errors"), 0)
        with self.serve("--max-empty-records", 0) as server:
            with SClient(server, *old) as client:
                client.type("hello")
                client.wait_end()
            server.wait_counter("connections_closed", 1, "empty_records")


if __name__ == "__main__":
    unittest.main()
