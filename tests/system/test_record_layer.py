"""The direct record layer: what it covers it does, the rest is OpenSSL's, and peers see no
difference. The report and the server's counters say which of the two it was."""

import hashlib
import itertools
import time
import unittest

from dyno import Directory, Server, load, needs, run, tlsdyno, wait_for
from s_client import GnutlsCli, SClient

DIRECT = ("--record-layer", "direct")
OPENSSLS = ("--record-layer", "openssl")
COVERED = (
    ("--ciphersuites", "TLS_AES_128_GCM_SHA256"),
    ("--ciphersuites", "TLS_AES_256_GCM_SHA384"),
    ("--ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
    ("--max-version", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("--max-version", "1.2", "--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"),
)
NOT_COVERED = (
    ("--ciphersuites", "TLS_AES_128_CCM_SHA256"),
    ("--max-version", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-SHA256"),
)
REQUESTS = 400
LINES = 40  # the direct layer takes over after 32
SILENCE = 1.2  # seconds; after one the server is rid of OpenSSL's connection
NODE_CLIENT = """
const link = require('tls').connect(
    {port: +process.argv[1], host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3'});
let left = 3, heard = '';
link.on('data', (data) => {
    heard += data;
    if (heard.length < 5) return;
    heard = heard.slice(5);
    setTimeout(() => --left ? link.write('hello') : link.end(), %d);
});
link.on('end', () => console.log('ended'));
link.write('hello');
"""


def exchange(server, *arguments):
    return load(server.target, "--insecure", "--mode", "rr", "--service", "echo", "--count", REQUESTS,
                "--connections", 2, "--message-bytes", 20000, "--admin", server.admin, *arguments)


class Layers(unittest.TestCase):
    def check(self, server_layer, client_layer, suite):
        with Server(*server_layer, *suite) as server:
            report = exchange(server, *client_layer, *suite)
            self.assertEqual(report["messages"]["corrupt"], 0)
            self.assertEqual(report["messages"]["count"], REQUESTS)
            self.assertEqual(report.errors, [])
            return report["bytes"]["records_direct"], server.counter("records_direct")

    def test_either_side_may_have_it(self):
        for suite in COVERED:
            with self.subTest(suite):
                client, server = self.check(DIRECT, OPENSSLS, suite)
                self.assertEqual(client, 0)
                # Two records each way a message; the first ones of a connection go through OpenSSL.
                self.assertGreater(server, 3 * REQUESTS)
                client, server = self.check(OPENSSLS, DIRECT, suite)
                self.assertGreater(client, 3 * REQUESTS)
                self.assertEqual(server, 0)

    def test_what_it_does_not_cover_is_openssls(self):
        for suite in NOT_COVERED:
            with self.subTest(suite):
                self.assertEqual(self.check(DIRECT, DIRECT, suite), (0, 0))

    def test_the_report_says_so(self):
        with Server(*OPENSSLS) as server:
            report = exchange(server, *DIRECT)
            self.assertEqual(report["plan"]["tls"]["record_layer"], "direct")
            self.assertEqual(report["server"]["record_layer"], "openssl")
            done = tlsdyno("load", server.target, "--insecure", "--mode", "rr", "--service", "echo",
                           "--count", REQUESTS, "--connections", 2, "--admin", server.admin,
                           *DIRECT, check=0)
            self.assertRegex(done.stdout, r"records +[1-9][0-9.]+% of the client's and 0\.0% of the "
                                          r"server's by\s+the direct record layer")
        with Server(*DIRECT) as server:
            report = exchange(server, *OPENSSLS)
            self.assertEqual(report["plan"]["tls"]["record_layer"], "openssl")
            self.assertEqual(report["server"]["record_layer"], "direct")

    def test_it_is_the_default_of_both_sides(self):
        with Server() as server:
            report = exchange(server)
            self.assertEqual(report["plan"]["tls"]["record_layer"], "direct")
            self.assertGreater(report["bytes"]["records_direct"], 3 * REQUESTS)
            self.assertGreater(server.counter("records_direct"), 3 * REQUESTS)

    def test_short_connections_are_openssls(self):
        with Server("--service", "http", *DIRECT) as server:
            report = load(f"https://{server.target}/16", "--insecure", "--mode", "rr", "--count", 50,
                          "--requests-per-connection", 2, *DIRECT)
            self.assertEqual(report["bytes"]["records_direct"], 0)
            self.assertEqual(server.counter("records_direct"), 0)

    def test_another_name_is_bad_usage(self):
        for command in (["serve"], ["load", "127.0.0.1:1"]):
            done = tlsdyno(*command, "--record-layer", "quick", check=2)
            self.assertIn("record-layer", done.stderr)


class Peers(unittest.TestCase):
    @needs("curl")
    def test_curl_gets_what_it_gets_from_openssls(self):
        digests = set()
        path = self.enterContext(Directory()) / "body"
        for layer in ("openssl", "direct"):
            with Server("--service", "http", "--record-layer", layer) as server:
                for version in ("1.2", "1.3"):
                    run("curl", "-sSk", "-o", path, "--tls-max", version,
                        f"https://127.0.0.1:{server.port}/3000000", check=0)
                    self.assertEqual(path.stat().st_size, 3_000_000)
                    digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
        self.assertEqual(len(digests), 1)

    @needs("openssl")
    def test_s_client_changes_keys_and_renegotiates(self):
        with Server(*DIRECT) as server:
            for version, letters, printed in (("-tls1_3", "Kk", "KEYUPDATE"),
                                              ("-tls1_2", "R", "RENEGOTIATING")):
                with self.subTest(version), SClient(server, version) as client:
                    for index, letter in enumerate(letters):
                        for line in range(LINES):
                            client.echo(f"line {line} by {letter} {index}")
                        client.type(letter)
                        client.wait_output(printed, index + 1)
                        for line in range(LINES, 2 * LINES):
                            client.echo(f"line {line} by {letter} {index}")
            self.assertGreater(server.counter("records_direct"), 20)
            self.assertEqual(server.counter("tls_errors"), 0)


class Retired(unittest.TestCase):
    """Connections that were silent, whose records are the direct layer's however few they were."""

    def retire(self, server, client):
        before = server.counter("records_direct")
        lines = itertools.count()

        def has_retired():
            time.sleep(SILENCE)  # the silence itself
            client.echo(f"line {next(lines)} after {before}")
            return server.counter("records_direct") > before
        wait_for(has_retired, "the direct layer")

    @needs("openssl")
    def test_s_client_changes_keys_and_leaves(self):
        with Server(*DIRECT) as server:
            with SClient(server, "-tls1_3") as client:
                self.retire(server, client)
                for count, letter in enumerate("KkkK"):
                    client.type(letter)
                    client.wait_output("KEYUPDATE", count + 1)
                    client.echo(f"one by {letter} {count}")
                    client.echo(f"two by {letter} {count}")
                self.retire(server, client)
                client.type("Q")
                client.process.wait(20)
            server.wait_idle()
            self.assertEqual(server.counter("tls_errors"), 0)
            self.assertEqual(server.counter("renegotiations"), 4)

    @needs("openssl")
    def test_a_client_may_go_within_the_silence(self):
        with Server(*DIRECT) as server:
            with SClient(server, "-tls1_3") as client:
                client.echo("one")
                time.sleep(SILENCE)
                client.type("Q")
                client.process.wait(20)
            server.wait_idle()
            self.assertEqual(server.counter("tls_errors"), 0)

    @needs("gnutls-cli")
    def test_gnutls_changes_keys(self):
        with Server(*DIRECT) as server:
            with GnutlsCli(server) as client:
                self.retire(server, client)
                for count in range(3):
                    client.type("^rekey^")
                    client.echo(f"one by {count}")
                    client.echo(f"two by {count}")
            server.wait_idle()
            self.assertEqual(server.counter("tls_errors"), 0)
            self.assertEqual(server.counter("renegotiations"), 3)

    @needs("node")
    def test_node_goes_on_and_ends(self):
        with Server(*DIRECT) as server:
            done = run("node", "-e", NODE_CLIENT % (SILENCE * 1000), server.port, check=0)
            self.assertEqual(done.stdout, "ended\n")
            server.wait_idle()
            self.assertGreater(server.counter("records_direct"), 0)
            self.assertEqual(server.counter("tls_errors"), 0)

    @needs("openssl")
    def test_openssls_layer_never_retires(self):
        with Server(*OPENSSLS) as server, SClient(server, "-tls1_3") as client:
            client.echo("one")
            time.sleep(SILENCE)
            client.echo("two")
            self.assertEqual(server.counter("records_direct"), 0)


if __name__ == "__main__":
    unittest.main()
