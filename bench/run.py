#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures eventbusd beside what it is compared with. scripts/bench builds everything and calls this."""

import argparse
import os
import pathlib
import resource
import signal
import sys
import time

import report
from cases import CASES
from harness import Bench
from servers import Failure

ROUNDS = 5


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--only", choices=CASES, action="append", metavar="CASE",
                        help=f"one of {', '.join(CASES)}; may be given again")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default %(default)s")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--build", default="_build-bench", help="the build folder")
    parser.add_argument("--output", default="docs/performance.md",
                        help="what a whole run writes; default %(default)s")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return arguments


def main():
    arguments = parse_arguments()
    rounds = 1 if arguments.quick else arguments.rounds
    load = f"{os.getloadavg()[0]:.2f}"
    start = time.monotonic()

    # Children are ended by their context managers, which a signal would skip.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    bench = Bench(arguments.build, arguments.quick, lambda line: print(line, flush=True))
    rows, without_result = [], []
    for name in arguments.only or CASES:
        try:
            rows += CASES[name](bench, rounds)
        except (Failure, OSError) as failure:
            without_result.append(f"{name}: {failure}")

    print()
    if rows:
        print(report.table(rows))
    for fault in bench.faults + without_result:
        print(f"WRONG: {fault}")
    # A page is a whole run's, or it would mix figures of different days.
    if not arguments.quick and not arguments.only and not without_result:
        minutes = (time.monotonic() - start) / 60
        page = report.page(bench, rows, rounds, minutes, load)
        pathlib.Path(arguments.output).write_text(page, encoding="utf-8")
        print(f"Written to {arguments.output}")
    return 1 if bench.faults or without_result else 0


if __name__ == "__main__":
    sys.exit(main())
