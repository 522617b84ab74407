"""Starts the servers that bench/peers compares, all with one worker, the same certificate, the same
suite and group, access logs off and connections kept open, and measures their CPU time.

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

SUITE = "TLS_AES_256_GCM_SHA384"
GROUP = "X25519"
BODY = "sixteen bytes ok"
TICKETS = 2  # what nginx, HAProxy and Node send after a full TLS 1.3 handshake
BACKLOG = 1024
START_SECONDS = 20


@dataclasses.dataclass
class Settings:
    tlsdyno: str
    directory: pathlib.Path
    server_cpu: int
    cert: pathlib.Path
    key: pathlib.Path

    def pinned(self, *command):
        return ["taskset", "-c", str(self.server_cpu), *map(str, command)]


@dataclasses.dataclass
class Running:
    name: str
    process: subprocess.Popen
    port: int
    openssl: str

    def cpu_seconds(self):
        return tree_cpu_seconds(self.process.pid)


def tree_cpu_seconds(pid):
    """User and system time of a process and its living descendants (proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    total = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
            total += sum(tree_cpu_seconds(int(child)) for child in children.read().split())
    return total


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
def ours(settings, service):
    log = settings.directory / f"tlsdyno-{service}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            settings.pinned(settings.tlsdyno, "serve", "--listen", "127.0.0.1:0", "--threads", 1,
                            "--service", service, "--cert", settings.cert, "--key", settings.key,
                            "--ciphersuites", SUITE, "--groups", GROUP, "--num-tickets", TICKETS,
                            "--drain-timeout", "10ms"),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )
    with stopping(process):
        pattern = re.compile(r"^listening on \S+:(\d+)", re.MULTILINE)
        wait_until(lambda: pattern.search(log.read_text()), process, "tlsdyno")
        port = int(pattern.search(log.read_text()).group(1))
        openssl = re.search(r"OpenSSL (\S+)", output_of(settings.tlsdyno, "--version"))
        yield Running("tlsdyno", process, port, openssl.group(1) if openssl else "?")


@contextlib.contextmanager
def node(settings):
    script = pathlib.Path(__file__).with_name("node_echo.js")
    process = subprocess.Popen(
        settings.pinned("node", script, settings.cert, settings.key, SUITE, GROUP),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )
    with stopping(process):
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise SystemExit("bench/peers: node did not start")
        openssl = output_of("node", "-p", "process.versions.openssl").strip()
        yield Running("node", process, int(line), openssl + ", bundled")


NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log crit;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on;
    client_body_temp_path {directory}/nginx-body; proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi; uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    ssl_protocols TLSv1.3; ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_ecdh_curve {group}; ssl_conf_command Ciphersuites {suite};
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
            directory=directory, cert=settings.cert, key=settings.key, group=GROUP, suite=SUITE,
            body=BODY, port=port))
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
    maxconn 8192
    ssl-default-bind-curves {group}
    ssl-default-bind-ciphersuites {suite}
    ssl-default-bind-options ssl-min-ver TLSv1.3
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
    pem = settings.directory / "haproxy.pem"
    pem.write_bytes(settings.cert.read_bytes() + settings.key.read_bytes())
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        port = listener.getsockname()[1]
        configuration = settings.directory / "haproxy.cfg"
        configuration.write_text(HAPROXY.format(
            group=GROUP, suite=SUITE, descriptor=listener.fileno(), pem=pem, body=BODY))
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
            settings.pinned("openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-tls1_3",
                            "-cert", settings.cert, "-key", settings.key, "-groups", GROUP,
                            "-ciphersuites", SUITE),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL,
        )

        def port():
            output.seek(0)
            return re.search(r"^ACCEPT \S+:(\d+)$", output.read(), re.MULTILINE)

        with stopping(process):
            wait_until(port, process, "openssl s_server")
            yield Running("s_server", process, int(port().group(1)),
                          output_of("openssl", "version").split()[1])


PEERS = {"node": node, "nginx": nginx, "haproxy": haproxy, "s_server": s_server}
