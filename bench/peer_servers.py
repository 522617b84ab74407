"""Starts the servers that bench/peers compares, all with one worker, the same certificate, the same
version, suite and group, access logs off and connections kept open, and measures what they use.

Each is a context manager that yields a Running. Ports are never guessed: a server either picks its
own or is handed a socket that is already bound.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time

GROUP = "X25519"
BODY = "sixteen bytes ok"
TICKETS = 2  # what nginx, HAProxy and Node send after a full TLS 1.3 handshake
BACKLOG = 1024
START_SECONDS = 20


@dataclasses.dataclass(frozen=True)
class Tls:
    """What both of a pair shall negotiate."""

    version: str = "1.3"
    key: str = "p256"  # as `tlsdyno cert --type` has it
    resume: str = "none"  # or "ticket", "id"

    @property
    def suite(self):  # of TLS 1.3, in every configuration
        return "TLS_AES_256_GCM_SHA384"

    @property
    def cipher(self):  # of TLS 1.2
        return f"ECDHE-{'RSA' if self.key.startswith('rsa') else 'ECDSA'}-AES256-GCM-SHA384"

    @property
    def groups(self):  # OpenSSL 3.0 wants the curve of a TLS 1.2 certificate among them
        return GROUP if self.version == "1.3" or self.key != "p256" else f"{GROUP}:P-256"

    @property
    def method(self):  # as nginx, HAProxy, Node and stunnel spell it
        return f"TLSv{self.version}"


@dataclasses.dataclass
class Settings:
    tlsdyno: str
    directory: pathlib.Path
    server_cpus: str  # as taskset has it: "0" or "0,1"
    tls: Tls = Tls()
    threads: int = 1

    @property
    def cert(self):
        return self.directory / self.tls.key / "server.pem"

    @property
    def key(self):
        return self.directory / self.tls.key / "server.key"

    def pinned(self, *command):
        return ["taskset", "-c", self.server_cpus, *map(str, command)]


@dataclasses.dataclass
class Running:
    name: str
    process: subprocess.Popen
    port: int
    openssl: str

    def cpu_seconds(self):
        return sum(cpu_seconds(pid) for pid in tree(self.process.pid))

    def rss_bytes(self):
        return sum(rss_bytes(pid) for pid in tree(self.process.pid))


def tree(pid):
    """A process and its living descendants (proc(5))."""
    yield pid
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                for child in children.read().split():
                    yield from tree(int(child))


def cpu_seconds(pid):
    """User and system time (proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    """Of its own: what a parent shares with its workers would count twice."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return 1024 * int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.MULTILINE).group(1))


def wait_until(condition, process, what):
    end = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"bench/peers: {what} did not start")
        time.sleep(0.02)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def listening_port(pid):
    """Of a server that picks its own port and does not say which (proc_pid_net(5)); None: not yet."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        for fields in map(str.split, list(table)[1:]):
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return int(fields[1].partition(":")[2], 16)
    return None


@contextlib.contextmanager
def stopping(process):
    """Ends the process, and what it started, by its own orderly way out."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


@contextlib.contextmanager
def ours(settings, service="echo", plain=False, more=()):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tlsdyno-", dir=settings.directory))
    log = directory / "log"
    tls = settings.tls
    with open(log, "wb") as out:
        process = subprocess.Popen(
            settings.pinned(settings.tlsdyno, "serve", "--listen",
                            "127.0.0.1:0" + (",plain" if plain else ""),
                            "--threads", settings.threads, "--service", service, "--cert",
                            settings.cert, "--key", settings.key, "--min-version", tls.version,
                            "--max-version", tls.version, "--ciphersuites", tls.suite, "--ciphers",
                            tls.cipher, "--groups", tls.groups, "--num-tickets", TICKETS,
                            *(["--no-tickets"] if tls.resume == "id" else []),
                            "--drain-timeout", "10ms", *more),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )
    with stopping(process):
        pattern = re.compile(r"^listening on \S+:(\d+)", re.MULTILINE)
        wait_until(lambda: pattern.search(log.read_text()), process, f"tlsdyno\n{log.read_text()}")
        port = int(pattern.search(log.read_text()).group(1))
        openssl = re.search(r"OpenSSL (\S+)", output_of(settings.tlsdyno, "--version"))
        yield Running("tlsdyno", process, port, openssl.group(1) if openssl else "?")


def ours_openssl(settings):
    return ours(settings, more=("--record-layer", "openssl"))


def ours_http(settings):
    return ours(settings, "http")


@contextlib.contextmanager
def node(settings):
    script = pathlib.Path(__file__).with_name("node_echo.js")
    process = subprocess.Popen(
        settings.pinned("node", script, settings.cert, settings.key, settings.tls.method,
                        f"{settings.tls.suite}:{settings.tls.cipher}", settings.tls.groups),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )
    with stopping(process):
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise SystemExit("bench/peers: node did not start")
        openssl = output_of("node", "-p", "process.versions.openssl").strip()
        yield Running("node", process, int(line), openssl + ", bundled")


NGINX_SESSIONS = {
    "none": "", "ticket": "ssl_session_tickets on;",
    "id": "ssl_session_tickets off; ssl_session_cache shared:all:20m;",
}
NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log crit;
worker_rlimit_nofile 19000;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
    client_body_temp_path {directory}/nginx-body; proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi; uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    ssl_protocols {tls.method}; ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_ecdh_curve {tls.groups}; ssl_conf_command Ciphersuites {tls.suite}; ssl_ciphers {tls.cipher};
    {sessions}
    server {{
        listen 127.0.0.1:{port} ssl;
        location / {{ default_type text/plain; return 200 "{body}"; }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(settings):
    # A directory of its own: two may run at once.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="nginx-", dir=settings.directory))
    directory.chmod(0o755)  # its worker gives up root
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        port = listener.getsockname()[1]
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX.format(
            directory=directory, cert=settings.cert, key=settings.key, tls=settings.tls, body=BODY,
            port=port, sessions=NGINX_SESSIONS[settings.tls.resume]))
        # nginx takes over the bound sockets that this variable lists, as in its own upgrades.
        process = subprocess.Popen(
            settings.pinned("nginx", "-p", directory, "-c", configuration, "-e",
                            directory / "nginx.log"),
            pass_fds=[listener.fileno()], env={**os.environ, "NGINX": f"{listener.fileno()};"},
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    with stopping(process):
        wait_until(lambda: (directory / "nginx.pid").exists(), process, "nginx")
        wait_until(lambda: answers(port), process, "nginx")
        text = output_of("nginx", "-V")
        openssl = re.search(r"running with OpenSSL (\S+)", text) \
            or re.search(r"built with OpenSSL (\S+)", text)
        yield Running("nginx", process, port, openssl.group(1) if openssl else "?")


HAPROXY = """
global
    nbthread 1
    maxconn 9500
    ssl-default-bind-curves {tls.groups}
    ssl-default-bind-ciphersuites {tls.suite}
    ssl-default-bind-ciphers {tls.cipher}
    ssl-default-bind-options ssl-min-ver {tls.method} ssl-max-ver {tls.method} {sessions}
defaults
    mode http
    timeout client 600s
    timeout server 600s
    timeout connect 10s
    timeout http-keep-alive 600s
frontend tls
    bind fd@{descriptor} ssl crt {pem}
    http-request return status 200 content-type text/plain string "{body}"
"""


@contextlib.contextmanager
def haproxy(settings):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="haproxy-", dir=settings.directory))
    pem = directory / "haproxy.pem"
    pem.write_bytes(settings.cert.read_bytes() + settings.key.read_bytes())
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        port = listener.getsockname()[1]
        configuration = directory / "haproxy.cfg"
        configuration.write_text(HAPROXY.format(
            tls=settings.tls, descriptor=listener.fileno(), pem=pem, body=BODY,
            sessions="no-tls-tickets" if settings.tls.resume == "id" else ""))
        process = subprocess.Popen(
            settings.pinned("haproxy", "-db", "-q", "-f", configuration),
            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    with stopping(process):
        time.sleep(0.2)  # the socket accepts before HAProxy does; a bad configuration ends it now
        wait_until(lambda: answers(port), process, "haproxy")
        openssl = re.search(r"Running on OpenSSL version : OpenSSL (\S+)",
                            output_of("haproxy", "-vv"))
        yield Running("haproxy", process, port, openssl.group(1) if openssl else "?")


@contextlib.contextmanager
def s_server(settings):
    with tempfile.TemporaryFile("w+", dir=settings.directory) as output:
        process = subprocess.Popen(
            settings.pinned("openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
                            "-tls" + settings.tls.version.replace(".", "_"), "-cert",
                            settings.cert, "-key", settings.key, "-groups", settings.tls.groups,
                            "-ciphersuites", settings.tls.suite, "-cipher", settings.tls.cipher),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL,
        )

        def port():
            output.seek(0)
            return re.search(r"^ACCEPT \S+:(\d+)$", output.read(), re.MULTILINE)

        with stopping(process):
            wait_until(port, process, "openssl s_server")
            yield Running("s_server", process, int(port().group(1)),
                          output_of("openssl", "version").split()[1])


STUNNEL = """
foreground = yes
syslog = no
pid =
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[echo]
accept = 127.0.0.1:0
connect = 127.0.0.1:{behind}
cert = {cert}
key = {key}
sslVersion = {tls.method}
ciphersuites = {tls.suite}
ciphers = {tls.cipher}
curves = {tls.groups}
"""


@contextlib.contextmanager
def stunnel(settings):
    """In front of a plain echo on the same CPU, whose time is not counted: that flatters stunnel."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="stunnel-", dir=settings.directory))
    configuration = directory / "stunnel.conf"
    with ours(settings, plain=True) as behind:
        configuration.write_text(STUNNEL.format(behind=behind.port, cert=settings.cert,
                                                key=settings.key, tls=settings.tls))
        process = subprocess.Popen(settings.pinned("stunnel", configuration),
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with stopping(process):
            wait_until(lambda: listening_port(process.pid), process, "stunnel")
            openssl = re.search(r"Running +with OpenSSL (\S+)", output_of("stunnel", "-version"))
            yield Running("stunnel", process, listening_port(process.pid),
                          openssl.group(1) if openssl else "?")
