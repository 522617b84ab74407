"""tlsdyno limit: the ceiling of this machine, and load's efficiency against it."""

import json
import pathlib
import unittest

from dyno import DEADLINE, Directory, Server, load, tlsdyno
from json_schema import violations

SCHEMA = json.loads(
    (pathlib.Path(__file__).resolve().parents[2] / "docs/schema/tlsdyno-limit-1.schema.json")
    .read_text(encoding="utf-8")
)
BRIEF = ("--rounds", 2, "--duration", "200ms", "--json", "-")


def limit(*arguments):
    return json.loads(tlsdyno("limit", *BRIEF, *arguments, check=0, timeout=DEADLINE * 4).stdout)


class Limit(unittest.TestCase):
    def test_each_row_has_its_ceiling_or_says_why_not(self):
        found = limit("--works", "full,ticket,id,echo", "--versions", "1.2,1.3", "--messages",
                      "64,16Ki", "--certificates", "ecdsa-p256,rsa-2048")
        self.assertEqual(list(violations(found, SCHEMA)), [])
        self.assertEqual(len(found["rows"]), 2 * 2 * (3 + 2))
        for row in found["rows"]:
            with self.subTest({key: row[key] for key in ("work", "version", "certificate")}):
                if row["work"] == "id" and row["version"] == "TLSv1.3":
                    self.assertEqual(row["obstacle"], "TLS 1.3 resumes by ticket alone")
                    self.assertIsNone(row["ceiling_per_second"])
                    continue
                self.assertIsNone(row["obstacle"])
                self.assertEqual(row["negotiated"]["version"], row["version"])
                self.assertEqual(len(row["tls_seconds"]["values"]), 2)
                self.assertAlmostEqual(
                    row["ceiling_per_second"] * (row["tls_seconds"]["median"] +
                                                 row["tcp_seconds"]["median"]), 1, places=6)

    def test_without_tcp_there_is_no_ceiling(self):
        (row,) = limit("--memory-only", "--works", "full")["rows"]
        self.assertIsNone(row["tcp_seconds"])
        self.assertIsNone(row["ceiling_per_second"])
        self.assertGreater(row["tls_seconds"]["median"], 0)

    def test_what_cannot_be_is_refused(self):
        for arguments, status, words in (
            (("--works", "half"), 2, "--works: 'half' is none of full, ticket, id and echo"),
            (("--groups", "X25518"), 1, "X25518"),
            (("--versions", "1.4"), 2, "--versions: '1.4' is neither 1.2 nor 1.3"),
            (("--versions", "1.2", "--suites", "TLS_AES_128_GCM_SHA256"), 1, "no suite of TLSv1.2"),
        ):
            with self.subTest(arguments):
                done = tlsdyno("limit", *BRIEF, *arguments, check=status)
                self.assertIn(words, done.stderr)


class Efficiency(unittest.TestCase):
    def test_load_tells_how_near_the_server_came(self):
        with Directory() as directory, Server("--groups", "X25519", "--threads", "1") as server:
            file = directory / "limit.json"
            tlsdyno("limit", "--rounds", 1, "--duration", "400ms", "--json", file, "--works",
                    "full,echo", "--messages", "64")
            arguments = (server.target, "--insecure", "-t", 1, "--limit", file)
            for mode in (("--mode", "handshake"), ("--mode", "rr", "-m", 64)):
                with self.subTest(mode):
                    found = load(*arguments, *mode, "-d", "1s", "--admin", server.admin)
                    efficiency = found["efficiency"]
                    self.assertIsNone(efficiency["obstacle"])
                    cost = found["server"]["cost"]
                    done = cost["messages_per_cpu_second"] or cost["handshakes_per_cpu_second"]
                    self.assertAlmostEqual(
                        efficiency["share"] * efficiency["ceiling_per_second"] / done, 1, places=6)
            for more, words in (
                (("--mode", "rr", "-m", 65, "--admin", server.admin), "no row"),
                (("--mode", "rr", "-m", 64), "--admin"),
                (("--mode", "handshake", "--resume", "50", "--admin", server.admin), "of one kind"),
            ):
                with self.subTest(more):
                    found = load(*arguments, *more, "-c", 1, "-n", 40)
                    self.assertIn(words, found["efficiency"]["obstacle"])
                    self.assertIsNone(found["efficiency"]["share"])

    def test_a_file_of_something_else_is_refused(self):
        with Directory() as directory:
            file = directory / "other.json"
            for text, words in (("{}", "not written by tlsdyno limit"), ("{", "other.json")):
                file.write_text(text)
                done = tlsdyno("load", "127.0.0.1:1", "--limit", file, check=1)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
