"""Every mistake in files and options ends with one sentence that names the culprit and says why,
status 2 for wrong usage and 1 for a failure, and nothing half-started."""

import os
import pathlib
import shutil
import socket
import unittest

from dyno import BINARY, Certificates, Directory, Server, needs, run, tlsdyno

LISTEN = ("--listen", "127.0.0.1:0")
PRIVILEGED_PORT = 443
SECRET = "open sesame"

EXPIRED_CONFIG = """
[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = supplied
"""


def environment(**variables):
    """This process's, without what would change the outcome, and with the variables."""
    inherited = {name: value for name, value in os.environ.items()
                 if name not in ("TLSDYNO_PASSPHRASE", "SSLKEYLOGFILE")}
    return inherited | variables


def make_expired(directory):
    """A self-signed certificate of 2020, by openssl ca, the one command that takes dates."""
    where = pathlib.Path(directory)
    (where / "ca.conf").write_text(EXPIRED_CONFIG.replace("= index", f"= {where}/index")
                                   .replace("= .", f"= {where}"))
    (where / "index").touch()
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", where / "old.key", "-out", where / "old.csr", "-subj", "/CN=localhost", check=0)
    run("openssl", "ca", "-batch", "-config", where / "ca.conf", "-selfsign", "-notext",
        "-keyfile", where / "old.key", "-in", where / "old.csr", "-out", where / "old.pem",
        "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", check=0)
    return where / "old.pem", where / "old.key"


class Refusals(unittest.TestCase):
    def check_refused(self, arguments, words, status=1, **variables):
        """The command's one sentence has all the words; nothing listened before."""
        with self.subTest(" ".join(map(str, arguments))):
            done = tlsdyno(*arguments, check=status, env=environment(**variables))
            self.assertEqual(done.stdout, "")
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("tlsdyno: "), done.stderr)
            for word in words:
                self.assertIn(str(word), done.stderr)

    def as_nobody(self, *command):
        """The command without the capabilities of root, if that is who runs the tests."""
        if os.geteuid() != 0:
            return command
        if not shutil.which("setpriv"):
            self.skipTest("not installed: setpriv")
        return ("setpriv", "--bounding-set=-all", "--inh-caps=-all", *command)

    def check_serve_refused(self, arguments, words, status=1, **variables):
        self.check_refused(("serve", *LISTEN, *arguments), words, status, **variables)


