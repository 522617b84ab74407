"""Certificates that are good no more: revocation lists over whole chains, and stapled OCSP
responses, in both roles, with openssl as the authority and the peer."""

import signal
import unittest

from authority import Authority
from dyno import Directory, Server, load, needs, run, scaled, wait_for
from foreign_clients import ANSWER, REQUEST, converse
from foreign_servers import s_server
from wire import RecordingProxy


class Revocation(unittest.TestCase):
    """root signs middle, and middle signs server, client and the revoked ones."""

    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.root = Authority(cls.directory, "root")
        cls.middle = Authority(cls.directory, "middle", cls.root)
        cls.good = cls.middle.issue("good")
        cls.bad = cls.middle.issue("bad")
        cls.middle.revoke(cls.bad)
        cls.clean_root_crl, cls.middle_crl = cls.root.crl(), cls.middle.crl()

    def lists(self, *texts):
        path = self.directory / "lists.pem"
        path.write_text("".join(texts))
        return path


@needs("openssl")
class Lists(Revocation):
    def setUp(self):
        self.all = self.lists(self.clean_root_crl, self.middle_crl)
        # Later in the life of the root: the intermediate authority is revoked as well.
        self.root.revoke(self.middle)
        self.without_middle = self.directory / "without-middle.pem"
        self.without_middle.write_text(self.root.crl() + self.middle_crl)

    def visit(self, server, leaf, version):
        """The answer to openssl's client with that certificate."""
        return converse(["openssl", "s_client", "-ign_eof", "-tls" + version.replace(".", "_"),
                         "-connect", server.target, "-cert", leaf.cert, "-key", leaf.key,
                         "-cert_chain", leaf.chain], REQUEST)

    def serve(self, crl):
        return Server("--service", "http", "--cert", self.good.chain, "--key", self.good.key,
                      "--request-cert", "--ca", self.root.cert, "--crl", crl)

    def test_a_server_refuses_a_client_whose_certificate_is_revoked(self):
        with self.serve(self.all) as server:
            for number, version in enumerate(("1.2", "1.3"), 1):
                with self.subTest(version):
                    self.assertIn(ANSWER, self.visit(server, self.good, version))
                    words = self.visit(server, self.bad, version)
                    self.assertNotIn(ANSWER, words)
                    self.assertIn("alert certificate revoked", words)
                    server.wait_counter("handshakes_failed", number, "certificate")

    def test_a_server_refuses_a_client_whose_authority_is_revoked(self):
        with self.serve(self.without_middle) as server:
            words = self.visit(server, self.good, "1.3")
            self.assertNotIn(ANSWER, words)
            self.assertIn("alert certificate revoked", words)

    def test_a_client_for_whose_authority_there_is_no_list_is_refused(self):
        with self.serve(self.lists(self.middle_crl)) as server:
            self.assertNotIn(ANSWER, self.visit(server, self.good, "1.3"))
            server.wait_counter("handshakes_failed", 1, "certificate")

    def test_new_lists_are_read_on_reload(self):
        lists = self.lists(self.clean_root_crl, self.middle_crl)
        with self.serve(lists) as server:
            self.assertIn(ANSWER, self.visit(server, self.good, "1.3"))
            lists.write_text(self.without_middle.read_text())
            server.signal(signal.SIGHUP)
            wait_for(lambda: "reloaded" in server.stdout(), "the reload")
            wait_for(lambda: "alert certificate revoked" in self.visit(server, self.good, "1.3"),
                     "the new lists on every worker")

    def test_the_load_generator_refuses_a_revoked_server(self):
        for what, leaf, crl in (("server", self.bad, self.all),
                                ("its authority", self.good, self.without_middle)):
            with self.subTest(what), Server("--cert", leaf.chain, "--key", leaf.key) as server:
                report = load(server.target, "--ca", self.root.cert, "--verify-host", "localhost",
                              "--crl", crl, "-c", 1, "-n", 1, "--timeout", scaled("1s", "5s"),
                              check=1)
                self.assertEqual({error["reason"] for error in report.errors},
                                 {"certificate verify failed: certificate revoked"})

    def test_the_load_generator_accepts_a_server_that_is_not(self):
        with Server("--cert", self.good.chain, "--key", self.good.key) as server:
            report = load(server.target, "--ca", self.root.cert, "--verify-host", "localhost",
                          "--crl", self.all, "-c", 1, "-n", 3)
            self.assertEqual(report.errors, [])


