"""Other people's TLS clients, each behind one call: visit(wish) makes a connection to an HTTP
server as the wish says, asks for something and tells what came of it."""

import dataclasses
import json
import re
import shutil
import socket
import ssl
import subprocess
import tempfile

from dyno import DEADLINE, run

REQUEST = "GET /5 HTTP/1.0\r\nConnection: close\r\n\r\n"
ANSWER = "HTTP/1.1 200"


class Unable(Exception):
    """Why a program cannot do what is wished, in words: a limit of its own."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """One connection."""

    version: str  # "1.2" or "1.3"
    ca: str  # PEM file of the authorities to trust
    name: str = "localhost"  # server name to send
    subject: str = "localhost"  # CN that the server's certificate must have
    certificate: object = None  # of the client: a Certificates, whose client's files are meant
    alpn: str = None
    returns: str = None  # "ticket" or "id": come back a second time and resume so


@dataclasses.dataclass(frozen=True)
class Visit:
    answered: bool  # the handshake was completed and the request answered
    subject: str  # CN of the server's certificate, as the program tells it; None: it does not
    alpn: str  # chosen by the server; None: none
    words: str  # all that the program printed


def converse(command, text, env=None):
    """Runs a program that takes the end of its input for the end of the connection: its input
    stays open until it exits. Returns all that it printed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                   stdout=output, stderr=subprocess.STDOUT, env=env)
        try:
            process.stdin.write(text.encode())
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended already; what it printed says why
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            pass  # likewise
        finally:
            process.kill()
            process.wait()
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass
        output.seek(0)
        return output.read().decode(errors="replace")


def between(text, before, after):
    """The text between two others, or None."""
    _, found, rest = text.partition(before)
    return rest.partition(after)[0].strip() if found else None


class Client:
    """A foreign client. visit() may raise Unable."""

    name = None
    program = None

    def __init__(self, directory):
        self.directory = directory

    def installed(self):
        return self.program is None or shutil.which(self.program) is not None

    def visit(self, port, wish):
        raise NotImplementedError


class OpensslClient(Client):
    name = "openssl s_client"
    program = "openssl"

    def visit(self, port, wish):
        session = self.directory / "s_client.session"
        command = ["openssl", "s_client", "-ign_eof", f"-tls{wish.version.replace('.', '_')}",
                   "-connect", f"127.0.0.1:{port}", "-servername", wish.name,
                   "-CAfile", wish.ca, "-verify_return_error", "-verify_hostname", wish.subject]
        if wish.certificate:
            command += ["-cert", wish.certificate.client_cert,
                        "-key", wish.certificate.client_key]
        if wish.alpn:
            command += ["-alpn", wish.alpn]
        if wish.returns:
            converse(command + ["-sess_out", session], REQUEST)
            command += ["-sess_in", session]
        words = converse(command, REQUEST)
        subject = between(words, "subject=", "\n")
        return Visit(ANSWER in words, subject and re.sub("^CN ?= ?", "", subject),
                     between(words, "ALPN protocol: ", "\n"), words)


class GnutlsClient(Client):
    name = "gnutls-cli"
    program = "gnutls-cli"

    def visit(self, port, wish):
        command = ["gnutls-cli", "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{wish.version}",
                   "-p", port, "--x509cafile", wish.ca, "--sni-hostname", wish.name,
                   "--verify-hostname", wish.subject]
        if wish.certificate:
            command += ["--x509certfile", wish.certificate.client_cert,
                        "--x509keyfile", wish.certificate.client_key]
        if wish.alpn:
            command += ["--alpn", wish.alpn]
        if wish.returns:
            command += ["--resume", "--waitresumption"]
        words = converse(command + ["127.0.0.1"], REQUEST)
        return Visit(ANSWER in words, between(words, "subject `CN=", "'"),
                     between(words, "- Application protocol: ", "\n"), words)


class Curl(Client):
    name = "curl"
    program = "curl"

    def visit(self, port, wish):
        if wish.alpn not in (None, "http/1.1"):
            raise Unable("curl offers no protocols by ALPN but those of HTTP")
        if wish.returns == "ticket" and wish.version == "1.2":
            raise Unable("libcurl switches tickets off in TLS 1.2 (SSL_OP_NO_TICKET)")
        url = f"https://{wish.name}:{port}/5"
        command = ["curl", "-sSvi", "--http1.1", "--tlsv" + wish.version, "--tls-max", wish.version,
                   "--cacert", wish.ca, "--resolve", f"{wish.name}:{port}:127.0.0.1",
                   "-H", "Connection: close"]
        if wish.subject != wish.name:
            command += ["--insecure"]  # the name sent is the name verified
        if wish.certificate:
            command += ["--cert", wish.certificate.client_cert,
                        "--key", wish.certificate.client_key]
        if not wish.alpn:
            command += ["--no-alpn"]
        done = run(*command, *[url] * (2 if wish.returns else 1), input=b"")
        words = (done.stdout + done.stderr).decode(errors="replace")
        return Visit(ANSWER in words and done.returncode == 0,
                     between(words, "subject: CN=", "\n"),
                     between(words, "server accepted ", "\n"), words)


