"""A certificate authority that does what `tlsdyno cert` does not: sign another authority, revoke,
and answer for it, by CRL and OCSP. All by the openssl program."""

import datetime
import pathlib

from dyno import run

CONFIG = """
[ca]
default_ca = here
[here]
database = {index}
default_md = sha256
"""
FAR_AHEAD = "491231235959Z"  # the certificate's end, which the database wants to know


class Leaf:
    """A certificate, its key, and cert with its chain as a server or client shows it."""

    def __init__(self, directory, name):
        self.name = name
        self.cert = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        self.chain = directory / f"{name}.chain.pem"


class Authority(Leaf):
    """with issuer None the root of a chain."""

    def __init__(self, directory, name, issuer=None):
        super().__init__(pathlib.Path(directory), name)
        self.directory = pathlib.Path(directory)
        self.issuer = issuer
        self.index = self.directory / f"{name}.index"
        self.index.touch()
        self.config = self.directory / f"{name}.conf"
        self.config.write_text(CONFIG.format(index=self.index))
        extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign",
                      "subjectKeyIdentifier=hash"]
        if issuer:
            issuer.sign(self, extensions)
        else:
            make(self, ["-x509", "-days", 30], extensions)
            self.chain.write_text("")

    def issue(self, name, subject="localhost"):
        leaf = Leaf(self.directory, name)
        self.sign(leaf, ["basicConstraints=critical,CA:FALSE", f"subjectAltName=DNS:{subject}"])
        return leaf

    def sign(self, leaf, extensions):
        request = self.directory / f"{leaf.name}.csr"
        make(leaf, [], extensions, request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key,
            "-days", 30, "-copy_extensions", "copyall", "-out", leaf.cert, check=0)
        leaf.chain.write_text(leaf.cert.read_text() + self.chain.read_text())
        self.record(leaf, "V")

    def record(self, leaf, status, revoked=""):
        """A line of the database, ca(1): status, end, time of revocation, serial, file, subject."""
        serial = run("openssl", "x509", "-in", leaf.cert, "-noout", "-serial", check=0).stdout
        serial = serial.strip().partition("=")[2]
        lines = [line for line in self.index.read_text().splitlines(True) if serial not in line]
        lines.append(f"{status}\t{FAR_AHEAD}\t{revoked}\t{serial}\tunknown\t/CN={leaf.name}\n")
        self.index.write_text("".join(lines))

    def revoke(self, leaf):
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
        self.record(leaf, "R", before.strftime("%y%m%d%H%M%SZ"))

    def crl(self):
        """PEM text of the list as of now."""
        return run("openssl", "ca", "-gencrl", "-config", self.config, "-keyfile", self.key,
                   "-cert", self.cert, "-crldays", 30, check=0).stdout

    def ocsp_response(self, leaf, path):
        """Writes the DER answer about a certificate of ours."""
        run("openssl", "ocsp", "-index", self.index, "-CA", self.cert, "-rsigner", self.cert,
            "-rkey", self.key, "-issuer", self.cert, "-cert", leaf.cert, "-ndays", 1,
            "-respout", path, "-noverify", check=0)
        return path


def make(leaf, options, extensions, out=None):
    """A key of P-256, and a request or (with -x509 among the options) a certificate for it."""
    run("openssl", "req", "-new", *options, "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", leaf.key, "-subj", f"/CN={leaf.name}",
        *[word for extension in extensions for word in ("-addext", extension)],
        "-out", out or leaf.cert, check=0)
