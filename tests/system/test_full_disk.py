"""Results for which the disk has no room: told, and never mistaken for whole ones."""

import contextlib
import os
import subprocess
import unittest

from dyno import Directory, Server, run, tlsdyno


@contextlib.contextmanager
def full_disk():
    """A directory with one page of room."""
    with Directory() as directory:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", directory],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            raise unittest.SkipTest("cannot mount a file system: " + mounted.stderr)
        try:
            yield directory
        finally:
            run("umount", directory, check=0)


@unittest.skipIf(os.geteuid() != 0, "needs root, for a file system of its own")
class FullDisk(unittest.TestCase):
    def check(self, directory, done, name):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"cannot write {directory / name}: No space left on device", done.stderr)
        self.assertEqual(os.listdir(directory), [])

    def test_of_a_load(self):
        with full_disk() as directory, Server() as server:
            words = ("load", server.target, "--insecure", "-n", 50, "--warmup", "0s")
            done = tlsdyno(*words, "-J", directory / "result.json")
            self.check(directory, done, "result.json")
            done = tlsdyno(*words, "--percentiles", directory / "lat.hgrm")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("No space left on device", done.stderr)
            self.assertFalse([name for name in os.listdir(directory) if name.endswith(".part")])

    def test_of_certificates(self):
        with full_disk() as directory:
            done = tlsdyno("cert", directory)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, f"cannot write {directory}/.*: No space left on device")
            self.assertEqual(os.listdir(directory), [])

    def test_of_a_page(self):
        with full_disk() as directory, Directory() as room, Server() as server:
            tlsdyno("load", server.target, "--insecure", "-n", 50, "--warmup", "0s",
                    "-J", room / "result.json", check=0)
            done = tlsdyno("report", room / "result.json", "-o", directory / "page.html")
            self.check(directory, done, "page.html")


if __name__ == "__main__":
    unittest.main()
