"""What bench/peers compares: one row a work, by the goal that it belongs to."""

import dataclasses
import functools

import peer_drivers as drivers
import peer_servers as servers
from peer_servers import Tls


@dataclasses.dataclass
class Side:
    server: object  # context manager over the settings
    drive: object  # (context, server, seconds) -> (operations, errors)


@dataclasses.dataclass
class Ceiling:
    """What no server with this OpenSSL on this kernel could beat: t_TLS + t_TCP."""

    plain: Side  # the same work without TLS, on our server: t_TCP
    memory: tuple  # for `tlsdyno limit`, the same work without sockets: t_TLS


@dataclasses.dataclass
class Work:
    goal: str
    name: str
    unit: str
    sides: dict  # by name; the first is ours
    tls: Tls = Tls()
    per: str = "server"  # whose CPU second counts; "client" compares load generators
    ceiling: Ceiling = None

    @property
    def peers(self):
        return list(self.sides)[1:]


LIMIT_CERTIFICATES = {"p256": "ecdsa-p256", "rsa2048": "rsa-2048"}


def memory_arguments(tls, what, *more):
    return ("--works", what, "--versions", tls.version, "--suites",
            tls.suite if tls.version == "1.3" else tls.cipher, "--groups", "X25519",
            "--certificates", LIMIT_CERTIFICATES[tls.key], *more)


def handshake(goal, name, tls, *peers):
    drive = drivers.handshakes(tls.resume)
    sides = {"ours": Side(servers.ours, drive)}
    sides |= {peer: Side(getattr(servers, peer), drive) for peer in peers}
    what = {"none": "full", "ticket": "ticket", "id": "id"}[tls.resume]
    plain = Side(functools.partial(servers.ours, plain=True), drivers.handshakes(plain=True))
    return Work(goal, name, "handshakes", sides, tls,
                ceiling=Ceiling(plain, memory_arguments(tls, what)))


def echo(size, connections, depth, *peers):
    name = f"echo-{size.lower().removesuffix('i')}"
    name += f"-c{connections}" if connections != drivers.CONNECTIONS else ""
    name += f"-d{depth}" if depth != 1 else ""
    drive = drivers.echo(size, connections, depth)
    # Our own with OpenSSL's record layer, as a peer of the one with ours.
    sides = {"ours": Side(servers.ours, drive), "openssl": Side(servers.ours_openssl, drive)}
    sides |= {peer: Side(getattr(servers, peer), drive) for peer in peers}
    plain = Side(functools.partial(servers.ours, plain=True),
                 drivers.echo(size, connections, depth, plain=True))
    return Work("P3", name, f"echoes of {size.replace('i', ' Ki')}B", sides,
                ceiling=Ceiling(plain, memory_arguments(Tls(), "echo", "--messages", size,
                                                        "--connections", str(connections))))


def http(name, drive):
    sides = {"ours": Side(servers.ours_http, drive), "nginx": Side(servers.nginx, drive),
             "haproxy": Side(servers.haproxy, drive)}
    return Work("P4", name, "GETs of 16 B", sides)


def driven_by(name, unit, server, ours, driver, theirs, per="client"):
    """One kind of server under two load generators."""
    return Work("P8", name, unit, {"ours": Side(server, ours), driver: Side(server, theirs)},
                per=per)


ALL = ("nginx", "haproxy", "node", "stunnel", "s_server")

WORKS = [
    handshake("P1", "full-1.3-ecdsa", Tls(), *ALL),
    handshake("P1", "full-1.2-ecdsa", Tls("1.2"), "nginx", "haproxy", "node"),
    handshake("P1", "full-1.3-rsa", Tls("1.3", "rsa2048"), "nginx", "haproxy"),
    handshake("P1", "full-1.2-rsa", Tls("1.2", "rsa2048"), "nginx", "haproxy"),
    handshake("P2", "ticket-1.3", Tls(resume="ticket"), "nginx", "haproxy"),
    handshake("P2", "ticket-1.2", Tls("1.2", resume="ticket"), "nginx", "haproxy"),
    handshake("P2", "id-1.2", Tls("1.2", resume="id"), "nginx", "haproxy"),
    echo("64", 64, 1, "node", "stunnel"),
    echo("1Ki", 64, 1, "node"),
    echo("16Ki", 64, 1, "node", "stunnel"),
    echo("256Ki", 64, 1, "node"),
    echo("64", 1, 1, "node"),
    echo("64", 64, 16, "node"),
    echo("64", 1000, 1, "node"),
    echo("16Ki", 1000, 1, "node"),
    http("http-wrk", drivers.wrk()),
    http("http-h2load", drivers.h2load()),
    driven_by("client-wrk", "GETs from nginx", servers.nginx, drivers.http(), "wrk",
              drivers.wrk()),
    driven_by("client-h2load", "GETs from nginx", servers.nginx, drivers.http(), "h2load",
              drivers.h2load()),
    # It serves one connection at a time and closes after each answer: a handshake for each GET.
    driven_by("client-ab", "GETs from s_server", servers.s_server, drivers.http(1), "ab",
              drivers.ab),
    # Two load generators on one server should find the same of it.
    driven_by("truth-wrk", "GETs from nginx", servers.nginx, drivers.http(), "wrk",
              drivers.wrk(), per="server"),
    driven_by("truth-h2load", "GETs from nginx", servers.nginx, drivers.http(), "h2load",
              drivers.h2load(), per="server"),
]
