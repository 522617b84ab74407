"""What only the command line has: configuration files, signals, inherited sockets, key logs, and the
pages and completions that are made from its tables."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

from dyno import BINARY, Certificates, DEADLINE, Directory, Server, load, needs, run, tlsdyno, wait_for

COMMANDS = ("serve", "load", "cert", "ciphers")


def insecure_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(port):
    link = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    return insecure_context().wrap_socket(link, server_hostname="localhost")


def certificate_of(port):
    """DER of the certificate that a new connection gets."""
    with connect(port) as link:
        return link.getpeercert(binary_form=True)


def first_certificate(path):
    text = pathlib.Path(path).read_text()
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(text[: text.index(end) + len(end)])


def wait_line(server, read, words):
    wait_for(lambda: words in read() or server.process.poll() is not None, words)


class ConfigurationFiles(unittest.TestCase):
    def test_a_server_and_a_load_run_from_files(self):
        with Directory() as directory:
            serve = directory / "serve.conf"
            serve.write_text("# a server\nlisten = 127.0.0.1:0,rr\nmax-version = 1.2\n"
                             "tickets = false\n")
            plan = directory / "load.conf"
            plan.write_text("mode = rr\nservice = rr\ncount = 10\nconnections = 2\n"
                            "insecure = true\n")
            with Server("--config", serve, listen=()) as server:
                wait_for(lambda: server._has_started() and server.addresses, "its address")
                self.assertIn("(rr, TLS)", server.stdout())
                report = load(server.addresses[0], "--config", plan)
                self.assertEqual(report["messages"]["count"], 10)
                self.assertEqual({fact["version"] for fact in report.facts}, {"TLSv1.2"})

    def test_the_command_line_wins(self):
        with Directory() as directory:
            config = directory / "serve.conf"
            config.write_text("listen = 192.0.2.1:1\nservice = http\nmax-version = 1.2\n")
            with Server("--config", config, "--max-version", "1.3") as server:
                self.assertEqual(len(server.addresses), 1)
                self.assertIn("(http, TLS)", server.stdout())
                with connect(server.port) as link:
                    self.assertEqual(link.version(), "TLSv1.3")


class Reload(unittest.TestCase):
    def setUp(self):
        directory = self.enterContext(Directory())
        self.files = Certificates(directory / "first")
        self.others = Certificates(directory / "second")
        self.staple = directory / "staple"

    def test_new_certificates_serve_new_connections(self):
        with Server("--cert", self.files.cert, "--key", self.files.key) as server:
            with connect(server.port) as link:
                self.assertEqual(certificate_of(server.port), first_certificate(self.files.cert))
                shutil.copy(self.others.cert, self.files.cert)
                shutil.copy(self.others.key, self.files.key)
                server.signal(signal.SIGHUP)
                wait_line(server, server.stdout, "reloaded")
                wait_for(lambda: certificate_of(server.port) == first_certificate(self.others.cert),
                         "the new certificate on every worker")
                link.sendall(b"still here")
                self.assertEqual(link.recv(100), b"still here")
            self.assertEqual(server.stderr(), "")

    def test_bad_files_keep_the_old_certificates_and_are_named(self):
        with Server("--cert", self.files.cert, "--key", self.files.key) as server:
            good = first_certificate(self.files.cert)
            self.files.cert.write_text("no certificate\n")
            server.signal(signal.SIGHUP)
            wait_line(server, server.stderr, "not reloaded")
            self.assertIn(str(self.files.cert), server.stderr())
            self.assertNotIn("reloaded", server.stdout())
            self.assertEqual(certificate_of(server.port), good)


class InheritedSockets(unittest.TestCase):
    @contextlib.contextmanager
    def serving(self, *arguments, activated):
        """The output of a server that inherits a listening socket as descriptor 3."""
        with socket.create_server(("127.0.0.1", 0)) as listener, Directory() as directory:
            number = listener.fileno()
            variables = "LISTEN_PID=$$ LISTEN_FDS=1" if activated else ""
            out = directory / "out"
            with open(out, "wb") as file:
                process = subprocess.Popen(
                    ["bash", "-c", f'exec env {variables} "$@" 3<&{number}', "bash", BINARY,
                     "serve", *arguments],
                    pass_fds=[number], stdin=subprocess.DEVNULL, stdout=file,
                    stderr=subprocess.DEVNULL)
            try:
                wait_for(lambda: "OpenSSL" in out.read_text(), "the server's start-up lines")
                yield listener.getsockname()[1], out.read_text()
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(DEADLINE), 0)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def check_echo(self, port, text, service="echo"):
        self.assertIn(f"listening on 127.0.0.1:{port} ({service}, TLS)", text)
        with connect(port) as link:
            link.sendall(b"hello")
            self.assertEqual(link.recv(100), b"hello")

    def test_what_systemd_hands_over(self):
        with self.serving("--service", "echo", activated=True) as (port, text):
            self.check_echo(port, text)

    def test_what_is_named(self):
        with self.serving("--listen", "fd:3,echo", "--service", "http",
                          activated=False) as (port, text):
            self.check_echo(port, text)


@unittest.skipIf(os.geteuid() != 0, "needs root, for mounts of its own")
class Quota(unittest.TestCase):
    # Files in the place of a control group's, seen by this process alone.
    SCRIPT = """mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/a &&
        echo 50000 100000 > /sys/fs/cgroup/a/cpu.max && echo 0::/a > /sys/fs/cgroup/group &&
        mount --bind /sys/fs/cgroup/group /proc/$$/cgroup || exit 77
        exec "$@" """
    WITHIN = ("unshare", "-m", "bash", "-c", SCRIPT, "bash")

    def test_there_are_no_more_workers_than_the_control_group_may_use_cpus(self):
        with subprocess.Popen(
                [*self.WITHIN, BINARY, "serve", "--listen", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as process:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "worker" in line:
                    process.send_signal(signal.SIGINT)
            told = process.stderr.read()
        if process.returncode in (1, 77) and not lines:
            self.skipTest("cannot mount: " + told)
        self.assertIn("1 worker", lines[-1])
        if len(os.sched_getaffinity(0)) > 1:
            self.assertIn("may use 0.5 of", told)

    def test_nor_more_load_threads(self):
        with Server() as server:
            done = run(*self.WITHIN, BINARY, "load", "--insecure", "-n", 10, "-c", 4, "-J", "-",
                       server.target)
        if done.returncode in (1, 77) and not done.stdout:
            self.skipTest("cannot mount: " + done.stderr)
        self.assertEqual(json.loads(done.stdout)["client"]["threads"], 1, done.stderr)
        if len(os.sched_getaffinity(0)) > 1:
            self.assertIn("1 load thread (--threads)", done.stderr)


class KeyLog(unittest.TestCase):
    def check_logged(self, path, process_error):
        self.assertIn("warning", process_error)
        self.assertIn(str(path), process_error)
        self.assertEqual(path.stat().st_mode & 0o077, 0)
        labels = {line.split()[0] for line in path.read_text().splitlines()}
        self.assertIn("CLIENT_TRAFFIC_SECRET_0", labels)
        self.assertIn("SERVER_TRAFFIC_SECRET_0", labels)

    def test_server_and_client_log_the_same_secrets(self):
        with Directory() as directory:
            server_log, client_log = directory / "server.keys", directory / "client.keys"
            with Server("--keylog-file", server_log) as server:
                done = load(server.target, "--insecure", "-c", "1", "-n", "1", "--keylog-file",
                            client_log)
                self.check_logged(client_log, done.process.stderr)
                self.check_logged(server_log, server.stderr())
                secrets = {line for line in client_log.read_text().splitlines()
                           if line.startswith("CLIENT_TRAFFIC_SECRET_0")}
                self.assertTrue(secrets)
                self.assertLessEqual(secrets, set(server_log.read_text().splitlines()))

    def test_the_environment_names_it_too(self):
        with Directory() as directory, Server() as server:
            log = directory / "keys"
            done = tlsdyno("load", server.target, "--insecure", "-c", "1", "-n", "1", check=0,
                           env=os.environ | {"SSLKEYLOGFILE": str(log)})
            self.check_logged(log, done.stderr)
            self.assertNotIn("warning", server.stderr())


class Generated(unittest.TestCase):
    def test_ciphers_are_listed_as_openssl_lists_them(self):
        listed = json.loads(tlsdyno("ciphers", "--json", check=0).stdout)
        names = [row["name"] for row in listed["ciphers"]]
        self.assertIn("TLS_AES_256_GCM_SHA384", names)
        text = tlsdyno("ciphers", check=0).stdout
        for name in names:
            self.assertIn(f"  {name} ", text)

    @needs("man", "groff")
    def test_manual_pages_have_no_warnings(self):
        with Directory() as directory:
            for name in ("tlsdyno", *COMMANDS):
                with self.subTest(name):
                    page = directory / "page.1"
                    page.write_text(tlsdyno("--man", name, check=0).stdout)
                    done = run("man", "--local-file", "--warnings", page, check=0,
                               env=os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
                    self.assertEqual(done.stderr, "")
                    self.assertIn("EXIT STATUS", done.stdout)

    @needs("bash")
    def test_completion_is_good_bash(self):
        script = tlsdyno("--completion", "bash", check=0).stdout
        done = run("bash", "--norc", "-u", input=script + "complete -p tlsdyno\n", check=0)
        self.assertIn("-F _tlsdyno tlsdyno", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_nothing_else_is_generated(self):
        for arguments in (("--man", "serv"), ("--man", ""), ("--completion", "fish")):
            done = tlsdyno(*arguments, check=2)
            self.assertEqual(done.stdout, "")
            self.assertIn(arguments[0], done.stderr)


if __name__ == "__main__":
    unittest.main()
