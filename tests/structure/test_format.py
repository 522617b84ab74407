"""The C files are as clang-format lays them out. Its versions differ, so only the one that the tree
is formatted with may judge."""

import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAJOR = 14


def find_clang_format():
    for name in (f"clang-format-{MAJOR}", "clang-format"):
        path = shutil.which(name)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            found = re.search(r"version (\d+)\.", text)
            if found and int(found.group(1)) == MAJOR:
                return path
    return None


@unittest.skipUnless(find_clang_format(), f"there is no clang-format {MAJOR}")
class Format(unittest.TestCase):
    def check(self, *arguments, text=None):
        return subprocess.run([find_clang_format(), "--dry-run", "--Werror", *arguments],
                              input=text, capture_output=True, text=True, cwd=ROOT)

    def test_every_c_file_is_formatted(self):
        files = [path for folder in ("src", "tests", "bench")
                 for path in sorted((ROOT / folder).rglob("*.[ch]"))]
        done = self.check(*files)  # one run: starting it costs more than what it does
        self.assertEqual(done.returncode, 0, done.stderr[:2000])

    def test_a_file_that_is_not_is_noticed(self):
        done = self.check("--assume-filename=src/base/error.h", text="int  main( ){return 0;}\n")
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
