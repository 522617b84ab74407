"""How large the records on the wire are, counted from the raw bytes by the test."""

import ssl
import time
import unittest

from dyno import Server, load, needs, run, tlsdyno
from wire import APPLICATION_DATA, RawClient, RecordingProxy, records

# What a record's payload has on top of its plaintext: the tag and the inner content type in TLS 1.3
# (RFC 8446 5.2), the explicit nonce and the tag with AES-GCM in TLS 1.2 (RFC 5288).
OVERHEAD = {ssl.TLSVersion.TLSv1_2: 8 + 16, ssl.TLSVersion.TLSv1_3: 1 + 16}
FETCH = b"GET /1000000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def data_lengths(stream):
    return [length for kind, length in records(stream) if kind == APPLICATION_DATA]


class Fragments(unittest.TestCase):
    def fetch(self, server, version):
        """The lengths of the application data records of a 1 MB answer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("AESGCM")
        with RawClient(server.port, context) as client:
            client.handshake()
            before = len(client.received)
            client.send(FETCH)
            client.receive(1_000_000)
            return data_lengths(client.received[before:])

    def test_no_record_carries_more_than_the_fragment_size(self):
        for fragment in (512, 1000, 4096, 16384):
            with Server("--service", "http", "--max-send-fragment", fragment) as server:
                for version, overhead in OVERHEAD.items():
                    with self.subTest(fragment=fragment, version=version.name):
                        lengths = self.fetch(server, version)
                        self.assertEqual(max(lengths), fragment + overhead)
                        # The bulk goes out in full records, not merely in permitted ones.
                        full = lengths.count(fragment + overhead)
                        self.assertGreaterEqual(full, 1_000_000 // fragment * 0.9)

    def test_the_default_is_the_largest_record_of_the_protocol(self):
        with Server("--service", "http") as server:
            lengths = self.fetch(server, ssl.TLSVersion.TLSv1_3)
            self.assertEqual(max(lengths), 16384 + 17)

    def test_sizes_that_the_protocol_does_not_have_are_bad_usage(self):
        for fragment in (0, 511, 16385, "x"):
            with self.subTest(fragment):
                done = tlsdyno("serve", "--max-send-fragment", fragment, check=2)
                self.assertIn("max-send-fragment", done.stderr)

    @needs("curl")
    def test_curl_reads_small_fragments_through_a_recording_proxy(self):
        with Server("--service", "http", "--max-send-fragment", "512") as server:
            with RecordingProxy(server.port) as proxy:
                done = run("curl", "-ksS", "--http1.1", "-o", "/dev/null", "-w", "%{size_download}",
                           f"https://127.0.0.1:{proxy.port}/100000", check=0)
            self.assertEqual(done.stdout, "100000")
            # The handshake's encrypted flight may come as application data too (RFC 8446 5.2).
            lengths = data_lengths(proxy.connections[0][1])
            self.assertGreaterEqual(lengths.count(512 + 17), 190)
            self.assertLessEqual(sorted(lengths)[-4], 512 + 17)

    def test_the_load_generator_keeps_to_its_fragment_size(self):
        with Server() as server, RecordingProxy(server.port) as proxy:
            load(f"127.0.0.1:{proxy.port}", "--insecure", "--mode", "rr", "-m", "16Ki", "-c", 1,
                 "-n", 5, "--max-send-fragment", 1024)
            lengths = data_lengths(proxy.connections[0][0])
            self.assertEqual(max(lengths), 1024 + 17)
            self.assertGreaterEqual(lengths.count(1024 + 17), 5 * 16)


class Dynamic(unittest.TestCase):
    """--dynamic-records: small records at first and after silence, large ones in between."""

    SMALL = 1500  # a segment of an Ethernet frame
    FULL = 16384 + OVERHEAD[ssl.TLSVersion.TLSv1_3]

    def fetch(self, client):
        """The lengths of the records of one megabyte over an open connection."""
        before = len(client.received)
        client.send(b"GET /1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.receive(1)
        client.receive(1_000_000)
        return data_lengths(client.received[before:])

    def check_starts_small(self, lengths):
        self.assertLess(max(lengths[:20]), self.SMALL)
        self.assertEqual(lengths.count(self.FULL), lengths[-60:].count(self.FULL))
        self.assertGreater(lengths.count(self.FULL), 40)

    def test_records_are_small_at_first_and_after_silence(self):
        with Server("--service", "http", "--dynamic-records") as server:
            with RawClient(server.port) as client:
                client.handshake()
                self.check_starts_small(self.fetch(client))
                self.assertGreater(min(self.fetch(client)[:20]), self.SMALL, "no silence yet")
                time.sleep(1.2)  # the silence
                self.check_starts_small(self.fetch(client))

    def test_they_are_large_from_the_start_unless_asked_for(self):
        with Server("--service", "http") as server, RawClient(server.port) as client:
            client.handshake()
            self.assertEqual(self.fetch(client)[1], self.FULL)


if __name__ == "__main__":
    unittest.main()