class Files(Refusals):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(cls.enterClassContext(Directory()))
        cls.garbage = cls.directory / "garbage"
        cls.garbage.write_bytes(bytes(range(200)))
        cls.absent = cls.directory / "absent"
        cls.files = Certificates(cls.directory / "certs")
        cls.pfx = cls.directory / "secret" / "server.p12"
        tlsdyno("cert", cls.pfx.parent, check=0, env=environment(TLSDYNO_PASSPHRASE=SECRET))
        cls.secret = cls.directory / "passphrase"
        cls.secret.write_text(SECRET + "\n")
        cls.wrong = cls.directory / "wrong"
        cls.wrong.write_text("open barley\n")

    def pair(self, cert=None, key=None):
        return ("--cert", cert or self.files.cert, "--key", key or self.files.key)

    def test_absent_files(self):
        self.check_serve_refused(self.pair(cert=self.absent), [self.absent, "No such file"])
        self.check_serve_refused(self.pair(key=self.absent), [self.absent, "No such file"])
        for option in ("--pfx", "--dhparam", "--ocsp-response", "--ticket-key-file",
                       "--passphrase-file"):
            self.check_serve_refused((option, self.absent), [self.absent, "No such file"])
        for option in ("--ca", "--crl"):
            self.check_serve_refused(("--request-cert", option, self.absent),
                                     [self.absent, "No such file"])
        self.check_serve_refused(("--sni", f"a.example:{self.absent}:{self.files.key}"),
                                 ["a.example", self.absent, "No such file"])
        self.check_serve_refused(("--keylog-file", self.absent / "below"), [self.absent])
        self.check_serve_refused((), ["SSLKEYLOGFILE", self.absent],
                                 SSLKEYLOGFILE=str(self.absent / "below"))

    def test_malformed_files(self):
        self.check_serve_refused(self.pair(cert=self.garbage), [self.garbage, "certificate"])
        self.check_serve_refused(self.pair(key=self.garbage), [self.garbage, "key"])
        self.check_serve_refused(("--pfx", self.garbage), [self.garbage, "PKCS#12"])
        self.check_serve_refused(("--dhparam", self.garbage), [self.garbage])
        self.check_serve_refused(("--ocsp-response", self.garbage), ["OCSP"])
        self.check_serve_refused(("--request-cert", "--ca", self.garbage), [self.garbage])
        self.check_serve_refused(("--request-cert", "--crl", self.files.ca), [self.files.ca, "CRL"])
        self.check_refused(("load", "--ca", self.garbage, "127.0.0.1:1"), [self.garbage])

    def test_unreadable_files(self):
        closed = self.directory / "closed.key"
        shutil.copy(self.files.key, closed)
        closed.chmod(0)
        done = run(*self.as_nobody(BINARY, "serve", *LISTEN, *self.pair(key=closed)), check=1)
        self.assertIn(f"'{closed}'", done.stderr)
        self.assertIn("Permission denied", done.stderr)

    def test_a_key_that_does_not_match(self):
        other = self.pfx.parent / "server.key"
        self.check_serve_refused(self.pair(key=other), [self.files.cert, other])

    def test_the_same_pair_serves(self):
        with Server(*self.pair()) as server:
            self.assertEqual(server.stderr(), "")

    def test_a_pkcs12_that_is_encrypted(self):
        self.check_serve_refused(("--pfx", self.pfx), [self.pfx, "passphrase"])
        self.check_serve_refused(("--pfx", self.pfx, "--passphrase-file", self.wrong),
                                 [self.pfx, "passphrase"])
        self.check_serve_refused(("--pfx", self.pfx), [self.pfx, "passphrase"],
                                 TLSDYNO_PASSPHRASE="open barley")
        # Any certificate option keeps the helper from waiting for a fingerprint.
        done = run("timeout", "--signal=INT", "1", BINARY, "serve", *LISTEN, "--pfx", self.pfx,
                   "--passphrase-file", self.secret, env=environment())
        self.assertIn("listening on ", done.stdout)

    @needs("openssl")
    def test_a_key_that_is_encrypted(self):
        key = self.directory / "encrypted.key"
        run("openssl", "pkey", "-in", self.files.key, "-aes256", "-passout", f"pass:{SECRET}",
            "-out", key, check=0)
        self.check_serve_refused(self.pair(key=key), [key, "passphrase"])
        self.check_serve_refused((*self.pair(key=key), "--passphrase-file", self.wrong),
                                 [key, "passphrase"])
        with Server(*self.pair(key=key), "--passphrase-file", self.secret):
            pass

    @needs("openssl")
    def test_an_expired_certificate_is_a_warning(self):
        cert, key = make_expired(self.directory)
        with Server(*self.pair(cert, key)) as server:
            self.assertIn("warning", server.stderr())
            self.assertIn(str(cert), server.stderr())
            self.assertIn("expired", server.stderr())

    @needs("openssl")
    def test_dh_parameters_that_are_too_short(self):
        weak = self.directory / "weak.pem"
        run("openssl", "dhparam", "-out", weak, "512", check=0)
        self.check_serve_refused(("--dhparam", weak), [weak, "2048"])
        with Server("--dhparam", "auto"):
            pass

    def test_a_ticket_key_file_of_the_wrong_length(self):
        keys = self.directory / "tickets"
        for length in (0, 47, 49, 79, 81):
            keys.write_bytes(b"\xff" * length)
            self.check_serve_refused(("--ticket-key-file", keys), [keys])
        for length in (48, 80, 96, 160):
            keys.write_bytes(os.urandom(length))
            with self.subTest(length), Server("--ticket-key-file", keys):
                pass

    def test_configuration_files(self):
        config = self.directory / "serve.conf"
        for text, words in (("threads = none", [":1: threads", "none", "from 1 to"]),
                            ("# one\n\nthread = 2", [":3: unknown key 'thread'", "'threads'"]),
                            ("no-tickets = true", [":1:", "tickets = false"]),
                            ("threads", [":1:", "NAME = VALUE"]),
                            ("tickets = maybe", [":1: tickets", "maybe", "true"])):
            config.write_text(text)
            self.check_refused(("serve", "--config", config), [f"{config}{words[0]}", *words[1:]],
                               status=2)
        self.check_refused(("serve", "--config", self.absent), ["--config", self.absent], status=2)
        self.check_refused(("load", "--config", self.garbage, "x:1"), [self.garbage], status=2)

    def test_certificates_are_made_whole_or_not_at_all(self):
        made = self.directory / "made"
        self.check_refused(("cert", self.garbage), [self.garbage])
        self.check_refused(("cert", self.absent / "deep"), [self.absent / "deep"])
        self.check_refused(("cert", "--passphrase-file", self.absent, made), [self.absent])
        self.assertFalse(made.exists())


