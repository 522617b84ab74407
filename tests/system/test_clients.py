"""Clients that are not ours, against `tlsdyno serve`."""

import json
import re
import socket
import ssl
import subprocess
import unittest

from dyno import Certificates, Directory, Server, needs, run, scaled
from wire import client_context, receive_exactly, secure

NODE_ECHO = """
const tls = require('tls');
const bytes = Buffer.alloc(Number(process.argv[2]), 'tlsdyno ');
let received = [];
const link = tls.connect({port: Number(process.argv[1]), host: '127.0.0.1',
                          rejectUnauthorized: false}, () => link.end(bytes));
link.on('data', piece => received.push(piece));
link.on('error', error => { console.error(error); process.exit(1); });
link.on('end', () => {
  console.log(JSON.stringify({same: Buffer.concat(received).equals(bytes),
                              protocol: link.getProtocol()}));
});
"""


class EchoClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    @needs("openssl")
    def test_openssl_s_client_gets_its_line_back(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                # -ign_eof: wait for the answer rather than end with the input.
                with subprocess.Popen(
                    ["openssl", "s_client", "-quiet", "-ign_eof", version,
                     "-connect", self.server.target],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    text=True,
                ) as client:
                    client.stdin.write("hello from s_client\n")
                    client.stdin.flush()
                    self.assertEqual(client.stdout.readline(), "hello from s_client\n")
                    client.terminate()

    @needs("openssl")
    def test_openssl_s_client_is_refused_below_tls_1_2(self):
        done = run("openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
                   "-connect", self.server.target, input="")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("protocol version", done.stdout + done.stderr)

    @needs("gnutls-cli")
    def test_gnutls_cli_completes_a_handshake(self):
        for priority, version in (("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS1.2"),
                                  ("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLS1.3")):
            with self.subTest(version):
                done = run("gnutls-cli", "--insecure", "--priority", priority,
                           "-p", self.server.port, "127.0.0.1", input="ping from gnutls\n")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Handshake was completed", done.stdout)
                self.assertIn(version, done.stdout)

    @needs("gnutls-cli")
    def test_gnutls_cli_without_a_common_version_fails(self):
        done = run("gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1",
                   "-p", self.server.port, "127.0.0.1", input="")
        self.assertNotEqual(done.returncode, 0)

    @needs("node")
    def test_node_gets_a_mebibyte_back(self):
        done = run("node", "-e", NODE_ECHO, self.server.port, 1 << 20, check=0)
        self.assertEqual(json.loads(done.stdout), {"same": True, "protocol": "TLSv1.3"})

    def test_python_sees_the_fingerprint_that_was_printed(self):
        with secure(self.server.port) as link:
            der = link.getpeercert(binary_form=True)
        digest = run("openssl", "dgst", "-sha256", "-hex", input=der, check=0)
        printed = self.server.fingerprint.replace(":", "").lower()
        self.assertIn(printed, digest.stdout.decode())

    def test_python_refuses_the_generated_certificate_unless_told_otherwise(self):
        with self.assertRaises(ssl.SSLCertVerificationError):
            context = ssl.create_default_context()
            with socket.create_connection(("127.0.0.1", self.server.port)) as link:
                context.wrap_socket(link, server_hostname="localhost")

    def test_every_suite_and_group_of_tls_1_3_echoes(self):
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                      "TLS_CHACHA20_POLY1305_SHA256"):
            for group in ("X25519", "P-256", "P-384"):
                with self.subTest(suite=suite, group=group):
                    done = run("openssl", "s_client", "-tls1_3", "-ciphersuites", suite,
                               "-groups", group, "-connect", self.server.target, input="")
                    self.assertIn(f"Cipher is {suite}", done.stdout)


class HttpClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("--service", "http"))
        cls.url = f"https://127.0.0.1:{cls.server.port}"

    @needs("curl")
    def test_curl_gets_as_many_bytes_as_it_asks_for(self):
        for path, size in (("/0", 0), ("/1", 1), ("/1ki", 1024), ("/100ki", 100 * 1024),
                           ("/3m", 3000000)):
            for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
                with self.subTest(path=path, version=version):
                    done = run("curl", "-ksS", *version, "--http1.1", "-o", "/dev/null", "-w",
                               "%{http_code} %{size_download}", self.url + path, check=0)
                    self.assertEqual(done.stdout, f"200 {size}")

    @needs("curl")
    def test_curl_posts_and_asks_for_the_head(self):
        done = run("curl", "-ksS", "--http1.1", "-d", "@/etc/passwd", "-o", "/dev/null", "-w",
                   "%{http_code}", self.url + "/16", check=0)
        self.assertEqual(done.stdout, "200")
        done = run("curl", "-ksSI", "--http1.1", self.url + "/1000", check=0)
        self.assertRegex(done.stdout, r"(?i)content-length: 1000\b")

    @needs("curl")
    def test_curl_keeps_one_connection_for_many_requests(self):
        before = self.server.counter("accepts")
        run("curl", "-ksS", "--http1.1", "-o", "/dev/null", *[f"{self.url}/{n}" for n in range(20)],
            check=0)
        self.assertEqual(self.server.counter("accepts") - before, 1)

    @needs("curl")
    def test_curl_that_trusts_somebody_else_refuses_the_generated_certificate(self):
        with Directory() as directory:
            done = run("curl", "-sS", "--cacert", Certificates(directory).ca, self.url + "/1")
        self.assertEqual(done.returncode, 60, done.stderr)  # CURLE_PEER_FAILED_VERIFICATION

    def test_pipelined_requests_are_answered_in_order(self):
        with secure(self.server.port) as link:
            link.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in (3, 1, 2)))
            answers = b""
            while not re.search(rb"(?s)(HTTP/1.1 200.*?\r\n\r\n.*?){3}..\Z", answers):
                piece = link.recv(65536)
                self.assertTrue(piece, f"closed after {answers}")
                answers += piece
        self.assertEqual(re.findall(rb"(?i)content-length: (\d+)", answers), [b"3", b"1", b"2"])

    def test_a_malformed_request_gets_400(self):
        for request in (b"GARBAGE\r\n\r\n", b"GET\r\n\r\n", b"GET /1 HTTP/9\r\n\r\n",
                        b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"):
            with self.subTest(request), secure(self.server.port) as link:
                link.sendall(request)
                self.assertTrue(receive_exactly(link, 12).startswith(b"HTTP/1.1 400"))

    @needs("wrk")
    def test_wrk_runs_without_an_error(self):
        done = run("wrk", "-t", 2, "-c", 32, "-d", scaled("2s", "3s"), self.url + "/16", check=0)
        self.assertRegex(done.stdout, r"\d+ requests in")
        self.assertNotIn("Socket errors", done.stdout)
        self.assertNotIn("Non-2xx", done.stdout)

    @needs("h2load")
    def test_h2load_runs_without_an_error(self):
        count = scaled(20000, 2000)
        done = run("h2load", "--h1", "-n", count, "-c", 16, self.url + "/16", check=0)
        self.assertIn(f"{count} succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)

    @needs("ab")
    def test_ab_runs_without_an_error_with_and_without_keep_alive(self):
        for count, options in ((scaled(5000, 1000), ["-k"]), (300, [])):
            with self.subTest(options):
                done = run("ab", "-q", *options, "-n", count, "-c", 8, self.url + "/16", check=0)
                self.assertRegex(done.stdout, rf"Complete requests:\s+{count}\n")
                self.assertRegex(done.stdout, r"Failed requests:\s+0\n")
                self.assertNotIn("Non-2xx", done.stdout)


class Listeners(unittest.TestCase):
    def test_each_listener_has_its_own_service(self):
        with Server(listen=("127.0.0.1:0", "127.0.0.1:0,http")) as server:
            with secure(server.ports[0]) as link:
                link.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
                self.assertEqual(receive_exactly(link, 19), b"GET /1 HTTP/1.1\r\n\r\n")
            with secure(server.ports[1]) as link:
                link.sendall(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(receive_exactly(link, 12), b"HTTP/1.1 200")

    def test_a_certificate_from_files_is_verified_by_its_clients(self):
        with Directory() as directory:
            files = Certificates(directory)
            with Server("--cert", files.cert, "--key", files.key) as server:
                context = client_context(ca=files.ca)
                with socket.create_connection(("127.0.0.1", server.port)) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost") as link:
                        link.sendall(b"verified")
                        self.assertEqual(receive_exactly(link, 8), b"verified")
                with socket.create_connection(("127.0.0.1", server.port)) as plain:
                    with self.assertRaises(ssl.SSLCertVerificationError):
                        context.wrap_socket(plain, server_hostname="elsewhere.example")

    def test_the_default_listener_speaks_tls_on_ipv6_too(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        with Server(listen=("[::1]:0",)) as server:
            with socket.create_connection(("::1", server.port)) as plain:
                with client_context().wrap_socket(plain, server_hostname="localhost") as link:
                    link.sendall(b"six")
                    self.assertEqual(receive_exactly(link, 3), b"six")


if __name__ == "__main__":
    unittest.main()
