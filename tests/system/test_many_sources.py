"""More connections than one address has ports for: `tlsdyno load` spreads them over loopback's
addresses. The kernel's range is made narrow in a network namespace of the test's own."""

import json
import shutil
import sys
import tempfile
import unittest

from dyno import BINARY, load, run, scaled, Server, tlsdyno

PORTS = 400
CONNECTIONS = 1000

INSIDE = f"""
import subprocess, sys, time
def setting(value):
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write(value)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
setting("40000 {40000 + PORTS - 1}")
binary, out = sys.argv[1:3]
with open(out, "wb") as log:
    server = subprocess.Popen([binary, "serve", "--listen", "127.0.0.1:4433", "--threads", "1"],
                              stdout=log, stderr=subprocess.STDOUT)
while b"OpenSSL" not in open(out, "rb").read():
    assert server.poll() is None, open(out).read()
    time.sleep(0.01)
status = subprocess.run([binary, "load", "127.0.0.1:4433", "--insecure", "--mode", "rr", "-t", "1",
                         "-c", "1", "-n", "1", "--idle", "{CONNECTIONS}", "-J", "-",
                         "--fail-if", "lost>0,errors>0"]).returncode
server.terminate()
server.wait()
sys.exit(status)
"""


def has_namespaces():
    return shutil.which("unshare") and shutil.which("ip") and \
        run("unshare", "--net", "--map-root-user", "true").returncode == 0


class Sources(unittest.TestCase):
    @unittest.skipUnless(has_namespaces(), "no network namespaces to be had")
    def test_loopback_has_ports_enough_for_all(self):
        with tempfile.NamedTemporaryFile() as log:
            done = run("unshare", "--net", "--map-root-user", sys.executable, "-c", INSIDE, BINARY,
                       log.name, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["idle"]["verified"], CONNECTIONS)
        # Three quarters of an address's ports are used.
        self.assertEqual(report["plan"]["source_addresses"], 4)

    def test_named_addresses_are_used(self):
        with Server() as server:
            report = load(server.target, "--insecure", "-c", 2, "-n", 4,
                          "--source-addresses", "127.0.0.7,127.0.0.8")
            self.assertEqual(report.errors, [])
            self.assertEqual(report["plan"]["source_addresses"], 2)
            report = load(server.target, "--insecure", "-c", 1, "-n", 1, "--timeout", "1s",
                          "--source-addresses", "192.0.2.1", "-d", "1s", check=1)
            self.assertEqual({error["reason"] for error in report.errors},
                             {"Cannot assign requested address"})

    def test_what_means_nothing_is_refused(self):
        for arguments, word in (
            (("--source-addresses", "::1"), "family"),
            (("--source-addresses", "nowhere"), "IP address"),
            (("--cpus", "x"), "0,2-3"),
            (("--ramp", "1s"), "--rate"),
            (("--ramp", "0/s", "--mode", "rr"), "no connection"),
            (("--idle", "5", "--mode", "upload"), "--idle"),
            (("--fail-if", "lost>0"), "--idle"),
        ):
            with self.subTest(arguments):
                done = tlsdyno("load", "127.0.0.1:1", *arguments, check=2)
                self.assertIn(word, done.stderr)


class Idle(unittest.TestCase):
    def test_idle_connections_are_held_and_their_memory_is_told(self):
        count = scaled(200, 60)
        for service, form in (("echo", "{}"), ("http", "https://{}/16"), ("rr", "{}")):
            for mode in ("handshake", "rr"):
                with self.subTest(service=service, mode=mode), \
                        Server("--service", service, threads=1) as server:
                    extra = ("--service", "rr") if service == "rr" else ()
                    report = load(form.format(server.target), "--insecure", "--mode", mode, "-t", 2,
                                  "-c", 2, "-n", 50, "--idle", count, "--ramp", "100ms",
                                  "--admin", server.admin, "--fail-if", "lost>0,errors>0", *extra)
                    idle = report["idle"]
                    self.assertEqual((idle["asked"], idle["held"], idle["verified"]), (count,) * 3)
                    self.assertGreater(idle["server_resident_before_bytes"], 1_000_000)
                    self.assertGreater(idle["server_bytes_per_connection"], 0)

    def test_a_server_that_drops_idle_connections_is_found_out(self):
        with Server("--idle-timeout", "200ms", threads=1) as server:
            report = load(server.target, "--insecure", "-t", 1, "-c", 1, "-d", "3s", "--idle", 20,
                          "--fail-if", "lost>0", check=3)
        self.assertEqual(report["idle"]["asked"], 20)
        self.assertEqual(report["idle"]["verified"], 0)
        self.assertIn("lost is 20", report.process.stderr)


if __name__ == "__main__":
    unittest.main()
