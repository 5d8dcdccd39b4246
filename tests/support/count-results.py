#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts test cases.

count-results.py MESON-LOGS      the cases of a `meson test` run: "PASSED FAILED SKIPPED"
count-results.py --tap FILE      those of a TAP file
count-results.py --sum FILE...   a table of such counts, each file's name its row's; the last line
                                 is their sum; exit status 1 when a case failed or a file counts none
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

BAD_RESULTS = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


def count_suite(suite):
    """Passed, failed and skipped cases of one JUnit test suite."""
    passed = failed = skipped = 0
    for case in suite.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_logs(folder):
    """The cases of a run. JUnit has the cases of each TAP program, JSON how each program ended."""
    junit = folder / "testlog.junit.xml"
    log = folder / "testlog.json"
    if not junit.exists() or not log.exists():
        return 0, 0, 0
    suites = {}
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        # PROJECT.PROGRAM; what is only called PROJECT holds the programs that gave no cases.
        _, dot, program = suite.get("name").partition(".")
        if dot:
            suites[program] = count_suite(suite)
    total = list(map(sum, zip(*suites.values()))) or [0, 0, 0]
    for line in log.read_text().splitlines():
        test = json.loads(line)
        program = test["name"]
        counts = suites.get(program)
        if test["result"] in BAD_RESULTS:
            if counts is None or counts[1] == 0:
                print(f"{program}: {test['result']} without a failed case", file=sys.stderr)
                total[1] += 1
        elif counts is None:
            total[2 if test["result"] == "SKIP" else 0] += 1
    return tuple(total)


def count_tap(path):
    """The cases of a TAP file. Without its plan, the program did not get to its end."""
    text = path.read_text()
    failed = len(re.findall(r"^not ok\b", text, re.M))
    skipped = len(re.findall(r"^ok\b.*# SKIP", text, re.M))
    passed = len(re.findall(r"^ok\b", text, re.M)) - skipped
    if not re.search(r"^1\.\.\d+$", text, re.M):
        failed += 1
    return passed, failed, skipped


def wording(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def print_sum(paths):
    """Prints the table; whether all is well."""
    total = [0, 0, 0]
    well = True
    for path in paths:
        counts = [int(word) for word in path.read_text().split()] or [0, 0, 0]
        print(f"{path.name + ':':12} {wording(*counts)}")
        total = [a + b for a, b in zip(total, counts)]
        if counts[0] == 0:
            print(f"{path.name}: nothing passed; see above")
            well = False
    if not well and total[1] == 0:
        total[1] = 1
    print(wording(*total))
    return well and total[1] == 0


def main():
    arguments = [pathlib.Path(word) for word in sys.argv[1:] if not word.startswith("--")]
    if "--sum" in sys.argv:
        return 0 if print_sum(arguments) else 1
    count = count_tap if "--tap" in sys.argv else count_logs
    print(*count(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
