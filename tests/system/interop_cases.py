"""The rows of the interoperability matrix, for both directions, and the certificates they take."""

import dataclasses

from dyno import Certificates
from foreign_clients import Wish

VERSIONS = ("1.2", "1.3")
EXACT, WILDCARD, UNDER_WILDCARD, UNKNOWN = ("www.exact.test", "*.wild.test", "one.wild.test",
                                            "unknown.test")


@dataclasses.dataclass(frozen=True)
class Setup:
    """How a server is set up; the same words for ours and for theirs."""

    key: str = "rsa"  # "rsa" or "ecdsa": its certificate
    tickets: bool = True
    clients: str = "unasked"  # "asked" or "required": for certificates
    alpn: str = None
    names: bool = False  # certificates for EXACT and WILDCARD besides


@dataclasses.dataclass(frozen=True)
class Case:
    what: str
    setup: Setup = Setup()
    versions: tuple = VERSIONS
    resumes: str = None  # "ticket" or "id": the second of two connections must
    certificate: str = None  # the client's: "good" or "untrusted"
    offer: str = None  # the client's protocol for ALPN
    alpn: str = None  # what comes of it
    name: str = "localhost"  # that the client asks for
    subject: str = "localhost"  # of the certificate that it must get
    refused: str = None  # the kind of failure that our server must count, or None


ALPN = Setup(alpn="http/1.1")
OTHER_ALPN = Setup(alpn="mismatch/1")
NAMES = Setup(names=True)

CASES = (
    Case("RSA certificate"),
    Case("ECDSA certificate", Setup(key="ecdsa")),
    Case("ticket resumption", resumes="ticket"),
    Case("ID resumption", Setup(tickets=False), versions=("1.2",), resumes="id"),
    *(
        Case(f"client certificate {clients}, {certificate or 'missing'}", Setup(clients=clients),
             certificate=certificate,
             refused="certificate" if clients == "required" and certificate != "good" else None)
        for clients in ("asked", "required")
        for certificate in ("good", "untrusted", None)
    ),
    Case("ALPN, match", ALPN, offer="http/1.1", alpn="http/1.1"),
    Case("ALPN, no overlap", OTHER_ALPN, offer="http/1.1", refused="no_shared"),
    Case("SNI, exact name", NAMES, name=EXACT, subject=EXACT),
    Case("SNI, wildcard", NAMES, name=UNDER_WILDCARD, subject=WILDCARD),
    Case("SNI, unknown name", NAMES, name=UNKNOWN),
)


class Identities:
    """The certificates: two servers' for localhost, two for other names, and a stranger's."""

    def __init__(self, directory):
        def make(label, *options):
            return Certificates(directory / label, *options)

        self.servers = {"rsa": make("rsa", "--type", "rsa2048"), "ecdsa": make("ecdsa")}
        # Of the first one's type, as GnuTLS looks at the type of key before the name.
        self.names = {EXACT: make("exact", "--type", "rsa2048", "--name", EXACT),
                      WILDCARD: make("wildcard", "--type", "rsa2048", "--name", WILDCARD)}
        self.clients = {"good": self.servers["rsa"], "untrusted": make("stranger"), None: None}
        self.client_ca = self.servers["rsa"].ca
        self.ca = directory / "authorities.pem"
        trusted = [*self.servers.values(), *self.names.values()]
        self.ca.write_text("".join(files.ca.read_text() for files in trusted))

    def wish(self, case, version):
        return Wish(version, self.ca, case.name, case.subject, self.clients[case.certificate],
                    case.offer, case.resumes)

    def load_options(self, case, version):
        """`tlsdyno load`, as the case says."""
        options = ["--min-version", version, "--max-version", version, "--ca", self.ca,
                   "--sni-name", case.name]
        if case.subject == "localhost":
            options += ["--verify-host", "localhost"]
        own = self.clients[case.certificate]
        if own:
            options += ["--cert", own.client_cert, "--key", own.client_key]
        if case.offer:
            # Some servers always have HTTP's, so what shall not overlap is no such.
            options += ["--alpn", case.alpn or "elsewhere/1"]
        if case.resumes:
            return options + ["--mode", "handshake", "--resume", case.resumes, "-c", 1, "-n", 4]
        return options + ["--mode", "rr", "-c", 1, "-n", 1]

    def serve_options(self, setup):
        """`tlsdyno serve`, set up so."""
        files = self.servers[setup.key]
        options = ["--cert", files.cert, "--key", files.key]
        if not setup.tickets:
            options += ["--no-tickets"]
        if setup.clients != "unasked":
            options += ["--request-cert", "--ca", self.client_ca]
        if setup.clients == "asked":
            options += ["--no-reject-unauthorized"]
        if setup.alpn:
            options += ["--alpn", setup.alpn]
        if setup.names:
            for name, own in self.names.items():
                options += ["--sni", f"{name}:{own.cert}:{own.key}"]
        return options
