"""The program and the library are built so that a bug is hard to use: readelf(1) says what came of
the compiler's and the linker's options."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import unittest

READELF = shutil.which("readelf")
X86 = platform.machine() in ("x86_64", "AMD64")


def readelf(path, *options):
    return subprocess.run([READELF, "-W", *options, str(path)], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, check=True).stdout


def producers(path):
    """How the compiler was called, for each file that was compiled; none without debug
    information."""
    text = readelf(path, "--debug-dump=info")
    return set(re.findall(r"DW_AT_producer.*?: (GNU C\d*.*|.*clang.*)", text))


def begins_with_endbr(path):
    """Whether functions are marked as targets of branches. The mark of the whole file, which needs
    one from everything that was linked in, is missing where the C library's start-up code has none,
    as Debian 12's."""
    name = "main" if path != os.environ["LIBRARY_SHARED"] else "dyno_server_new"
    text = subprocess.run(["objdump", "-d", f"--disassemble={name}", str(path)],
                          capture_output=True, text=True, check=True).stdout
    return re.search(rf"<{name}>:\n[^\n]*endbr", text) is not None


def weaknesses(path):
    """Sentences about what is missing."""
    dynamic, headers = readelf(path, "-d"), readelf(path, "-h", "-l")
    symbols = readelf(path, "--dyn-syms")
    if not re.search(r"Type: +DYN ", headers):
        yield "it is loaded at a fixed address (PIE)"
    if "GNU_RELRO" not in headers:
        yield "its relocations stay writable (RELRO)"
    if not re.search(r"\(FLAGS(_1)?\).*\b(BIND_)?NOW\b", dynamic):
        yield "its symbols are bound late (BIND_NOW)"
    if not re.search(r"GNU_STACK.* RW +0x", headers):
        yield "its stack is executable"
    if "__stack_chk_fail" not in symbols:
        yield "its stack has no canaries (-fstack-protector-strong)"
    if not re.search(r"__(mem|str|s?v?n?printf|fprintf|read|recv)\w*_chk\b", symbols):
        yield "library calls do not check sizes (_FORTIFY_SOURCE)"
    if X86 and not begins_with_endbr(path):
        yield "branches are not checked (-fcf-protection)"
    for producer in producers(path):
        if producer.startswith("GNU C") and "-fstack-clash-protection" not in producer:
            yield f"the stack can jump over its guard page (-fstack-clash-protection): {producer}"


@unittest.skipUnless(READELF, "there is no readelf")
class Hardening(unittest.TestCase):
    def test_the_program_is_hardened(self):
        self.assertEqual(list(weaknesses(os.environ["TLSDYNO"])), [])

    def test_the_library_is_hardened(self):
        self.assertEqual(list(weaknesses(os.environ["LIBRARY_SHARED"])), [])

    def test_what_is_missing_is_noticed(self):
        with tempfile.TemporaryDirectory() as directory:
            source, program = pathlib.Path(directory, "weak.c"), pathlib.Path(directory, "weak")
            source.write_text("#include <stdio.h>\nint main(int n, char **v)\n"
                              "{ char b[64]; return sprintf(b, \"%s\", v[n - 1]); }\n")
            done = subprocess.run(
                ["gcc", "-g", "-O0", "-no-pie", "-U_FORTIFY_SOURCE", "-fno-stack-protector",
                 "-fno-stack-clash-protection", "-fcf-protection=none", "-Wl,-z,norelro",
                 "-Wl,-z,lazy", "-Wl,-z,execstack", "-o", program, source],
                capture_output=True)
            if done.returncode != 0:
                self.skipTest("there is no gcc that builds a weak program")
            found = "\n".join(weaknesses(program))
        for word in ("PIE", "RELRO", "BIND_NOW", "executable", "canaries", "_FORTIFY_SOURCE",
                     "clash", *(["cf-protection"] if X86 else [])):
            self.assertIn(word, found)


if __name__ == "__main__":
    unittest.main()
