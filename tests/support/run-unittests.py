#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run-unittests.py FILE [NAME...]: runs a file's unittest cases and prints TAP.

NAME picks a class or Class.method. Exit status 1 when a case failed or none ran.
"""

import contextlib
import importlib.util
import os
import pathlib
import sys
import tempfile
import unittest

# Enough to tell a case and its subtest; more does not fit a line of a report.
NAME_LENGTH = 120


class TapResult(unittest.TestResult):
    """Prints a line for each case once it has ended, however it ended."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.count = 0

    def line(self, verdict, test, comment="", details=""):
        self.count += 1
        # A subtest's parameters may hold anything; in TAP a name is one line, and # ends it.
        name = test.id().removeprefix("__tests__.").replace("#", "")
        name = name.encode("unicode_escape").decode()[:NAME_LENGTH]
        print(f"{verdict} {self.count} - {name}{comment}", file=self.stream)
        for text in details.rstrip().splitlines():
            print(f"# {text}", file=self.stream)
        self.stream.flush()

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {' '.join(reason.split())}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line("not ok", test, details=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.line("not ok", test, details=self.errors[-1][1])

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.line("not ok", test, " # TODO expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.line("not ok", test, details="passed, but was expected to fail")

    def addSubTest(self, test, subtest, err):
        # A case whose subtests failed gets no addSuccess; each failed subtest is a line.
        if err is not None:
            super().addSubTest(test, subtest, err)
            failed = self.failures if issubclass(err[0], test.failureException) else self.errors
            self.line("not ok", subtest, details=failed[-1][1])


def load(path, names):
    """The cases of the file at path."""
    sys.path.insert(0, str(path.parent))
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    spec = importlib.util.spec_from_file_location("__tests__", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["__tests__"] = module
    spec.loader.exec_module(module)
    loader = unittest.defaultTestLoader
    if names:
        return loader.loadTestsFromNames(names, module)
    return loader.loadTestsFromModule(module)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    suite = load(path, sys.argv[2:])
    tap = sys.stdout
    result = TapResult(tap)
    with tempfile.TemporaryDirectory(prefix="eventbus-test.") as state:
        # A daemon that is not told where to keep its events must not find the user's.
        os.environ["XDG_STATE_HOME"] = state
        os.environ.pop("STATE_DIRECTORY", None)
        # What a case prints must not be taken for TAP.
        with contextlib.redirect_stdout(sys.stderr):
            suite.run(result)
    print(f"1..{result.count}", file=tap)
    return 0 if result.count and result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
