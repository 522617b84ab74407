"""A lot of data through one connection, compared by digest."""

import hashlib
import random
import re
import subprocess
import threading
import unittest

from dyno import Server, load, needs, scaled

BYTES = scaled(1 << 30, 64 << 20)
BLOCK = 1 << 20


def blocks():
    """BYTES bytes that do not repeat within a record or a buffer."""
    noise = random.Random(1).randbytes(BLOCK + 4096)
    for index in range(BYTES // BLOCK):
        start = index * 37 % 4096
        yield noise[start : start + BLOCK]


class Gigabyte(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    @needs("openssl")
    def test_openssl_s_client_gets_the_same_bytes_back(self):
        sent, received = hashlib.sha256(), hashlib.sha256()
        count = 0
        # -quiet: nothing but the data, and no letter of it is taken for a command.
        with subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-connect", self.server.target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as client:
            def send():
                for block in blocks():
                    sent.update(block)
                    client.stdin.write(block)
                client.stdin.flush()

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            while count < BYTES:
                piece = client.stdout.read1(1 << 18)
                if not piece:
                    break
                received.update(piece)
                count += len(piece)
            client.kill()
            sender.join()
        self.assertEqual(count, BYTES)
        self.assertEqual(received.hexdigest(), sent.hexdigest())

    def test_the_load_generator_gets_one_large_message_back(self):
        report = load(self.server.target, "--insecure", "--mode", "rr", "-m", BYTES, "-c", 1,
                      "-n", 1, "--timeout", "120s", timeout=180)
        self.assertEqual(report["messages"]["count"], 1)
        self.assertEqual(report["messages"]["corrupt"], 0)
        self.assertEqual(report["bytes"]["plain_in_bytes"], BYTES)

    @needs("curl", "sha256sum")
    def test_http_answers_of_a_gigabyte_are_the_same_each_time(self):
        with Server("--service", "http") as server:
            digests = set()
            for version in ("--tls-max 1.2", "--tlsv1.3"):
                done = subprocess.run(
                    ["sh", "-c", f"curl -ksS --http1.1 {version} https://127.0.0.1:{server.port}/"
                     f"{BYTES} | sha256sum"],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120,
                    check=True,
                )
                digests.add(re.match(r"[0-9a-f]{64}", done.stdout).group())
            self.assertEqual(len(digests), 1)
            self.assertGreaterEqual(server.counter("plain_bytes_out"), 2 * BYTES)


if __name__ == "__main__":
    unittest.main()