@needs("openssl")
class Staples(Revocation):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staple = cls.middle.ocsp_response(cls.good, cls.directory / "good.der")
        cls.revoked = cls.middle.ocsp_response(cls.bad, cls.directory / "bad.der")

    def ask(self, server, *arguments):
        return run("openssl", "s_client", "-connect", server.target, "-CAfile", self.root.cert,
                   *arguments, input="").stdout

    def serve(self, *arguments):
        return Server("--cert", self.good.chain, "--key", self.good.key, *arguments)

    def test_a_server_staples_for_clients_that_ask(self):
        with self.serve("--ocsp-response", self.staple) as server:
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(version):
                    words = self.ask(server, version, "-status")
                    self.assertIn("OCSP Response Status: successful", words)
                    self.assertIn("Cert Status: good", words)
                    self.assertNotIn("OCSP Response Status", self.ask(server, version))

    def test_a_server_without_a_response_staples_none(self):
        with self.serve() as server:
            self.assertIn("OCSP response: no response sent", self.ask(server, "-status"))

    def test_a_new_response_is_read_on_reload(self):
        response = self.directory / "response.der"
        response.write_bytes(self.staple.read_bytes())
        with self.serve("--ocsp-response", response) as server:
            self.assertIn("Cert Status: good", self.ask(server, "-status"))
            response.write_bytes(self.revoked.read_bytes())
            server.signal(signal.SIGHUP)
            wait_for(lambda: "reloaded" in server.stdout(), "the reload")
            wait_for(lambda: "Cert Status: revoked" in self.ask(server, "-status"),
                     "the new response on every worker")

    def test_a_response_that_cannot_be_read_keeps_the_old_one(self):
        response = self.directory / "vanishing.der"
        response.write_bytes(self.staple.read_bytes())
        with self.serve("--ocsp-response", response) as server:
            response.unlink()
            server.signal(signal.SIGHUP)
            wait_for(lambda: "not reloaded" in server.stderr(), "why it is not reloaded")
            self.assertIn(str(response), server.stderr())
            self.assertIn("Cert Status: good", self.ask(server, "-status"))

    @needs("curl")
    def test_curl_verifies_the_staple(self):
        def fetch(server):
            return run("curl", "-sS", "--cert-status", "--cacert", self.root.cert, "--resolve",
                       f"localhost:{server.port}:127.0.0.1", f"https://localhost:{server.port}/1")

        with self.serve("--service", "http", "--ocsp-response", self.staple) as server:
            self.assertEqual(fetch(server).returncode, 0)
        with self.serve("--service", "http") as server:
            self.assertEqual(fetch(server).returncode, 91)  # CURLE_SSL_INVALIDCERTSTATUS

    def test_the_load_generator_asks_when_told_to(self):
        staple = self.staple.read_bytes()
        for arguments, asks in ((["--status"], True), ([], False)):
            with self.subTest(asks=asks), s_server(
                    self.good, "-www", "-cert_chain", self.good.chain,
                    "-status_file", self.staple) as target:
                # In TLS 1.2 the response can be seen on the wire.
                with RecordingProxy(int(target.rpartition(":")[2])) as proxy:
                    report = load(f"127.0.0.1:{proxy.port}", "--ca", self.root.cert,
                                  "--verify-host", "localhost", "--max-version", "1.2",
                                  "-c", 1, "-n", 1, *arguments)
                self.assertEqual(report.errors, [])
                self.assertEqual(staple in proxy.connections[0][1], asks)

    def test_the_load_generator_tells_what_came_of_staples(self):
        trusting = ("--ca", self.root.cert, "--verify-host", "localhost")
        for response, arguments, kind, status in (
            (self.staple, trusting, "good", 0),
            (self.revoked, trusting, "unverified", 3),  # about another certificate
            (None, trusting, "none", 3),
            (self.staple, ("--insecure",), "unverified", 3),
        ):
            with self.subTest(kind, arguments=arguments), s_server(
                    self.good, "-www", "-cert_chain", self.good.chain,
                    *(("-status_file", response) if response else ())) as target:
                report = load(target, *arguments, "--status", "-c", 1, "-n", 5,
                              "--fail-if", "stapled<100%", check=status)
                wanted = {"none": 0, "unverified": 0, "revoked": 0, "good": 0, kind: 5}
                self.assertEqual(report["negotiated"]["staples"], wanted)
        with Server("--cert", self.bad.chain, "--key", self.bad.key, "--ocsp-response",
                    self.revoked) as server:
            report = load(server.target, *trusting, "--status", "-c", 1, "-n", 5)
            self.assertEqual(report["negotiated"]["staples"]["revoked"], 5)
            self.assertIsNone(load(server.target, *trusting, "-n", 1)["negotiated"]["staples"])


if __name__ == "__main__":
    unittest.main()
