"""The machine's time is set, forwards and back, while server and load generator run: what they wait
for and what they measure is elapsed time, and does not notice. What OpenSSL judges by the date, the
age of sessions and the validity of certificates, does."""

import json
import mmap
import os
import re
import ssl
import struct
import subprocess
import time
import unittest

from dyno import BINARY, Directory, Server, run, wait_for
from wire import client_context, connect, secure, server_closes

DAY = 24 * 3600
JUMPS = (3650 * DAY, -3650 * DAY)


class WallClock:
    """What the processes in its environment take for the time."""

    def __init__(self, directory):
        path = directory / "clock"
        path.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": os.environ["WALL_CLOCK_LIBRARY"], "WALL_CLOCK": str(path)}
        with open(path, "r+b") as file:
            self.shift = mmap.mmap(file.fileno(), 8)

    def jump(self, seconds):
        self.shift[:] = struct.pack("q", seconds)


def echo(link):
    link.sendall(b"hello")
    return link.recv(5) == b"hello"


@unittest.skipUnless("WALL_CLOCK_LIBRARY" in os.environ, "a sanitizer must be loaded first itself")
class Jumps(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(Directory())
        self.clock = WallClock(self.directory)

    def test_the_clock_is_that_of_the_program(self):
        """What the others rely on: certificates are dated by it."""
        self.clock.jump(-3650 * DAY)
        run(BINARY, "cert", self.directory / "old", env={**os.environ, **self.clock.environment},
            check=0)
        dates = ssl._ssl._test_decode_cert(str(self.directory / "old/server.pem"))
        self.assertLess(ssl.cert_time_to_seconds(dates["notAfter"]), time.time() - 3000 * DAY)

    def test_no_timeout_is_early_or_late(self):
        options = ("--handshake-timeout", "2s", "--idle-timeout", "600s", "--ticket-rotate", "200ms",
                   "--stats-interval", "100ms")
        with Server(*options, environment=self.clock.environment) as server, \
                secure(server.port) as link:
            for jump in JUMPS:
                started = time.monotonic()
                with self.subTest(jump=jump), connect(server.port) as silent:
                    self.clock.jump(jump)
                    self.assertTrue(echo(link))
                    self.assertTrue(server_closes(silent))
                    self.assertGreaterEqual(time.monotonic() - started, 1.9)
                    before = server.counter("ticket_key_rotations")
                    lines = server.stdout().count("handshakes/s")
                    wait_for(lambda: server.counter("ticket_key_rotations") > before + 1, "new keys")
                    wait_for(lambda: server.stdout().count("handshakes/s") > lines + 1, "lines")
                    self.assertTrue(echo(link))
            self.assertEqual(server.counter("timeouts", "idle"), 0)
            self.assertEqual(server.counter("timeouts", "handshake"), len(JUMPS))

    def visit(self, port, context, session):
        """A connection and a word; its session, and whether it was resumed from that given."""
        with context.wrap_socket(connect(port), server_hostname="localhost",
                                 session=session) as link:
            self.assertTrue(echo(link))
            return link.session, link.session_reused

    def test_sessions_are_as_old_as_the_date_says(self):
        """After a jump forwards they are too old, and a handshake is a full one; back, they are good
        again."""
        context = client_context(version=ssl.TLSVersion.TLSv1_2)
        with Server(environment=self.clock.environment) as server:
            session, _ = self.visit(server.port, context, None)
            for jump, resumes in ((0, True), (2 * DAY, False), (-2 * DAY, True), (0, True)):
                with self.subTest(jump=jump):
                    self.clock.jump(jump)
                    self.assertEqual(self.visit(server.port, context, session)[1], resumes)
            self.assertEqual(server.counter("handshakes_failed"), 0)

    def test_a_load_measures_elapsed_time(self):
        out = self.directory / "result.json"
        started = time.monotonic()
        with Server() as server, subprocess.Popen(
                [BINARY, "load", server.target, "--insecure", "--mode", "rr", "-c", "4", "-d", "1s",
                 "-J", out], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env={**os.environ, **self.clock.environment}) as process:
            jumps = 0
            while process.poll() is None:
                self.clock.jump(JUMPS[jumps % len(JUMPS)])
                jumps += 1
                time.sleep(0.02)
            elapsed = time.monotonic() - started
        self.assertEqual(process.returncode, 0)
        self.assertGreater(jumps, 10)
        report = json.loads(out.read_text())
        self.assertEqual(report["errors"]["by_reason"], [])
        self.assertGreater(report["measured_seconds"], 0.5)  # it begins a moment after the clock
        self.assertLess(report["measured_seconds"], elapsed)
        longest = [int(text) for text in re.findall(r'"max_ns": (\d+)', out.read_text())]
        self.assertGreater(max(longest), 0)
        self.assertLess(max(longest), elapsed * 1e9)


if __name__ == "__main__":
    unittest.main()
