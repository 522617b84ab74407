"""What server and client settle on, with openssl and gnutls-cli at the other end: one of several
certificates, DHE, the protocols of NPN, and algorithms that only a newer OpenSSL has."""

import re
import shutil
import unittest

from dyno import Certificates, Directory, Server, load, needs, run, scaled, tlsdyno
from foreign_clients import REQUEST, converse
from foreign_servers import s_server

OPENSSL = tuple(map(int, re.findall(r"\d+", run("openssl", "version").stdout)[:2])) if \
    shutil.which("openssl") else (0, 0)
HYBRID = "X25519MLKEM768"


@needs("openssl")
class Negotiation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.rsa = Certificates(cls.directory / "rsa", "--type", "rsa2048")
        cls.ecdsa = Certificates(cls.directory / "ecdsa")

    def serve(self, *arguments, files=None):
        files = files or self.rsa
        return Server("--cert", files.cert, "--key", files.key, *arguments)

    def ask(self, server, *arguments):
        """All that s_client says about a connection; its exit status is not 0 when it failed."""
        done = run("openssl", "s_client", "-connect", server.target, *arguments, input="")
        return done.stdout + done.stderr


class SeveralCertificates(Negotiation):
    def serve_both(self):
        return self.serve("--cert", self.ecdsa.cert, "--key", self.ecdsa.key)

    def check_signature(self, words, kind):
        # "RSA-PSS" or, since OpenSSL 3.5, "rsa_pss_rsae_sha256"
        self.assertRegex(words, rf"(?i)Peer signature type: {kind}")

    def test_the_clients_abilities_choose(self):
        with self.serve_both() as server:
            for arguments, wanted in (
                (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "rsa.pss"),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ecdsa"),
                (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "rsa.pss"),
                (["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "ecdsa"),
            ):
                with self.subTest(arguments):
                    self.check_signature(self.ask(server, *arguments), wanted)

    def test_each_is_good_for_its_own_authority_alone(self):
        with self.serve_both() as server:
            for files, good in ((self.rsa, "RSA-PSS+SHA256"), (self.ecdsa, "ECDSA+SHA256")):
                other = "ECDSA+SHA256" if files is self.rsa else "RSA-PSS+SHA256"
                for sigalgs, verified in ((good, True), (other, False)):
                    with self.subTest(sigalgs=sigalgs, verified=verified):
                        words = self.ask(server, "-CAfile", files.ca, "-sigalgs", sigalgs)
                        self.assertEqual("Verify return code: 0 (ok)" in words, verified)

    def test_a_client_that_can_do_neither_is_refused(self):
        with self.serve_both() as server:
            self.assertIn("handshake failure", self.ask(server, "-sigalgs", "ed25519"))
            server.wait_counter("handshakes_failed", 1, "no_shared")

    def test_server_names_may_have_keys_of_another_type(self):
        named = Certificates(self.directory / "named", "--name", "named.test")
        with self.serve("--sni", f"named.test:{named.cert}:{named.key}") as server:
            for version in ("-tls1_2", "-tls1_3"):
                for name, kind in (("named.test", "ecdsa"), ("other.test", "rsa.pss")):
                    with self.subTest(version=version, name=name):
                        words = self.ask(server, version, "-servername", name)
                        self.check_signature(words, kind)


class Preferences(Negotiation):
    CLIENT = ("-tls1_2", "-cipher", "AES256-GCM-SHA384:AES128-GCM-SHA256")
    OURS = ("--ciphers", "AES128-GCM-SHA256:AES256-GCM-SHA384")

    def test_the_servers_order_of_ciphers_decides_or_the_clients(self):
        for arguments, wanted in (((), "AES128"), (("--server-preference",), "AES128"),
                                  (("--no-server-preference",), "AES256")):
            with self.subTest(arguments), self.serve(*self.OURS, *arguments) as server:
                self.assertIn(f"Cipher is {wanted}-GCM", self.ask(server, *self.CLIENT))

    def test_versions_by_the_names_of_methods_and_options(self):
        for arguments in (("--secure-protocol", "TLSv1_2_method"),
                          ("--secure-options", "no-tlsv1-3"), ("--max-version", "1.2")):
            with self.subTest(arguments), self.serve(*arguments) as server:
                self.assertIn("New, TLSv1.2", self.ask(server))
                self.assertIn("alert protocol version", self.ask(server, "-tls1_3"))

    def test_how_many_tickets_and_for_how_long(self):
        for arguments, count, seconds in (
            ((), 1, 7200),
            (("--num-tickets", 3, "--session-timeout", "1234s"), 3, 1234),
            (("--no-tickets",), 0, None),
        ):
            with self.subTest(arguments), self.serve("--service", "http", *arguments) as server:
                words = converse(["openssl", "s_client", "-ign_eof", "-connect", server.target],
                                 REQUEST)
                self.assertEqual(words.count("New Session Ticket arrived"), count)
                self.assertEqual(words.count(f"lifetime hint: {seconds} "), count)


class Dhe(Negotiation):
    CLIENT = ("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256")

    def test_it_is_off_unless_asked_for(self):
        with self.serve() as server:
            self.assertIn("handshake failure", self.ask(server, *self.CLIENT))
            server.wait_counter("handshakes_failed", 1, "no_shared")

    def test_parameters_of_our_own_choice(self):
        with self.serve("--dhparam", "auto") as server:
            self.assertRegex(self.ask(server, *self.CLIENT), r"Temp Key: DH, \d{4} bits")

    def test_parameters_of_a_file(self):
        path = self.directory / "dh.pem"
        run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe3072",
            "-out", path, check=0)
        with self.serve("--dhparam", path) as server:
            self.assertIn("Temp Key: DH, 3072 bits", self.ask(server, *self.CLIENT))

    @needs("gnutls-cli")
    def test_gnutls_takes_part(self):
        with self.serve("--dhparam", "auto") as server:
            done = run("gnutls-cli", "--insecure", "--priority",
                       "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA", "-p", server.port,
                       "127.0.0.1", input="", check=0)
            self.assertIn("DHE-", done.stdout)

    def test_the_load_generator_takes_part(self):
        with s_server(self.rsa, "-www", "-tls1_2") as target:
            report = load(target, "--insecure", "--max-version", "1.2", "-c", 1, "-n", 2,
                          "--ciphers", "DHE-RSA-AES256-GCM-SHA384")
            self.assertEqual({facts["suite"] for facts in report.facts},
                             {"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"})


class Npn(Negotiation):
    def test_the_client_chooses_from_the_servers_list(self):
        with self.serve("--npn", "one,two") as server:
            words = self.ask(server, "-tls1_2", "-nextprotoneg", "two")
            self.assertIn("Next protocol: (1) two", words)
            # No overlap: the client takes what it likes best (the draft leaves it to him).
            words = self.ask(server, "-tls1_2", "-nextprotoneg", "three")
            self.assertIn("Next protocol: (2) three", words)

    def test_a_server_that_does_not_speak_it_goes_on(self):
        with self.serve() as server:
            words = self.ask(server, "-tls1_2", "-nextprotoneg", "two")
            self.assertNotIn("Next protocol", words)
            self.assertIn("Cipher is ECDHE", words)

    def test_tls_1_3_has_none(self):
        with self.serve("--npn", "one,two") as server:
            words = self.ask(server, "-nextprotoneg", "two")
            self.assertNotIn("Next protocol", words)
            self.assertIn("New, TLSv1.3", words)

    def test_the_load_generator_chooses_from_openssls_list(self):
        with s_server(self.rsa, "-www", "-tls1_2", "-nextprotoneg", "one,two") as target:
            report = load(target, "--insecure", "-c", 1, "-n", 2, "--npn", "two,three",
                          "--max-version", "1.2")
            self.assertEqual({facts["alpn"] for facts in report.facts}, {"two"})


class ClientCertificates(Negotiation):
    def test_a_client_is_told_in_words_why_it_is_refused(self):
        stranger = ("--cert", self.ecdsa.client_cert, "--key", self.ecdsa.client_key)
        with self.serve("--request-cert", "--ca", self.rsa.ca) as server:
            for version, own, reason in (
                ("1.2", (), "alert handshake failure"),
                ("1.3", (), "alert certificate required"),
                ("1.2", stranger, "alert unknown CA"),
                ("1.3", stranger, "alert unknown CA"),
            ):
                with self.subTest(version=version, reason=reason):
                    report = load(server.target, "--insecure", "--mode", "rr", "-c", 1, "-n", 1,
                                  "--timeout", scaled("1s", "5s"), "--min-version", version,
                                  "--max-version", version, *own, check=1)
                    self.assertEqual({error["reason"] for error in report.errors}, {reason})


class NewerOpenssl(Negotiation):
    """OpenSSL 3.5 has ML-KEM and ML-DSA."""

    @unittest.skipIf(OPENSSL < (3, 5), "needs OpenSSL 3.5")
    def test_the_hybrid_group_is_agreed_upon(self):
        with self.serve("--groups", f"{HYBRID}:X25519") as server:
            self.assertIn(HYBRID, self.ask(server, "-tls1_3", "-groups", HYBRID))
            report = load(server.target, "--insecure", "-c", 1, "-n", 2, "--groups", HYBRID)
            self.assertEqual({facts["group"] for facts in report.facts}, {HYBRID})
            self.assertIn("X25519", self.ask(server, "-tls1_3", "-groups", "X25519"))

    @unittest.skipIf(OPENSSL < (3, 5), "needs OpenSSL 3.5")
    def test_an_ml_dsa_certificate_serves(self):
        files = Certificates(self.directory / "mldsa", "--type", "mldsa65")
        with self.serve(files=files) as server:
            self.assertIn("mldsa65", self.ask(server, "-tls1_3", "-CAfile", files.ca).lower())
            report = load(server.target, "--ca", files.ca, "--verify-host", "localhost", "-c", 1,
                          "-n", 2)
            self.assertEqual({facts["signature"] for facts in report.facts}, {"mldsa65"})

    @unittest.skipIf(OPENSSL >= (3, 5), "this OpenSSL has them")
    def test_an_older_one_says_what_is_missing(self):
        for arguments in (["serve", "--groups", HYBRID],
                          ["load", "127.0.0.1:1", "--groups", HYBRID],
                          ["cert", "--type", "mldsa65", self.directory / "none"]):
            with self.subTest(arguments[0]):
                done = tlsdyno(*arguments)
                self.assertIn(done.returncode, (1, 2))
                self.assertIn("3.5", done.stderr)


if __name__ == "__main__":
    unittest.main()
