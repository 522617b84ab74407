"""What `tlsdyno load` writes: JSON as docs/schema has it, CSV, percentiles; and `tlsdyno compare`,
which reads it back."""

import copy
import csv
import json
import pathlib
import unittest

from dyno import Directory, Server, load, tlsdyno
from json_schema import violations

SCHEMA = json.loads(
    (pathlib.Path(__file__).resolve().parents[2] / "docs/schema/tlsdyno-load-1.schema.json")
    .read_text(encoding="utf-8")
)

SMALL = ("--insecure", "-t", 1, "-c", 4)


class Schema(unittest.TestCase):
    def assert_valid(self, report):
        self.assertEqual(list(violations(report, SCHEMA)), [])

    def test_reports_of_every_mode_are_valid(self):
        with Server(listen=("127.0.0.1:0", "127.0.0.1:0,source", "127.0.0.1:0,discard")) as server:
            echo, source, discard = server.addresses
            for target, mode in (
                (echo, ("--mode", "handshake", "-n", 40, "--resume", "50")),
                (echo, ("--mode", "rr", "-n", 40, "--admin", server.admin)),
                (source, ("--mode", "download", "-d", "1s", "-i", "50ms")),
                (discard, ("--mode", "upload", "-d", "1s")),
            ):
                with self.subTest(mode):
                    self.assert_valid(load(target, *SMALL, *mode))

    def test_reports_of_failures_and_of_plain_tcp_are_valid(self):
        with Server(listen=("127.0.0.1:0,plain",)) as server:
            self.assert_valid(load(server.target, "--plain", "-c", 2, "-n", 4))
            self.assert_valid(load(server.target, *SMALL, "-n", 4, "--timeout", "1s", check=1))

    def test_what_is_wrong_is_noticed(self):
        with Server() as server:
            report = load(server.target, *SMALL, "--mode", "rr", "-n", 40)
        for path, value in (
            (("schema",), "tlsdyno-load/2"),
            (("succeeded",), 1),
            (("plan", "mode"), "shake"),
            (("messages", "count"), -1),
            (("messages", "count"), 1.5),
            (("latency", "message", "p99_ns"), "1 ms"),
            (("latency", "message", "buckets"), [[1]]),
            (("negotiated", "combinations", 0, "resumption"), "ID"),
            (("client", "cost"), None),
            (("series",), {}),
        ):
            with self.subTest(path):
                wrong = copy.deepcopy(dict(report))
                parent = wrong
                for step in path[:-1]:
                    parent = parent[step]
                parent[path[-1]] = value
                self.assertEqual(len(list(violations(wrong, SCHEMA))), 1)
                del parent[path[-1]]
                self.assertEqual(len(list(violations(wrong, SCHEMA))), 1, "missing")

    def test_a_keyword_that_is_not_checked_is_refused(self):
        with self.assertRaises(ValueError):
            list(violations(1, {"multipleOf": 2}))


class Files(unittest.TestCase):
    def test_csv_and_percentiles_say_what_the_report_says(self):
        with Directory() as directory, Server() as server:
            report = load(server.target, *SMALL, "--mode", "rr", "-d", "1s", "-i", "100ms",
                          "--csv", directory / "run.csv", "--percentiles", directory / "lat.hgrm")
            with open(directory / "run.csv", newline="", encoding="ascii") as file:
                rows = list(csv.DictReader(file))
            phases = {row["phase"]: row for row in rows if row["row"] == "phase"}
            intervals = [row for row in rows if row["row"] == "interval"]
            seen = report["latency"]["message"]
            self.assertEqual(int(phases["message"]["p99_ns"]), seen["p99_ns"])
            self.assertEqual([int(row["messages"]) for row in intervals],
                             [row["messages"] for row in report["series"]])
            text = (directory / "lat.message.hgrm").read_text(encoding="ascii")
            self.assertIn(f"Total count    = {seen['count']:12}]", text)
            self.assertFalse((directory / "lat.handshake_resumed.hgrm").exists())

    def test_what_cannot_be_written_is_said_before_the_run(self):
        done = tlsdyno("load", "127.0.0.1:1", "--csv", "/nowhere/run.csv", check=1)
        self.assertIn("--csv: cannot write /nowhere/run.csv", done.stderr)


class Compare(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        with Server() as server:
            self.report = load(server.target, *SMALL, "--mode", "rr", "-n", 40)

    def write(self, side, index, factor=1.0, **changes):
        """The report of a run that was that many times as fast."""
        report = copy.deepcopy(dict(self.report))
        report["messages"]["per_second"] *= factor * (1 + index / 1000)
        report.update(changes)
        folder = self.directory / side
        folder.mkdir(exist_ok=True)
        (folder / f"{index}.json").write_text(json.dumps(report), encoding="utf-8")

    def test_slower_runs_end_with_3_and_equal_ones_with_0(self):
        for index in range(5):
            self.write("base", index)
            self.write("equal", index)
            self.write("slow", index, 0.8)
        tlsdyno("compare", self.directory / "base", self.directory / "equal", check=0)
        done = tlsdyno("compare", self.directory / "base", self.directory / "slow", check=3)
        self.assertIn("regression", done.stdout)
        self.assertIn("1 figure is worse", done.stderr)
        done = tlsdyno("compare", "--json", "--tolerance", "30%", self.directory / "base",
                       self.directory / "slow", check=0)
        figures = {row["figure"]: row for row in json.loads(done.stdout)["figures"]}
        self.assertEqual(figures["messages.per_second"]["verdict"], "worse")
        self.assertAlmostEqual(figures["messages.per_second"]["ratio"], 0.8, places=3)

    def test_runs_that_negotiated_something_else_are_refused(self):
        other = copy.deepcopy(self.report["negotiated"])
        other["combinations"][0]["group"] = "P-521"
        self.write("base", 0)
        self.write("other", 0, negotiated=other)
        sides = (self.directory / "base/0.json", self.directory / "other/0.json")
        done = tlsdyno("compare", *sides, check=2)
        self.assertIn("P-521", done.stdout)
        self.assertIn("--anyway", done.stderr)
        tlsdyno("compare", "--anyway", *sides, check=0)

    def test_a_broken_file_is_named(self):
        self.write("base", 0)
        broken = self.directory / "broken.json"
        broken.write_text('{"schema": "tlsdyno-load/1", ', encoding="utf-8")
        done = tlsdyno("compare", self.directory / "base/0.json", broken, check=2)
        self.assertIn(f"{broken} is no JSON: line 1", done.stderr)


if __name__ == "__main__":
    unittest.main()
