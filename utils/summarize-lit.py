#!/usr/bin/env python3
"""summarize-lit.py RESULTS.json: print lit's report as `N passed, N failed`.

Tests that the machine cannot run (lit's UNSUPPORTED) are listed by name and
counted as skipped, so that nothing is skipped in silence. Exits 1 when a test
failed or none ran.
"""
import json
import sys

PASSED = ("PASS", "XFAIL", "FLAKYPASS")
SKIPPED = ("UNSUPPORTED", "EXCLUDED")


def main(path):
    with open(path) as f:
        tests = json.load(f)["tests"]
    passed = [t for t in tests if t["code"] in PASSED]
    skipped = [t for t in tests if t["code"] in SKIPPED]
    failed = len(tests) - len(passed) - len(skipped)
    for test in skipped:
        print(f"skipped: {test['name']}")
    tail = f", {len(skipped)} skipped" if skipped else ""
    print(f"{len(passed)} passed, {failed} failed{tail}")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
