"""`tlsdyno sweep`: what it writes is as docs/schema has it."""

import copy
import json
import pathlib
import unittest

from json_schema import violations

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads(
    (HERE.parents[1] / "docs/schema/tlsdyno-sweep-1.schema.json").read_text(encoding="utf-8")
)


class Schema(unittest.TestCase):
    def setUp(self):
        self.sample = json.loads((HERE / "sweep_sample.json").read_text(encoding="utf-8"))

    def test_the_sample_is_valid(self):
        self.assertEqual(list(violations(self.sample, SCHEMA)), [])

    def test_what_is_wrong_is_noticed(self):
        for path, value in (
            (("schema",), "tlsdyno-sweep/2"),
            (("rounds",), 0),
            (("axes", 0, "name"), "colour"),
            (("cells", 0, "status"), "perhaps"),
            (("cells", 0, "parameters", "message_bytes"), "64Ki"),
            (("cells", 0, "negotiated", "suite"), 1),
            (("cells", 0, "figures", "message_seconds", "median"), None),
            (("cells", 0, "figures", "message_seconds", "values"), []),
        ):
            with self.subTest(path):
                wrong = copy.deepcopy(self.sample)
                parent = wrong
                for step in path[:-1]:
                    parent = parent[step]
                parent[path[-1]] = value
                self.assertEqual(len(list(violations(wrong, SCHEMA))), 1)


if __name__ == "__main__":
    unittest.main()
