"""`tlsdyno sweep`: tiny studies, whole, interrupted and resumed, of our server and another; what it
writes is as docs/schema has it."""

import copy
import csv
import json
import os
import pathlib
import signal
import subprocess
import unittest

from dyno import BINARY, DEADLINE, Certificates, Directory, needs, run, tlsdyno, wait_for
from foreign_servers import s_server
from json_schema import violations

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads(
    (HERE.parents[1] / "docs/schema/tlsdyno-sweep-1.schema.json").read_text(encoding="utf-8")
)

SHORT = ("-r", 2, "-d", "600ms", "--warmup", "20ms")
TINY = ("--suites", "TLS_AES_128_GCM_SHA256", "--messages", "64Ki", "-c", 2, *SHORT)


class Schema(unittest.TestCase):
    def setUp(self):
        self.sample = json.loads((HERE / "sweep_sample.json").read_text(encoding="utf-8"))

    def test_the_sample_is_valid(self):
        self.assertEqual(list(violations(self.sample, SCHEMA)), [])

    def test_what_is_wrong_is_noticed(self):
        for path, value in (
            (("schema",), "tlsdyno-sweep/2"),
            (("rounds",), 0),
            (("axes", 0, "name"), "colour"),
            (("cells", 0, "status"), "perhaps"),
            (("cells", 0, "parameters", "message_bytes"), "64Ki"),
            (("cells", 0, "negotiated", "suite"), 1),
            (("cells", 0, "figures", "message_seconds", "median"), None),
            (("cells", 0, "figures", "message_seconds", "values"), []),
        ):
            with self.subTest(path):
                wrong = copy.deepcopy(self.sample)
                parent = wrong
                for step in path[:-1]:
                    parent = parent[step]
                parent[path[-1]] = value
                self.assertEqual(len(list(violations(wrong, SCHEMA))), 1)


