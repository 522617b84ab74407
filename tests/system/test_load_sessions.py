"""`tlsdyno load` with sessions beyond one run, and 0-RTT data, against openssl s_server, nginx and our
own server."""

import contextlib
import re
import subprocess
import unittest

from dyno import BINARY, Certificates, Directory, Server, load, needs, run, scaled, tlsdyno, wait_for
from foreign_servers import s_server
from test_foreign_servers import nginx

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Sessions(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.file = self.directory / "session.pem"

    def handshake(self, target, *arguments, **options):
        return load(target, "--insecure", "-c", 1, "-n", 1, "--session-file", self.file, *arguments,
                    **options)


@needs("openssl")
class Files(Sessions):
    def test_a_run_resumes_from_what_the_last_one_left(self):
        for version, way in (("1.3", "ticket"), ("1.2", "ticket"), ("1.2", "id")):
            with self.subTest(version=version, way=way), Server() as server:
                self.file.unlink(missing_ok=True)
                arguments = ("--max-version", version, "--resume", way)
                first = self.handshake(server.target, *arguments)
                self.assertEqual(first["handshakes"]["full"], 1)
                for _ in range(2):
                    again = self.handshake(server.target, *arguments)
                    self.assertEqual(again["handshakes"][way], 1)
                    self.assertTrue(again["plan"]["saved_session"])

    def test_connections_that_stay_open_leave_a_session_too(self):
        with Server() as server:
            for resumed in (0, 1):
                report = self.handshake(server.target, "--mode", "rr")
                self.assertEqual([facts["resumption"] for facts in report.facts],
                                 ["ticket" if resumed else "full"])

    def test_s_client_resumes_from_it_and_the_other_way_round(self):
        with Server() as server:
            self.handshake(server.target)
            seen = run("openssl", "s_client", "-connect", server.target, "-sess_in", self.file,
                       input="").stdout
            self.assertIn("Reused, TLSv1.3", seen)
            run("openssl", "s_client", "-connect", server.target, "-tls1_2", "-sess_out", self.file,
                input="", check=0)
            report = self.handshake(server.target, "--max-version", "1.2")
            self.assertEqual(report["handshakes"]["ticket"], 1)

    def test_a_file_without_a_session_is_refused(self):
        self.file.write_text("no session\n")
        done = tlsdyno("load", "127.0.0.1:1", "--session-file", self.file, check=1)
        self.assertIn("has no session in it", done.stderr)
        done = tlsdyno("load", "127.0.0.1:1", "--session-file", "/no/such/file", check=1)
        self.assertIn("/no/such/file", done.stderr)


class EarlyData(Sessions):
    def ask(self, target, *arguments, **options):
        return load(target, "--insecure", "--mode", "rr", "--early-data", *arguments, **options)

    def test_our_server_takes_it_from_every_connection_that_resumes(self):
        count = scaled(200, 50)
        with Server("--early-data", "16k") as server:
            report = self.ask(server.target, "-t", 1, "-c", 4, "-n", count, "--resume", 50)
            self.assertEqual(report.errors, [])
            self.assertEqual(report["messages"]["count"], count)
            self.assertEqual(report["messages"]["corrupt"], 0)
            self.assertEqual(report["handshakes"]["early_data"]["accepted"], count // 2)
            self.assertEqual(server.counter("early_data_handshakes", "accepted"), count // 2)
        latency = report["latency"]
        # The last message may come while the other connections are being made again.
        self.assertIn(latency["handshake_full"]["count"], range(count // 2, count // 2 + 4))
        for phase in ("handshake_early_accepted", "first_byte_early", "to_first_byte",
                      "to_first_byte_early"):
            self.assertEqual(latency[phase]["count"], count // 2, phase)
        self.assertIsNone(latency["handshake_ticket"])
        self.assertIsNone(latency["handshake_early_rejected"])

    def test_messages_larger_than_what_may_be_early_arrive_whole(self):
        with Server("--early-data", "100") as server:
            report = self.ask(server.target, "-c", 1, "-n", 10, "-m", 50_000)
            self.assertEqual(report["messages"]["count"], 10)
            self.assertEqual(report["messages"]["corrupt"], 0)
            self.assertEqual(report["bytes"]["plain_out_bytes"], 500_000)
            self.assertEqual(report["handshakes"]["early_data"]["accepted"], 9)
            self.assertEqual(server.counter("early_data_bytes"), 900)

    def test_what_is_rejected_is_sent_again_and_counted_apart(self):
        keys = self.directory / "keys"
        keys.write_bytes(bytes(range(48)))
        files = Certificates(self.directory / "files")
        arguments = ("--early-data", "16k", "--ticket-key-file", keys,
                     "--cert", files.cert, "--key", files.key)
        with Server(*arguments) as server:
            self.handshake(server.target)
        with Server(*arguments) as server:  # knows the ticket, but not whether it was used
            report = self.ask(server.target, "-c", 1, "-n", 1, "--session-file", self.file)
        self.assertEqual(report.errors, [])
        self.assertEqual(report["messages"]["count"], 1)
        self.assertEqual(report["handshakes"]["early_data"],
                         {"accepted": 0, "rejected": 1, "accepted_share": 0})
        self.assertEqual(report["latency"]["handshake_early_rejected"]["count"], 1)
        self.assertIsNone(report["latency"]["to_first_byte_early"])
        self.assertEqual(report["latency"]["to_first_byte"]["count"], 1)

    def test_a_server_without_it_is_asked_the_usual_way(self):
        with Server() as server:
            report = self.ask(server.target, "-c", 1, "-n", 10, "--fail-if", "early<100%", check=3)
            self.assertEqual(report["messages"]["count"], 10)
            self.assertEqual(report["handshakes"]["ticket"], 9)
            self.assertEqual(report["handshakes"]["early_data"]["accepted_share"], None)

    @needs("openssl")
    def test_s_server_reads_the_request_before_the_handshake_is_over(self):
        files = Certificates(self.directory / "files")
        with s_server_that_answers(files, self.directory / "seen") as (target, seen, answer):
            self.handshake(target)
            with subprocess_load(f"https://{target}/early", "--session-file", self.file) as process:
                wait_for(lambda: "GET /early" in seen(), "the request")
                answer()
                out, _ = process.communicate()
            self.assertEqual(process.returncode, 0, out)
            self.assertRegex(out, r"with 0-RTT data +1 +100\.0% of them accepted")
            self.assertIn("Early data received:", seen())

    @needs("nginx")
    def test_nginx_answers_it(self):
        files = Certificates(self.directory / "files")
        count = scaled(100, 40)
        with nginx(self.directory, files, "ssl_early_data on;") as target:
            report = self.ask(f"https://{target}/", "-t", 1, "-c", 2, "-n", count)
        self.assertEqual(report.errors, [])
        self.assertEqual(report["messages"]["count"], count)
        self.assertGreaterEqual(report["handshakes"]["early_data"]["accepted"], count - 4)


@contextlib.contextmanager
def s_server_that_answers(files, path):
    """openssl s_server that takes early data; yields its address, what it has printed, and a call
    that has it send an HTTP answer."""
    with open(path, "wb") as output:
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", files.cert, "-key",
             files.key, "-early_data"], stdin=subprocess.PIPE, stdout=output,
            stderr=subprocess.STDOUT)

    def seen():
        return path.read_text(errors="replace")

    def answer():
        process.stdin.write(ANSWER)
        process.stdin.flush()

    try:
        found = wait_for(lambda: re.search(r"^ACCEPT (\S+)$", seen(), re.M), "s_server")
        yield found.group(1), seen, answer
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def subprocess_load(target, *arguments):
    process = subprocess.Popen(
        [BINARY, "load", target, "--insecure", "--mode", "rr", "--early-data", "-c", "1", "-n", "1",
         *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Churn(unittest.TestCase):
    def test_connections_end_after_so_many_requests(self):
        with Server() as server:
            report = load(server.target, "--insecure", "--mode", "rr", "-t", 1, "-c", 2, "-n", 40,
                          "--requests-per-connection", 4, "--resume", "ticket")
            self.assertEqual(report["messages"]["count"], 40)
            self.assertEqual(report.errors, [])
            server.wait_idle()
            self.assertGreaterEqual(server.counter("accepts"), 10)
            self.assertLessEqual(server.counter("accepts"), 12)
            self.assertGreater(report["handshakes"]["ticket"], 0)

    def test_small_records_come_first_when_asked_for(self):
        with Server() as server:
            sizes = []
            for arguments in ((), ("--dynamic-records",)):
                before = server.counter("records_in")
                load(server.target, "--insecure", "--mode", "rr", "-c", 1, "-n", 1, "-m", 14_000,
                     *arguments)
                server.wait_idle()
                sizes.append(server.counter("records_in") - before)
            self.assertGreaterEqual(sizes[1], sizes[0] + 9)  # 1,400 bytes each

    def test_what_means_nothing_is_refused(self):
        for arguments, word in (
            (("--mode", "handshake", "--early-data"), "--mode rr"),
            (("--mode", "rr", "--early-data", "--rate", "10"), "--rate"),
            (("--mode", "rr", "--early-data", "--max-version", "1.2"), "TLS 1.3"),
            (("--mode", "rr", "--early-data", "--plain"), "--plain"),
            (("--mode", "rr", "--resume", "ticket"), "--requests-per-connection"),
            (("--mode", "handshake", "--requests-per-connection", "3"), "--mode rr"),
            (("--mode", "upload", "--session-file", "x"), "--session-file"),
            (("--mode", "rr", "--fail-if", "early<1%"), "--early-data"),
            (("--mode", "rr", "--fail-if", "stapled<1%"), "--status"),
        ):
            with self.subTest(arguments):
                done = tlsdyno("load", "127.0.0.1:1", *arguments, check=2)
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
