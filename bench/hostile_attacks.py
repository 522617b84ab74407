"""The attacks of bench/hostile, each a process of its own, until its standard input ends.

hostile_attacks.py NAME TLSDYNO PORT-OF-ECHO PORT-OF-DISCARD PORT-OF-SOURCE PORT-OF-HTTP
"""

import contextlib
import dataclasses
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/system"))

from wire import (HANDSHAKE, RawClient, client_hello, connect, extension,  # noqa: E402
                  real_client_hello, record)

CONNECTIONS = 200  # of the attacks that hold theirs


@dataclasses.dataclass
class Target:
    tlsdyno: str
    echo: int
    discard: int
    source: int
    http: int


def asked_to_stop():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def begin():
    print("begun", flush=True)


def reset(link):
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def send_some(link, data):
    """As much as the socket takes now; False when the server has closed."""
    try:
        link.send(data, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


def full_handshakes(target):
    """As many as the load generator can."""
    begin()
    attacker = subprocess.Popen(
        [target.tlsdyno, "load", f"127.0.0.1:{target.echo}", "--insecure", "--mode", "handshake",
         "--resume", "none", "-t", "1", "-c", "64", "-d", "1h"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sys.stdin.read()
    attacker.kill()
    attacker.wait()


def openings(target, data):
    """Connections that send so much, and go away when the next ones have come."""
    links = []
    begin()
    while not asked_to_stop():
        for _ in range(50):
            links.append(connect(target.echo))
            send_some(links[-1], data)
        while len(links) > CONNECTIONS:
            reset(links.pop(0))


def hellos(target):
    openings(target, real_client_hello(target.echo))


def large_hellos(target):
    body = client_hello(extensions=extension(13, b"\0\2\4\3") + extension(21, bytes(60000)))
    openings(target, b"".join(record(HANDSHAKE, body[at : at + 16384], 0x0301)
                              for at in range(0, len(body), 16384)))


def garbage_tickets(target):
    wanted = extension(10, b"\0\2\0\x17") + extension(13, b"\0\2\4\3")
    body = client_hello(extensions=wanted + extension(35, os.urandom(1000)))
    openings(target, record(HANDSHAKE, body, 0x0301))


def garbage(target):
    openings(target, b"\x55" + os.urandom(4096))


def dribbles(target):
    """Hellos byte by byte."""
    hello = real_client_hello(target.echo)
    links = [(connect(target.echo), 0) for _ in range(CONNECTIONS)]
    begin()
    while not asked_to_stop():
        for index, (link, sent) in enumerate(links):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sent == len(hello) - 1 or not send_some(link, hello[sent : sent + 1]):
                reset(link)
                links[index] = (connect(target.echo), 0)
            else:
                links[index] = (link, sent + 1)


def handshaken(port, count, **options):
    clients = []
    for _ in range(count):
        client = RawClient(port, **options)
        client.handshake()
        clients.append(client)
    return clients


def small_records(target):
    """Of one byte, as fast as they can be made."""
    clients = handshaken(target.discard, 4)
    begin()
    while not asked_to_stop():
        for client in clients:
            for _ in range(500):
                client.tls.write(b"x")
            client.flush()


def deaf_readers(target):
    """Of an endless answer; those that were dropped come again."""
    clients = handshaken(target.source, CONNECTIONS, receive_buffer=4096)
    begin()
    while not asked_to_stop():
        client = clients.pop(0)
        client.close()
        with contextlib.suppress(OSError):
            clients += handshaken(target.source, 1, receive_buffer=4096)


def deaf_pipelines(target):
    """Requests without end, and no answer read."""
    clients = handshaken(target.http, 50, receive_buffer=4096)
    begin()
    requests = b"GET /16ki HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    while not asked_to_stop():
        for client in clients:
            client.link.settimeout(0.001)
            with contextlib.suppress(OSError):
                client.send(requests)


def endless_heads(target):
    """A field at a time; and again, once there have been too many."""
    clients = handshaken(target.http, CONNECTIONS)
    begin()
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    while not asked_to_stop():
        for index, client in enumerate(clients):
            try:
                client.send(b"X: y\r\n")
            except OSError:
                client.close()
                clients[index] = handshaken(target.http, 1)[0]
                clients[index].send(b"GET / HTTP/1.1\r\nHost: x\r\n")


@dataclasses.dataclass
class Attack:
    run: object
    counted: str  # the counter that tells of it; its rows are added up

    @property
    def name(self):
        return self.run.__name__.replace("_", "-")

    def count(self, totals):
        value = totals[self.counted]
        return sum(value.values()) if isinstance(value, dict) else value


ATTACKS = [
    Attack(full_handshakes, "handshakes"),
    Attack(hellos, "handshakes_failed"),
    Attack(large_hellos, "handshakes_failed"),
    Attack(garbage_tickets, "handshakes_failed"),
    Attack(garbage, "handshakes_failed"),
    Attack(dribbles, "recvs"),
    Attack(small_records, "records_in"),
    Attack(deaf_readers, "accepts"),
    Attack(deaf_pipelines, "recv_pauses"),
    Attack(endless_heads, "records_in"),
]


def main():
    name, tlsdyno, *ports = sys.argv[1:]
    target = Target(tlsdyno, *map(int, ports))
    next(attack for attack in ATTACKS if attack.name == name).run(target)


if __name__ == "__main__":
    main()
