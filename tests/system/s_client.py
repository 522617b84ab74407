"""`openssl s_client` as a person would use it: lines are typed one by one, and what it prints is
waited for."""

import subprocess

from dyno import DEADLINE, Directory, wait_for


class SClient:
    """A connection to the server, once the handshake is complete.

    with SClient(server, "-tls1_2") as client: client.type("hello"); client.wait_output("hello")
    """

    greeting = "Cipher is"

    def __init__(self, server, *arguments):
        self.command = ["openssl", "s_client", "-connect", server.target, *map(str, arguments)]

    def __enter__(self):
        self._directory = Directory()
        self._path = self._directory.__enter__() / "output"
        with open(self._path, "wb") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=output,
                                            stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: self.greeting in self.output() or self.has_ended(), "a handshake")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self._directory.__exit__()

    def output(self):
        return self._path.read_text(errors="replace")

    def has_ended(self):
        return self.process.poll() is not None

    def type(self, line):
        """One line, which a single letter makes a command: R renegotiates, K and k update keys."""
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which wait_end() finds

    def wait_output(self, text, count=1):
        wait_for(lambda: self.output().count(text) >= count, f"{text!r} {count} times")

    def echo(self, line):
        """Types a line and waits until the echo service has sent it back."""
        before = self.output().count(line)
        self.type(line)
        self.wait_output(line, before + 1)

    def wait_end(self):
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"s_client goes on: {self.output()[-2000:]}") from None


class GnutlsCli(SClient):
    """The same of GnuTLS; a line such as ^rekey^ is a command."""

    greeting = "Handshake was completed"

    def __init__(self, server, *arguments):
        self.command = ["gnutls-cli", "--no-ca-verification", "--inline-commands",
                        "--port", str(server.port), *map(str, arguments), "127.0.0.1"]
