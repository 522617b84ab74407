"""Other people's TLS servers, each behind one call: run(setup) starts an HTTP server that is set up
so, as a context manager, and yields the Place where it is."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from dyno import run, wait_for
from foreign_clients import Unable
from interop_cases import EXACT, WILDCARD


@dataclasses.dataclass(frozen=True)
class Place:
    target: str  # "127.0.0.1:PORT"
    within: tuple = ()  # words of a command that brings another one to where the server is


@contextlib.contextmanager
def started(command, ready, **options):
    """A process, once ready(process, its output) is true; yields what ready returned."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, **options)

        def is_ready():
            output.seek(0)
            text = output.read()
            assert process.poll() is None, text
            return ready(process, text)

        try:
            yield wait_for(is_ready, command[0])
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def handed_over(command_of, ready=lambda process, text: True):
    """A server that takes over a listener of ours, so that no other program can have taken its port
    in between. command_of(descriptor, port) returns its command and environment."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        listener.set_inheritable(True)
        command, environment = command_of(listener.fileno(), port)
        with started(command, ready, pass_fds=[listener.fileno()],
                     env={**os.environ, **environment}):
            listener.close()
            yield Place(f"127.0.0.1:{port}")


class ForeignServer:
    """run() and tried() may raise Unable."""

    name = None
    program = None
    # What it does with an ALPN protocol that it does not have, when that is not the fatal alert of
    # RFC 7301 3.2: a remark.
    goes_on_without_alpn = None
    # How it tells a client that its certificate will not do, when that is not by TLS: a remark.
    answers_without_certificate = None

    def __init__(self, directory, identities):
        self.directory = pathlib.Path(directory)
        self.identities = identities

    def installed(self):
        return shutil.which(self.program) is not None

    def tried(self, case):
        """Raises Unable when the server has not what the case is about."""

    def run(self, setup):
        raise NotImplementedError


def s_server(files, *arguments):
    """openssl s_server on port 0; yields its address."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", files.cert,
               "-key", files.key, *arguments]

    def address(_, text):
        found = re.search(r"^ACCEPT (127\.0\.0\.1:\d+)$", text, re.M)
        return found and found.group(1)

    return started(command, address)


class OpensslServer(ForeignServer):
    name = "openssl s_server"
    program = "openssl"

    def tried(self, case):
        if case.subject == WILDCARD:
            raise Unable("s_server compares server names letter by letter")

    @contextlib.contextmanager
    def run(self, setup):
        options = ["-www"]
        if not setup.tickets:
            options += ["-no_ticket"]
        if setup.clients != "unasked":
            options += ["-CAfile", self.identities.client_ca]
            options += {"asked": ["-verify", 1],
                        "required": ["-Verify", 1, "-verify_return_error"]}[setup.clients]
        if setup.alpn:
            options += ["-alpn", setup.alpn]
        if setup.names:
            named = self.identities.names[EXACT]
            options += ["-servername", EXACT, "-cert2", named.cert, "-key2", named.key]
        with s_server(self.identities.servers[setup.key], *options) as target:
            yield Place(target)


class GnutlsServer(ForeignServer):
    name = "gnutls-serv"
    program = "gnutls-serv"
    PORT = 4433  # in a namespace of its own, where no other program can have it

    def tried(self, case):
        if case.subject == WILDCARD:
            raise Unable("GnuTLS compares the server name with its certificates' letter by letter")

    def run(self, setup):
        own = self.identities.servers[setup.key]
        command = ["gnutls-serv", "--http", "--port", self.PORT, "--x509certfile", own.cert,
                   "--x509keyfile", own.key]
        if not setup.tickets:
            command += ["--noticket"]
        if setup.clients == "unasked":
            command += ["--disable-client-cert"]
        if setup.clients == "required":
            command += ["--require-client-cert", "--verify-client-cert",
                        "--x509cafile", self.identities.client_ca]
        if setup.alpn:
            command += ["--alpn", setup.alpn, "--alpn-fatal"]
        if setup.names:
            for named in self.identities.names.values():
                command += ["--x509certfile", named.cert, "--x509keyfile", named.key]
        return self.alone(command)

    @contextlib.contextmanager
    def alone(self, command):
        """gnutls-serv has no option for the address: in its namespace there is only loopback."""
        alone = pathlib.Path(__file__).with_name("alone.py")
        # Who is not root may have a network namespace only within a user namespace.
        unshare, enter = ["--net"], ["--net"]
        if os.geteuid() != 0:
            unshare, enter = ["--map-root-user", "--net"], ["--user", "--net",
                                                            "--preserve-credentials"]
        prefix = ["unshare", *unshare, sys.executable, alone]
        if not shutil.which("unshare") or run(*prefix, "true").returncode != 0:
            raise Unable("gnutls-serv listens on every address, and network namespaces that would "
                         "keep it to loopback are not to be had here")

        def listens(process, _):
            # In /proc/net/tcp6 ports are hex, and state 0A is LISTEN.
            table = pathlib.Path(f"/proc/{process.pid}/net/tcp6").read_text()
            table += pathlib.Path(f"/proc/{process.pid}/net/tcp").read_text()
            return re.search(rf":{self.PORT:04X} \S+ 0A", table) and process.pid

        with started(prefix + command, listens) as pid:
            yield Place(f"127.0.0.1:{self.PORT}",
                        ("nsenter", "--target", str(pid), *enter))


NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid;
error_log {directory}/nginx.log crit;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:1m;
    {settings}
    {servers}
}}
"""
NGINX_SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl; server_name {name};
        ssl_certificate {files.cert}; ssl_certificate_key {files.key};
        location / {{ return 200 "hello"; }}
    }}
"""


class Nginx(ForeignServer):
    name = "nginx"
    program = "nginx"
    answers_without_certificate = "nginx completes the handshake and answers with HTTP's status 400"

    def run(self, setup):
        identities = self.identities
        settings = []
        if not setup.tickets:
            settings += ["ssl_session_tickets off;"]
        if setup.clients != "unasked":
            settings += [f"ssl_client_certificate {identities.client_ca};",
                         {"asked": "ssl_verify_client optional_no_ca;",
                          "required": "ssl_verify_client on;"}[setup.clients]]

        def command_of(descriptor, port):
            hosts = {"_": identities.servers[setup.key]}
            hosts |= identities.names if setup.names else {}
            servers = "".join(NGINX_SERVER.format(port=port, name=name, files=files)
                              for name, files in hosts.items())
            path = self.directory / "nginx.conf"
            path.write_text(NGINX.format(directory=self.directory, settings="\n".join(settings),
                                         servers=servers))
            (self.directory / "nginx.pid").unlink(missing_ok=True)
            command = ["nginx", "-p", self.directory, "-c", path, "-e",
                       self.directory / "nginx.log"]
            return command, {"NGINX": f"{descriptor};"}  # as in its own binary upgrade

        return handed_over(command_of)


NODE = """
const https = require('https'), fs = require('fs'), {constants} = require('crypto');
const setup = JSON.parse(process.argv[1]);
const read = file => fs.readFileSync(file);
const identity = ([cert, key]) => ({cert: read(cert), key: read(key)});
const server = https.createServer({
  ...identity(setup.own),
  secureOptions: setup.tickets ? 0 : constants.SSL_OP_NO_TICKET,
  requestCert: setup.clients != 'unasked', rejectUnauthorized: setup.clients == 'required',
  ca: read(setup.ca), ...(setup.alpn ? {ALPNProtocols: [setup.alpn]} : {}),
}, (request, response) => response.end('hello'));
const sessions = {};
if (!setup.tickets) {
  server.on('newSession', (id, data, done) => { sessions[id.toString('hex')] = data; done(); });
  server.on('resumeSession', (id, done) => done(null, sessions[id.toString('hex')] || null));
}
for (const [name, files] of Object.entries(setup.names)) server.addContext(name, identity(files));
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
"""


class NodeServer(ForeignServer):
    name = "node"
    program = "node"

    @property
    def goes_on_without_alpn(self):
        version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= 20:
            return None
        return "Node before 20 goes on without a protocol, where RFC 7301 wants an alert"

    def run(self, setup):
        def pair(files):
            return [str(files.cert), str(files.key)]

        names = self.identities.names if setup.names else {}
        told = {**dataclasses.asdict(setup), "own": pair(self.identities.servers[setup.key]),
                "ca": str(self.identities.client_ca),
                "names": {name: pair(files) for name, files in names.items()}}

        def address(_, text):
            found = re.search(r"^port (\d+)$", text, re.M)
            return found and Place(f"127.0.0.1:{found.group(1)}")

        return started(["node", "-e", NODE, json.dumps(told)], address)


HAPROXY = """
defaults
    mode http
    timeout connect 10s
    timeout client 10s
    timeout server 10s
frontend tls
    bind fd@{descriptor} ssl {options}
    http-request return status 200 content-type text/plain string hello
"""


class Haproxy(ForeignServer):
    name = "HAProxy"
    program = "haproxy"
    goes_on_without_alpn = "HAProxy goes on without a protocol, where RFC 7301 wants an alert"

    def run(self, setup):
        own = [self.identities.servers[setup.key]]
        own += self.identities.names.values() if setup.names else []
        options = []
        for files in own:
            both = files.directory / "both.pem"
            both.write_text(files.cert.read_text() + files.key.read_text())
            options += ["crt", both]
        if not setup.tickets:
            options += ["no-tls-tickets"]
        if setup.clients != "unasked":
            options += ["ca-file", self.identities.client_ca]
            options += {"asked": ["verify", "optional", "ca-ignore-err", "all",
                                  "crt-ignore-err", "all"],
                        "required": ["verify", "required"]}[setup.clients]
        if setup.alpn:
            options += ["alpn", setup.alpn]

        def command_of(descriptor, _):
            path = self.directory / "haproxy.cfg"
            path.write_text(HAPROXY.format(descriptor=descriptor,
                                           options=" ".join(map(str, options))))
            return ["haproxy", "-db", "-f", path], {}

        return handed_over(command_of)


SERVERS = (OpensslServer, GnutlsServer, Nginx, NodeServer, Haproxy)
