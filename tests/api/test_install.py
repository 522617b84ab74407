"""What `meson install` puts down is enough for a program elsewhere: header, libraries, pkg-config."""

import os
import pathlib
import subprocess
import unittest

from dyno import SANITIZED, Directory, run, tlsdyno

BUILD = os.environ["BUILD"]
EXAMPLE = pathlib.Path(__file__).parent.parent / "examples" / "pair.c"


@unittest.skipIf(SANITIZED, "a library with a sanitizer needs programs with one")
class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(Directory())
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root, check=0)
        (cls.pc,) = cls.root.rglob("libtlsdyno.pc")
        cls.libraries = cls.pc.parent.parent
        cls.certificates = cls.root / "certificates"
        tlsdyno("cert", cls.certificates, check=0)

    def pkg_config(self, *arguments):
        """Its words for the files as they are installed here."""
        there = {"PKG_CONFIG_PATH": str(self.pc.parent), "PKG_CONFIG_SYSROOT_DIR": ""}
        prefix = run("pkg-config", "--variable=prefix", self.pc, env=os.environ | there, check=0)
        moved = f"--define-variable=prefix={self.root}{prefix.stdout.strip()}"
        done = run("pkg-config", moved, *arguments, "libtlsdyno", env=os.environ | there, check=0)
        return done.stdout.split()

    def build(self, name, *words):
        program = self.root / name
        run("cc", "-Wall", "-Wextra", "-Werror", EXAMPLE, "-o", program, *words, check=0)
        return program

    def check_runs(self, program, **environment):
        files = [self.certificates / name for name in ("server.pem", "server.key", "ca.pem")]
        done = run(program, *files, check=0, env=os.environ | environment)
        self.assertIn("the server hears 'hello'", done.stdout)

    def test_a_program_with_the_shared_library(self):
        program = self.build("shared", *self.pkg_config("--cflags", "--libs"))
        needed = run("readelf", "--dynamic", program, check=0).stdout
        self.assertRegex(needed, r"NEEDED.*\[libtlsdyno\.so\.\d+\]")
        self.check_runs(program, LD_LIBRARY_PATH=str(self.libraries))
        self.assertNotEqual(run(program, env={"PATH": ""}).returncode, 0, "it is found nowhere else")

    def test_a_program_with_the_static_library(self):
        words = self.pkg_config("--cflags", "--libs", "--static")
        at = words.index("-ltlsdyno")
        words[at:at + 1] = ["-Wl,-Bstatic", "-ltlsdyno", "-Wl,-Bdynamic"]
        program = self.build("static", *words)
        self.assertNotIn("libtlsdyno", run("readelf", "--dynamic", program, check=0).stdout)
        self.check_runs(program)

    def test_the_header_is_plain_c(self):
        source = self.root / "plain.c"
        source.write_text("#include <tlsdyno.h>\nconst char *version(void);\n"
                          "const char *version(void) { return dyno_version(); }\n")
        for standard in ("c99", "c17"):
            run("cc", f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only",
                *self.pkg_config("--cflags"), source, check=0)

    def test_the_version_is_the_librarys(self):
        (version,) = self.pkg_config("--modversion")
        self.assertIn(version, tlsdyno("--version", check=0).stdout)
        self.assertTrue(list(self.libraries.glob(f"libtlsdyno.so.{version}")))


if __name__ == "__main__":
    unittest.main()
