"""`mpirun tlsdyno load`: several processes, on one machine or many, make one run. The machines are
network namespaces with host names of their own, to which mpirun comes as it comes by ssh."""

import contextlib
import json
import os
import pathlib
import subprocess
import unittest

from dyno import (BINARY, DEADLINE, Certificates, Directory, Report, Server, needs, run, tlsdyno,
                  wait_for)
from json_schema import violations
from test_foreign_servers import nginx

HAS_MPI = "Open MPI" in tlsdyno("--version").stdout
SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2]
                     / "docs/schema/tlsdyno-load-1.schema.json").read_text())


def mpirun_environment(directory):
    return {
        **os.environ,
        "TMPDIR": str(directory),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        # Containers forbid what it would rather copy by, and it says so at length.
        "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    }


@unittest.skipIf(HAS_MPI, "this build has MPI")
class WithoutMpi(unittest.TestCase):
    def start(self, index, count):
        return tlsdyno("load", "--insecure", "-d", "1s", "127.0.0.1:1",
                       env={**os.environ, "OMPI_COMM_WORLD_SIZE": str(count),
                            "OMPI_COMM_WORLD_RANK": str(index)})

    def test_several_processes_are_refused_and_the_first_one_says_so(self):
        first, second = self.start(0, 2), self.start(1, 2)
        self.assertEqual((first.returncode, second.returncode), (2, 2))
        self.assertIn("-Dmpi=enabled", first.stderr)
        self.assertEqual(second.stderr, "")

    def test_one_process_runs_as_ever(self):
        self.assertIn("Connection refused", self.start(0, 1).stderr)


@needs("mpirun")
@unittest.skipUnless(HAS_MPI, "this build has no MPI (-Dmpi=enabled)")
class OneMachine(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.environment = mpirun_environment(self.directory)

    def mpirun(self, *words, check=0):
        return run("mpirun", "--oversubscribe", "--bind-to", "none", *words, check=check,
                   env=self.environment, timeout=DEADLINE * 3)

    def load(self, count, target, *arguments, check=0):
        done = self.mpirun("-n", count, BINARY, "load", target, "-J", self.directory / "r.json",
                           *arguments, check=check)
        report = Report(json.loads((self.directory / "r.json").read_text()))
        report.process = done
        self.assertEqual(list(violations(report, SCHEMA)), [])
        return report

    def test_shares_add_up_to_what_the_server_counted(self):
        with Server() as server:
            report = self.load(3, server.target, "--insecure", "--mode", "rr", "-c", 10, "-n", 1000,
                               "--admin", server.admin, "--csv", self.directory / "r.csv",
                               "--percentiles", self.directory / "p.hgrm")
            server.wait_idle()
            self.assertEqual(server.counter("accepts"), 10)
            self.assertEqual(server.counter("plain_bytes_in"), 64000)
        ranks = report["ranks"]
        self.assertEqual(report.errors, [])
        self.assertEqual(report["messages"]["count"], 1000)
        self.assertEqual(report["latency"]["message"]["count"], 1000)
        self.assertEqual(report["server"]["counted"]["plain_bytes_in"], 64000)
        self.assertEqual(sum(row["connections"] for row in report.facts), 10)
        self.assertEqual([rank["connections"]["asked"] for rank in ranks], [4, 3, 3])
        self.assertEqual([rank["operations"] for rank in ranks], [334, 333, 333])
        self.assertEqual([rank["latency"]["count"] for rank in ranks], [334, 333, 333])
        self.assertEqual(report["client"]["threads"], sum(rank["threads"] for rank in ranks))
        self.assertAlmostEqual(report["client"]["cost"]["cpu_seconds"],
                               sum(rank["cpu_seconds"] for rank in ranks), places=6)
        self.assertEqual(report["measured_seconds"],
                         max(rank["measured_seconds"] for rank in ranks))
        self.assertIn("phase,message,1000,", (self.directory / "r.csv").read_text())
        self.assertIn("Total count    =         1000", (self.directory / "p.message.hgrm").read_text())
        self.assertEqual(report.process.stdout.count("Verdict"), 1)
        self.assertEqual(report.process.stderr.count("--insecure"), 1)
        self.assertIn("3 ranks", report.process.stdout)

    def test_handshakes_of_four_ranks_keep_the_mix(self):
        with Server() as server:
            report = self.load(4, server.target, "--insecure", "-c", 4, "-n", 81, "--resume", 50,
                               "-t", 1)
            server.wait_idle()
            self.assertGreaterEqual(server.counter("handshakes"), 81)
        self.assertEqual(report["handshakes"]["count"], 81)
        self.assertEqual([rank["operations"] for rank in report["ranks"]], [21, 20, 20, 20])
        self.assertAlmostEqual(report["handshakes"]["ticket"], 40, delta=4)

    def test_a_rate_is_that_of_all_ranks_and_each_has_its_part(self):
        with Server() as server:
            report = self.load(3, server.target, "--insecure", "--mode", "rr", "-c", 7, "-R", 300,
                               "-d", "2s", "--warmup", "200ms", "-i", "250ms")
        told = report["open_loop"]
        self.assertEqual(report.errors, [])
        self.assertEqual(told["target_per_second"], 300)
        # Were the rate each rank's, three times that; a busy machine ends some of them late.
        self.assertAlmostEqual(told["due"], 600, delta=200)
        for rank in report["ranks"]:
            self.assertAlmostEqual(rank["operations"], report["messages"]["count"] / 3, delta=100)
        self.assertEqual(sum(rank["operations"] for rank in report["ranks"]),
                         report["messages"]["count"])
        self.assertLessEqual(sum(row["messages"] for row in report["series"]),
                             report["messages"]["count"])
        self.assertIn("rank 0 measure", report.process.stderr)

    @needs("nginx")
    def test_a_server_that_is_not_ours(self):
        files = Certificates(self.directory)
        with nginx(self.directory, files) as address:
            report = self.load(2, f"https://localhost:{address.rpartition(':')[2]}/", "--mode", "rr",
                               "--ca", files.ca, "-n", 201, "-c", 6)
        self.assertEqual(report.errors, [])
        self.assertEqual([rank["operations"] for rank in report["ranks"]], [101, 100])

    def test_conditions_are_on_the_whole_and_told_once(self):
        with Server() as server:
            report = self.load(2, server.target, "--insecure", "--mode", "rr", "-c", 2, "-n", 100,
                               "--fail-if", "p50>1ns", check=3)
        self.assertEqual(report.process.stderr.count("the p50 latency is"), 1)

    def test_nobody_listens(self):
        # They give up after a while, as one process does.
        report = self.load(2, "127.0.0.1:1", "--insecure", "--mode", "rr", "-c", 3, "-d", "1h",
                           check=1)
        self.assertEqual(report.process.stderr.count("tlsdyno: nothing succeeded"), 1)
        for rank in report["ranks"]:
            self.assertEqual(rank["errors"]["most_frequent"],
                             {"phase": "connect", "reason": "Connection refused"})

    def test_what_several_cannot_do_is_refused_once(self):
        for words, told in ((("-c", 2), "--connections 2 among 3 ranks"),
                            (("-n", 2), "--count 2 among 3 ranks"),
                            (("--find-max", "p99<5ms"), "--find-max searches from one process"),
                            (("--insecur",), "did you mean --insecure?")):
            with self.subTest(words):
                done = self.mpirun("-n", 3, BINARY, "load", "127.0.0.1:1", *words, check=2)
                self.assertEqual(done.stderr.count("tlsdyno: "), 1, done.stderr)
                self.assertIn(told, done.stderr)

    def test_ranks_that_were_told_different_things_are_refused(self):
        done = self.mpirun("-n", 1, BINARY, "load", "127.0.0.1:1", "-d", "1s",
                           ":", "-n", 1, BINARY, "load", "127.0.0.1:1", "-d", "2s", check=2)
        self.assertIn("tlsdyno: rank 1: was started as 'tlsdyno load 127.0.0.1:1 -d 2s'",
                      done.stderr)

    def test_when_one_dies_the_others_end_and_there_is_no_report(self):
        report = self.directory / "r.json"
        pids = self.directory / "pids"
        wrapper = self.directory / "wrapper"
        wrapper.write_text(f'#!/bin/sh\necho $$ >{pids}.$OMPI_COMM_WORLD_RANK\nexec "$@"\n')
        wrapper.chmod(0o755)
        with Server() as server:
            process = subprocess.Popen(
                ["mpirun", "--oversubscribe", "-n", "2", wrapper, BINARY, "load", server.target,
                 "--insecure", "--mode", "rr", "-c", "4", "-d", "100s", "-J", report],
                env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_for(lambda: server.counter("handshakes") >= 4, "both ranks' connections")
                os.kill(int(pathlib.Path(f"{pids}.1").read_text()), 9)
                self.assertNotEqual(process.wait(DEADLINE), 0)
            finally:
                process.kill()
                process.wait()
            server.wait_idle()
        self.assertFalse(report.exists())


AGENT = """#!/bin/sh
# Instead of ssh: HOST COMMAND...
case $1 in
    10.214.0.2) space={names[0]}; name=alpha ;;
    10.214.0.3) space={names[1]}; name=beta ;;
esac
shift
exec ip netns exec $space unshare --uts sh -c "hostname $name; $*"
"""


@contextlib.contextmanager
def cluster(directory):
    """Two machines and, on a third one, a bridge between them and an address of the server. Yields
    the namespace in which mpirun and the server are, and the program that mpirun has for ssh."""
    hub, *others = (f"tlsdyno-{name}-{os.getpid()}" for name in ("hub", "alpha", "beta"))

    def ip(*words):
        run("ip", *words, check=0)

    try:
        for space in (hub, *others):
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", hub, "address", "add", "10.214.0.1/24", "dev", "bridge")
        ip("-n", hub, "link", "set", "bridge", "up")
        ip("-n", hub, "address", "add", "10.215.0.1/32", "dev", "lo")
        for number, space in enumerate(others, 2):
            ip("-n", hub, "link", "add", f"to{number}", "type", "veth", "peer", "name", "wire",
               "netns", space)
            ip("-n", hub, "link", "set", f"to{number}", "master", "bridge", "up")
            ip("-n", space, "address", "add", f"10.214.0.{number}/24", "dev", "wire")
            ip("-n", space, "link", "set", "wire", "up")
        # beta comes to the server's first address alone.
        ip("-n", others[0], "route", "add", "10.215.0.1", "via", "10.214.0.1")
        ip("-n", others[1], "route", "add", "unreachable", "10.215.0.1")
        agent = directory / "agent"
        agent.write_text(AGENT.format(names=others))
        agent.chmod(0o755)
        yield hub, agent
    finally:
        for space in (hub, *others):
            subprocess.run(["ip", "netns", "delete", space], stderr=subprocess.DEVNULL)


@needs("mpirun", "ip", "unshare")
@unittest.skipUnless(HAS_MPI, "this build has no MPI (-Dmpi=enabled)")
@unittest.skipUnless(os.geteuid() == 0, "only root makes network namespaces")
class ManyMachines(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.hub, self.agent = self.enterContext(cluster(self.directory))

    @contextlib.contextmanager
    def serve(self):
        out = self.directory / "server"
        with open(out, "wb") as stream:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.hub, BINARY, "serve", "--listen", "10.214.0.1:4433",
                 "--listen", "10.215.0.1:4433", "--admin", f"unix:{self.directory}/admin"],
                stdout=stream, stderr=stream)
        try:
            wait_for(lambda: b"OpenSSL" in out.read_bytes(), "the server")
            yield
        finally:
            process.terminate()
            process.wait()

    def load(self, host, check=0):
        report = self.directory / "r.json"
        done = run("ip", "netns", "exec", self.hub, "mpirun", "--mca", "plm_rsh_agent", self.agent,
                   "--host", "10.214.0.2,10.214.0.3", "--bind-to", "none", "-n", 2,
                   BINARY, "load", f"{host}:4433", "--insecure", "--mode", "rr", "-c", 5, "-t", 1,
                   "-d", "1s", "-J", report, check=check, timeout=DEADLINE * 3,
                   env=mpirun_environment(self.directory))
        answer = Report(json.loads(report.read_text()))
        answer.process = done
        return answer

    def test_each_machine_has_its_row(self):
        with self.serve():
            report = self.load("10.214.0.1")
        self.assertEqual(report.errors, [])
        self.assertEqual([rank["host"] for rank in report["ranks"]], ["alpha", "beta"])
        self.assertEqual([rank["connections"]["peak"] for rank in report["ranks"]], [3, 2])
        self.assertEqual(sum(rank["operations"] for rank in report["ranks"]),
                         report["messages"]["count"])
        self.assertTrue(all(rank["operations"] > 0 for rank in report["ranks"]))
        self.assertRegex(report.process.stdout, r"(?m)^  1   beta +2 ")
        self.assertIsNone(report["verdict"]["machine_busy_share"])

    def test_a_machine_that_cannot_reach_the_server_is_named(self):
        with self.serve():
            report = self.load("10.215.0.1")
        alpha, beta = report["ranks"]
        self.assertGreater(alpha["operations"], 0)
        self.assertEqual(alpha["errors"]["count"], 0)
        self.assertEqual(beta["operations"], 0)
        self.assertEqual(beta["errors"]["most_frequent"],
                         {"phase": "connect", "reason": "No route to host"})
        self.assertIn("\n      connect: No route to host\n", report.process.stdout)


if __name__ == "__main__":
    unittest.main()
