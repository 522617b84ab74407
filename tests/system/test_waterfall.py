"""What `tlsdyno load` says of handshakes, one kind by one and phase by phase, against our server and
openssl s_server."""

import contextlib
import unittest

from dyno import Certificates, Directory, Server, load, needs, scaled
from foreign_servers import s_server

COUNT = scaled(200, 100)
WAYS = (("1.3", "ticket"), ("1.2", "ticket"), ("1.2", "id"))


@contextlib.contextmanager
def our_server():
    with Server() as server:
        yield server.target


@needs("openssl")
class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = Certificates(cls.enterClassContext(Directory()))

    def servers(self):
        return our_server(), s_server(self.files, "-www")

    def check_sums(self, report):
        """The phases of all connections together are their set-up, to the nanosecond."""
        latency, handshakes = report["latency"], report["handshakes"]

        def total(*phases):
            return sum(latency[phase]["sum_ns"] for phase in phases if latency[phase])

        self.assertEqual(latency["set_up"]["count"], COUNT)
        self.assertEqual(total("connect", "hello", "finish"), total("set_up"))
        self.assertEqual(total("connect", "handshake_full", "handshake_resumed"), total("set_up"))
        for kind in ("full", "ticket", "id"):
            phase = latency[f"handshake_{kind}"]
            self.assertEqual(phase["count"] if phase else 0, handshakes[kind], kind)
            sizes = handshakes["wire_bytes"][kind]
            self.assertEqual(sizes["count"] if sizes else 0, handshakes[kind], kind)

    def test_a_mix_is_exact_and_its_phases_add_up(self):
        for index in range(2):
            for version, way in WAYS:
                with self.subTest(ours=index == 0, version=version, way=way), \
                        self.servers()[index] as target:
                    report = load(target, "--insecure", "-t", 1, "-c", 4, "-n", COUNT,
                                  "--resume", f"{way}:70", "--max-version", version)
                    self.assertEqual(report.errors, [])
                    self.assertEqual(report["handshakes"][way], COUNT * 7 // 10)
                    self.assertEqual(report["handshakes"]["full"], COUNT * 3 // 10)
                    self.check_sums(report)
                    # Only TLS 1.3 has tickets that follow the handshake.
                    self.assertEqual(report["latency"]["ticket"] is not None, version == "1.3")
                    sizes = report["handshakes"]["wire_bytes"]
                    self.assertLess(sizes[way]["in"]["max_bytes"], sizes["full"]["in"]["min_bytes"])

    def test_a_retried_hello_is_counted_and_takes_longer_bytes(self):
        with s_server(self.files, "-www", "-groups", "P-384") as target:
            report = load(target, "--insecure", "-t", 1, "-n", 20, "-c", 1,
                          "--groups", "P-256:P-384")
            plain = load(target, "--insecure", "-t", 1, "-n", 20, "-c", 1, "--groups", "P-384")
        self.assertEqual(report["handshakes"]["hello_retries"], 20)
        self.assertEqual(plain["handshakes"]["hello_retries"], 0)
        self.assertGreater(report["handshakes"]["wire_bytes"]["full"]["out"]["min_bytes"],
                           plain["handshakes"]["wire_bytes"]["full"]["out"]["max_bytes"])

    def test_conditions_on_phases(self):
        with Server() as server:
            arguments = (server.target, "--insecure", "-n", 10, "-c", 1, "--fail-if")
            load(*arguments, "hello.max>100s,finish.p99>100s", check=0)
            done = load(*arguments, "hello.p50>1ns", check=3)
            self.assertIn("the p50 latency of hello is", done.process.stderr)
            done = load(*arguments, "handshake_id.p50>1s", check=3)
            self.assertIn("could not be measured", done.process.stderr)


if __name__ == "__main__":
    unittest.main()
