"""Our server against nginx, HAProxy, Node, stunnel and openssl s_server, and our load generator
against wrk, h2load and ab.

bench/peers prepares everything and calls this.

Rules: those that are compared take turns, round by round, and a figure counts as the ratio to
others of its own round; the median and the spread of the rounds are printed. The server has one
CPU, the load another. Everything is per CPU second of the server's processes, so that a slow load
generator neither flatters nor hides a server. What was negotiated must be the same on both, or the
two are not compared.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import peer_experiments
import peer_table
from peer_drivers import load_report
from peer_servers import Settings
from peer_works import WORKS


@dataclasses.dataclass
class Run:
    """One measurement of one server."""

    operations: int
    errors: int
    seconds: float
    server_cpu: float  # seconds
    client_cpu: float


@dataclasses.dataclass
class Context:
    settings: Settings
    on_load_cpu: list
    seconds: float
    rounds: int

    def with_tls(self, tls):
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, tls=tls))


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
    report = load_report(context, server.port, "--insecure", "--mode", "handshake", "-c", 1, "-n",
                         3)
    keys = ("version", "suite", "group", "signature", "certificate")
    facts = {" ".join(str(row[key]) for key in keys)
             for row in report["negotiated"]["combinations"]}
    return " / ".join(sorted(facts))


def memory_seconds(context, arguments):
    """Server CPU time of one operation between two engines in memory. The other CPU is idle then,
    and busy in all that this is compared with: where both are one core the ceiling is too high, and
    not too low, as it would be if the other one did nothing but ciphers."""
    done = subprocess.run(
        ["taskset", "-c", context.settings.server_cpus, context.settings.tlsdyno, "limit",
         "--memory-only", "-J", "-", "-d", "500ms", "--rounds", "1", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench/peers: tlsdyno limit failed\n{done.stderr}")
    rows = json.loads(done.stdout)["rows"]
    return rows[0]["tls_seconds"]["median"]


def compare(context, work):
    """All rounds of one work."""
    context = context.with_tls(work.tls)
    sides = dict(work.sides)
    if work.ceiling:
        sides["plain"] = work.ceiling.plain
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(side.server(context.settings))
                   for name, side in sides.items()}
        facts = {name: negotiated(context, servers[name]) for name in work.sides}
        for name, side in sides.items():  # warm-up, not counted
            measure(context, side.drive, servers[name], min(1.0, context.seconds))
        runs = {name: [] for name in sides}
        memory = []
        for number in range(context.rounds):
            for name, side in sides.items():
                runs[name].append(measure(context, side.drive, servers[name], context.seconds))
            if work.ceiling:
                memory.append(memory_seconds(context, work.ceiling.memory))
            found = ", ".join(f"{name} {rate(work, runs[name][-1]):,.0f}" for name in sides)
            print(f"{work.name}: round {number + 1} of {context.rounds}: {found}", file=sys.stderr)
        return summary(work, servers, facts, runs, memory)


def rate(work, run):
    return run.operations / (run.client_cpu if work.per == "client" else run.server_cpu)


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def summary(work, servers, facts, runs, memory):
    if not all(run.operations for side_runs in runs.values() for run in side_runs):
        raise SystemExit(f"bench/peers: {work.name}: nothing was done in a round")
    rates = {name: [rate(work, run) for run in side_runs] for name, side_runs in runs.items()}
    result = {
        "work": work.name, "goal": work.goal, "unit": work.unit,
        "per": f"{work.per} CPU second", "negotiated": facts,
        "openssl": {name: f"{servers[name].name} {servers[name].openssl}" for name in work.sides},
        "sides": {name: {
            "rate": spread(rates[name]),
            "server_busy": statistics.median(run.server_cpu / run.seconds for run in side_runs),
            "client_busy": statistics.median(run.client_cpu / run.seconds for run in side_runs),
            "errors": sum(run.errors for run in side_runs),
            "rounds": [dataclasses.asdict(run) for run in side_runs],
        } for name, side_runs in runs.items()},
        "against": {peer: {
            "comparable": facts["ours"] == facts[peer],
            "ratio": spread([a / b for a, b in zip(rates["ours"], rates[peer])]),
        } for peer in work.peers},
    }
    if memory:
        ceilings = [1 / (tls + 1 / plain) for tls, plain in zip(memory, rates["plain"])]
        result["ceiling"] = {
            "tls_seconds": spread(memory), "rate": spread(ceilings),
            "efficiency": spread([ours / top for ours, top in zip(rates["ours"], ceilings)]),
        }
    return result


def parse_arguments():
    experiments = peer_experiments.EXPERIMENTS
    parser = argparse.ArgumentParser(
        prog="bench/peers", description=__doc__.split("\n\n")[0],
        epilog="works: " + ", ".join([work.name for work in WORKS] + list(experiments)))
    parser.add_argument("--tlsdyno", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="of each work, at least 5 (5)")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement (2)")
    parser.add_argument("--only", metavar="WORDS",
                        help="comma-separated; works whose name or goal contains one of them")
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON, too")
    parser.add_argument("--no-install", action="store_true",
                        help="only check that the packages are there")
    arguments = parser.parse_args()
    words = arguments.only.split(",") if arguments.only else [""]
    arguments.works = [work for work in WORKS
                       if any(word in (work.name, work.goal) or word in work.name
                              for word in words)]
    arguments.experiments = {name: experiment for name, experiment in experiments.items()
                             if any(word in f"{experiment.goal} {name}" for word in words)}
    if not arguments.works and not arguments.experiments:
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
        for key in {work.tls.key for work in WORKS}:
            subprocess.run([arguments.tlsdyno, "cert", "--type", key, directory / key], check=True,
                           stdout=subprocess.DEVNULL)
        context = Context(
            settings=Settings(arguments.tlsdyno, directory, str(cpus[0])),
            on_load_cpu=["taskset", "-c", str(cpus[1])] if len(cpus) > 1 else [],
            seconds=arguments.seconds, rounds=arguments.rounds,
        )
        results = {"environment": peer_table.environment(context, cpus),
                   "works": [compare(context, work) for work in arguments.works],
                   "experiments": {name: experiment.run(context)
                                   for name, experiment in arguments.experiments.items()}}
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=2) + "\n")
    peer_table.show(results)


if __name__ == "__main__":
    main()
