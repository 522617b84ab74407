"""What is left for well-behaved clients while others attack.

For each attack the same load runs in turns: quiet, under attack, quiet, under attack ... A figure
is the ratio of a round under attack to the quiet one before it; the median and the spread of the
rounds are printed, with how often the attackers got through to the server and how much its memory
grew.

The server has one CPU to itself. Load and attackers have the others; with only one left the
attackers yield to the load (nice), or the load would lose to them what the server had left for it.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/system"))

import hostile_attacks  # noqa: E402

CONNECTIONS = 16
BUFFERS = 64  # MiB: what may wait for all clients
GOAL = 0.5


@dataclasses.dataclass
class Context:
    tlsdyno: str
    directory: pathlib.Path
    server_cpu: int
    other_cpus: str
    seconds: float
    rounds: int


class Server:
    """tlsdyno serve with a listener for the load and one for each service that is attacked."""

    SERVICES = ("echo", "discard", "source", "http")

    def __init__(self, context):
        self.context = context
        self.admin = context.directory / "admin"

    def __enter__(self):
        command = ["taskset", "-c", str(self.context.server_cpu), self.context.tlsdyno, "serve",
                   "-t", "1", "--no-pin", "--admin", f"unix:{self.admin}",
                   "--max-buffers", f"{BUFFERS}Mi", "--handshake-timeout", "10s"]
        for service in self.SERVICES:
            command += ["--listen", f"127.0.0.1:0,{service}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        self.ports = {}
        for line in self.process.stdout:
            words = line.split()
            if words[:2] == ["listening", "on"]:
                self.ports[words[3].strip("(,")] = int(words[2].rpartition(":")[2])
            elif words[0] == "OpenSSL":
                break
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def totals(self):
        from dyno import http_get
        return json.loads(http_get(f"unix:{self.admin}", "/stats")[2])["totals"]

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(context, server):
    """Echoes of 64 B a second, CPU seconds that the server took each second, and errors."""
    path = context.directory / "load.json"
    cpu, start = server.cpu_seconds(), time.monotonic()
    done = subprocess.run(
        ["taskset", "-c", context.other_cpus, context.tlsdyno, "load",
         f"127.0.0.1:{server.ports['echo']}", "--insecure", "-t", "1", "--mode", "rr", "-m", "64",
         "-c", str(CONNECTIONS), "-d", f"{context.seconds}s", "-J", str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    busy = (server.cpu_seconds() - cpu) / (time.monotonic() - start)
    try:
        report = json.loads(path.read_text())
    except OSError:
        raise SystemExit(f"bench/hostile: the load failed\n{done.stderr}") from None
    path.unlink()
    return report["messages"]["count"] / context.seconds, busy, report["errors"]["count"]


@contextlib.contextmanager
def attacked(context, server, attack):
    attackers = subprocess.Popen(
        ["taskset", "-c", context.other_cpus, "nice", "-n", "10", sys.executable,
         hostile_attacks.__file__, attack.name, context.tlsdyno,
         *(str(server.ports[service]) for service in Server.SERVICES)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if not attackers.stdout.readline():  # it has begun
            raise SystemExit(f"bench/hostile: the attack {attack.name} did not begin")
        yield
        if attackers.poll() is not None:
            raise SystemExit(f"bench/hostile: the attack {attack.name} ended by itself")
    finally:
        attackers.stdin.close()  # the sign to stop
        try:
            attackers.wait(10)
        except subprocess.TimeoutExpired:
            attackers.kill()
            attackers.wait()
        attackers.stdout.close()


def measure(context, attack):
    """All rounds of one attack."""
    rounds = []
    with Server(context) as server:
        load(context, server)  # warm-up, not counted
        base = server.resident_mib()
        for number in range(context.rounds):
            quiet, quiet_busy, quiet_errors = load(context, server)
            before = attack.count(server.totals())
            with attacked(context, server, attack):
                rate, busy, errors = load(context, server)
                times = (attack.count(server.totals()) - before) / context.seconds
                grown = server.resident_mib() - base
            rounds.append({"quiet": quiet, "attacked": rate, "ratio": rate / max(quiet, 1), "busy": busy,
                           "quiet_busy": quiet_busy,
                           "attacks": times, "grown": grown, "errors": errors + quiet_errors})
            print(f"{attack.name}: round {number + 1} of {context.rounds}: {rate:,.0f} against "
                  f"{quiet:,.0f}", file=sys.stderr)
            settle(server)
    return {"attack": attack.name, "counted": attack.counted, "rounds": rounds}


def settle(server):
    """Until the attackers are gone."""
    end = time.monotonic() + 15
    while server.totals()["connections_open"] > 0 and time.monotonic() < end:
        time.sleep(0.05)


def print_table(context, results):
    shared = "," not in context.other_cpus
    print(f"\n{CONNECTIONS} connections echo 64 B; server on CPU {context.server_cpu}, load and "
          f"attackers on {context.other_cpus}{', these niced' if shared else ''};\n"
          f"rounds: {context.rounds} of {context.seconds:g} s, quiet and under attack in turns; "
          f"--max-buffers {BUFFERS}Mi.\n")
    header = ("attack", "echoes/s quiet", "attacked", "left", "rounds", "server busy",
              "attacks/s", "counted as", "memory")
    rows = []
    for result in results:
        of = {key: [row[key] for row in result["rounds"]] for key in result["rounds"][0]}
        middle = {key: statistics.median(values) for key, values in of.items()}
        rows.append((result["attack"], f"{middle['quiet']:,.0f}", f"{middle['attacked']:,.0f}",
                     f"{middle['ratio']:.2f}", f"{min(of['ratio']):.2f}-{max(of['ratio']):.2f}",
                     f"{middle['quiet_busy']:.0%} / {middle['busy']:.0%}", f"{middle['attacks']:,.0f}", result["counted"],
                     f"+{max(of['grown']):.0f} MiB"))
        result["left"] = middle["ratio"]
        result["errors"] = sum(of["errors"])
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(f"{cell:<{width}}" if i in (0, 7) else f"{cell:>{width}}"
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    print()
    for result in results:
        if result["errors"]:
            print(f"{result['attack']}: {result['errors']} errors of well-behaved clients")
        if result["left"] < GOAL:
            print(f"{result['attack']}: less than half is left")


def main():
    names = ", ".join(attack.name for attack in hostile_attacks.ATTACKS)
    parser = argparse.ArgumentParser(prog="bench/hostile", description=__doc__.split("\n\n")[0],
                                     epilog=f"attacks: {names}")
    parser.add_argument("--tlsdyno", default=ROOT / "build/release/src/cli/tlsdyno",
                        help="the binary (that of build/release)")
    parser.add_argument("--rounds", type=int, default=5, help="of each attack (5)")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement (2)")
    parser.add_argument("--only", metavar="WORDS", default="",
                        help="comma-separated; attacks whose name contains one of them")
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    arguments = parser.parse_args()
    attacks = [attack for attack in hostile_attacks.ATTACKS
               if any(word in attack.name for word in arguments.only.split(","))]
    cpus = sorted(os.sched_getaffinity(0))
    if not attacks:
        parser.error(f"no attack's name contains {arguments.only}")
    if len(cpus) < 2:
        print("bench/hostile: only one CPU, which all share", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="tlsdyno-hostile-") as name:
        context = Context(str(arguments.tlsdyno), pathlib.Path(name), cpus[0],
                          ",".join(map(str, cpus[1:] or cpus)), arguments.seconds,
                          arguments.rounds)
        results = [measure(context, attack) for attack in attacks]
        if arguments.json:
            json.dump(results, sys.stdout, indent=2)
            print()
        else:
            print_table(context, results)


if __name__ == "__main__":
    main()
