#!/usr/bin/env python3
"""summarize-lit.py RESULTS.json [TIMES]: print lit's report as `N passed, N
failed`.

Tests that the machine cannot run (lit's UNSUPPORTED) are listed by name and
counted as skipped, so that nothing is skipped in silence. Exits 1 when a test
failed or none ran. With TIMES, writes the seconds of the tests that took ten or
more there: lit begins with those that test/.lit_test_times.txt names, so that
none of them is left for one core at the end.
"""
import json
import sys

PASSED = ("PASS", "XFAIL", "FLAKYPASS")
SKIPPED = ("UNSUPPORTED", "EXCLUDED")


LONG = 10


def write_times(tests, path):
    seconds = [(t["elapsed"], t["name"].partition(" :: ")[2]) for t in tests
               if t.get("elapsed", 0) >= LONG]
    with open(path, "w") as f:
        for elapsed, name in sorted(seconds, reverse=True):
            f.write(f"{elapsed:.0f} {name}\n")


def main(path, times=None):
    with open(path) as f:
        tests = json.load(f)["tests"]
    if times:
        write_times(tests, times)
    passed = [t for t in tests if t["code"] in PASSED]
    skipped = [t for t in tests if t["code"] in SKIPPED]
    failed = len(tests) - len(passed) - len(skipped)
    for test in skipped:
        print(f"skipped: {test['name']}")
    tail = f", {len(skipped)} skipped" if skipped else ""
    print(f"{len(passed)} passed, {failed} failed{tail}")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
