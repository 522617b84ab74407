"""The example programs, driven by other people's clients and servers."""

import os
import pathlib
import re
import socket
import subprocess
import unittest

from dyno import DEADLINE, Directory, needs, run, tlsdyno, wait_for

EXAMPLES = pathlib.Path(os.environ["EXAMPLES"])
SESSIONS = EXAMPLES / "example_shared_sessions"
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


class Process:
    """A server that says on which port it listens. Leaving the block ends it."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = LISTENING.match(line)[1]
        return self

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.rest, _ = self.process.communicate(timeout=DEADLINE)


def setUpModule():
    Example.directory = unittest.enterModuleContext(Directory())
    Example.stranger = unittest.enterModuleContext(Directory())
    (Example.directory / "secret").write_text("swordfish\n")
    tlsdyno("cert", "--passphrase-file", Example.directory / "secret", Example.directory, check=0)
    tlsdyno("cert", Example.stranger, check=0)


class Example(unittest.TestCase):

    def file(self, name):
        return str(self.directory / name)

    def files(self, *names):
        return [self.file(name) for name in names]

    def s_client(self, port, *arguments, input="", check=None):
        return run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername",
                   "localhost", "-verify_hostname", "localhost", "-verify_return_error",
                   "-CAfile", self.file("ca.pem"), *arguments, input=input, check=check)


@needs("openssl")
class Echo(Example):
    def server(self):
        return Process(EXAMPLES / "example_echo", "127.0.0.1:0",
                       *self.files("server.pem", "server.key", "ca.pem"))

    def client(self, port, *arguments):
        """Says a line, and waits for it before it leaves."""
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
             self.file("ca.pem"), "-quiet", "-no_ign_eof", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        client.stdin.write("over and out\n")
        client.stdin.flush()
        heard = [client.stdout.readline(), client.stdout.readline()]
        client.stdin.close()
        client.stdout.close()
        client.stderr.close()
        client.wait(timeout=DEADLINE)
        return heard

    def test_it_greets_and_echoes_over_each_version(self):
        pair = ("-cert", self.file("client.pem"), "-key", self.file("client.key"))
        with self.server() as server:
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(version):
                    self.assertEqual(self.client(server.port, version, *pair),
                                     ["welcome!\n", "over and out\n"])
        self.assertIn("hello ", server.rest)
        self.assertEqual(server.process.returncode, 0)

    def test_a_client_without_a_certificate_is_refused_and_named(self):
        with self.server() as server:
            self.assertEqual(self.client(server.port, "-tls1_2"), ["", ""])
            with socket.create_connection(("127.0.0.1", int(server.port))) as plain:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                plain.recv(100)
                name = plain.getsockname()
                while plain.recv(100):
                    pass
        self.assertIn("peer did not return a certificate", server.rest)
        self.assertIn(f"refused 127.0.0.1:{name[1]}: http request", server.rest)

    @needs("gnutls-cli")
    def test_gnutls_is_greeted_too(self):
        with self.server() as server:
            done = run("gnutls-cli", "--x509cafile", self.file("ca.pem"), "--x509certfile",
                       self.file("client.pem"), "--x509keyfile", self.file("client.key"),
                       "-p", server.port, "localhost", input="quietly\n")
        self.assertIn("welcome!", done.stdout)

    def test_the_one_from_pkcs12_greets_as_well(self):
        pair = ("-cert", self.file("client.pem"), "-key", self.file("client.key"))
        command = (EXAMPLES / "example_echo", "127.0.0.1:0", self.file("server.p12"))
        with Process(*command, "swordfish") as server:
            self.assertEqual(self.client(server.port, *pair), ["welcome!\n", "over and out\n"])
        done = run(*command, "sardine", check=1)
        self.assertIn("server.p12", done.stderr)
        self.assertIn("passphrase", done.stderr)

    def test_ours_talks_to_ours(self):
        said = "".join(f"line {i}\n" for i in range(20000))
        with self.server() as server:
            done = run(EXAMPLES / "example_client", f"localhost:{server.port}",
                       *self.files("ca.pem", "client.pem", "client.key"), input=said, check=0)
        self.assertEqual(done.stdout, "welcome!\n" + said)


@needs("openssl")
class Client(Example):
    def s_server(self, *arguments):
        """openssl's server, which turns each line round and says on which port it listens."""
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert",
             self.file("server.pem"), "-key", self.file("server.key"), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        for line in process.stdout:
            found = re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", line)
            if found:
                return found[1]
        self.fail("no port")

    def test_it_pipes_to_openssl(self):
        port = self.s_server()
        done = run(EXAMPLES / "example_client", f"localhost:{port}", self.file("ca.pem"),
                   input="abc\n", check=0)
        self.assertEqual(done.stdout, "cba\n")

    def test_it_tells_why_not(self):
        port = self.s_server()
        program = EXAMPLES / "example_client"
        done = run(program, f"localhost:{port}", self.stranger / "ca.pem", check=1)
        self.assertIn("certificate", done.stderr)
        done = run(program, "localhost:1", self.file("ca.pem"), check=1)
        self.assertIn("Connection refused", done.stderr)
        done = run(program, "no-such-host.invalid:443", self.file("ca.pem"), check=1)
        self.assertIn("no-such-host.invalid", done.stderr)
        done = run(program, "localhost:1", self.file("no-such.pem"), check=1)
        self.assertIn("no-such.pem", done.stderr)


