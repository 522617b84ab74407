"""Thousands of connections at once."""

import asyncio
import resource
import unittest

from dyno import Server, load, scaled
from wire import client_context

CONNECTIONS = scaled(5000, 500)
HANDSHAKES_AT_ONCE = 200


class Many(unittest.TestCase):
    def setUp(self):
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit < CONNECTIONS + 100:
            self.skipTest(f"only {limit} open files allowed")

    def test_the_load_generator_opens_them_all_and_verifies_each_echo(self):
        with Server("--handshake-timeout", "120s") as server:
            report = load(server.target, "--insecure", "--mode", "rr", "-m", 64,
                          "-c", CONNECTIONS, "-n", CONNECTIONS * 4, "--timeout", "60s",
                          timeout=180)
            self.assertEqual(report["messages"]["count"], CONNECTIONS * 4)
            self.assertEqual(report["messages"]["corrupt"], 0)
            self.assertEqual(report.errors, [])
            self.assertEqual(report["connections"]["peak"], CONNECTIONS)
            self.assertGreaterEqual(server.counter("connections_peak"), CONNECTIONS)
            server.wait_idle()

    def test_another_client_holds_them_all_open_and_each_still_echoes(self):
        count = CONNECTIONS // 2  # an asyncio client takes its time
        with Server("--handshake-timeout", "120s") as server:
            self.assertEqual(asyncio.run(self.hold(server, count)), count)
            server.wait_idle()

    async def hold(self, server, count):
        """Opens all, then sends a different text on each and counts those that get theirs back."""
        gate = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
        context = client_context()

        async def open_one():
            async with gate:
                return await asyncio.open_connection(
                    "127.0.0.1", server.port, ssl=context, server_hostname="localhost",
                    ssl_handshake_timeout=120,
                )

        links = await asyncio.gather(*(open_one() for _ in range(count)))
        self.assertEqual(server.counter("connections_open"), count)
        for index, (_, writer) in enumerate(links):
            writer.write(b"connection %8d" % index)
        good = 0
        for index, (reader, writer) in enumerate(links):
            good += await reader.readexactly(19) == b"connection %8d" % index
            writer.transport.abort()
        return good


if __name__ == "__main__":
    unittest.main()
