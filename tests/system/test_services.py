"""What each service does with plaintext, seen by a plain client."""

import struct
import unittest

from dyno import Server, tlsdyno
from wire import receive_exactly, secure


class Services(unittest.TestCase):
    def test_echo_returns_every_byte(self):
        with Server() as server, secure(server.port) as link:
            for size in (1, 100, 16384, 50_000):
                data = bytes(i * 7 % 256 for i in range(size))
                link.sendall(data)
                self.assertEqual(receive_exactly(link, size), data)

    def test_discard_reads_and_says_nothing(self):
        with Server("--service", "discard") as server, secure(server.port) as link:
            link.sendall(bytes(100_000))
            server.wait_counter("plain_bytes_in", 100_000)
            self.assertEqual(server.counter("plain_bytes_out"), 0)
            link.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                link.recv(1)

    def test_source_sends_as_many_bytes_as_told_and_closes(self):
        for size in (1, 16384, 1_000_001):
            with self.subTest(size):
                with Server("--service", "source", "--source-bytes", size) as server:
                    with secure(server.port) as link:
                        self.assertEqual(len(receive_exactly(link, size + 1)), size)

    def test_rr_answers_with_the_size_that_was_asked_for(self):
        with Server("--service", "rr") as server, secure(server.port) as link:
            for request, response in ((8, 0), (8, 1), (100, 20_000), (50_000, 8)):
                header = struct.pack("!II", request, response)
                link.sendall(header + bytes(request - len(header)))
                self.assertEqual(len(receive_exactly(link, response)), response)
            server.wait_counter("messages", 4)

    def test_rr_closes_on_a_request_smaller_than_its_header(self):
        with Server("--service", "rr") as server, secure(server.port) as link:
            link.sendall(struct.pack("!II", 7, 1))
            self.assertEqual(receive_exactly(link, 1), b"")

    def test_a_service_that_does_not_exist_is_bad_usage(self):
        self.assertIn("echo", tlsdyno("serve", "--service", "ohce", check=2).stderr)


if __name__ == "__main__":
    unittest.main()
