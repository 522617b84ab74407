"""No secret and no payload in what is printed, logged, served or written: keys and bytes that the
test knows are looked for in all of it, after handshakes that went well and some that did not."""

import base64
import os
import re
import socket
import ssl
import unittest

from dyno import DEADLINE, Certificates, Directory, Server, load, tlsdyno, wait_for

WINDOW = 8  # so many bytes of a secret in a row are a leak


def leaks(secret, text):
    """Whether the text has WINDOW bytes of the secret in a row: as they are, as hexadecimal digits
    with or without separators, or as base64 on whatever boundary, broken into lines or not."""
    digits = re.sub(rb"[\s:,-]|\\x|0x", b"", text).lower()
    letters = re.sub(rb"\s|\\n", b"", text)
    windows = [secret[at:at + WINDOW] for at in range(len(secret) - WINDOW + 1)]
    if any(window in text or window.hex().encode() in digits for window in windows):
        return True
    # Of any eight bytes six are two whole groups of three, which are eight letters.
    groups = [secret[at:at + 6] for at in range(len(secret) - 5)]
    return any(encode(group) in letters
               for group in groups for encode in (base64.b64encode, base64.urlsafe_b64encode))


def private_scalar(key_file):
    """The secret 32 bytes of an unencrypted key on P-256 (RFC 5915 in RFC 5208)."""
    der = base64.b64decode("".join(key_file.read_text().splitlines()[1:-1]))
    start = bytes.fromhex("0201010420")
    at = der.index(start) + len(start)
    return der[at:at + 32]


class Client:
    """Python's own TLS client, of one version."""

    def __init__(self, server, version, ca):
        self.server = server
        self.context = ssl.create_default_context(cafile=ca)
        self.context.minimum_version = self.context.maximum_version = version

    def visit(self, marker, session=None):
        """Sends the marker, reads it back; the session to come back with, and whether it did."""
        with socket.create_connection(("127.0.0.1", self.server.port), DEADLINE) as link:
            with self.context.wrap_socket(link, server_hostname="localhost",
                                          session=session) as tls:
                tls.sendall(marker)
                got = b""
                while len(got) < len(marker):
                    piece = tls.recv(65536)
                    assert piece, "the server closed before it had echoed all"
                    got += piece
                assert got == marker
                return tls.session, tls.session_reused


class Secrets(unittest.TestCase):
    def test_no_output_has_a_key_or_payload(self):
        directory = self.enterContext(Directory())
        certificates = Certificates(directory / "ca")
        ticket_key = os.urandom(48)
        marker = os.urandom(64)
        (directory / "tickets").write_bytes(ticket_key)
        outputs = {}
        with Server("--cert", certificates.cert, "--key", certificates.key,
                    "--ticket-key-file", directory / "tickets", "--log-failures",
                    "--stats-interval", "100ms", "--service", "echo") as server:
            self.visit_all(server, certificates, marker)
            self.fail_all(server, marker)
            report = load(server.target, "--ca", certificates.ca, "--verify-host", "localhost",
                          "--service", "echo", "-c", 2, "-n", 50, "--resume", "ticket",
                          "--admin", server.admin, "--csv", directory / "run.csv",
                          "--percentiles", directory / "run.hgrm")
            failed = load(server.target, "--verify-host", "localhost", "-c", 1, "-d", "1s",
                          check=None)
            outputs["load"] = report.process.stdout + report.process.stderr
            outputs["load that fails"] = failed.process.stdout + failed.process.stderr
            for file in directory.glob("run*"):
                outputs[file.name] = file.read_text()
            outputs["top"] = tlsdyno("top", "--once", "-i", "200ms", server.admin, check=0).stdout
            for path in ("/stats", "/metrics"):
                outputs[path] = server.admin_get(path)[2]
            wait_for(lambda: server.stdout().count("\n") > 8, "some lines of rates")
            outputs["serve"] = server.stdout()
            outputs["serve's errors"] = server.stderr()
        self.assertGreaterEqual(sum(name.startswith("run") for name in outputs), 2)
        secrets = {"the ticket key": ticket_key, "the private key": private_scalar(certificates.key),
                   "the marker": marker, "load's payload": self.load_payload()}
        for where, text in outputs.items():
            self.assertTrue(text, where)
            for what, secret in secrets.items():
                with self.subTest(where=where, what=what):
                    self.assertFalse(leaks(secret, text.encode(errors="replace")), text[:4000])

    def visit_all(self, server, certificates, marker):
        """Full and resumed handshakes of both versions, each with the marker as its payload."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = Client(server, version, certificates.ca)
            session, _ = client.visit(marker)
            self.assertTrue(client.visit(marker, session)[1])
        server.wait_counter("handshakes", 2, "ticket")

    def fail_all(self, server, marker):
        """Those who speak no TLS, a version or a suite that there is not, or distrust the server."""
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as link:
            link.sendall(b"GET /" + marker + marker.hex().encode() + b" HTTP/1.1\r\n\r\n")
            link.recv(65536)
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as link:
            link.sendall(b"\x16\x03\x01" + len(marker).to_bytes(2, "big") + marker)
            link.recv(65536)
        with self.assertRaises(ssl.SSLError):
            Client(server, ssl.TLSVersion.TLSv1_3, None).visit(marker)
        wait_for(lambda: server.stderr().count("\n") >= 3, "three lines of failures")

    def load_payload(self):
        """The first bytes that `load` sends: those that the service source sends, too."""
        with Server("--service", "source") as server:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as link:
                with context.wrap_socket(link) as tls:
                    return tls.recv(64)


class Leaks(unittest.TestCase):
    """What the test above relies on: a leak is seen however it is written."""

    secret = bytes(range(160, 208))

    def test_eight_bytes_are_seen(self):
        part = self.secret[5:13]
        for form in (part, part.hex().encode(), part.hex(":").upper().encode(),
                     "".join(f"\\x{byte:02x}" for byte in part).encode()):
            self.assertTrue(leaks(self.secret, b"before" + form + b"after"), form)

    def test_base64_is_seen_on_every_boundary_and_over_lines(self):
        for before in range(3):
            form = base64.b64encode(bytes(before) + self.secret[5:13] + b"after")
            self.assertTrue(leaks(self.secret, form), form)
            self.assertTrue(leaks(self.secret, form[:6] + b"\n" + form[6:]), form)

    def test_seven_bytes_and_others_are_none(self):
        self.assertFalse(leaks(self.secret, self.secret[5:12] + b"\0" + self.secret[13:18]))
        self.assertFalse(leaks(self.secret, base64.b64encode(bytes(48))))


if __name__ == "__main__":
    unittest.main()
