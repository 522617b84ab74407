"""The units for systemd: its own tools find nothing wrong with them, and little exposed."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 20  # of 100; without the directives that confine it is 96


def version():
    text = subprocess.run([ANALYZE, "--version"], capture_output=True, text=True).stdout
    return int(re.search(r"systemd (\d+)", text).group(1))


@unittest.skipUnless(ANALYZE and version() >= 250, "there is no systemd-analyze of version 250")
class Units(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copy(ROOT / "tools/systemd/tlsdyno.socket", self.directory)
        # It may not be installed here, and where it will be nothing is yet.
        self.text, count = re.subn(r"(?m)^ExecStart=\S+/tlsdyno", f"ExecStart={os.environ['TLSDYNO']}",
                                   pathlib.Path(os.environ["UNIT"]).read_text())
        self.assertEqual(count, 1)
        self.write(self.text)

    def write(self, text):
        (self.directory / "tlsdyno.service").write_text(text)

    def analyze(self, *words):
        done = subprocess.run([ANALYZE, *words], cwd=self.directory, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def verify(self):
        return self.analyze("verify", "--man=no", "./tlsdyno.service", "./tlsdyno.socket")

    def security(self):
        return self.analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
                            "./tlsdyno.service")

    def test_they_are_well_formed(self):
        self.assertEqual(self.verify(), (0, ""))

    def test_what_is_not_is_noticed(self):
        self.write(self.text.replace("PrivateTmp=", "PrivatTmp="))
        self.assertIn("PrivatTmp", self.verify()[1])

    def test_little_is_exposed(self):
        status, text = self.security()
        self.assertEqual(status, 0, text)

    def test_a_service_that_is_not_confined_exposes_more(self):
        kept = [line for line in self.text.splitlines()
                if not re.match(r"(Protect|Private|Restrict|System|Capab|NoNew|Dynamic)", line)]
        self.write("\n".join(kept))
        status, text = self.security()
        self.assertNotEqual(status, 0, text)


if __name__ == "__main__":
    unittest.main()
