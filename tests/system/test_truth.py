"""What `tlsdyno load` reports of servers whose behaviour is known matches what they did.

Tolerances: counts of handshakes, refusals, answers, records and bytes are exact, but that a
handshake's last flight may leave within the measured time. Times: a latency is
never below what the server itself measured for it, and those of one connection in a closed loop add
up to no more than the measured time and a pause; percentiles are kept within 1/128. The known stalls, delays and
rates of an open loop are in test_open_loop.py, capacities in test_find_max.py."""

import ssl
import unittest

from dyno import Certificates, Directory, load
from known_servers import Counts, Delay, echo, echo_in_records, forgetful, refusing

# On top of a record's plaintext: header, tag and content type in TLS 1.3; header, explicit nonce and
# tag in TLS 1.2 (RFC 8446 5.2, RFC 5288).
OVERHEAD = {ssl.TLSVersion.TLSv1_2: 5 + 8 + 16, ssl.TLSVersion.TLSv1_3: 5 + 1 + 16}
# ChangeCipherSpec and Finished of TLS 1.3 with SHA-384, which may leave for the kernel when the
# handshake is complete on our side and the measured time has begun: once for each connection.
FLIGHT = 6 + 5 + 4 + 48 + 1 + 16
# The first message counts from the turn of the loop that began it, the measured time from then or
# later, if the thread loses its CPU in between.
PAUSE_SECONDS = 0.3
# Their numbers and names (RFC 8446 6.2).
ALERTS = {40: "handshake failure", 80: "internal error"}


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates(cls.enterClassContext(Directory()))

    def test_a_delay_is_in_each_latency_and_no_more_than_the_time_there_was(self):
        delay = Delay(0.02)
        with echo(delay) as port:
            report = load(f"127.0.0.1:{port}", "--plain", "--mode", "rr", "-c", 1, "-n", 40)
        times = report["latency"]["message"]
        self.assertEqual(times["count"], 40)
        self.assertEqual(len(delay.seconds), 40)
        self.assertGreaterEqual(times["sum_ns"] / 1e9, sum(delay.seconds))
        self.assertLessEqual(times["sum_ns"] / 1e9, report["measured_seconds"] + PAUSE_SECONDS)
        self.assertGreaterEqual(times["min_ns"] / 1e9, min(delay.seconds))
        self.assertGreaterEqual(times["max_ns"] / 1e9, max(delay.seconds))
        self.assertGreaterEqual(times["p50_ns"] / 1e9 * (1 + 1 / 128), sorted(delay.seconds)[19])

    def test_what_is_never_resumed_is_counted_as_full(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                counts = Counts()
                with forgetful(self.certificates, counts) as port:
                    report = load(f"127.0.0.1:{port}", "--insecure", "--mode", "handshake",
                                  "--resume", "ticket", "-c", 1, "-n", 30,
                                  "--min-version", version, "--max-version", version)
                told = report["handshakes"]
                self.assertEqual(report.errors, [])
                self.assertEqual(counts.resumed, 0)
                self.assertEqual((told["count"], told["full"], told["ticket"], told["id"]),
                                 (30, counts.full, 0, 0))
                self.assertEqual(told["sessions_offered"], 29)  # all but the first
                self.assertEqual(told["resumed_share_of_offered"], 0)
                self.assertIsNone(report["latency"]["handshake_resumed"])
                self.assertEqual(report["latency"]["handshake_full"]["count"], 30)
                self.assertEqual([facts["resumption"] for facts in report.facts], ["full"])

    def test_refused_handshakes_are_counted_with_the_reason_that_was_given(self):
        for alert, name in ALERTS.items():
            with self.subTest(name):
                counts = Counts()
                with refusing(self.certificates, counts, every=5, alert=alert) as port:
                    report = load(f"127.0.0.1:{port}", "--insecure", "--mode", "handshake",
                                  "-c", 1, "-n", 40)
                # The 40th success is the 49th connection.
                self.assertEqual((counts.full, counts.refused), (40, 9))
                self.assertEqual(report["handshakes"]["count"], 40)
                self.assertEqual(report["errors"]["count"], 9)
                self.assertEqual(report.errors, [{"phase": "handshake", "count": 9,
                                                  "reason": f"alert {name}"}])

    def test_records_of_known_sizes_are_counted_with_their_bytes(self):
        sizes = (1, 999, 5000, 14000)
        for version, overhead in OVERHEAD.items():
            with self.subTest(version.name):
                counts = Counts()
                with echo_in_records(self.certificates, counts, sizes, version) as port:
                    report = load(f"127.0.0.1:{port}", "--insecure", "--mode", "rr", "-c", 2,
                                  "-n", 50, "-m", sum(sizes))
                told = report["bytes"]
                self.assertEqual(report.errors, [])
                self.assertEqual((report["messages"]["count"], counts.answers), (50, 50))
                self.assertEqual(told["records_in"], 50 * len(sizes))
                self.assertEqual(told["plain_in_bytes"], 50 * sum(sizes))
                self.assertEqual(told["wire_in_bytes"],
                                 told["plain_in_bytes"] + told["records_in"] * overhead)
                self.assertEqual(told["plain_out_bytes"], 50 * sum(sizes))
                sent = told["plain_out_bytes"] + told["records_out"] * overhead
                self.assertIn(told["wire_out_bytes"] - sent, (0, FLIGHT, 2 * FLIGHT))
                self.assertAlmostEqual(told["overhead_in_share"],
                                       len(sizes) * overhead / sum(sizes), places=6)


if __name__ == "__main__":
    unittest.main()
