"""Other people's clients and a server of the library: each thing that can be configured, and its
twin that must not work."""

import os
import secrets
import ssl
import unittest

from authority import Authority
from dyno import Certificates, Directory, needs, run, tlsdyno
from foreign_clients import converse
from library_program import PROGRAM, Serving
from s_client import SClient
from wire import APPLICATION_DATA, RawClient, records

GET = "GET / HTTP/1.0\r\n\r\n"
HELLO = "hello\n"


def setUpModule():
    directory = unittest.enterModuleContext(Directory())
    (directory / "secret").write_text("swordfish\n")
    Foreign.directory = directory
    Foreign.rsa = Certificates(directory / "rsa", "--type", "rsa2048")
    Foreign.ecdsa = Certificates(directory / "ecdsa", "--passphrase-file", directory / "secret")
    Foreign.own = f"cert={Foreign.rsa.cert}:{Foreign.rsa.key}"


class Foreign(unittest.TestCase):
    def serve(self, *words, **options):
        return Serving(self.own, *words, **options)

    def ask(self, server, *arguments):
        """All that s_client prints of a connection with one request."""
        return converse(["openssl", "s_client", "-ign_eof", "-connect", server.target,
                         "-servername", "localhost", *arguments], GET)

    def check(self, words, arguments, printed, heard, refused=None):
        """s_client with the arguments prints one thing, and the server hears the other."""
        with self.subTest(words=words, arguments=arguments), self.serve(*words) as server:
            text = self.ask(server, *arguments)
            if refused:
                self.assertNotIn(HELLO, text)
                server.wait_output(refused)
            else:
                self.assertIn(HELLO, text)
                server.wait_output(heard)
            self.assertRegex(text, printed or ".")


@needs("openssl")
class Negotiation(Foreign):
    SUITE = ("-tls1_2", "-cipher")

    def test_versions_ciphers_groups_and_signatures(self):
        for words, arguments, printed, heard in (
            (["version=1.2"], [], "New, TLSv1.2", "version=TLSv1.2"),
            (["method=TLSv1_2_method"], [], "New, TLSv1.2", "version=TLSv1.2"),
            (["version=1.0"], ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"], "TLSv1", "version=TLSv1 "),
            (["options=no-tlsv1-3"], [], "New, TLSv1.2", "version=TLSv1.2"),
            (["ciphers=AES128-GCM-SHA256"], ["-tls1_2"], "Cipher is AES128-GCM-SHA256",
             "cipher=TLS_RSA_WITH_AES_128_GCM_SHA256"),
            (["ciphersuites=TLS_CHACHA20_POLY1305_SHA256"], [], "TLS_CHACHA20_POLY1305_SHA256",
             "cipher=TLS_CHACHA20_POLY1305_SHA256"),
            (["groups=P-384"], [], "Temp Key: ECDH, (P-384|secp384r1)", "group=secp384r1"),
            (["sigalgs=RSA-PSS+SHA384"], [], "(?s)Peer signing digest: SHA384",
             "signature=rsa_pss_rsae_sha384"),
        ):
            self.check(words, arguments, printed, heard)

    def test_what_is_not_shared_is_refused(self):
        for words, arguments in (
            (["version=1.2"], ["-tls1_3"]),
            ([], ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]),
            (["ciphers=AES128-GCM-SHA256"], [*self.SUITE, "AES256-GCM-SHA384"]),
            (["ciphersuites=TLS_AES_128_GCM_SHA256"],
             ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]),
            (["groups=P-384"], ["-tls1_3", "-groups", "X25519"]),
            (["sigalgs=RSA-PSS+SHA384"], ["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"]),
        ):
            self.check(words, arguments, "alert", None, refused="failed handshake")

    def test_whose_order_decides(self):
        two = "ciphers=AES128-GCM-SHA256:AES256-GCM-SHA384"
        theirs = [*self.SUITE, "AES256-GCM-SHA384:AES128-GCM-SHA256"]
        self.check([two], theirs, "Cipher is AES128", "AES_128")
        self.check([two, "client-preference=1"], theirs, "Cipher is AES256", "AES_256")

    def test_one_of_two_certificates(self):
        plain = Certificates(self.directory / "second")
        words = [f"cert={plain.cert}:{plain.key}"]
        self.check(words, ["-sigalgs", "RSA-PSS+SHA256"], "(?i)rsa.pss", "certificate=RSA")
        self.check(words, ["-sigalgs", "ECDSA+SHA256"], "(?i)ecdsa", "certificate=EC P-256")

    def test_dhe(self):
        theirs = [*self.SUITE, "DHE-RSA-AES128-GCM-SHA256"]
        path = self.directory / "dh.pem"
        run("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe3072",
            "-out", path, check=0)
        for word in ("dhparam", "dhparam-mem"):
            self.check([f"{word}={path}"], theirs, "DH, 3072 bits", "TLS_DHE_RSA")
        self.check(["dhparam=auto"], theirs, r"DH, \d{4} bits", "TLS_DHE_RSA")
        self.check([], theirs, "handshake failure", None, refused="no shared cipher")

    def test_npn_and_alpn(self):
        self.check(["npn=one,two"], ["-tls1_2", "-nextprotoneg", "two"], r"protocol: \(1\) two",
                   "protocol=two")
        self.check([], ["-tls1_2", "-nextprotoneg", "two"], "TLSv1.2", "protocol= ")
        self.check(["npn=one,two"], ["-nextprotoneg", "two"], "TLSv1.3", "protocol= ")
        self.check(["alpn=one,two"], ["-alpn", "two,one"], "ALPN protocol: one", "protocol=one")
        self.check(["alpn=one,two"], [], "No ALPN", "protocol= ")
        self.check(["alpn=one,two"], ["-alpn", "three"], "no application protocol", None,
                   refused="failed handshake")

    def test_the_key_log_is_what_openssl_has_too(self):
        ours, theirs = self.directory / "ours.log", self.directory / "theirs.log"
        with self.serve(f"keylog={ours}") as server:
            self.ask(server, "-keylogfile", theirs)
            server.wait_output("closed")
        logs = [set(path.read_text().splitlines()) for path in (ours, theirs)]
        lines = {line for line in logs[1] if line and not line.startswith("#")}
        self.assertGreaterEqual(len(lines), 5)
        self.assertEqual(logs[0], lines)


