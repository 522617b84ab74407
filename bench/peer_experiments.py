"""What bench/peers measures besides rates: memory of idle connections (P5), very many of them (P6),
latency under a storm of handshakes and beside slow readers (P7), and two cores against one (P9).

Each returns a title, a table and notes.
"""

import contextlib
import dataclasses
import json
import multiprocessing
import os
import pathlib
import resource
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import time

import peer_drivers as drivers
import peer_servers as servers

STORM_SOCKETS = 64
STORM_CONNECTIONS = 32
SLOW_READERS = 64
IDLE_CONNECTIONS = 9000  # HAProxy allots two descriptors for each, of 20,000
SETTLE_SECONDS = 15  # allocators give back what is free after some ten
MANY_CONNECTIONS = 100_000
GROWTH_IDLE = (0, 1_000, 4_000, 16_000)
PAIR_CONNECTIONS = 19_000
MANY_SECONDS = 150  # until the last pair has made its own, too


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


def flood(cpu, port, ready, stop):
    """Sends the same ClientHello over and over and leaves when the answer comes: next to nothing
    for the client, the whole of a full handshake's cryptography but one MAC for the server."""
    os.sched_setaffinity(0, {cpu})
    hello = client_hello()
    selector = selectors.DefaultSelector()

    def begin():
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        selector.register(one, selectors.EVENT_WRITE)

    for _ in range(STORM_SOCKETS):
        begin()
    ready.set()
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


def stall(cpu, port, ready, stop):
    """Connections that ask for one answer after the other and read a little of them every tenth of a
    second: each server holds as much for each as it allows itself to."""
    os.sched_setaffinity(0, {cpu})
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    links = []
    for _ in range(SLOW_READERS):
        link = tls.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        link.setblocking(False)
        links.append(link)
    ready.set()
    asked = b"GET /16 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
    while not stop.wait(0.1):
        for link in links:
            with contextlib.suppress(OSError):  # full, or nothing there: later
                link.send(asked)
            with contextlib.suppress(OSError):
                link.recv(1024)
    for link in links:
        link.close()


@contextlib.contextmanager
def disturbed(context, port, how):
    ready, stop = multiprocessing.Event(), multiprocessing.Event()
    cpu = int(context.on_load_cpu[-1]) if context.on_load_cpu else 0
    process = multiprocessing.Process(target=how, args=(cpu, port, ready, stop))
    process.start()
    try:
        ready.wait()
        yield
    finally:
        stop.set()
        process.join()


def latency(context, server, rate):
    """p99.9 from the intended times, seconds, and the report's own view of the rate."""
    report = drivers.load_report(
        # Ahead of the flood on their common CPU: its own waiting is not the server's.
        dataclasses.replace(context, on_load_cpu=[*context.on_load_cpu, "chrt", "--fifo", "1"]),
        server.port, "--insecure", "--mode", "rr", "-c", STORM_CONNECTIONS, "-R", rate, "-d",
        f"{max(3, context.seconds)}s", path="/16")
    corrected = report["latency"]["message_corrected"]
    return corrected["p999_ns"] / 1e9, report["open_loop"]["achieved_share"]


HTTP_SERVERS = {"ours": servers.ours_http, "nginx": servers.nginx, "haproxy": servers.haproxy}


def half_load(context):
    """GETs a second: half of what the slowest of the servers can do, so that all are asked for the
    same, and the load generator for much less than it has."""
    rates = []
    for start in HTTP_SERVERS.values():
        with start(context.settings) as server:
            cpu = server.cpu_seconds()
            count, _ = drivers.http(STORM_CONNECTIONS)(context, server, context.seconds)
            rates.append(count / (server.cpu_seconds() - cpu))
    return int(min(rates) / 2)


