"""Adds up the test cases in Meson's testlog.json files and prints "N passed, N failed".

A Meson test is a program that holds many cases: Criterion and unittest say how many in their
output. A program that says nothing counts as one case. Skipped cases are named, not counted.

    count_tests.py TESTLOG.JSON...        exits 1 when a case failed or nothing ran
"""

import json
import re
import sys

CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \|")
UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
UNITTEST_END = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", re.MULTILINE)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def count_cases(test):
    """(passed, failed, skipped) of one line of the log."""
    output = ANSI.sub("", test.get("stdout", "") + "\n" + test.get("stderr", ""))
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    passed = failed = skipped = 0

    criterion = CRITERION.findall(output)
    ran = UNITTEST.search(output)
    ends = UNITTEST_END.findall(output)
    if criterion:
        tested, passing = (sum(int(row[i]) for row in criterion) for i in (0, 1))
        passed, failed = passing, tested - passing
    elif ran and ends:
        kinds = dict(re.findall(r"([a-z ]+)=(\d+)", ends[-1]))
        skipped = int(kinds.get("skipped", 0))
        failed = int(kinds.get("failures", 0)) + int(kinds.get("errors", 0))
        passed = max(0, int(ran.group(1)) - failed - skipped)
    elif test["result"] == "SKIP":
        skipped = 1
    elif good:
        passed = 1
    if not good and test["result"] != "SKIP" and failed == 0:
        failed = 1  # ended by a signal, a time-out or a sanitizer after its last case
    return passed, failed, skipped


def main(paths):
    passed = failed = skipped = 0
    for path in paths:
        build = path.split("/meson-logs/")[0]
        try:
            with open(path, encoding="utf-8") as log:
                tests = [json.loads(line) for line in log if line.strip()]
        except FileNotFoundError:
            print(f"{build}: no test ran")
            tests = []
        for test in tests:
            good, bad, left_out = count_cases(test)
            passed, failed, skipped = passed + good, failed + bad, skipped + left_out
            if bad:
                print(f"FAILED  {build}: {test['name']} ({bad} of {good + bad}, {test['result']})")
            if left_out:
                print(f"skipped {build}: {test['name']} ({left_out})")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
