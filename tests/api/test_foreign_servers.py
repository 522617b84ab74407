"""Other people's servers and a client of the library."""

import subprocess
import unittest

from authority import Authority
from dyno import DEADLINE, Certificates, Directory, needs
from foreign_servers import s_server
from library_program import PROGRAM, connect

HTTP = "heard HTTP/1.0 200 ok"


def setUpModule():
    directory = unittest.enterModuleContext(Directory())
    ForeignServer.directory = directory
    ForeignServer.files = Certificates(directory / "ecdsa")
    ForeignServer.stranger = Certificates(directory / "stranger")
    ForeignServer.ca = f"ca={ForeignServer.files.ca}"


class ForeignServer(unittest.TestCase):
    def check(self, arguments, words, heard):
        """The client with the words says so of openssl's server with the arguments."""
        with self.subTest(arguments=arguments, words=words), \
                s_server(self.files, "-www", *arguments) as target:
            text = connect(target, self.ca, *words)
            self.assertIn(heard, text)
            self.assertEqual(HTTP in text, not heard.startswith("failed"), text)
            return text


@needs("openssl")
class Openssl(ForeignServer):
    def test_what_is_negotiated(self):
        for arguments, words, heard in (
            ([], [], "version=TLSv1.3"),
            (["-tls1_2"], [], "version=TLSv1.2"),
            ([], ["version=1.2"], "version=TLSv1.2"),
            ([], ["version=1.2", "ciphers=ECDHE-ECDSA-CHACHA20-POLY1305"], "CHACHA20"),
            ([], ["ciphersuites=TLS_AES_128_GCM_SHA256"], "cipher=TLS_AES_128_GCM_SHA256"),
            ([], ["groups=P-521"], "group=secp521r1"),
            ([], ["sigalgs=ECDSA+SHA256"], "signature=ecdsa_secp256r1_sha256"),
            (["-alpn", "one,two"], ["alpn=two"], "protocol=two"),
            (["-tls1_2", "-nextprotoneg", "one,two"], ["npn=two,three"], "protocol=two"),
            (["-tls1_2"], ["npn=two"], "protocol= "),
        ):
            self.check(arguments, words, heard)

    def test_what_is_not_shared(self):
        for arguments, words in (
            (["-tls1_3"], ["version=1.2"]),
            (["-groups", "X25519"], ["groups=P-521"]),
            (["-sigalgs", "ECDSA+SHA384"], ["sigalgs=RSA-PSS+SHA256"]),
            (["-alpn", "one"], ["alpn=three"]),
        ):
            self.check(arguments, words, "failed handshake: ")

    def test_dhe(self):
        rsa = Certificates(self.directory / "rsa", "--type", "rsa2048")
        with s_server(rsa, "-www", "-tls1_2") as target:
            text = connect(target, f"ca={rsa.ca}", "ciphers=DHE-RSA-AES256-GCM-SHA384")
            self.assertIn("cipher=TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", text)
            self.assertIn(HTTP, text)

    def test_whom_it_trusts(self):
        with s_server(self.files, "-www") as target:
            self.assertIn("authorized=1 ()", connect(target, self.ca))
            self.assertIn("authorized=1 ()", connect(target, f"ca-mem={self.files.ca}"))
            other = f"ca={self.stranger.ca}"
            self.assertIn("failed handshake: certificate verify failed", connect(target, other))
            self.assertIn("authorized=0 (unable to get", connect(target, other, "insecure=1"))

    def test_its_own_certificate(self):
        arguments = ("-CAfile", self.files.ca, "-Verify", 1, "-verify_return_error")
        own = f"cert={self.files.client_cert}:{self.files.client_key}"
        other = f"cert={self.stranger.client_cert}:{self.stranger.client_key}"
        for version in ("version=1.2", "version=1.3"):
            self.check(arguments, [version, own], "authorized=1")
            with s_server(self.files, "-www", *arguments) as target:
                self.assertNotIn(HTTP, connect(target, self.ca, version, other))
                self.assertNotIn(HTTP, connect(target, self.ca, version))

    def test_revoked_servers_and_staples(self):
        root = Authority(self.directory, "root")
        good, bad = root.issue("good"), root.issue("bad")
        root.revoke(bad)
        crl = self.directory / "crl.pem"
        crl.write_text(root.crl())
        staple = root.ocsp_response(good, self.directory / "good.der")
        words = (f"ca={root.cert}", f"crl={crl}", "status=1")
        with s_server(good, "-www", "-status_file", staple) as target:
            text = connect(target, *words)
            self.assertIn(f"staple of {staple.stat().st_size} bytes\nsecure", text)
            self.assertIn(HTTP, text)
            self.assertNotIn("staple", connect(target, *words[:2]))
        with s_server(bad, "-www") as target:
            self.assertIn("certificate revoked", connect(target, *words))

    def test_sessions_and_early_data(self):
        saved = self.directory / "session"
        for version in ("1.2", "1.3"):
            with self.subTest(version), s_server(self.files, "-www") as target:
                words = (self.ca, f"version={version}")
                self.assertIn("reused=0", connect(target, *words, f"session-out={saved}"))
                self.assertIn("reused=1", connect(target, *words, f"session-in={saved}"))

    def test_early_data(self):
        saved = self.directory / "early-session"
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-early_data", "-naccept", "2",
                   "-cert", self.files.cert, "-key", self.files.key]
        with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as server:
            target = self.read_until(server, "ACCEPT ").split()[1]
            for words, heard in (([f"session-out={saved}"], "GET / HTTP/1.0"),
                                 ([f"session-in={saved}", "early=so early"], "so early")):
                with subprocess.Popen([PROGRAM, "connect", target.replace("127.0.0.1", "localhost"),
                                       self.ca, *words], stdout=subprocess.PIPE, text=True) as client:
                    self.read_until(server, heard)
                    server.stdin.write("q\n")  # ends the connection
                    server.stdin.flush()
                    text = client.communicate(timeout=DEADLINE)[0]
                self.assertIn(f"early={int(heard == 'so early')}", text)

    def read_until(self, process, text):
        for line in process.stdout:
            if text in line:
                return line
        self.fail(f"no {text}")

    def test_renegotiations_of_its_own(self):
        with s_server(self.files, "-www", "-tls1_2", "-client_renegotiation") as target:
            text = connect(target, self.ca, "renegotiate=2")
            self.assertEqual(text.count("secure version=TLSv1.2"), 3, text)
            self.assertIn(HTTP, text)
        with s_server(self.files, "-www", "-tls1_2", "-no_renegotiation") as target:
            self.assertNotIn(HTTP, connect(target, self.ca, "renegotiate=1"))
        with s_server(self.files, "-www") as target:
            self.assertIn("TLS 1.3 has no renegotiation",
                          connect(target, self.ca, "renegotiate=1"))

    def test_the_key_log(self):
        log = self.directory / "log"
        self.check([], [f"keylog={log}"], "TLSv1.3")
        self.assertIn("CLIENT_HANDSHAKE_TRAFFIC_SECRET", log.read_text())


if __name__ == "__main__":
    unittest.main()