class Run(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.file = self.directory / "sweep.json"

    def sweep(self, *arguments, check=0):
        done = tlsdyno("sweep", *arguments, "--json", self.file, check=check, timeout=DEADLINE * 6)
        self.document = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertEqual(list(violations(self.document, SCHEMA)), [])
        return done

    def cells(self, status):
        return [cell for cell in self.document["cells"] if cell["status"] == status]

    def test_two_cells_in_two_rounds(self):
        done = self.sweep(*TINY, "--fragments", "1400,16384", "--csv", self.directory / "sweep.csv")
        small, large = self.cells("done")
        self.assertFalse(self.document["partial"])
        self.assertEqual(self.document["axes"], [{"name": "fragment", "values": ["1400", "16384"]}])
        for cell in small, large:
            figures = cell["figures"]
            self.assertEqual(len(figures["goodput_bytes_per_second"]["values"]), 2)
            for name in ("first_byte_seconds", "message_seconds", "server_cpu_seconds_per_byte",
                         "client_cpu_seconds_per_byte"):
                self.assertGreater(figures[name]["median"], 0, name)
            self.assertEqual(cell["negotiated"]["suite"], "TLS_AES_128_GCM_SHA256")
        self.assertLessEqual(small["figures"]["record_bytes_mean"]["median"], 1400)
        self.assertGreater(large["figures"]["record_bytes_mean"]["median"], 8000)
        self.assertTrue(all(len(line) <= 100 for line in done.stdout.splitlines()), done.stdout)
        with open(self.directory / "sweep.csv", newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["fragment"] for row in rows], ["1400", "16384"])

    def test_impossible_cells_are_skipped_in_words(self):
        done = self.sweep(*TINY, "--groups", "X25519,nonsense")
        self.assertEqual(len(self.cells("done")), 1)
        self.assertEqual(self.cells("skipped")[0]["reason"], "this OpenSSL has no group nonsense")
        self.assertIn("nonsense: this OpenSSL has no group", done.stdout)

    def test_interrupted_study_is_resumed(self):
        arguments = ("--messages", "64,1Ki", "-c", 2, "-r", 3, "-d", "200ms")
        with subprocess.Popen(
            [str(word) for word in (BINARY, "sweep", *arguments, "--json", self.file)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        ) as process:
            wait_for(self.file.exists, "the first finished run")
            process.send_signal(signal.SIGINT)
            self.assertIn("interrupted", process.communicate(timeout=DEADLINE)[1])
            self.assertEqual(process.returncode, 1)
        before = json.loads(self.file.read_text(encoding="utf-8"))
        self.assertTrue(before["partial"])
        self.assertEqual(list(violations(before, SCHEMA)), [])
        again = tlsdyno("sweep", *arguments, "--json", self.file, check=1)
        self.assertIn("--resume", again.stderr)
        self.sweep(*arguments, "--resume")
        self.assertEqual(self.document["seed"], before["seed"])
        self.assertFalse(self.document["partial"])
        for old, new in zip(before["cells"], self.document["cells"]):
            self.assertEqual(new["rounds_done"], 3)
            for name, figure in old["figures"].items():
                kept = new["figures"][name]["values"][: len(figure["values"])]
                self.assertEqual(kept, figure["values"], name)

    @needs("openssl")
    def test_foreign_server(self):
        files = Certificates(self.directory / "cert")
        with s_server(files, "-tls1_3", "-www") as target:
            self.sweep("--mode", "handshake", "--target", target, "--ca", files.ca, "--versions",
                       "1.3,1.2", "-c", 2, *SHORT, check=1)
        self.assertEqual(self.cells("done")[0]["negotiated"]["version"], "TLSv1.3")
        self.assertIn("protocol version", self.cells("failed")[0]["reason"])
        self.assertEqual(self.cells("failed")[0]["figures"], {})


@unittest.skipUnless(os.geteuid() == 0, "only root makes network namespaces")
class Link(unittest.TestCase):
    LINK = HERE.parents[1] / "tools/link"

    @needs("ip", "tc")
    def test_study_between_namespaces_has_the_links_rate(self):
        with Directory() as directory:
            done = run(self.LINK, "--rate", "20mbit", BINARY, "sweep", "--messages", "16Ki", "-c", 2,
                       "-r", 1, "-d", "400ms", "--server-namespace", "@server", "--load-namespace",
                       "@client", "--listen", "@address", "--json", directory / "sweep.json")
            if "cannot shape" in done.stderr or "Operation not permitted" in done.stderr:
                self.skipTest(done.stderr)
            self.assertEqual(done.returncode, 0, done.stderr)
            document = json.loads((directory / "sweep.json").read_text(encoding="utf-8"))
        goodput = document["cells"][0]["figures"]["goodput_bytes_per_second"]["median"]
        self.assertLess(goodput, 1.3 * 20e6 / 8)  # what a bucket of tokens adds in so short a time

    @needs("ip", "tc")
    def test_nothing_is_left(self):
        done = run(self.LINK, "ls", "@server", check=0)
        self.assertIn("/run/netns/tlsdyno-server-", done.stdout)
        self.assertFalse(pathlib.Path(done.stdout.strip()).exists())

    @needs("ip", "tc")
    def test_wrong_rate_is_refused(self):
        done = run(self.LINK, "--rate", "10mph", "true", check=1)
        self.assertIn("kbit, mbit or gbit", done.stderr)


class Usage(unittest.TestCase):
    def test_what_cannot_be_meant_is_refused(self):
        for arguments, words in (
            ((), "name a plan"),
            (("quik",), "did you mean quick?"),
            (("quick", "groups"), "one plan too many"),
            (("--fragments", "12"), "512 to 16384"),
            (("quick", "--resume"), "--json FILE"),
            (("fragments", "--target", "localhost:1"), "--fragments cannot be told"),
            (("groups", "--messages", "64"), "means nothing in --mode handshake"),
            (("quick", "--insecure"), "--target"),
            (("quick", "--server-cpus", "0-"), "no list of CPUs"),
        ):
            with self.subTest(arguments):
                self.assertIn(words, tlsdyno("sweep", *arguments, check=2).stderr)


if __name__ == "__main__":
    unittest.main()