def latency_beside(context, what, more, how):
    """p99.9 of open connections, alone and beside others that do `how`."""
    rows = []
    rate = half_load(context)
    for name, start in HTTP_SERVERS.items():
        with start(context.settings) as server:
            alone, beside, kept = [], [], []
            for number in range(context.rounds):
                alone.append(latency(context, server, rate)[0])
                with disturbed(context, server.port, how):
                    seconds, share = latency(context, server, rate)
                beside.append(seconds)
                kept.append(share)
                print(f"{what}: {name}: round {number + 1} of {context.rounds}: p99.9 "
                      f"{alone[-1] * 1e3:.2f} ms, beside them {beside[-1] * 1e3:.2f} ms",
                      file=sys.stderr)
        ratios = [a / b for a, b in zip(beside, alone)]
        rows.append((name, f"{rate:,}", f"{statistics.median(alone) * 1e3:.2f} ms",
                     f"{statistics.median(beside) * 1e3:.2f} ms",
                     f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})",
                     f"{min(kept):.1%}"))
    return {"goal": "P7", "title": "p99.9 of open connections at half load, from intended times, "
                                   f"alone and beside {what}: {more}",
            "header": ("who", "GETs/s", "alone", "beside", "beside/alone", "served of due"),
            "rows": rows,
            "notes": ["Half load: half the GETs per CPU second of the slowest of them, for all."]}


def storm(context):
    """P7."""
    return latency_beside(context, "a storm of handshakes",
                          f"{STORM_SOCKETS} sockets that send a ClientHello, wait for the answer "
                          "and leave", flood)


def slow_readers(context):
    return latency_beside(context, "slow readers",
                          f"{SLOW_READERS} connections that ask without end and read 1 KiB every "
                          "tenth of a second", stall)


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


