"""What puts load on a server in bench/peers: ours and others' load generators.

A driver is a function of (context, server, seconds) that returns operations and errors.
"""

import json
import re
import subprocess

CONNECTIONS = 64


def load_report(context, port, *arguments, path=None):
    """One run of our load generator; its JSON report. path: what to GET."""
    target = f"https://127.0.0.1:{port}{path}" if path else f"127.0.0.1:{port}"
    done = subprocess.run(
        [*context.on_load_cpu, context.settings.tlsdyno, "load", target, "-t", "1", "-J", "-",
         *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench/peers: tlsdyno load failed\n{done.stderr}")
    return json.loads(done.stdout)


def trust(plain):
    return "--plain" if plain else "--insecure"


def handshakes(resume="none", plain=False):
    def drive(context, server, seconds):
        report = load_report(context, server.port, trust(plain), "--mode", "handshake",
                             *([] if plain else ["--resume", resume]),
                             "-c", CONNECTIONS, "-d", f"{seconds}s")
        if plain:
            return report["connections"]["opened"], report["errors"]["count"]
        counts = report["handshakes"]
        kind = {"none": "full", "ticket": "ticket", "id": "id"}[resume]
        # The first of each client is full, which in a slow second is some twentieth of them.
        if counts[kind] < 0.9 * counts["count"]:
            raise SystemExit(f"bench/peers: only {counts[kind]} of {counts['count']} handshakes "
                             f"with {server.name} were of the kind {kind}")
        return counts["count"], report["errors"]["count"]

    return drive


def echo(size, connections=CONNECTIONS, depth=1, plain=False):
    def drive(context, server, seconds):
        report = load_report(context, server.port, trust(plain), "--mode", "rr", "-m", size, "-c",
                             connections, "--depth", depth, "-d", f"{seconds}s")
        return report["messages"]["count"], report["errors"]["count"]

    return drive


def http(connections=CONNECTIONS):
    def drive(context, server, seconds):
        report = load_report(context, server.port, "--insecure", "--mode", "rr", "-c", connections,
                             "-d", f"{seconds}s", path="/16")
        return report["messages"]["count"], report["errors"]["count"]

    return drive


def foreign(context, pattern, *command):
    """Runs another load generator; the first group of the pattern in its output, and the output."""
    done = subprocess.run([*context.on_load_cpu, *map(str, command)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    found = re.search(pattern, done.stdout)
    if not found:
        raise SystemExit(f"bench/peers: {command[0]} failed\n{done.stdout}\n{done.stderr}")
    return int(found.group(1)), done.stdout


def whole_seconds(seconds):
    return max(1, round(seconds))


def scheme(plain):
    return "http" if plain else "https"


def wrk(connections=CONNECTIONS, plain=False):
    def drive(context, server, seconds):
        count, output = foreign(
            context, r"(\d+) requests in", "wrk", "-t", 1, "-c", connections,
            "-d", f"{whole_seconds(seconds)}s", f"{scheme(plain)}://127.0.0.1:{server.port}/16")
        errors = re.search(
            r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
        other = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        return count, sum(map(int, errors.groups() if errors else ())) + (
            int(other.group(1)) if other else 0)

    return drive


def h2load(connections=CONNECTIONS, plain=False):
    def drive(context, server, seconds):
        count, output = foreign(
            context, r"(\d+) succeeded", "h2load", "--h1", "-t", 1, "-c", connections,
            "-D", whole_seconds(seconds), f"{scheme(plain)}://127.0.0.1:{server.port}/16")
        failed, errored = re.search(r"(\d+) failed, (\d+) errored", output).groups()
        return count, int(failed) + int(errored)

    return drive


def ab(context, server, seconds):
    count, output = foreign(
        context, r"Complete requests:\s+(\d+)", "ab", "-q", "-c", 1, "-t", whole_seconds(seconds),
        "-n", 10_000_000, f"https://127.0.0.1:{server.port}/16")
    return count, int(re.search(r"Failed requests:\s+(\d+)", output).group(1))
