"""Runs the real binary for the system tests: start, read its lines, ask its admin endpoint, stop.

Environment: TLSDYNO, the binary; TLSDYNO_SANITIZED, set when it was built with a sanitizer, so that
sizes shrink and deadlines grow.
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = os.environ.get(
    "TLSDYNO", pathlib.Path(__file__).resolve().parents[2] / "build/release/src/cli/tlsdyno"
)
SANITIZED = bool(os.environ.get("TLSDYNO_SANITIZED"))
DEADLINE = 60 if SANITIZED else 40  # seconds: for what should happen at once on an idle machine

# Some thousands of descriptors for this process and, inherited, for what it starts.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))


def scaled(plain, sanitized):
    """A size: the second one under sanitizers."""
    return sanitized if SANITIZED else plain


def wait_for(condition, what, timeout=DEADLINE):
    """Polls until condition() is true and returns its value; fails the test after the deadline."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"gave up after {timeout} s waiting for: {what}")
        time.sleep(0.01)


def needs(*programs):
    """Decorator: skips the test when a program is not installed."""
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))


def run(*command, input=None, timeout=DEADLINE * 2, check=None, env=None):
    """Runs a command to its end and returns the completed process, its output as text (bytes where
    the input was bytes). check: the exit status that the test wants."""
    binary = isinstance(input, bytes)
    done = subprocess.run(
        [str(part) for part in command],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=not binary,
        errors=None if binary else "replace",
        timeout=timeout,
        env=env,
    )
    if check is not None and done.returncode != check:
        raise AssertionError(
            f"exit status {done.returncode}, not {check}: {' '.join(map(str, command))}\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done


def tlsdyno(*arguments, **options):
    return run(BINARY, *arguments, **options)


def load(target, *arguments, check=0, timeout=DEADLINE * 3, within=()):
    """Runs `tlsdyno load` and returns its JSON report, with the whole process as .process.
    within: words of a command that is to run it, `nsenter` for instance."""
    done = run(*within, BINARY, "load", target, "-J", "-", *arguments, check=check, timeout=timeout)
    try:
        report = Report(json.loads(done.stdout))
    except ValueError as error:
        raise AssertionError(f"no JSON: {error}\n{done.stdout[:2000]}\n{done.stderr}") from None
    report.process = done
    return report


class Report(dict):
    """A load report as JSON has it, and the process that printed it."""

    process = None

    @property
    def errors(self):
        """[{"phase", "reason", "count"}]"""
        return self["errors"]["by_reason"]

    @property
    def facts(self):
        """What was negotiated: [{"version", "suite", "group", ..., "connections"}]"""
        return self["negotiated"]["combinations"]


class Directory:
    """A temporary directory, short enough for Unix socket paths; removed at the end."""

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="dyno-")
        return pathlib.Path(self._directory.name)

    def __exit__(self, *unused):
        self._directory.cleanup()


