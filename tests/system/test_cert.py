"""What `tlsdyno cert` writes, judged by openssl."""

import os
import stat
import unittest

from dyno import Directory, needs, run, tlsdyno

KEYS = {
    "rsa2048": "Public-Key: (2048 bit)",
    "rsa3072": "Public-Key: (3072 bit)",
    "rsa4096": "Public-Key: (4096 bit)",
    "p256": "NIST CURVE: P-256",
    "p384": "NIST CURVE: P-384",
    "ed25519": "ED25519",
}


@needs("openssl")
class Cert(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())

    def make(self, *arguments):
        tlsdyno("cert", *arguments, self.directory, check=0)

    def verify(self, name, purpose, *arguments):
        return run("openssl", "verify", "-x509_strict", "-purpose", purpose,
                   "-CAfile", self.directory / "ca.pem", "-untrusted", self.directory / name,
                   *arguments, self.directory / name)

    def test_every_kind_of_key_verifies(self):
        for kind, words in KEYS.items():
            with self.subTest(kind):
                self.make("--type", kind, "--force")
                self.assertEqual(self.verify("server.pem", "sslserver").returncode, 0)
                self.assertEqual(self.verify("client.pem", "sslclient").returncode, 0)
                text = run("openssl", "x509", "-noout", "-text", "-in",
                           self.directory / "server.pem", check=0).stdout
                self.assertIn(words, text)

    def test_a_client_certificate_is_no_server_certificate(self):
        self.make()
        self.assertNotEqual(self.verify("client.pem", "sslserver").returncode, 0)

    def test_the_names_are_those_asked_for(self):
        self.make("--name", "one.example", "--name", "192.0.2.7")
        good = ("-verify_hostname", "one.example"), ("-verify_ip", "192.0.2.7")
        for arguments in good:
            self.assertEqual(self.verify("server.pem", "sslserver", *arguments).returncode, 0)
        bad = ("-verify_hostname", "two.example"), ("-verify_ip", "192.0.2.8")
        for arguments in bad:
            self.assertNotEqual(self.verify("server.pem", "sslserver", *arguments).returncode, 0)

    def test_a_chain_has_the_length_asked_for(self):
        self.make("--chain", 2)
        text = (self.directory / "server.pem").read_text()
        self.assertEqual(text.count("BEGIN CERTIFICATE"), 1 + 2)
        self.assertEqual(self.verify("server.pem", "sslserver").returncode, 0)
        without = run("openssl", "verify", "-CAfile", self.directory / "ca.pem",
                      self.directory / "server.pem")
        self.assertNotEqual(without.returncode, 0)

    def test_pkcs12_opens_with_its_passphrase_only(self):
        secret = self.directory / "secret"
        secret.write_text("open sesame\n")
        self.make("--passphrase-file", secret)
        p12 = self.directory / "server.p12"
        good = run("openssl", "pkcs12", "-in", p12, "-nodes", "-passin", "pass:open sesame")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("PRIVATE KEY", good.stdout)
        bad = run("openssl", "pkcs12", "-in", p12, "-nodes", "-passin", "pass:shut")
        self.assertNotEqual(bad.returncode, 0)

    def test_keys_are_for_the_owner_alone(self):
        self.make()
        for key in self.directory.glob("*.key"):
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode) & 0o077, 0, key)

    def test_a_file_that_is_overwritten_has_neither_its_mode_nor_its_readers(self):
        self.make()
        key, other = self.directory / "server.key", self.directory / "other"
        before = key.read_bytes()
        key.chmod(0o666)
        (self.directory / "server.key.part").write_text("somebody else's\n")
        (self.directory / "client.key").unlink()
        (self.directory / "client.key").symlink_to(other)
        with open(key, "rb") as reader:
            self.make("--force")
            self.assertEqual(reader.read(), before)
        self.assertNotEqual(key.read_bytes(), before)
        for name in ("ca.key", "server.key", "client.key", "server.p12", "client.p12"):
            status = os.lstat(self.directory / name)
            self.assertTrue(stat.S_ISREG(status.st_mode), name)
            self.assertEqual(stat.S_IMODE(status.st_mode), 0o600, name)
        self.assertFalse(other.exists())
        (part,) = self.directory.glob("*.part")
        self.assertEqual(part.read_text(), "somebody else's\n")

    def test_existing_files_are_not_overwritten(self):
        self.make()
        before = (self.directory / "server.key").read_bytes()
        done = tlsdyno("cert", self.directory, check=1)
        self.assertIn(str(self.directory), done.stderr)
        self.assertEqual((self.directory / "server.key").read_bytes(), before)

    def test_a_kind_of_key_that_does_not_exist_is_bad_usage(self):
        done = tlsdyno("cert", self.directory, "--type", "rsa512", check=2)
        self.assertIn("rsa512", done.stderr)
        self.assertEqual(list(self.directory.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