class Options(Refusals):
    def test_cipher_lists(self):
        self.check_serve_refused(("--ciphers", ""), ["--ciphers", "empty"], status=2)
        self.check_serve_refused(("--ciphers", ":"), ["ciphers", ":"])
        self.check_serve_refused(("--ciphers", "NO-SUCH"), ["ciphers", "NO-SUCH"])
        self.check_serve_refused(("--ciphersuites", "TLS_NO_SUCH"), ["TLS_NO_SUCH"])

    def test_groups_and_signatures(self):
        self.check_serve_refused(("--groups", "X25519:no-such"), ["group", "no-such"])
        self.check_serve_refused(("--sigalgs", "no-such"), ["signature algorithm", "no-such"])

    def test_what_this_openssl_does_not_know_says_which_would(self):
        listed = tlsdyno("ciphers", check=0).stdout
        if "X25519MLKEM768" in listed:
            self.skipTest("it knows")
        self.check_serve_refused(("--groups", "X25519MLKEM768"), ["X25519MLKEM768", "3.5"])
        with Directory() as directory:
            made = directory / "made"
            self.check_refused(("cert", "--type", "mldsa65", made), ["mldsa65", "3.5"])
            self.assertFalse(made.exists())

    def test_protocols_and_options(self):
        self.check_serve_refused(("--min-version", "SSLv3"), ["--min-version", "SSLv3"], status=2)
        self.check_serve_refused(("--secure-protocol", "SSLv2_method"), ["SSLv2"], status=2)
        self.check_serve_refused(("--secure-protocol", "method"), ["'method'"], status=2)
        self.check_serve_refused(("--secure-options", "no-tickle"), ["no-tickle"], status=2)
        self.check_serve_refused(("--min-version", "1.3", "--max-version", "1.2"), ["minimum"])

    def test_obsolete_versions_are_a_warning(self):
        with Server("--min-version", "1.1") as server:
            self.assertIn("warning", server.stderr())
            self.assertIn("security level", server.stderr())

    def test_fragments(self):
        for value in ("511", "16385", "0"):
            self.check_serve_refused(("--max-send-fragment", value),
                                     [f"--max-send-fragment: '{value}'", "512", "16384"], status=2)

    def test_units(self):
        for option, value in (("--idle-timeout", "5parsecs"), ("--early-data", "4Q"),
                              ("--max-connections", "-1"), ("--reneg-limit", "few"),
                              ("--reneg-window", "1500ms"), ("--session-timeout", "8 fortnights")):
            self.check_serve_refused((option, value), [option, value], status=2)

    def test_unknown_options_suggest_the_nearest(self):
        for wrong, right in (("--requst-cert", "--request-cert"), ("--crls", "--crl"),
                             ("--no-reject-unauthorised", "--no-reject-unauthorized"),
                             ("--passfrase-file", "--passphrase-file"), ("--confg", "--config")):
            self.check_serve_refused((wrong,), [wrong, f"did you mean {right}?"], status=2)

    def test_combinations_that_would_be_ignored(self):
        for arguments, words in (
            (("--cert", "a.pem"), ["--key"]),
            (("--pfx", "a.p12", "--cert", "a.pem", "--key", "a.key"), ["--pfx", "--cert"]),
            (("--ca", "ca.pem"), ["--ca", "--request-cert"]),
            (("--no-reject-unauthorized",), ["--no-reject-unauthorized", "--request-cert"]),
            (("--no-tickets", "--early-data", "1k"), ["--early-data", "--no-tickets"]),
            (("--sni", "a.example"), ["a.example", "HOST:CERT:KEY"]),
        ):
            self.check_serve_refused(arguments, words, status=2)
        self.check_refused(("load", "--insecure", "--crl", "crl.pem", "x:1"), ["--insecure"],
                           status=2)
        self.check_refused(("load", "--key", "a.key", "x:1"), ["--cert"], status=2)
        self.check_refused(("load", "--early-data", "127.0.0.1:1"), ["--early-data", "--mode rr"],
                           status=2)
        for target in (("-s", "http", "127.0.0.1:1"), ("https://127.0.0.1:1/16384",)):
            self.check_refused(("load", "--mode", "rr", "-m", "100", *target),
                               ["--message-bytes", "path"], status=2)


class Listening(Refusals):
    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            self.check_refused(("serve", "--listen", address), [address, "in use"])

    def test_a_privileged_port(self):
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first <= PRIVILEGED_PORT:
            self.skipTest("no port is privileged here")
        done = run(*self.as_nobody(BINARY, "serve", "--listen", f"127.0.0.1:{PRIVILEGED_PORT}"),
                   check=1)
        self.assertIn(f"127.0.0.1:{PRIVILEGED_PORT}", done.stderr)
        self.assertIn("privileged", done.stderr)

    def test_descriptors_that_are_no_listening_sockets(self):
        self.check_refused(("serve", "--listen", "fd:97"), ["97", "Bad file descriptor"])
        self.check_refused(("serve", "--listen", "fd:0"), ["0"])
        self.check_refused(("serve", "--listen", "fd:three"), ["--listen", "fd:three"], status=2)


if __name__ == "__main__":
    unittest.main()