NODE = """
const tls = require('tls'), fs = require('fs');
const wish = JSON.parse(process.argv[1]);
const read = file => file && fs.readFileSync(file);
function visit(session, done) {
  let words = '', kept, subject;
  const link = tls.connect({
    host: '127.0.0.1', port: wish.port, servername: wish.name, ca: read(wish.ca),
    cert: read(wish.cert), key: read(wish.key), session,
    minVersion: 'TLSv' + wish.version, maxVersion: 'TLSv' + wish.version,
    ALPNProtocols: wish.alpn ? [wish.alpn] : undefined,
    checkServerIdentity: (name, cert) => tls.checkServerIdentity(wish.subject, cert),
  }, () => {
    subject = (link.getPeerCertificate().subject || {}).CN;
    link.write(wish.request);
  });
  link.on('session', newest => { kept = newest; });
  link.on('data', piece => { words += piece.toString('latin1'); });
  link.on('error', error => { words += error; });
  link.on('close', () => done(kept, {words, subject, alpn: link.alpnProtocol || null}));
}
const tell = (_, seen) => console.log(JSON.stringify(seen));
visit(undefined, wish.returns ? session => visit(session, tell) : tell);
"""


class Node(Client):
    name = "node"
    program = "node"

    def visit(self, port, wish):
        told = {"port": port, "request": REQUEST, "version": wish.version, "ca": str(wish.ca),
                "name": wish.name, "subject": wish.subject, "alpn": wish.alpn,
                "returns": wish.returns}
        if wish.certificate:
            told["cert"] = str(wish.certificate.client_cert)
            told["key"] = str(wish.certificate.client_key)
        seen = json.loads(run("node", "-e", NODE, json.dumps(told), check=0).stdout)
        return Visit(ANSWER in seen["words"], seen.get("subject"), seen["alpn"], seen["words"])


class Nss(Client):
    name = "NSS tstclnt"
    program = "tstclnt"

    def visit(self, port, wish):
        if wish.alpn:
            raise Unable("tstclnt has no option for ALPN")
        database = self.database(wish)
        request = self.directory / "nss-request"
        request.write_text(REQUEST)
        # -O: one connection after another waits for the verification of the certificate.
        command = ["tstclnt", "-v", "-O", "-h", "127.0.0.1", "-a", wish.name, "-p", port,
                   "-d", f"sql:{database}", "-V", f"tls{wish.version}:tls{wish.version}",
                   "-A", request, "-u", "-I", "x25519,P256"]
        if wish.subject != wish.name:
            command += ["-o"]  # the name sent is the name verified
        if wish.certificate:
            command += ["-n", "tlsdyno"]
        if wish.returns:
            command += ["-L", "2"]
        words = converse(command, "")
        return Visit(ANSWER in words, between(words, "subject DN: CN=", "\n"), None, words)

    def database(self, wish):
        """A directory in NSS's own format with the authorities and the client's certificate."""
        label = wish.certificate.directory.name if wish.certificate else "none"
        path = self.directory / f"nss-{label}"
        if path.exists():
            return path
        path.mkdir()
        where = ["-d", f"sql:{path}"]
        run("certutil", "-N", *where, "--empty-password", check=0)
        if wish.certificate:
            run("pk12util", "-i", wish.certificate.directory / "client.p12", *where, "-W", "",
                check=0)
        pems = wish.ca.read_text().split("-----END CERTIFICATE-----\n")
        for index, pem in enumerate(pem for pem in pems if pem.strip()):
            run("certutil", "-A", *where, "-n", f"authority {index}", "-t", "C,,",
                input=(pem + "-----END CERTIFICATE-----\n").encode(), check=0)
        return path


class Python(Client):
    name = "Python ssl"

    def visit(self, port, wish):
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[wish.version]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(wish.ca)
        context.minimum_version = context.maximum_version = version
        context.check_hostname = wish.subject == wish.name
        if wish.certificate:
            context.load_cert_chain(wish.certificate.client_cert, wish.certificate.client_key)
        if wish.alpn:
            context.set_alpn_protocols([wish.alpn])
        session = None
        try:
            for _ in range(2 if wish.returns else 1):
                with socket.create_connection(("127.0.0.1", port), DEADLINE) as plain:
                    with context.wrap_socket(plain, server_hostname=wish.name,
                                             session=session) as link:
                        link.sendall(REQUEST.encode())
                        words = link.recv(4096).decode("latin-1")
                        session = link.session  # TLS 1.3: its ticket came before the answer
                        subject = dict(pair[0] for pair in link.getpeercert()["subject"])
                        alpn = link.selected_alpn_protocol()
        except OSError as error:
            return Visit(False, None, None, str(error))
        return Visit(ANSWER in words, subject["commonName"], alpn, words)


CLIENTS = (OpensslClient, GnutlsClient, Curl, Node, Nss, Python)
