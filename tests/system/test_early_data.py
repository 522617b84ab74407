"""Tickets that outlive one server, and 0-RTT: `openssl s_client` comes back with a session and,
told so, with data before the handshake is complete. The same ticket brings early data once."""

import secrets
import signal
import unittest

from dyno import Directory, Server, needs, wait_for
from foreign_clients import ANSWER, REQUEST, converse

ACCEPTED, REJECTED = "Early data was accepted", "Early data was rejected"


class Sessions(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())

    def visit(self, server, save=None, resume=None, early=False, version="-tls1_3"):
        """All that s_client prints of a connection with one request."""
        command = ["openssl", "s_client", "-ign_eof", version, "-connect", server.target]
        if save:
            command += ["-sess_out", self.directory / save]
        if resume:
            command += ["-sess_in", self.directory / resume]
        request = self.directory / "request"
        request.write_text(REQUEST)
        if early:
            command += ["-early_data", request]
        return converse(command, "" if early else REQUEST)

    def rejected_visit(self, server, resume):
        """Early data that is rejected is lost, so the request is sent again."""
        path = self.directory / "first"
        path.write_text("lost")
        words = converse(["openssl", "s_client", "-ign_eof", "-tls1_3", "-connect", server.target,
                          "-sess_in", self.directory / resume, "-early_data", path], REQUEST)
        self.assertIn(ANSWER, words)
        return words


@needs("openssl")
class EarlyData(Sessions):
    def serve(self, *arguments):
        return Server("--service", "http", *arguments)

    def test_a_request_in_early_data_is_answered(self):
        with self.serve("--early-data", "16Ki") as server:
            self.visit(server, save="a")
            words = self.visit(server, resume="a", early=True)
            self.assertIn(ACCEPTED, words)
            self.assertIn(ANSWER, words)
            server.wait_counter("early_data_handshakes", 1, "accepted")
            self.assertEqual(server.counter("early_data_bytes"), len(REQUEST))

    def test_the_same_ticket_brings_it_once(self):
        with self.serve("--early-data", "16Ki") as server:
            self.visit(server, save="a")
            self.assertIn(ACCEPTED, self.visit(server, resume="a", early=True))
            for count in range(1, 7):  # some come to each worker
                self.assertIn(REJECTED, self.rejected_visit(server, "a"))
                server.wait_counter("early_data_handshakes", count, "rejected")
            self.assertEqual(server.counter("early_data_handshakes", "accepted"), 1)

    def test_another_ticket_brings_it_again(self):
        with self.serve("--early-data", "16Ki") as server:
            for name in ("a", "b"):
                self.visit(server, save=name)
                self.assertIn(ACCEPTED, self.visit(server, resume=name, early=True))

    def test_it_is_off_unless_asked_for(self):
        with self.serve() as server:
            self.visit(server, save="a")
            words = self.visit(server, resume="a")
            self.assertIn("Reused, TLSv1.3", words)
            self.assertIn("Max Early Data: 0", words)
            self.assertEqual(server.counter("early_data_bytes"), 0)

    def test_a_server_that_takes_none_rejects_what_an_earlier_one_allowed(self):
        keys = self.directory / "keys"
        keys.write_bytes(secrets.token_bytes(80))
        shared = ("--ticket-key-file", keys, "--session-id-context", "same")
        with self.serve("--early-data", "16Ki", *shared) as first:
            self.visit(first, save="a")
        with self.serve(*shared) as second:
            self.assertIn(REJECTED, self.rejected_visit(second, "a"))

    def test_servers_with_the_same_keys_take_it_from_their_own_tickets_only(self):
        keys = self.directory / "keys"
        keys.write_bytes(secrets.token_bytes(80))
        shared = ("--early-data", "16Ki", "--ticket-key-file", keys, "--session-id-context", "same")
        with self.serve(*shared) as first, self.serve(*shared) as second:
            self.visit(first, save="a")
            words = self.rejected_visit(second, "a")
            self.assertIn("Reused, TLSv1.3", words)
            self.assertIn(ACCEPTED, self.visit(first, resume="a", early=True))
            self.visit(second, save="b")
            self.assertIn(ACCEPTED, self.visit(second, resume="b", early=True))


