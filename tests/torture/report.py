# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table at the end of a run."""

import statistics

from checker import KINDS, LOST
from history import ACKED, REFUSED, SENT, UNKNOWN

# Concrete cases of each kind that are printed.
SHOWN = 5


def _rows(torture, findings, seconds):
    history = torture.history
    kills = ", ".join(f"{count} {point}" for point, count in sorted(torture.kills.items()))
    most, bound = findings.most_repeats
    yield "cycles", torture.options.cycles
    yield "kills", kills or "none"
    if torture.restarts:
        yield "ready again", (f"{statistics.median(torture.restarts) * 1000:.0f} ms, at most "
                              f"{max(torture.restarts) * 1000:.0f} ms")
    yield "subscriptions", (f"{len(history.subscriptions)}, of which "
                            f"{sum(s.gone is not None for s in history.subscriptions)} left")
    yield "events acked", history.count(ACKED)
    yield "events unknown", history.count(UNKNOWN) + history.count(SENT)
    yield "events refused", history.count(REFUSED)
    yield "deliveries", findings.deliveries
    yield "repeats", (f"{findings.repeats}, at most {most} for a kill and subscription "
                      f"(allowed there: {bound})" if findings.repeats else "0")
    for kind in KINDS:
        yield kind, findings.count(kind)
    yield "time", f"{seconds:.1f} s"


def show(torture, findings, seconds):
    """Prints it, and the first cases of what is wrong."""
    for name, value in _rows(torture, findings, seconds):
        print(f"{name:<24} {value}")
    for kind, cases in findings.faults.items():
        for case in cases[:SHOWN]:
            word = "LOST" if kind == LOST else "WRONG"
            print(f"{word}: {kind}: {case} (seed {torture.options.seed})")
        if len(cases) > SHOWN:
            print(f"  … and {len(cases) - SHOWN} more")