def established(port):
    """Connections that a server on this port has."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return sum(fields[3] == "01" and fields[1].endswith(f":{port:04X}")
                   for fields in map(str.split, table))


@contextlib.contextmanager
def holding(context, target, count, seconds, file):
    """A load generator that makes `count` connections, holds them for so long, asks each whether it
    lives, and then writes its report."""
    load = subprocess.Popen(
        [*context.on_load_cpu, context.settings.tlsdyno, "load", target, "--insecure", "-t", "1",
         "--mode", "rr", "-c", "1", "-R", "1", "--idle", str(count), "-d", f"{seconds}s", "--timeout", "120s",
         "-J", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        yield load
    finally:
        load.kill()
        load.wait()


def wait_for(condition, process, seconds=600):
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.5)


def kernel_bytes():
    """Objects in the kernel's slabs (slabinfo(5)): sockets, files and their queues, both ends of
    each connection."""
    with open("/proc/slabinfo", encoding="ascii") as slabinfo:
        rows = [line.split() for line in slabinfo][2:]
    return sum(int(active) * int(size) for _, active, _, size, *_ in rows)


def verified(load, file):
    load.wait()
    return json.loads(pathlib.Path(file).read_text())["idle"]["verified"]


def memory(context):
    """P5."""
    rows = []
    echo, http = "127.0.0.1:{}", "https://127.0.0.1:{}/16"
    file = context.settings.directory / "idle.json"
    for name, start, target in (("ours", servers.ours_http, http), ("nginx", servers.nginx, http),
                                ("haproxy", servers.haproxy, http),
                                ("ours, echo", servers.ours, echo),
                                ("node, echo", servers.node, echo)):
        with start(context.settings) as server:
            before, kernel_before = server.rss_bytes(), kernel_bytes()
            with holding(context, target.format(server.port), IDLE_CONNECTIONS,
                         SETTLE_SECONDS + 5, file) as load:
                wait_for(lambda: established(server.port) > IDLE_CONNECTIONS, load)
                time.sleep(SETTLE_SECONDS)
                count = established(server.port)
                each = (server.rss_bytes() - before) / count
                kernel = (kernel_bytes() - kernel_before) / count / 2
                alive = verified(load, file)
        rows.append((name, f"{each / 1024:.1f} KiB", f"{kernel / 1024:.1f} KiB", f"{count:,}",
                     f"{alive:,}"))
        print(f"memory: {name}: {rows[-1][1]}, kernel {rows[-1][2]}", file=sys.stderr)
    return {"goal": "P5", "title": "memory of an idle TLS 1.3 connection: growth of the processes' "
                                   "proportional set size, by connections held",
            "header": ("who", "each", "kernel", "held", "answered at the end"), "rows": rows,
            "notes": ["Kernel: half the growth of its slabs' objects, which serve both ends."]}


def growth(context):
    """What a message costs the server while more and more connections are open beside the busy
    ones."""
    rows = []
    with servers.ours(context.settings) as server:
        costs = {count: [] for count in GROWTH_IDLE}
        file = context.settings.directory / "growth.json"
        for number in range(context.rounds):
            for count in GROWTH_IDLE:
                with contextlib.ExitStack() as stack:
                    if count:
                        seconds = 2 * SETTLE_SECONDS + 3 * context.seconds
                        load = stack.enter_context(holding(
                            context, f"127.0.0.1:{server.port}", count, seconds, file))
                        wait_for(lambda: established(server.port) > count, load)
                        # Until the last handshakes are done, and what they took is given back.
                        time.sleep(SETTLE_SECONDS)
                    cpu = server.cpu_seconds()
                    messages, _ = drivers.echo("64")(context, server, context.seconds)
                    costs[count].append((server.cpu_seconds() - cpu) / messages)
                wait_for(lambda: established(server.port) == 0, server.process)
            print(f"growth: round {number + 1} of {context.rounds}", file=sys.stderr)
    for count, found in costs.items():
        ratios = [each / alone for each, alone in zip(found, costs[0])]
        rows.append((f"{count:,}", f"{statistics.median(found) * 1e6:.2f} us",
                     f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"))
    return {"goal": "P6", "title": "server CPU time of an echo of 64 B in 64 connections, with idle "
                                   "ones beside them",
            "header": ("idle", "each", "against none idle"), "rows": rows, "notes": []}


def many(context):
    """P6: as many pairs of server and load generator as the limit of open files asks for."""
    pairs = -(-MANY_CONNECTIONS // PAIR_CONNECTIONS)
    each = -(-MANY_CONNECTIONS // pairs)
    with contextlib.ExitStack() as stack:
        running = []
        for number in range(pairs):
            # It is minutes until the last are made, and then all are asked.
            server = stack.enter_context(
                servers.ours(context.settings, more=("--idle-timeout", "1h")))
            file = context.settings.directory / f"many-{number}.json"
            before = server.rss_bytes()
            load = stack.enter_context(holding(context, f"127.0.0.1:{server.port}", each,
                                               MANY_SECONDS, file))
            running.append((server, load, file, before))
        for server, load, _, _ in running:
            wait_for(lambda: established(server.port) > each, load)
        time.sleep(SETTLE_SECONDS)
        count = sum(established(server.port) for server, *_ in running)
        grown = sum(server.rss_bytes() - before for server, _, _, before in running)
        alive = sum(verified(load, file) for _, load, file, _ in running)
    return {"goal": "P6", "title": "connections held at once, both ends on this machine",
            "header": ("asked", "held", "answered at the end", "server's memory each"),
            "rows": [(f"{pairs * each:,}", f"{count:,}", f"{alive:,}",
                      f"{grown / count / 1024:.1f} KiB")],
            "notes": [f"{pairs} servers and {pairs} load generators, for a limit of "
                      f"{resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,} open files each"]}


EXPERIMENTS = {"memory": Experiment("P5", memory), "many": Experiment("P6", many),
               "growth": Experiment("P6", growth), "storm": Experiment("P7", storm),
               "slow-readers": Experiment("P7", slow_readers),
               "two-cores": Experiment("P9", two_cores)}
