"""The libraries export what the public header declares, and nothing else."""

import os
import pathlib
import re
import subprocess
import unittest

DECLARATION = re.compile(r"\b(dyno_\w+)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def declared(header):
    return set(DECLARATION.findall(COMMENT.sub("", header)))


def exported(library, *options):
    done = subprocess.run(["nm", "--defined-only", "--extern-only", *options, library],
                          capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    # A is the name of the symbols' version.
    return {row[2].partition("@")[0] for row in rows if len(row) == 3 and row[1] != "A"}


def undocumented(header):
    """Functions without a comment in their block above them, or on their line."""
    names = []
    for block in re.split(r"\n\s*\n", header):
        described = False
        for line in re.sub(r"/\*.*?\*/", "/**/", block, flags=re.DOTALL).splitlines():
            described = described or "/**/" in line
            if not described:
                names += DECLARATION.findall(line)
    return names


class Exports(unittest.TestCase):
    header = declared(pathlib.Path(os.environ["HEADER"]).read_text())

    def test_the_shared_library_exports_the_header(self):
        self.assertEqual(exported(os.environ["LIBRARY_SHARED"], "--dynamic"), self.header)

    @unittest.skipIf(os.environ.get("TLSDYNO_SANITIZED"), "a sanitizer adds symbols of its own")
    def test_the_static_library_exports_the_header(self):
        self.assertEqual(exported(os.environ["LIBRARY_STATIC"]), self.header)

    def test_the_soname_has_a_version(self):
        done = subprocess.run(["readelf", "--dynamic", os.environ["LIBRARY_SHARED"]],
                              capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"SONAME.*\[libtlsdyno\.so\.\d+\]")

    def test_every_function_is_documented(self):
        self.assertEqual(undocumented(pathlib.Path(os.environ["HEADER"]).read_text()), [])
        self.assertEqual(undocumented("/* A */\nint dyno_a(void);\n\nint dyno_b(void);"), ["dyno_b"])

    def test_a_symbol_that_is_not_declared_would_be_noticed(self):
        self.assertEqual(declared("/* dyno_old( */ int dyno_new(void);"), {"dyno_new"})
        self.assertNotIn("server_start", self.header)


if __name__ == "__main__":
    unittest.main()