class Size(unittest.TestCase):
    def test_each_is_small(self):
        """Without blank lines and comments; what makes them longer is the library's fault."""
        folder = pathlib.Path(__file__).parent.parent / "examples"
        for path in sorted(folder.glob("*.c")):
            with self.subTest(path.name):
                text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
                self.assertLessEqual(sum(1 for line in text.splitlines() if line.strip()), 75)


class Pair(Example):
    def test_both_become_secure_and_talk(self):
        for name in ("example_pair", "example_pair_static"):
            with self.subTest(name):
                done = run(EXAMPLES / name, *self.files("server.pem", "server.key", "ca.pem"),
                           check=0)
                self.assertIn("client is secure: TLSv1.3", done.stdout)
                self.assertIn("server is secure: TLSv1.3", done.stdout)
                self.assertIn("the server hears 'hello'", done.stdout)

    def test_another_root_is_not_trusted(self):
        done = run(EXAMPLES / "example_pair", *self.files("server.pem", "server.key"),
                   self.stranger / "ca.pem", check=0)
        self.assertNotIn("client is secure", done.stdout)
        self.assertIn("the client fails: ", done.stdout)


@needs("openssl", "redis-server")
@unittest.skipUnless(SESSIONS.exists(), "built without hiredis")
class SharedSessions(Example):
    def start_redis(self):
        directory = self.enterContext(Directory())
        path = str(directory / "redis.sock")
        redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "",
                                  "--dir", str(directory)], stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.terminate)
        wait_for(lambda: os.path.exists(path), "redis")
        return path

    def server(self, redis):
        return Process(SESSIONS, "127.0.0.1:0", *self.files("server.pem", "server.key"), redis)

    def test_a_session_of_one_server_resumes_at_the_other(self):
        redis = self.start_redis()
        saved = self.file("session")
        with self.server(redis) as one, self.server(redis) as other:
            done = self.s_client(one.port, "-sess_out", saved)
            self.assertIn("New, TLSv1.2", done.stdout)
            done = self.s_client(other.port, "-sess_in", saved)
            self.assertIn("Reused, TLSv1.2", done.stdout)

    def test_a_session_that_redis_has_lost_is_made_anew(self):
        redis = self.start_redis()
        saved = self.file("session")
        with self.server(redis) as one:
            self.s_client(one.port, "-sess_out", saved)
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(redis)
                line.sendall(b"FLUSHALL\r\n")
                self.assertEqual(line.recv(10), b"+OK\r\n")
            done = self.s_client(one.port, "-sess_in", saved)
            self.assertIn("New, TLSv1.2", done.stdout)


if __name__ == "__main__":
    unittest.main()