@needs("openssl")
class PostQuantum(Foreign):
    """What OpenSSL has from 3.5 on: it is agreed upon and told, and an older one says so."""

    HYBRID = "X25519MLKEM768"
    has_it = HYBRID in tlsdyno("ciphers").stdout

    @unittest.skipUnless(has_it, "needs OpenSSL 3.5")
    def test_the_hybrid_group(self):
        words = [f"groups={self.HYBRID}:X25519"]
        self.check(words, ["-groups", self.HYBRID], self.HYBRID, f"group={self.HYBRID}")
        self.check(words, ["-groups", "X25519"], "X25519", "group=x25519")
        self.check([], ["-groups", self.HYBRID], self.HYBRID, f"group={self.HYBRID}")

    @unittest.skipUnless(has_it, "needs OpenSSL 3.5")
    def test_an_ml_dsa_certificate(self):
        files = Certificates(self.directory / "mldsa", "--type", "mldsa65")
        with Serving(f"cert={files.cert}:{files.key}") as server:
            self.assertIn(HELLO, self.ask(server, "-CAfile", files.ca, "-verify_return_error"))
            server.wait_output("signature=mldsa65")
            self.assertNotIn(HELLO, self.ask(server, "-sigalgs", "ECDSA+SHA256"))

    @unittest.skipIf(has_it, "this OpenSSL has it")
    def test_an_older_one_says_what_is_missing(self):
        for word in (f"groups={self.HYBRID}", "sigalgs=mldsa65"):
            done = run(PROGRAM, "serve", "127.0.0.1:0", self.own, word, check=1)
            self.assertIn(word.partition("=")[2], done.stderr)
            self.assertIn("3.5", done.stderr)


