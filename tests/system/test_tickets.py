"""Session tickets across key rotations, with openssl s_client as the client that comes back."""

import unittest

from dyno import DEADLINE, Directory, Server, needs, run, tlsdyno, wait_for


@needs("openssl")
class Tickets(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())

    def visit(self, server, save=None, resume=None, version="-tls1_3"):
        """One connection; whether it was resumed."""
        command = ["openssl", "s_client", version, "-connect", server.target]
        if save:
            command += ["-sess_out", self.directory / save]
        if resume:
            command += ["-sess_in", self.directory / resume]
        # "Q" ends s_client once it has read what there is; a ticket of TLS 1.3 comes after the
        # handshake, so the echo of a first line says that it has arrived.
        done = run("sh", "-c", '(echo hello; while ! grep -q "^hello" "$0"; do sleep 0.01; done;'
                   ' echo Q) | timeout 20 "$@" >"$0" 2>&1; cat "$0"',
                   self.directory / "transcript", *command)
        (self.directory / "transcript").unlink()
        self.assertIn("hello", done.stdout)
        reused, new = "Reused, TLS" in done.stdout, "New, TLS" in done.stdout
        self.assertNotEqual(reused, new, done.stdout)
        return reused

    def test_a_ticket_resumes_under_the_current_key(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version), Server("--ticket-rotate", "1h") as server:
                self.assertFalse(self.visit(server, save="a", version=version))
                self.assertTrue(self.visit(server, resume="a", version=version))
                self.assertEqual(server.counter("handshakes", "full"), 1)
                self.assertEqual(server.counter("handshakes", "ticket"), 1)
                self.assertEqual(server.counter("tickets_accepted"), 1)
                self.assertEqual(server.counter("tickets_rejected"), 0)

    def test_a_ticket_resumes_and_is_renewed_under_a_previous_key(self):
        with Server("--ticket-rotate", "1s", "--ticket-keep", 16) as server:
            self.assertFalse(self.visit(server, save="a", version="-tls1_2"))
            self.rotate(server, 1)
            self.assertTrue(self.visit(server, resume="a", version="-tls1_2"))
            self.assertGreaterEqual(server.counter("tickets_renewed"), 1)

    def test_a_ticket_of_a_retired_key_falls_back_to_a_full_handshake(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                with Server("--ticket-rotate", "1s", "--ticket-keep", 1) as server:
                    self.assertFalse(self.visit(server, save="a", version=version))
                    self.rotate(server, 2)
                    self.assertFalse(self.visit(server, resume="a", version=version))
                    self.assertEqual(server.counter("handshakes", "full"), 2)
                    self.assertGreaterEqual(server.counter("tickets_rejected"), 1)

    def rotate(self, server, times):
        """Waits until the ticket keys have been rotated so many times from now on."""
        wanted = server.counter("ticket_key_rotations") + times
        wait_for(lambda: server.counter("ticket_key_rotations") >= wanted, "a key rotation",
                 timeout=DEADLINE + 2 * times)

    def test_all_workers_share_the_keys(self):
        with Server("--ticket-rotate", "1h", threads=4) as server:
            self.visit(server, save="a")
            # Listeners are picked by hash: of 24 visits some come to each worker.
            resumed = [self.visit(server, resume="a") for _ in range(24)]
            self.assertTrue(all(resumed))
            workers = server.stats()["workers"]
            busy = [w for w in workers if w["counters"]["handshakes"]["ticket"] > 0]
            self.assertGreater(len(busy), 1)

    def test_without_tickets_nothing_is_issued(self):
        with Server("--no-tickets") as server:
            run("openssl", "s_client", "-tls1_2", "-connect", server.target, input="Q\n")
            server.wait_counter("handshakes", 1, "full")
            self.assertEqual(server.counter("tickets_issued"), 0)

    def test_a_rotation_time_that_is_none_is_bad_usage(self):
        for value in ("-1", "soon"):
            with self.subTest(value):
                self.assertIn("ticket-rotate",
                              tlsdyno("serve", "--ticket-rotate", value, check=2).stderr)


if __name__ == "__main__":
    unittest.main()
