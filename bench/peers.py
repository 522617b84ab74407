"""Our server against Node, nginx and HAProxy, and our load generator against wrk, h2load and ab.

bench/peers prepares everything and calls this.

Rules: the two of a pair take turns, round by round, and a figure counts as the ratio of its own
round; the median and the spread of the rounds are printed. The server has one CPU, the load
another. Everything is per CPU second of the server's processes, so that a slow load generator
neither flatters nor hides a server. What was negotiated must be the same on both, or the pair is
not compared.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import peer_servers
from peer_servers import Settings

CONNECTIONS = 64
BUSY = 0.97  # of a CPU: has nothing left to give


@dataclasses.dataclass
class Run:
    """One measurement of one server."""

    operations: int
    errors: int
    seconds: float
    server_cpu: float  # seconds
    client_cpu: float

    @property
    def per_cpu_second(self):
        return self.operations / self.server_cpu if self.server_cpu else 0.0


def load_report(context, port, *arguments):
    """One run of our load generator; its JSON report."""
    path = context.settings.directory / "load.json"
    done = subprocess.run(
        [*context.on_load_cpu, context.settings.tlsdyno, "load", f"127.0.0.1:{port}", "--insecure",
         "-t", "1", "-J", str(path), *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench/peers: tlsdyno load failed\n{done.stdout}\n{done.stderr}")
    return json.loads(path.read_text())


def count_errors(report):
    return report["errors"]["count"]


def drive_handshakes(context, server, seconds):
    report = load_report(context, server.port, "--mode", "handshake", "--resume", "none",
                         "-c", CONNECTIONS, "-d", f"{seconds}s")
    return report["handshakes"]["full"], count_errors(report)


def drive_echo(size):
    def drive(context, server, seconds):
        report = load_report(context, server.port, "--mode", "rr", "-m", size, "-c", CONNECTIONS,
                             "-d", f"{seconds}s")
        return report["messages"]["count"], count_errors(report)

    return drive


def drive_http(connections):
    def drive(context, server, seconds):
        report = load_report(context, server.port, "--mode", "rr", "--service", "http", "-c",
                             connections, "-d", f"{seconds}s")
        return report["messages"]["count"], count_errors(report)

    return drive


def foreign_driver(context, pattern, *command):
    """Runs another load generator; the first group of the pattern in its output, and the output."""
    done = subprocess.run([*context.on_load_cpu, *map(str, command)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    found = re.search(pattern, done.stdout)
    if not found:
        raise SystemExit(f"bench/peers: {command[0]} failed\n{done.stdout}\n{done.stderr}")
    return int(found.group(1)), done.stdout


def whole_seconds(seconds):
    return max(1, round(seconds))


def drive_wrk(connections):
    def drive(context, server, seconds):
        count, output = foreign_driver(
            context, r"(\d+) requests in", "wrk", "-t", 1, "-c", connections,
            "-d", f"{whole_seconds(seconds)}s", f"https://127.0.0.1:{server.port}/16")
        errors = re.search(
            r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
        other = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        return count, sum(map(int, errors.groups() if errors else ())) + (
            int(other.group(1)) if other else 0)

    return drive


def drive_h2load(context, server, seconds):
    count, output = foreign_driver(
        context, r"(\d+) succeeded", "h2load", "--h1", "-t", 1, "-c", CONNECTIONS,
        "-D", whole_seconds(seconds), f"https://127.0.0.1:{server.port}/16")
    failed, errored = re.search(r"(\d+) failed, (\d+) errored", output).groups()
    return count, int(failed) + int(errored)


def drive_ab(context, server, seconds):
    count, output = foreign_driver(
        context, r"Complete requests:\s+(\d+)", "ab", "-q", "-c", 1, "-t", whole_seconds(seconds),
        "-n", 10_000_000, f"https://127.0.0.1:{server.port}/16")
    return count, int(re.search(r"Failed requests:\s+(\d+)", output).group(1))


@dataclasses.dataclass
class Side:
    server: object  # context manager over the settings
    drive: object  # (context, server, seconds) -> (operations, errors)


@dataclasses.dataclass
class Work:
    name: str
    unit: str
    against: str
    ours: Side
    peer: Side


def ours_against(name, unit, service, peer, drive):
    """Two servers under the same load."""
    return Work(name, unit, peer,
                Side(lambda settings: peer_servers.ours(settings, service), drive),
                Side(peer_servers.PEERS[peer], drive))


def driven_by(name, unit, server, ours, driver, theirs):
    """One kind of server under two load generators, which should find the same."""
    start = peer_servers.PEERS[server]
    return Work(name, unit, driver, Side(start, ours), Side(start, theirs))


WORKS = [
    ours_against("handshake-node", "handshakes", "echo", "node", drive_handshakes),
    ours_against("handshake-nginx", "handshakes", "http", "nginx", drive_handshakes),
    ours_against("handshake-haproxy", "handshakes", "http", "haproxy", drive_handshakes),
    ours_against("echo-64", "echoes of 64 B", "echo", "node", drive_echo(64)),
    ours_against("echo-16k", "echoes of 16 KiB", "echo", "node", drive_echo("16Ki")),
    ours_against("http-nginx", "GETs of 16 B", "http", "nginx", drive_wrk(CONNECTIONS)),
    ours_against("http-haproxy", "GETs of 16 B", "http", "haproxy", drive_wrk(CONNECTIONS)),
    driven_by("driver-wrk", "GETs from nginx", "nginx", drive_http(CONNECTIONS), "wrk",
              drive_wrk(CONNECTIONS)),
    driven_by("driver-h2load", "GETs from nginx", "nginx", drive_http(CONNECTIONS), "h2load",
              drive_h2load),
    # It serves one connection at a time and closes after each answer: a handshake for each GET.
    driven_by("driver-s_server", "GETs from s_server", "s_server", drive_http(1), "ab",
              drive_ab),
]


@dataclasses.dataclass
class Context:
    settings: Settings
    on_load_cpu: list
    seconds: float
    rounds: int


def measure(context, drive, server, seconds):
    cpu, wall = server.cpu_seconds(), time.monotonic()
    client = resource.getrusage(resource.RUSAGE_CHILDREN)
    operations, errors = drive(context, server, seconds)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(
        operations=operations,
        errors=errors,
        seconds=time.monotonic() - wall,
        server_cpu=server.cpu_seconds() - cpu,
        client_cpu=used.ru_utime + used.ru_stime - client.ru_utime - client.ru_stime,
    )


def negotiated(context, server):
    """What the server chooses when the client leaves it everything, in one line."""
    report = load_report(context, server.port, "--mode", "handshake", "-c", 1, "-n", 3)
    keys = ("version", "suite", "group", "signature", "certificate")
    facts = {" ".join(str(row[key]) for key in keys)
             for row in report["negotiated"]["combinations"]}
    return " / ".join(sorted(facts))


def compare(context, work):
    """All rounds of one pair."""
    sides = {"ours": work.ours, "peer": work.peer}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(side.server(context.settings))
                   for name, side in sides.items()}
        facts = {name: negotiated(context, server) for name, server in servers.items()}
        for name, side in sides.items():  # warm-up, not counted
            measure(context, side.drive, servers[name], min(1.0, context.seconds))
        runs = {"ours": [], "peer": []}
        for number in range(context.rounds):
            for name, side in sides.items():
                runs[name].append(measure(context, side.drive, servers[name], context.seconds))
            ours, peer = runs["ours"][-1].per_cpu_second, runs["peer"][-1].per_cpu_second
            print(f"{work.name}: round {number + 1} of {context.rounds}: "
                  f"{ours:,.0f} against {peer:,.0f}", file=sys.stderr)
        return summary(work, servers, facts, runs)


def summary(work, servers, facts, runs):
    if not all(run.operations for side_runs in runs.values() for run in side_runs):
        raise SystemExit(f"bench/peers: {work.name}: nothing was done in a round")
    ratios = [ours.per_cpu_second / peer.per_cpu_second
              for ours, peer in zip(runs["ours"], runs["peer"])]
    result = {
        "work": work.name, "unit": work.unit, "against": work.against,
        "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
        "comparable": facts["ours"] == facts["peer"], "negotiated": facts,
        "openssl": {name: f"{server.name} {server.openssl}" for name, server in servers.items()},
    }
    for side, side_runs in runs.items():
        result[side] = {
            "per_server_cpu_second": statistics.median(run.per_cpu_second for run in side_runs),
            "server_busy": statistics.median(run.server_cpu / run.seconds for run in side_runs),
            "client_busy": statistics.median(run.client_cpu / run.seconds for run in side_runs),
            "errors": sum(run.errors for run in side_runs),
            "rounds": [dataclasses.asdict(run) for run in side_runs],
        }
    return result


def print_table(results, context):
    load_place = f"load on CPU {context.on_load_cpu[-1]}" if context.on_load_cpu else "load on it too"
    print(f"\nPer CPU second of the server; server on CPU {context.settings.server_cpu}, "
          f"{load_place}; rounds: {context.rounds} of {context.seconds:g} s each, in turns; "
          f"{CONNECTIONS} connections.\n")
    header = ("work", "of", "ours", "peer", "", "ratio", "rounds", "busy: server", "load")
    rows = []
    for result in results:
        ours, peer = result["ours"], result["peer"]
        rows.append((
            result["work"], result["unit"], f"{ours['per_server_cpu_second']:,.0f}",
            f"{peer['per_server_cpu_second']:,.0f}", result["against"],
            f"{result['ratio']:.2f}" if result["comparable"] else "not comparable",
            f"{result['ratio_min']:.2f}-{result['ratio_max']:.2f}",
            f"{ours['server_busy']:.0%} / {peer['server_busy']:.0%}",
            f"{ours['client_busy']:.0%} / {peer['client_busy']:.0%}",
        ))
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(f"{cell:<{width}}" if i in (0, 1, 4) else f"{cell:>{width}}"
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    print_notes(results)


def print_notes(results):
    print()
    for facts in sorted({facts for result in results for facts in result["negotiated"].values()}):
        print(f"negotiated: {facts}")
    versions = [version for result in results for version in result["openssl"].values()]
    print(f"OpenSSL: {'; '.join(dict.fromkeys(versions))}")
    limited = []
    for result in results:
        if not result["comparable"]:
            print(f"{result['work']}: ours negotiated {result['negotiated']['ours']}, "
                  f"{result['against']} {result['negotiated']['peer']}")
        for side, name in (("ours", "ours"), ("peer", result["against"])):
            figures = result[side]
            if figures["errors"]:
                print(f"{result['work']}: {figures['errors']} errors against {name}")
            if figures["client_busy"] > BUSY > figures["server_busy"]:
                limited.append(f"{result['work']} ({name})")
    if limited:
        print("the load generator was the limit of the rate, though not of the figure per server "
              f"CPU second, in: {', '.join(limited)}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="bench/peers", description=__doc__.split("\n\n")[0],
        epilog="works: " + ", ".join(work.name for work in WORKS))
    parser.add_argument("--tlsdyno", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="of each pair, at least 5 (5)")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement (3)")
    parser.add_argument("--only", metavar="WORDS",
                        help="comma-separated; works whose name contains one of them")
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    parser.add_argument("--no-install", action="store_true",
                        help="only check that the packages are there")
    arguments = parser.parse_args()
    words = arguments.only.split(",") if arguments.only else [""]
    arguments.works = [work for work in WORKS if any(word in work.name for word in words)]
    if not arguments.works:
        parser.error(f"no work's name contains {arguments.only}")
    if arguments.rounds < 5:
        print("bench/peers: fewer than 5 rounds say little", file=sys.stderr)
    return arguments


def main():
    arguments = parse_arguments()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print("bench/peers: only one CPU, which server and load share", file=sys.stderr)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="tlsdyno-peers-") as name:
        directory = pathlib.Path(name)
        # nginx's worker gives up root and must still get at its own files.
        directory.chmod(0o755)
        subprocess.run([arguments.tlsdyno, "cert", name], check=True,
                       stdout=subprocess.DEVNULL)
        context = Context(
            settings=Settings(arguments.tlsdyno, directory, cpus[0], directory / "server.pem",
                              directory / "server.key"),
            on_load_cpu=["taskset", "-c", str(cpus[1])] if len(cpus) > 1 else [],
            seconds=arguments.seconds, rounds=arguments.rounds,
        )
        results = [compare(context, work) for work in arguments.works]
        if arguments.json:
            json.dump(results, sys.stdout, indent=2)
            print()
        else:
            print_table(results, context)


if __name__ == "__main__":
    main()
