"""The interoperability matrix: tlsdyno's server with other people's clients, and its load generator
with other people's servers. Every cell passes, or says in words which limit of the other program
keeps it from being tried. The table is printed at the end, and written to the file that
TLSDYNO_INTEROP_TABLE names."""

import contextlib
import os
import pathlib
import unittest

import foreign_clients
import foreign_servers
from dyno import Directory, Server, load
from foreign_clients import CLIENTS, Unable
from foreign_servers import SERVERS
from interop_cases import CASES, Identities
from interop_table import Table

WITH_CLIENTS = Table("tlsdyno serve, with clients:", [client.name for client in CLIENTS])
WITH_SERVERS = Table("tlsdyno load, with servers:", [server.name for server in SERVERS])


def tearDownModule():
    text = WITH_CLIENTS.text() + "\n\n\n" + WITH_SERVERS.text()
    print("\n" + text, flush=True)
    if os.environ.get("TLSDYNO_INTEROP_TABLE"):
        pathlib.Path(os.environ["TLSDYNO_INTEROP_TABLE"]).write_text(text + "\n")


class Matrix(unittest.TestCase):
    """What both directions have in common: certificates, and a cell of the table for each case."""

    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(Directory())
        cls.identities = Identities(cls.directory)

    def fill(self, table, peer, is_installed, attempt):
        """Runs attempt(case, version) for each row of the peer's column. It returns a remark or
        None, raises Unable, or fails."""
        for case in CASES:
            for version in case.versions:
                with self.subTest(peer=peer, case=case.what, version=version):
                    cell = table.cell(case.what, version, peer)
                    if not is_installed:
                        cell.cannot(f"{peer} is not installed")
                        continue
                    try:
                        cell.passes(attempt(case, version))
                    except Unable as reason:
                        cell.cannot(str(reason))
        if not is_installed:
            self.skipTest(f"{peer} is not installed")


class Clients(Matrix):
    """{tlsdyno serve} x {other people's clients}"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = {}  # one for each set-up that the cases ask for

    def server(self, case):
        if case.setup not in self.servers:
            options = ["--service", "http", *self.identities.serve_options(case.setup)]
            self.servers[case.setup] = self.enterClassContext(Server(*options))
        return self.servers[case.setup]

    def check(self, client):
        def attempt(case, version):
            server = self.server(case)
            before = server.stats()["totals"]
            seen = client.visit(server.port, self.identities.wish(case, version))
            self.assertEqual(seen.answered, not case.refused, seen.words[-3000:])
            server.wait_idle()
            after = server.stats()["totals"]

            def moved(name, label):
                return after[name][label] - before[name][label]

            if case.refused:
                self.assertEqual(moved("handshakes_failed", case.refused), 1, seen.words[-3000:])
                return
            self.assertEqual(sum(after["handshakes_failed"].values()),
                             sum(before["handshakes_failed"].values()))
            self.assertEqual(moved("handshakes", "full"), 1, seen.words[-3000:])
            for kind in ("ticket", "id"):
                self.assertEqual(moved("handshakes", kind), int(case.resumes == kind),
                                 seen.words[-3000:])
            self.assertIn(seen.subject, (case.subject, None))
            self.assertEqual(seen.alpn, case.alpn)

        self.fill(WITH_CLIENTS, client.name, client.installed(), attempt)

    def test_openssl(self):
        self.check(foreign_clients.OpensslClient(self.directory))

    def test_gnutls(self):
        self.check(foreign_clients.GnutlsClient(self.directory))

    def test_curl(self):
        self.check(foreign_clients.Curl(self.directory))

    def test_node(self):
        self.check(foreign_clients.Node(self.directory))

    def test_nss(self):
        self.check(foreign_clients.Nss(self.directory))

    def test_python(self):
        self.check(foreign_clients.Python(self.directory))


class Servers(Matrix):
    """{tlsdyno load} x {other people's servers}"""

    def check(self, kind):
        server = kind(self.directory, self.identities)
        with contextlib.ExitStack() as stack:
            places = {}  # one for each set-up that the cases ask for

            def attempt(case, version):
                server.tried(case)
                if case.setup not in places:
                    places[case.setup] = stack.enter_context(server.run(case.setup))
                return self.drive(server, places[case.setup], case, version)

            self.fill(WITH_SERVERS, server.name, server.installed(), attempt)

    def drive(self, server, place, case, version):
        """One run of the load generator; returns a remark or None."""
        remark = None
        if case.refused == "certificate":
            remark = server.answers_without_certificate
        if case.refused == "no_shared":
            remark = server.goes_on_without_alpn
        is_refused = bool(case.refused) and not remark
        options = self.identities.load_options(case, version)
        if is_refused:
            options += ["--timeout", "300ms"]  # where nothing succeeds, the run ends with it
        report = load(f"https://{place.target}/", *options, check=int(is_refused),
                      within=place.within)
        count = report["handshakes" if case.resumes else "messages"]["count"]
        if is_refused:
            self.assertEqual(count, 0)
            self.assertNotEqual(report.errors, [])
            return None
        if not case.resumes:
            by_status = case.refused == "certificate"
            self.assertEqual(report["messages"]["http_status_other"], int(by_status))
        self.assertGreaterEqual(count, 1)
        self.assertEqual(report.errors, [])
        if case.resumes:
            self.assertGreaterEqual(report["handshakes"][case.resumes], 1)
        for facts in report.facts:
            self.assertEqual(facts["version"], f"TLSv{version}")
            self.assertEqual(facts["alpn"], case.alpn)
            if facts["resumption"] == "full" and case.subject == "localhost":
                kind = {"rsa": "RSA", "ecdsa": "EC"}[case.setup.key]
                self.assertEqual(facts["certificate"].split()[0], kind)
        return remark

    def test_openssl(self):
        self.check(foreign_servers.OpensslServer)

    def test_gnutls(self):
        self.check(foreign_servers.GnutlsServer)

    def test_nginx(self):
        self.check(foreign_servers.Nginx)

    def test_node(self):
        self.check(foreign_servers.NodeServer)

    def test_haproxy(self):
        self.check(foreign_servers.Haproxy)


if __name__ == "__main__":
    unittest.main()