@needs("openssl")
class Credentials(Foreign):
    @needs("curl")
    def test_curl_trusts_each_kind_of_them(self):
        encrypted = f"cert={self.ecdsa.cert}:{self.ecdsa.key}"
        pfx = self.ecdsa.directory / "server.p12"
        for words, ca in (
            ([self.own], self.rsa.ca),
            ([encrypted, "passphrase=swordfish"], self.ecdsa.ca),
            ([f"pfx={pfx}", "passphrase=swordfish"], self.ecdsa.ca),
            ([f"pfx-mem={pfx}", "passphrase=swordfish"], self.ecdsa.ca),
        ):
            with self.subTest(words), Serving(*words) as server:
                command = ["curl", "-sS", "--resolve", f"localhost:{server.port}:127.0.0.1",
                           f"https://localhost:{server.port}/", "--cacert"]
                self.assertEqual(run(*command, ca, check=0).stdout, HELLO)
                other = self.rsa.ca if ca is self.ecdsa.ca else self.ecdsa.ca
                self.assertEqual(run(*command, other).returncode, 60)

    @needs("gnutls-cli")
    def test_gnutls_is_answered(self):
        with self.serve() as server:
            done = run("gnutls-cli", "--x509cafile", self.rsa.ca, "-p", server.port, "localhost",
                       input=GET, check=0)
            self.assertIn("hello", done.stdout)
            done = run("gnutls-cli", "--x509cafile", self.ecdsa.ca, "-p", server.port, "localhost",
                       input=GET)
            self.assertNotEqual(done.returncode, 0)

    def test_certificates_of_clients(self):
        good = ["-cert", self.rsa.client_cert, "-key", self.rsa.client_key]
        bad = ["-cert", self.ecdsa.client_cert, "-key", self.ecdsa.client_key, "-pass",
               "pass:swordfish"]
        for ca, version, clients, refused in (
            ("ca", "-tls1_3", "asked", None),
            ("ca-mem", "-tls1_2", "asked", None),
            ("ca", "-tls1_2", "required", "failed handshake"),
            ("ca-mem", "-tls1_3", "required", "failed handshake"),
        ):
            words = [f"{ca}={self.rsa.ca}", f"clients={clients}"]
            self.check(words, [version, *good], "TLS", "authorized=1 ()")
            self.check(words, [version, *bad], None, "authorized=0 (unable to", refused)
            self.check(words, [version], None, "authorized=0 (no certificate) peer=\n", refused)

    def test_revoked_clients(self):
        root = Authority(self.directory, "root")
        middle = Authority(self.directory, "middle", root)
        good, bad = middle.issue("good"), middle.issue("bad")
        middle.revoke(bad)
        crls = self.directory / "crls.pem"
        crls.write_text(root.crl() + middle.crl())
        for word in ("crl", "crl-mem"):
            words = [f"ca={root.cert}", f"{word}={crls}", "clients=required"]
            for leaf, refused in ((good, None), (bad, "certificate revoked")):
                self.check(words, ["-cert", leaf.cert, "-key", leaf.key, "-cert_chain", leaf.chain],
                           None, "authorized=1", refused)

    def test_staples(self):
        root = Authority(self.directory, "stapler")
        leaf = root.issue("stapled")
        staple = root.ocsp_response(leaf, self.directory / "staple.der")
        own = f"cert={leaf.cert}:{leaf.key}"
        for word, printed in (("ocsp", "Cert Status: good"), ("ocsp-mem", "Cert Status: good"),
                              (None, "OCSP response: no response sent")):
            with self.subTest(word):
                words = [f"{word}={staple}"] if word else []
                with Serving(own, *words) as server:
                    self.assertIn(printed, self.ask(server, "-status"))
                    self.assertNotIn("Cert Status", self.ask(server))


@needs("openssl")
class Sessions(Foreign):
    def visit(self, server, *arguments, version="-tls1_3"):
        return self.ask(server, version, *arguments)

    def save(self, server, version="-tls1_3"):
        path = self.directory / "session"
        self.visit(server, "-sess_out", path, version=version)
        return path

    def test_tickets_outlive_rotations_that_keep_their_key(self):
        with self.serve() as server:
            path = self.save(server)
            server.order("rotate")
            self.assertIn("Reused", self.visit(server, "-sess_in", path))
            server.wait_output("reused=1")
            for _ in range(3):
                server.order("rotate")
            self.assertIn("New,", self.visit(server, "-sess_in", path))

    def test_ticket_keys_are_shared_by_file_and_memory(self):
        keys, others = self.directory / "keys", self.directory / "others"
        for path in (keys, others):
            path.write_bytes(secrets.token_bytes(48))
        same = "id-context=same"
        with self.serve(f"ticket-keys={keys}", same) as one, \
                self.serve(f"ticket-key-mem={keys}", same) as two, \
                self.serve(f"ticket-key-mem={others}", same) as other:
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(version):
                    path = self.save(one, version)
                    self.assertIn("New,", self.visit(other, "-sess_in", path, version=version))
                    self.assertIn("Reused", self.visit(two, "-sess_in", path, version=version))

    def test_how_many_and_for_how_long(self):
        with self.serve("ticket-count=3", "session-timeout=1234") as server:
            text = self.visit(server)
            self.assertEqual(text.count("Post-Handshake New Session Ticket arrived"), 3)
            self.assertIn("lifetime hint: 1234", text)
        with self.serve("tickets=0") as server:
            self.assertNotIn("New Session Ticket", self.visit(server))
            path = self.save(server, "-tls1_2")
            text = self.visit(server, "-sess_in", path, version="-tls1_2")
            self.assertIn("Reused", text)
            self.assertNotIn("session ticket", text)

    def test_early_data_comes_once(self):
        request = self.directory / "request"
        request.write_text(GET)
        with self.serve("early-data=1000") as server:
            path = self.save(server)
            self.assertIn("Early data was accepted",
                          self.visit(server, "-sess_in", path, "-early_data", request))
            server.wait_output("early=1")
            self.assertIn("Early data was rejected",
                          self.visit(server, "-sess_in", path, "-early_data", request))