@needs("openssl")
class TicketKeyFiles(Sessions):
    def keys(self, name, *keys):
        path = self.directory / name
        path.write_bytes(b"".join(keys))
        return path

    def serve(self, keys, *arguments):
        return Server("--service", "http", "--ticket-key-file", keys, "--session-id-context",
                      "shared", *arguments)

    def is_resumed(self, server, version):
        words = self.visit(server, resume="a", version=version)
        self.assertIn(ANSWER, words)
        return "Reused, TLS" in words

    def test_servers_with_the_same_file_resume_each_others_sessions(self):
        for count in (48, 80):
            keys = self.keys("keys", secrets.token_bytes(count))
            with self.serve(keys) as first, self.serve(keys) as second:
                for version in ("-tls1_2", "-tls1_3"):
                    with self.subTest(count=count, version=version):
                        self.visit(first, save="a", version=version)
                        self.assertTrue(self.is_resumed(second, version))

    def test_servers_with_other_files_do_not(self):
        with self.serve(self.keys("one", secrets.token_bytes(48))) as first, \
                self.serve(self.keys("two", secrets.token_bytes(48))) as second:
            for count, version in enumerate(("-tls1_2", "-tls1_3"), 1):
                with self.subTest(version):
                    self.visit(first, save="a", version=version)
                    self.assertFalse(self.is_resumed(second, version))
                    second.wait_counter("tickets_rejected", count)

    def test_servers_with_another_session_id_context_do_not(self):
        keys = self.keys("keys", secrets.token_bytes(48))
        with self.serve(keys) as first, Server(
                "--service", "http", "--ticket-key-file", keys, "--session-id-context",
                "of another") as second:
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(version):
                    self.visit(first, save="a", version=version)
                    self.assertFalse(self.is_resumed(second, version))

    def test_servers_that_verify_clients_otherwise_do_not_whatever_the_context(self):
        keys = self.keys("keys", secrets.token_bytes(48))
        asking = ("--request-cert", "--no-reject-unauthorized")
        with self.serve(keys) as first, self.serve(keys, *asking) as second:
            for maker, taker in ((first, second), (second, first)):
                for version in ("-tls1_2", "-tls1_3"):
                    with self.subTest(version=version, asked_first=maker is second):
                        self.visit(maker, save="a", version=version)
                        self.assertFalse(self.is_resumed(taker, version))
                        self.assertTrue(self.is_resumed(maker, version))

    def test_a_new_key_is_read_on_reload_and_the_old_one_still_resumes(self):
        old, new = secrets.token_bytes(48), secrets.token_bytes(48)
        keys = self.keys("keys", old)
        with self.serve(keys) as server:
            self.visit(server, save="a")
            keys.write_bytes(old + new)  # the last one is current
            server.signal(signal.SIGHUP)
            wait_for(lambda: "reloaded" in server.stdout(), "the reload")
            self.assertTrue(self.is_resumed(server, "-tls1_3"))
            with self.serve(self.keys("new", new)) as other:
                wait_for(lambda: self.visit(server, save="a") and self.is_resumed(other, "-tls1_3"),
                         "tickets under the new key")

    def test_a_bad_key_file_keeps_the_old_keys(self):
        keys = self.keys("keys", secrets.token_bytes(48))
        with self.serve(keys) as server:
            self.visit(server, save="a")
            keys.write_bytes(b"too short")
            server.signal(signal.SIGHUP)
            wait_for(lambda: "not reloaded" in server.stderr(), "why it is not reloaded")
            self.assertIn(str(keys), server.stderr())
            self.assertTrue(self.is_resumed(server, "-tls1_3"))


if __name__ == "__main__":
    unittest.main()
