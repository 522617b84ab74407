"""`tlsdyno load --find-max` finds the capacity of servers of which it is known.

A server that takes 20 ms for each answer gives 8 connections 400 a second and not one more. Found
must be at most 10% above that (a run may miss 1%, and a short one has a few answers of slack), and
at least half of what a closed loop got from the same server in the same minute. Who takes the CPU away
during a search makes it find less, or nothing: it may be repeated."""

import json
import pathlib
import unittest

from dyno import Server, load, tlsdyno
from json_schema import violations
from known_servers import Delay, echo

SCHEMA = json.loads(
    (pathlib.Path(__file__).resolve().parents[2] / "docs/schema/tlsdyno-load-1.schema.json")
    .read_text(encoding="utf-8")
)
PLAIN = ("--plain", "--mode", "rr", "-t", 1)
ATTEMPTS = 4


class FindMax(unittest.TestCase):
    def test_a_known_capacity_is_found_and_confirmed(self):
        for _ in range(ATTEMPTS):
            with echo(Delay(0.02)) as port:
                report = load(f"127.0.0.1:{port}", *PLAIN, "-c", 8, "-d", "600ms",
                              "--find-max", "p99<200ms", check=None)
            search = report["find_max"]
            closed, *runs = search["runs"]
            if search["confirmed"] and \
                    search["kept_per_second"] >= closed["achieved_per_second"] / 2:
                break
        self.assertIsNone(closed["rate_per_second"])
        self.assertLessEqual(closed["achieved_per_second"], 400 * 1.1)
        self.assertTrue(search["confirmed"], search)
        self.assertEqual(report.process.returncode, 0)
        self.assertLessEqual(search["kept_per_second"], 400 * 1.1)
        self.assertGreaterEqual(search["kept_per_second"], closed["achieved_per_second"] / 2)
        self.assertGreater(search["failed_per_second"], search["kept_per_second"])
        # Kept thrice, at last: between the first and the others may be what a higher rate gave.
        found = [run for run in runs if run["rate_per_second"] == search["kept_per_second"]]
        self.assertGreaterEqual(len(found), 3)
        for run in [*found[-3:], runs[-1]]:
            self.assertTrue(run["kept"], run)
            self.assertLess(run["p99_ns"], 200e6)
        self.assertEqual(runs[-1], found[-1])
        for run in runs:
            if not run["kept"]:
                self.assertRegex(run["reason"], "rate missed|p99 latency")
        self.assertEqual(list(violations(report, SCHEMA)), [])
        # All else in the report is the last run's.
        self.assertEqual(report["plan"]["rate_per_second"], search["kept_per_second"])
        self.assertIn("highest kept:", report.process.stderr)
        self.assertRegex(report.process.stderr, r"find-max: run 1, closed loop: \d+")

    def test_what_no_rate_keeps_is_said_with_status_3(self):
        # In the end one a second is tried, and its only request is over before the measured time.
        with echo(Delay(0.03)) as port:
            report = load(f"127.0.0.1:{port}", *PLAIN, "-c", 2, "-d", "400ms",
                          "--find-max", "p99<10ms", check=3)
        search = report["find_max"]
        self.assertIsNone(search["kept_per_second"])
        self.assertFalse(search["confirmed"])
        self.assertLessEqual(search["failed_per_second"], 2)
        self.assertIn("no rate kept it", report.process.stderr)
        self.assertIn("highest kept: NONE", report.process.stderr)

    def test_a_server_that_is_not_there_ends_the_search_at_once(self):
        report = load("127.0.0.1:1", *PLAIN, "-d", "1s", "--timeout", "500ms",
                      "--find-max", "p99<10ms", check=1)
        self.assertEqual(len(report["find_max"]["runs"]), 1)
        self.assertIn("refused", report.process.stderr)

    def test_other_runs_have_none(self):
        with Server() as server:
            report = load(server.target, "--insecure", "-n", 4)
        self.assertIsNone(report["find_max"])

    def test_nonsense_is_a_usage_error(self):
        objective = ("--find-max", "p99<5ms")
        for wrong in ((*objective, "--rate", 5), (*objective, "-n", 5),
                      (*objective, "--mode", "upload"), (*objective, "--mode", "download"),
                      (*objective, "--session-file", "/nowhere"),
                      ("--find-max", "p99>5ms"), ("--find-max", "rate>5,p99<5ms"),
                      ("--find-max", "errors<1"), ("--find-max", "hello.p99<5ms"),
                      ("--find-max", "p99<5ms,resumed>90%"), ("--find-max", "p99")):
            with self.subTest(wrong):
                done = tlsdyno("load", "127.0.0.1:1", *wrong)
                self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main()