@needs("openssl")
class AtRunTime(Foreign):
    def limit(self, words, arguments, letter, printed, limit):
        with self.serve(*words) as server:
            with SClient(server, *arguments) as client:
                for index in range(limit):
                    client.type(letter)
                    client.wait_output(printed, index + 1)
                    client.echo(f"after number {index + 1}")
                client.type(letter)
                client.wait_end()
            server.wait_output("closed ")
            self.assertIn(HELLO, self.ask(server))

    def test_renegotiations_and_key_updates_are_limited(self):
        for words, limit in (([], 3), (["reneg-limit=1"], 1), (["reneg-limit=0"], 0)):
            with self.subTest(words):
                self.limit(words, ["-tls1_2"], "R", "RENEGOTIATING", limit)
        self.limit(["reneg-limit=1"], ["-tls1_3"], "K", "KEYUPDATE", 32)

    def test_records_without_payload_are_limited(self):
        """OpenSSL's clients send single ones with the CBC suites of TLS 1.0."""
        suite = ("-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0")
        for limit, is_good in ((32, True), (1, True), (0, False)):
            words = ("version=1.0", f"empty-records={limit}")
            with self.subTest(limit), self.serve(*words) as server:
                self.assertEqual(HELLO in self.ask(server, *suite), is_good)
                server.wait_output("closed\n" if is_good
                                   else "too many records without payload in a row")

    def test_another_context_and_a_name_while_a_connection_is_open(self):
        plain = Certificates(self.directory / "other", "--name", "a.other.test")
        other = f"cert={plain.cert}:{plain.key}"
        with self.serve() as server, SClient(server) as client:
            client.echo("before")
            self.assertIn("RSA", self.ask(server))
            server.order("name", "*.other.test", other)
            self.assertIn("CN = a.other.test", self.subject(server, "b.other.test"))
            self.assertNotIn("a.other.test", self.subject(server, "b.another.test"))
            server.order("context", other)
            self.assertIn("CN = a.other.test", self.subject(server, "localhost"))
            client.echo("the connection goes on")

    def subject(self, server, name):
        text = converse(["openssl", "s_client", "-ign_eof", "-connect", server.target,
                         "-servername", name], GET)
        self.assertIn(HELLO, text)
        return text.replace("CN=", "CN = ")

    def lengths(self, client, text):
        """Of the records in which the server echoes it."""
        before = len(client.received)
        client.send(text)
        self.assertEqual(client.receive(len(text)), text)
        return [length - 17 for kind, length in records(client.received[before:])
                if kind == APPLICATION_DATA]

    def test_fragments_as_configured_and_changed_later(self):
        with self.serve("fragment=1000") as server, RawClient(server.port) as client:
            client.handshake()
            self.assertEqual(max(self.lengths(client, b"x" * 5000)), 1000)
            self.lengths(client, b"fragment 600")
            self.assertEqual(max(self.lengths(client, b"x" * 5000)), 600)
            self.lengths(client, b"fragment 511")
            server.wait_output("fragment 0")
            self.assertEqual(max(self.lengths(client, b"x" * 5000)), 600)

    def test_dynamic_records_begin_small(self):
        for word, small in (("dynamic=1", True), ("dynamic=0", False)):
            with self.subTest(word), self.serve(word) as server, RawClient(server.port) as client:
                client.handshake()
                self.assertEqual(max(self.lengths(client, b"x" * 10000)) < 1500, small)

    def test_a_half_closed_connection_still_gets_its_answer(self):
        with self.serve() as server, RawClient(server.port) as client:
            client.handshake()
            client.tls.write(b"to the end")
            try:
                client.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            client.flush()
            self.assertEqual(client.receive(10), b"to the end")
            server.wait_output("closed\n")


class Addresses(Foreign):
    @needs("curl")
    def test_unix_paths_and_ipv6(self):
        path = f"unix:{self.directory}/socket"
        with self.serve(address=path):
            done = run("curl", "-sSk", "--unix-socket", path[5:], "https://localhost/", check=0)
            self.assertEqual(done.stdout, HELLO)
        self.assertFalse(os.path.exists(path[5:]))
        with self.serve(address="[::1]:0") as server:
            done = run("curl", "-sSk", f"https://{server.target}/", check=0)
            self.assertEqual(done.stdout, HELLO)


if __name__ == "__main__":
    unittest.main()
