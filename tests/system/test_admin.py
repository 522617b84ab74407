"""The admin endpoint and what the server prints about itself."""

import re
import unittest

from dyno import Directory, Server, http_get, needs, run, tlsdyno, wait_for
from wire import receive_exactly, secure


class Admin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def test_healthz_says_ok(self):
        status, kind, body = self.server.admin_get("/healthz")
        self.assertEqual((status, body.strip()), (200, "ok"))
        self.assertTrue(kind.startswith("text/plain"))

    def test_stats_count_what_a_client_did(self):
        before = self.server.stats()["totals"]
        with secure(self.server.port) as link:
            for _ in range(10):
                link.sendall(bytes(1000))
                receive_exactly(link, 1000)
            self.assertEqual(self.server.counter("connections_open"), 1)
        self.server.wait_counter("connections_open", 0)
        after = self.server.stats()["totals"]
        self.assertEqual(after["accepts"] - before["accepts"], 1)
        self.assertEqual(after["handshakes"]["full"] - before["handshakes"]["full"], 1)
        self.assertEqual(after["plain_bytes_in"] - before["plain_bytes_in"], 10_000)
        self.assertEqual(after["plain_bytes_out"] - before["plain_bytes_out"], 10_000)
        self.assertGreater(after["wire_bytes_in"] - before["wire_bytes_in"], 10_000 + 10 * 22)
        self.assertGreaterEqual(after["records_in"] - before["records_in"], 10)

    def test_stats_add_up_over_the_workers(self):
        for _ in range(20):
            secure(self.server.port).close()
        self.server.wait_idle()
        stats = self.server.stats()
        self.assertEqual(stats["schema"], "tlsdyno-stats/1")
        self.assertEqual(len(stats["workers"]), 2)
        for name in ("accepts", "wire_bytes_out", "plain_bytes_in"):
            self.assertEqual(stats["totals"][name],
                             sum(worker["counters"][name] for worker in stats["workers"]))
        times = stats["handshake_time"]["full"]
        self.assertEqual(times["count"], stats["totals"]["handshakes"]["full"])
        self.assertLessEqual(times["min_ns"], times["p50_ns"])
        self.assertLessEqual(times["p50_ns"], times["max_ns"])
        self.assertEqual(sum(count for _, count in times["buckets"]), times["count"])

    @needs("promtool")
    def test_promtool_accepts_the_metrics(self):
        secure(self.server.port).close()
        status, kind, body = self.server.admin_get("/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(kind.startswith("text/plain"))
        done = run("promtool", "check", "metrics", input=body)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    @needs("promtool")
    def test_promtool_refuses_metrics_that_were_tampered_with(self):
        body = self.server.admin_get("/metrics")[2]
        done = run("promtool", "check", "metrics", input=body.replace(" counter\n", " couner\n"))
        self.assertNotEqual(done.returncode, 0)

    def test_metrics_and_stats_agree(self):
        secure(self.server.port).close()
        self.server.wait_idle()
        metrics = self.server.admin_get("/metrics")[2]
        values = re.findall(r"^tlsdyno_accepts_total\{[^}]*\} (\d+)$", metrics, re.M)
        self.assertEqual(sum(map(int, values)), self.server.counter("accepts"))

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(self.server.admin_get("/elsewhere")[0], 404)

    def test_it_answers_on_a_tcp_port_too(self):
        with Server("--admin", "127.0.0.1:0", admin=False) as server:
            wait_for(lambda: "admin on" in server.stdout(), "the admin line")
            url = re.search(r"admin on (http://127\.0\.0\.1:\d+)", server.stdout()).group(1)
            self.assertEqual(http_get(url, "/healthz")[0], 200)

    def test_it_is_off_unless_asked_for(self):
        with Server(admin=False) as server:
            self.assertNotIn("admin", server.stdout())


class Output(unittest.TestCase):
    def test_the_stats_interval_prints_a_line_each_time(self):
        with Server("--stats-interval", "100ms") as server:
            lines = r"open \d+.*handshakes/s"
            wait_for(lambda: len(re.findall(lines, server.stdout() + server.stderr())) >= 3,
                     "three lines of rates")

    def test_the_start_up_lines_name_the_service_and_that_it_is_tls(self):
        with Server("--service", "http") as server:
            self.assertRegex(server.stdout(), r"(?m)^listening on 127\.0\.0\.1:\d+ \(http, TLS\)$")
            self.assertRegex(server.fingerprint, r"^([0-9A-F]{2}:){31}[0-9A-F]{2}$")

    def test_a_unix_socket_can_be_listened_on(self):
        with Directory() as directory:
            path = directory / "tls"
            with Server(listen=(f"unix:{path}",), threads=1) as server:
                done = tlsdyno("load", f"unix:{path}", "--insecure", "--mode", "rr", "-c", 1,
                               "-n", 10, check=0)
                self.assertIn("10", done.stdout)
                server.wait_idle()


if __name__ == "__main__":
    unittest.main()
