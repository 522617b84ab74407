"""What a client may start again in an open connection: renegotiations of TLS 1.2 and key updates of
TLS 1.3, by `openssl s_client` and its commands R, K and k. One beyond the limit ends it."""

import time
import unittest

from dyno import Server, needs, wait_for
from s_client import SClient
from wire import secure

LIMIT = 3  # by default
KEY_UPDATES = 32  # for each renegotiation that is allowed: they cost next to nothing


@needs("openssl")
class Limits(unittest.TestCase):
    def check(self, server, arguments, letter, printed, limit):
        """`limit` of them go well, with data between them; one more ends the connection."""
        with SClient(server, *arguments) as client:
            errors = server.counter("tls_errors")
            client.echo("before all")
            for index in range(limit):
                client.type(letter)
                client.wait_output(printed, index + 1)
                client.echo(f"after number {index + 1}")
            self.assertEqual(server.counter("tls_errors"), errors)
            client.type(letter)
            client.wait_output(printed, limit + 1)
            client.type("not heard any more")
            client.wait_end()
            self.assertNotIn("not heard any more", client.output())
            server.wait_counter("tls_errors", errors + 1)
        with secure(server.port) as link:
            link.sendall(b"good")
            self.assertEqual(link.recv(4), b"good")
        server.wait_idle()

    def check_renegotiations(self, server, limit):
        self.check(server, ["-tls1_2"], "R", "RENEGOTIATING", limit)

    def check_key_updates(self, server, limit):
        for what, letter in (("of both sides", "K"), ("of the client", "k")):
            with self.subTest(what):
                self.check(server, ["-tls1_3"], letter, "KEYUPDATE", limit)

    def test_three_renegotiations_are_allowed_by_default(self):
        with Server() as server:
            self.check_renegotiations(server, LIMIT)

    def test_the_limit_can_be_set(self):
        for limit in (1, 5):
            with self.subTest(limit), Server("--reneg-limit", limit) as server:
                self.check_renegotiations(server, limit)

    def test_a_limit_of_none_ends_the_first(self):
        with Server("--reneg-limit", 0) as server:
            self.check_renegotiations(server, 0)

    def test_key_updates_are_limited_alike(self):
        with Server("--reneg-limit", 1) as server:
            self.check_key_updates(server, KEY_UPDATES)

    def test_a_new_window_allows_as_many_again(self):
        with Server("--reneg-limit", 1, "--reneg-window", "1s") as server:
            with SClient(server, "-tls1_2") as client:
                for index in range(3):
                    start = time.monotonic()
                    client.type("R")
                    client.wait_output("RENEGOTIATING", index + 1)
                    client.echo(f"after number {index + 1}")
                    wait_for(lambda: time.monotonic() > start + 1.1, "the next window")
                self.assertFalse(client.has_ended())

    def test_the_limit_is_each_connections_own(self):
        with Server() as server:
            for _ in range(2):
                with SClient(server, "-tls1_2") as client:
                    for index in range(LIMIT):
                        client.type("R")
                        client.wait_output("RENEGOTIATING", index + 1)
                        client.echo(f"after number {index + 1}")
            self.assertEqual(server.counter("tls_errors"), 0)


if __name__ == "__main__":
    unittest.main()