class Server:
    """`tlsdyno serve` on loopback, port 0, with an admin endpoint on a Unix socket.

    with Server("--service", "http") as server: ... server.port ... server.counter("accepts")
    Leaving the block stops it and fails the test when its exit status is not 0, as it is not when
    a sanitizer has found something.
    """

    def __init__(self, *arguments, listen=("127.0.0.1:0",), admin=True, threads=2,
                 environment=None):
        """environment: variables beyond this process's"""
        self.arguments = list(map(str, arguments))
        self.listen = listen
        self.wants_admin = admin
        self.threads = threads
        self.environment = {**os.environ, **(environment or {})}
        self.lines = []
        self.ports = []
        self.exit_status = None

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self.directory = self._stack.enter_context(Directory())
        command = [BINARY, "serve", "--threads", str(self.threads)]
        for address in self.listen:
            command += ["--listen", address]
        if self.wants_admin:
            command += ["--admin", f"unix:{self.directory}/admin"]
        self._out_path = self.directory / "out"
        self._err_path = self.directory / "err"
        with open(self._out_path, "wb") as out, open(self._err_path, "wb") as err:
            self.process = subprocess.Popen(
                command + self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env=self.environment,
            )
        try:
            wait_for(self._has_started, "the server's start-up lines")
        except BaseException:
            self.process.kill()
            self.process.wait()
            self._stack.close()
            raise
        return self

    def _has_started(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended at once: {self.stdout()}\n{self.stderr()}")
        text = self.stdout()
        self.ports = [int(port) for port in re.findall(r"^listening on \S+:(\d+)\b", text, re.M)]
        self.addresses = re.findall(r"^listening on (\S+)", text, re.M)
        admin = re.search(r"^admin on (\S+)", text, re.M)
        fingerprint = re.search(r"^certificate SHA-256 (\S+)", text, re.M)
        self.fingerprint = fingerprint.group(1) if fingerprint else None
        self.admin = admin.group(1) if admin else None
        generates = "--cert" not in self.arguments and not all("plain" in a for a in self.listen)
        return (
            len(self.addresses) >= len(self.listen)
            and (admin or not self.wants_admin)
            and (fingerprint or not generates)
        )

    def __exit__(self, kind, *unused):
        if kind and self.stderr():
            print(f"the server said: {self.stderr()[-4000:]}", file=sys.stderr)
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGINT)  # at once: what is still open is cut
            status = self.wait()
            if kind is None and status != 0:
                raise AssertionError(f"the server's exit status is {status}:\n{self.stderr()}")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._stack.close()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=DEADLINE):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server has not ended after {timeout} s") from None

    def stdout(self):
        return self._out_path.read_text(errors="replace")

    def stderr(self):
        return self._err_path.read_text(errors="replace")

    @property
    def port(self):
        return self.ports[0]

    @property
    def target(self):
        return self.addresses[0]

    def admin_get(self, path, admin=None):
        """(status, content type, body as text) of one request to the admin endpoint."""
        return http_get(admin or self.admin, path)

    def stats(self):
        status, _, body = self.admin_get("/stats")
        assert status == 200, (status, body)
        return json.loads(body)

    def counter(self, name, label=None):
        """One total; with a label, that row of it; without, rows of one name are added up."""
        value = self.stats()["totals"][name]
        if label is not None:
            return value[label]
        return sum(value.values()) if isinstance(value, dict) else value

    def wait_counter(self, name, wanted, label=None, timeout=DEADLINE):
        """Waits until the counter is exactly `wanted`."""
        last = None

        def reached():
            nonlocal last
            last = self.counter(name, label)
            return last == wanted

        try:
            wait_for(reached, f"{name} {label or ''} = {wanted}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {last}") from None

    def wait_idle(self):
        """Waits until no connection is open; then both gauges must read zero."""
        self.wait_counter("connections_open", 0)
        self.wait_counter("handshakes_in_progress", 0)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()


def http_get(admin, path):
    """A GET to "http://127.0.0.1:PORT" or "unix:PATH", by hand, as http.client knows no Unix
    sockets."""
    if admin.startswith("unix:"):
        link = socket.socket(socket.AF_UNIX)
        address = admin[len("unix:"):]
    else:
        host, port = admin.removeprefix("http://").rstrip("/").rsplit(":", 1)
        link = socket.socket()
        address = (host, int(port))
    with link:
        link.settimeout(DEADLINE)
        link.connect(address)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        link.sendall(request.encode())
        answer = b""
        while True:
            piece = link.recv(65536)
            if not piece:
                break
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines[1:])
    }
    assert headers.get("transfer-encoding", "") == "", "chunked, which this client does not speak"
    return int(lines[0].split()[1]), headers.get("content-type", ""), body.decode()


class Certificates:
    """A CA, a server's certificate for localhost and a client's, made by `tlsdyno cert`."""

    def __init__(self, directory, *arguments):
        self.directory = pathlib.Path(directory)
        tlsdyno("cert", *arguments, self.directory, check=0)
        self.ca = self.directory / "ca.pem"
        self.cert = self.directory / "server.pem"
        self.key = self.directory / "server.key"
        self.client_cert = self.directory / "client.pem"
        self.client_key = self.directory / "client.key"
