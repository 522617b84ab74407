"""`tlsdyno load` against `tlsdyno serve`: every mode, and both sides' counts agree."""

import re
import socket
import threading
import unittest

from dyno import Server, load, scaled, tlsdyno

COUNT = scaled(400, 100)


class Handshakes(unittest.TestCase):
    def run_handshakes(self, server, *arguments):
        report = load(server.target, "--insecure", "--mode", "handshake", "-c", 4, "-n", COUNT,
                      "--admin", server.admin, *arguments)
        self.assertEqual(report.errors, [])
        server.wait_idle()
        for kind in ("full", "ticket", "id"):
            # The server may have begun a few that the client did not finish in the measured time.
            self.assertGreaterEqual(server.counter("handshakes", kind), report["handshakes"][kind])
        return report["handshakes"]

    def test_full(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version), Server() as server:
                seen = self.run_handshakes(server, "--resume", "none", "--max-version", version)
                self.assertEqual((seen["full"], seen["ticket"], seen["id"]), (COUNT, 0, 0))

    def test_resumed_by_ticket(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version), Server() as server:
                seen = self.run_handshakes(server, "--resume", "ticket", "--max-version", version)
                self.assertGreaterEqual(seen["ticket"], COUNT - 8)
                self.assertEqual(seen["id"], 0)

    def test_resumed_by_session_id(self):
        with Server() as server:
            seen = self.run_handshakes(server, "--resume", "id", "--max-version", "1.2")
            self.assertGreaterEqual(seen["id"], COUNT - 8)
            self.assertEqual(seen["ticket"], 0)

    def test_a_share_of_them_resumed(self):
        with Server() as server:
            seen = self.run_handshakes(server, "--resume", "50")
            self.assertGreater(seen["ticket"], COUNT * 0.25)
            self.assertGreater(seen["full"], COUNT * 0.25)

    def test_a_server_without_tickets_is_not_reported_as_resumed(self):
        with Server("--no-tickets") as server:
            seen = self.run_handshakes(server, "--resume", "ticket", "--max-version", "1.3")
            self.assertEqual(seen["ticket"], 0)
            self.assertEqual(seen["full"], COUNT)


class Messages(unittest.TestCase):
    def test_request_and_response_of_every_size(self):
        with Server() as server:
            for size in (1, 64, 16383, 16384, 16385, 100_000):
                with self.subTest(size):
                    report = load(server.target, "--insecure", "--mode", "rr", "-m", size, "-c", 3,
                                  "-n", 60)
                    self.assertEqual(report["messages"]["count"], 60)
                    self.assertEqual(report["messages"]["corrupt"], 0)
                    self.assertEqual(report["bytes"]["plain_in_bytes"], 60 * size)
                    self.assertEqual(report["bytes"]["plain_out_bytes"], 60 * size)

    def test_several_requests_under_way_at_once(self):
        with Server() as server:
            report = load(server.target, "--insecure", "--mode", "rr", "-m", 100, "--depth", 16,
                          "-c", 4, "-n", 2000)
            self.assertEqual(report["messages"]["count"], 2000)
            self.assertEqual(report["messages"]["corrupt"], 0)

    def test_http_against_the_http_service(self):
        with Server("--service", "http") as server:
            for path, size in (("/0", 0), ("/16", 16), ("/100ki", 100 * 1024)):
                with self.subTest(path):
                    report = load(f"https://{server.target}{path}", "--insecure", "--mode", "rr",
                                  "-c", 4, "-n", 100)
                    self.assertEqual(report["messages"]["count"], 100)
                    self.assertEqual(report.errors, [])

    def test_the_http_services_greeting_is_no_payload(self):
        with Server("--service", "http") as server:
            report = load(server.target, "--service", "http", "--insecure", "--mode", "rr",
                          "-c", 2, "-n", 20)
            self.assertEqual(report["messages"]["count"], 20)
            self.assertEqual(report["messages"]["corrupt"], 0)
            self.assertEqual(report.errors, [])

    def test_a_changed_payload_of_the_http_service_is_found(self):
        def answer(kind, body):
            return (f"HTTP/1.1 200 OK\r\nServer: tlsdyno\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

        for kind, corrupt in (("application/octet-stream", 1), ("text/plain", 0)):
            with self.subTest(kind), socket.create_server(("127.0.0.1", 0)) as listener:
                def serve():
                    link, _ = listener.accept()
                    with link:
                        while link.recv(4096):
                            link.sendall(answer(kind, "not the payload"))

                thread = threading.Thread(target=serve)
                thread.start()
                port = listener.getsockname()[1]
                report = load(f"http://127.0.0.1:{port}/15", "--mode", "rr", "-c", 1, "-t", 1,
                              "-n", 1, "-d", "2s", check=corrupt)
                thread.join()
                self.assertEqual(report["messages"]["corrupt"], corrupt)

    def test_plain_tcp_is_the_same_data_path(self):
        with Server(listen=("127.0.0.1:0,http,plain",)) as server:
            report = load(f"http://{server.target}/1k", "--mode", "rr", "-c", 2, "-n", 100)
            self.assertEqual(report["messages"]["count"], 100)

    def test_upload_and_download(self):
        with Server("--service", "discard") as server:
            report = load(server.target, "--insecure", "--mode", "upload", "-c", 2, "-d", "1s")
            self.assertGreater(report["bytes"]["plain_out_bytes"], 1_000_000)
            self.assertEqual(report.errors, [])
        with Server("--service", "source") as server:
            report = load(server.target, "--insecure", "--mode", "download", "-c", 2, "-d", "1s")
            self.assertGreater(report["bytes"]["plain_in_bytes"], 1_000_000)
            self.assertEqual(report.errors, [])


class Reports(unittest.TestCase):
    def test_the_text_report_has_both_sides_and_a_verdict(self):
        with Server() as server:
            done = tlsdyno("load", server.target, "--insecure", "--mode", "rr", "-c", 4, "-d", "1s",
                           "--admin", server.admin, check=0)
        for pattern in (r"p50", r"p99", r"TLSv1\.3", r"(?i)server", r"(?m)^Verdict: [a-z]", r"CPU"):
            self.assertRegex(done.stdout, pattern)

    def test_the_facts_cover_every_connection(self):
        with Server("--groups", "P-256", "--ciphersuites", "TLS_AES_128_GCM_SHA256") as server:
            report = load(server.target, "--insecure", "--mode", "handshake", "-c", 2, "-n", 40)
        self.assertEqual(len(report.facts), 1, report.facts)
        facts = report.facts[0]
        self.assertEqual(facts["version"], "TLSv1.3")
        self.assertEqual(facts["suite"], "TLS_AES_128_GCM_SHA256")
        self.assertRegex(facts["group"].lower(), r"secp256r1|p-256|prime256v1")
        self.assertGreaterEqual(facts["connections"], 40)

    def test_the_live_view_does_not_disturb_the_report(self):
        with Server() as server:
            done = tlsdyno("load", server.target, "--insecure", "--mode", "rr", "-c", 2, "-d", "1s",
                           "-i", "200ms", "-J", "-", check=0)
        self.assertTrue(done.stdout.lstrip().startswith("{"))
        self.assertGreaterEqual(len(re.split(r"[\r\n]+", done.stderr)), 3)


if __name__ == "__main__":
    unittest.main()
