"""Faults by plan are in test programs alone: neither the program nor the library has a symbol of
them, nor the name of the variable that would turn them on."""

import os
import pathlib
import re
import subprocess
import unittest

FAULT = re.compile(r"\bfault_(open|close|plan|turn|enter|next|request|send|sendmsg|buffer)\b")


def symbols(path):
    done = subprocess.run(["nm", path], capture_output=True, text=True, check=True)
    return FAULT.findall(done.stdout)


class Faults(unittest.TestCase):
    def test_program_and_library_have_none(self):
        for name in ("TLSDYNO", "TLSDYNO_LIBRARY"):
            path = os.environ[name]
            self.assertEqual(symbols(path), [], path)
            self.assertNotIn(b"TLSDYNO_FAULTS", pathlib.Path(path).read_bytes(), path)

    def test_those_of_the_faulty_program_are_found(self):
        path = os.environ["TLSDYNO_FAULTY"]
        self.assertEqual(len(set(symbols(path))), 10)
        self.assertIn(b"TLSDYNO_FAULTS", pathlib.Path(path).read_bytes())


if __name__ == "__main__":
    unittest.main()
