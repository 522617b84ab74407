"""`tlsdyno load` against servers that are not ours: openssl s_server and nginx."""

import contextlib
import os
import socket
import subprocess
import unittest

from dyno import Certificates, Directory, load, needs, scaled, wait_for
from foreign_servers import s_server


NGINX = """
daemon off; worker_processes 1; pid {directory}/pid;
error_log {directory}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_session_cache shared:S:1m; ssl_ecdh_curve X25519; {more}
    server {{ listen 127.0.0.1:{port} ssl; location / {{ return 200 "sixteen bytes ok"; }} }}
}}
"""


@contextlib.contextmanager
def nginx(directory, files, more=""):
    """nginx on a port that this process has bound and hands over (the variable NGINX, as in its
    own binary upgrade), so that no other program can take the port in between."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port = listener.getsockname()[1]
        configuration = directory / "nginx.conf"
        configuration.write_text(
            NGINX.format(directory=directory, cert=files.cert, key=files.key, port=port,
                         more=more)
        )
        listener.set_inheritable(True)
        process = subprocess.Popen(
            ["nginx", "-p", directory, "-c", configuration, "-e", f"{directory}/error.log"],
            pass_fds=[listener.fileno()],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            stderr=subprocess.DEVNULL,
        )
    try:
        wait_for(lambda: (directory / "pid").exists() or process.poll() is not None, "nginx")
        assert process.poll() is None, (directory / "error.log").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()  # the master, which ends its worker
        process.wait()


class ForeignServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.files = Certificates(cls.directory)


@needs("openssl")
class OpensslServer(ForeignServer):
    def test_handshakes_with_a_verified_certificate(self):
        with s_server(self.files, "-www") as target:
            report = load(target, "--ca", self.files.ca, "--verify-host", "localhost",
                          "--mode", "handshake", "-c", 4, "-n", 50)
        self.assertEqual(report["handshakes"]["full"], 50)
        self.assertEqual(report.errors, [])

    def test_the_negotiated_facts_are_what_the_server_was_told(self):
        for arguments, version, suite in (
            (["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
             "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
            (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
             "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        ):
            with self.subTest(version), s_server(self.files, "-www", "-curves", "P-384",
                                                 *arguments) as target:
                report = load(target, "--insecure", "--mode", "handshake", "-c", 1, "-n", 5)
                facts = report.facts
                self.assertEqual(len(facts), 1, facts)
                self.assertEqual(facts[0]["version"], version)
                self.assertEqual(facts[0]["suite"], suite)
                self.assertIn(facts[0]["group"].lower(), ("secp384r1", "p-384"))
                self.assertEqual(facts[0]["connections"], 5)

    def test_https_get_is_answered(self):
        with s_server(self.files, "-www") as target:
            # s_server closes after each answer and serves one connection at a time.
            report = load(f"https://{target}/", "--insecure", "--mode", "rr", "-c", 1, "-n", 10)
        self.assertEqual(report["messages"]["count"], 10)

    def test_a_server_that_answers_something_else_is_not_taken_for_an_echo(self):
        with s_server(self.files, "-rev") as target:
            report = load(target, "--insecure", "--mode", "rr", "-m", 64, "-c", 1, "-n", 5,
                          "--timeout", "1s", check=1)
        self.assertEqual(report["messages"]["count"], 0)


@needs("nginx")
class Nginx(ForeignServer):
    def setUp(self):
        self.target = self.enterContext(nginx(self.directory, self.files))

    def tearDown(self):
        (self.directory / "pid").unlink(missing_ok=True)

    def test_full_and_resumed_handshakes_are_told_apart(self):
        count = scaled(200, 50)
        full = load(self.target, "--ca", self.files.ca, "--mode", "handshake", "--resume", "none",
                    "-c", 4, "-n", count)
        self.assertEqual(full["handshakes"]["full"], count)
        self.assertEqual(full["handshakes"]["ticket"], 0)
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                resumed = load(self.target, "--ca", self.files.ca, "--mode", "handshake",
                               "--resume", "ticket", "--max-version", version, "-c", 4,
                               "-n", count)
                self.assertGreaterEqual(resumed["handshakes"]["ticket"], count - 8)
                self.assertEqual(resumed.errors, [])

    def test_sessions_resume_by_id_in_tls_1_2(self):
        resumed = load(self.target, "--insecure", "--mode", "handshake", "--resume", "id",
                       "--max-version", "1.2", "-c", 2, "-n", 50)
        self.assertGreaterEqual(resumed["handshakes"]["id"], 40)

    def test_requests_over_kept_connections(self):
        count = scaled(5000, 500)
        report = load(f"https://{self.target}/", "--ca", self.files.ca, "--mode", "rr",
                      "-c", 16, "-n", count)
        self.assertEqual(report["messages"]["count"], count)
        self.assertEqual(report.errors, [])
        self.assertLessEqual(report["connections"]["peak"], 16)
        self.assertEqual({facts["group"].lower() for facts in report.facts}, {"x25519"})


if __name__ == "__main__":
    unittest.main()
