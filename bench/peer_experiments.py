"""What bench/peers measures besides rates: latency under a storm of handshakes (P7), memory of idle
connections (P5), and two cores against one (P9).

Each returns a title, a table and notes.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import selectors
import socket
import ssl
import statistics
import sys

import peer_drivers as drivers
import peer_servers as servers

STORM_SOCKETS = 64
STORM_CONNECTIONS = 32


@dataclasses.dataclass
class Experiment:
    goal: str
    run: object  # (context) -> {"goal", "title", "header", "rows", "notes"}


def client_hello():
    """The first flight of a TLS 1.3 client."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


def flood(cpu, port, hello, stop):
    """Sends the same ClientHello over and over and leaves when the answer comes: next to nothing
    for the client, the whole of a full handshake's cryptography but one MAC for the server."""
    os.sched_setaffinity(0, {cpu})
    selector = selectors.DefaultSelector()

    def begin():
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        selector.register(one, selectors.EVENT_WRITE)

    for _ in range(STORM_SOCKETS):
        begin()
    while not stop.is_set():
        for key, events in selector.select(0.1):
            try:
                if events & selectors.EVENT_WRITE:
                    key.fileobj.send(hello)
                    selector.modify(key.fileobj, selectors.EVENT_READ)
                    continue
                key.fileobj.recv(65536)
            except OSError:
                pass
            selector.unregister(key.fileobj)
            key.fileobj.close()
            begin()


@contextlib.contextmanager
def flooded(context, port):
    stop = multiprocessing.Event()
    cpu = int(context.on_load_cpu[-1]) if context.on_load_cpu else 0
    process = multiprocessing.Process(target=flood, args=(cpu, port, client_hello(), stop))
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join()


def latency(context, server, service, rate):
    """p99.9 from the intended times, seconds, and the report's own view of the rate."""
    report = drivers.load_report(
        # Ahead of the flood on their common CPU: its own waiting is not the server's.
        dataclasses.replace(context, on_load_cpu=[*context.on_load_cpu, "chrt", "--fifo", "1"]),
        server.port, "--insecure", "--mode", "rr", "--service", service, "-c", STORM_CONNECTIONS,
        "-R", rate, "-d", f"{max(3, context.seconds)}s")
    corrected = report["latency"]["message_corrected"]
    return corrected["p999_ns"] / 1e9, report["open_loop"]["achieved_share"]


def storm(context):
    """P7."""
    rows, notes = [], []
    for name, start, service in (("ours", servers.ours_http, "http"),
                                 ("nginx", servers.nginx, "http"),
                                 ("haproxy", servers.haproxy, "http")):
        with start(context.settings) as server:
            most, _ = drivers.http(STORM_CONNECTIONS)(context, server, context.seconds)
            rate = int(most / context.seconds / 2)
            quiet, stormy, kept = [], [], []
            for number in range(context.rounds):
                quiet.append(latency(context, server, service, rate)[0])
                with flooded(context, server.port):
                    seconds, share = latency(context, server, service, rate)
                stormy.append(seconds)
                kept.append(share)
                print(f"storm: {name}: round {number + 1} of {context.rounds}: p99.9 "
                      f"{quiet[-1] * 1e3:.2f} ms, in the storm {stormy[-1] * 1e3:.2f} ms",
                      file=sys.stderr)
        ratios = [a / b for a, b in zip(stormy, quiet)]
        rows.append((name, f"{rate:,}", f"{statistics.median(quiet) * 1e3:.2f} ms",
                     f"{statistics.median(stormy) * 1e3:.2f} ms",
                     f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})",
                     f"{min(kept):.1%}"))
    notes.append("Half load: half the GETs a second that this load generator got out of it. Storm: "
                 f"{STORM_SOCKETS} sockets that send a ClientHello, wait for the answer and leave.")
    return {"goal": "P7", "title": "p99.9 of open connections at half load, from intended times",
            "header": ("who", "GETs/s", "quiet", "in a storm", "storm/quiet", "served of due"),
            "rows": rows, "notes": notes}


def two_cores(context):
    """P9: each of two cores gives as much as one alone, or how much less."""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    rows = []
    both = dataclasses.replace(context.settings, server_cpus=",".join(map(str, cpus)), threads=2)
    shared = dataclasses.replace(context, on_load_cpu=[])
    works = (("full handshakes", drivers.handshakes()), ("echo 64 B", drivers.echo("64")),
             ("echo 16 KiB", drivers.echo("16Ki")))
    for name, drive in works:
        with servers.ours(context.settings) as one, servers.ours(both) as two:
            ratios = []
            for number in range(context.rounds):
                rates = []
                for server in (one, two):
                    before = server.cpu_seconds()
                    operations, _ = drive(shared, server, context.seconds)
                    rates.append(operations / (server.cpu_seconds() - before))
                ratios.append(2 * rates[1] / rates[0])
                print(f"two cores: {name}: round {number + 1} of {context.rounds}: "
                      f"{ratios[-1]:.2f}", file=sys.stderr)
        rows.append((name, f"{statistics.median(ratios):.2f} "
                           f"({min(ratios):.2f}-{max(ratios):.2f})"))
    return {"goal": "P9", "title": "two cores against one",
            "header": ("work", "two/one"), "rows": rows,
            "notes": ["Twice the work a CPU second of two workers over that of one; the load runs "
                      "on the same CPUs in both."]}


EXPERIMENTS = {"storm": Experiment("P7", storm), "two-cores": Experiment("P9", two_cores)}
