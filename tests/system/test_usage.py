"""Bad usage ends with status 2, a failure with 1, each with a sentence that names the culprit."""

import socket
import unittest

from dyno import Certificates, Directory, Server, tlsdyno, wait_for


class Usage(unittest.TestCase):
    def check_refused(self, arguments, words, status=2):
        with self.subTest(" ".join(map(str, arguments))):
            done = tlsdyno(*arguments, check=status)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertNotIn("Sanitizer", done.stderr)

    def test_unknown_words_are_named_with_the_nearest_real_one(self):
        self.check_refused([], ["usage"])
        self.check_refused(["sreve"], ["sreve", "serve"])
        self.check_refused(["serve", "--lissen", "x"], ["--lissen", "--listen"])
        self.check_refused(["load", "--conections=3", "x"], ["--conections"])
        self.check_refused(["serve", "--service", "ehco"], ["ehco", "echo"])
        self.check_refused(["serve", "--qqqqqqqq"], ["--qqqqqqqq", "--help"])
        self.check_refused(["serve", "extra"], ["extra"])

    def test_values_out_of_range_or_with_a_bad_unit(self):
        self.check_refused(["serve", "--threads", "0"], ["threads"])
        self.check_refused(["serve", "--threads", "two"], ["threads", "two"])
        self.check_refused(["serve", "--idle-timeout", "5parsecs"], ["idle-timeout", "5parsecs"])
        self.check_refused(["serve", "--max-connections", "-1"], ["max-connections", "-1"])
        self.check_refused(["serve", "--listen", "127.0.0.1:99999"], ["99999"])
        self.check_refused(["serve", "--listen", "::1:4433"], ["::1:4433", "["])
        self.check_refused(["serve", "--listen"], ["--listen"])
        self.check_refused(["serve", "--min-version", "SSLv3"], ["SSLv3"])
        self.check_refused(["serve", "--cert", "only.pem"], ["--key"])
        self.check_refused(["load", "localhost:1", "-m", "1parsec"], ["message-bytes", "1parsec"])
        self.check_refused(["load", "localhost:1", "--resume", "101%"], ["resume", "101"])
        self.check_refused(["load", "localhost:1", "--mode", "sideways"], ["mode", "sideways"])
        self.check_refused(["load"], ["TARGET"])
        self.check_refused(["load", "one:1", "two:2"], ["two:2"])

    def test_the_admin_endpoint_stays_on_this_machine(self):
        self.check_refused(["serve", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"],
                           ["0.0.0.0", "loopback"], status=1)

    def test_help_and_version_are_no_failures(self):
        for arguments in (["--help"], ["serve", "--help"], ["load", "--help"], ["cert", "--help"],
                          ["--version"]):
            with self.subTest(arguments):
                done = tlsdyno(*arguments, check=0)
                self.assertGreater(len(done.stdout), 10)
                self.assertEqual(done.stderr, "")

    def test_help_lists_every_option_of_the_tests(self):
        text = tlsdyno("serve", "--help", check=0).stdout
        for option in ("--listen", "--threads", "--service", "--cert", "--key", "--admin",
                       "--handshake-timeout", "--idle-timeout", "--write-timeout",
                       "--max-connections", "--max-send-fragment", "--ticket-rotate",
                       "--drain-timeout", "--stats-interval"):
            self.assertIn(option, text)


class Failures(unittest.TestCase):
    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            done = tlsdyno("serve", "--listen", address, check=1)
            self.assertIn(address, done.stderr)

    def test_clients_that_fail_are_logged_when_asked_for(self):
        with Server("--log-failures", "--handshake-timeout", "300ms", threads=1) as server:
            with socket.create_connection(("127.0.0.1", server.port)) as plain:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                address = "127.0.0.1:%d" % plain.getsockname()[1]
                wait_for(lambda: f"client {address}: http request" in server.stderr(),
                         "the line about plain HTTP")
            with socket.create_connection(("127.0.0.1", server.port)) as silent:
                address = "127.0.0.1:%d" % silent.getsockname()[1]
                wait_for(lambda: f"client {address}: the handshake took too long" in server.stderr(),
                         "the line about the timeout")

    def test_a_flood_of_failing_clients_is_logged_in_part(self):
        with Server("--log-failures", threads=1) as server:
            for _ in range(100):
                with socket.create_connection(("127.0.0.1", server.port)) as plain:
                    plain.sendall(b"x" * 10)
            server.wait_counter("accepts", 100)
            server.wait_idle()
            lines = server.stderr().count("tlsdyno: client ")
            self.assertLess(lines, 100)
            self.assertIn("are not shown", server.stderr())

    def test_bad_certificate_files_are_named(self):
        with Directory() as directory:
            files = Certificates(directory)
            other = directory / "other"
            other.mkdir()
            others = Certificates(other)
            garbage = directory / "garbage.pem"
            garbage.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
            for cert, key, words in (
                (directory / "absent.pem", files.key, ["absent.pem"]),
                (files.cert, directory / "absent.key", ["absent.key"]),
                (garbage, files.key, ["garbage.pem"]),
                (files.cert, garbage, ["garbage.pem"]),
                (files.cert, others.key, [files.cert.name, "other/"]),
            ):
                with self.subTest(f"{cert.name} {key}"):
                    done = tlsdyno("serve", "--listen", "127.0.0.1:0", "--cert", cert, "--key", key,
                                   check=1)
                    for word in words:
                        self.assertIn(word, done.stderr)

    def test_unknown_suites_and_groups_are_named(self):
        for option, value in (("--ciphers", "NO-SUCH-CIPHER"), ("--ciphersuites", "TLS_NO_SUCH"),
                              ("--groups", "no-such-group")):
            with self.subTest(option):
                done = tlsdyno("serve", "--listen", "127.0.0.1:0", option, value, check=1)
                self.assertIn(value, done.stderr)

    def test_nothing_is_left_behind_by_a_start_that_failed(self):
        with Directory() as directory, Server() as server:
            path = directory / "admin"
            tlsdyno("serve", "--listen", server.target, "--admin", f"unix:{path}",
                    "--ciphers", "NO-SUCH-CIPHER", check=1)
            self.assertFalse(path.exists())


if __name__ == "__main__":
    unittest.main()
