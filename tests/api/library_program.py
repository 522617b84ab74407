"""program.c, started with its words, as a server or as a client."""

import os
import pathlib
import re
import subprocess

from dyno import DEADLINE, Directory, run, wait_for

PROGRAM = pathlib.Path(os.environ["PROGRAM"])


class Serving:
    """with Serving("cert=...", "alpn=...") as server: ... Leaving the block ends it, and fails the
    test when its exit status is not 0, as it is not when a sanitizer has found something."""

    def __init__(self, *words, address="127.0.0.1:0"):
        self.command = [str(part) for part in (PROGRAM, "serve", address, *words)]

    def __enter__(self):
        self._directory = Directory()
        self._path = self._directory.__enter__() / "output"
        with open(self._path, "wb") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=output,
                                            stderr=subprocess.STDOUT, text=True)
        found = wait_for(lambda: re.search(r"listening on (\S+)", self.output()) or
                         self.process.poll() is not None, "a listener")
        assert found is not True, self.output()
        self.target = found[1]
        self.port = int(self.target.rpartition(":")[2]) if ":/" not in self.target else None
        return self

    def __exit__(self, kind, *unused):
        self.process.stdin.close()
        status = self.process.wait(DEADLINE)
        text = self.output()
        self._directory.__exit__()
        assert kind or status == 0, f"exit status {status}:\n{text}"

    def output(self):
        return self._path.read_text(errors="replace")

    def wait_output(self, text, count=1):
        wait_for(lambda: self.output().count(text) >= count, f"{text!r} in {self.output()!r}")

    def order(self, *words):
        """A line for its input, obeyed."""
        count = self.output().count("done\n")
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        self.wait_output("done\n", count + 1)


def connect(target, *words, check=0):
    """What the client has printed."""
    done = run(PROGRAM, "connect", target.replace("127.0.0.1", "localhost"), *words, check=check)
    return done.stdout + done.stderr
