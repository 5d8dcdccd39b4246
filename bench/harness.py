# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all cases share: a line of the table, and the runs behind it."""

import dataclasses
import statistics

import load
import servers

# What a head is taken to be while eventbusd has not shown it.
HEAD_BYTES = 420


@dataclasses.dataclass
class Row:
    """A line of the table: a ratio (or a figure) and what it must be."""

    what: str
    against: str
    values: list  # one for each round
    at_least: float = None
    at_most: float = None
    unit: str = "×"

    @property
    def value(self):
        return statistics.median(self.values)

    @property
    def passed(self):
        """None where there is no target."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None


class Bench:
    """The runs of all cases so far, and what went wrong in eventbusd's."""

    def __init__(self, build, quick, say):
        self.build = build
        self.quick = quick
        self.say = say
        self.faults = []
        self.runs = {}  # case → who → list of results

    def events(self, wanted):
        """How many events to send: a quick run shows only that everything works."""
        return max(wanted // 10, 10) if self.quick else wanted

    def note(self, case, who, result):
        self.runs.setdefault(case, {}).setdefault(who, []).append(result)
        return result

    def eventbusd(self, case, who="eventbusd", start=servers.eventbusd, **options):
        """A fan-out through the daemon, which must not lose or repeat anything."""
        result = load.fanout(self.build, lambda port: start(self.build), **options)
        wrong = {name: result[name] for name in ("lost", "repeats", "corrupt", "malformed")
                 if result[name]}
        if wrong or not result["finished"]:
            self.faults.append(f"{case}, {who}: {wrong or 'not everything was published'}")
        return self._said(case, who, result)

    def tutorial(self, case, who="tutorial", **options):
        result = load.fanout(self.build, lambda port: servers.tutorial(self.build), **options)
        return self._said(case, who, result)

    def nginx(self, case, who="nginx", **options):
        result = load.fanout(self.build, lambda port: servers.nginx(port, options["sinks"]),
                             unregistered=True, **options)
        return self._said(case, who, result)

    def sender(self, case, kind, head_bytes, **options):
        return self._said(case, kind, load.sender(self.build, kind, head_bytes, **options))

    def _said(self, case, who, result):
        warm = result["warm"]
        seldom = "".join(f", {result[name]} {name}" for name in ("refused", "broken", "late")
                         if result[name])
        self.say(f"{case}: {who}: {warm['rate']:,.0f}/s, p99 {warm['p99_us'] / 1000:.2f} ms, "
                 f"{result['cpu_us']:.1f} µs a delivery, {result['lost']} lost, "
                 f"{result['repeats']} repeated{seldom}")
        return self.note(case, who, result)

    def posts(self, case, who, server, **options):
        """Publishing to the daemon, which must take everything."""
        result = load.posts(self.build, server, seconds=1 if self.quick else 3, **options)
        if (result["failed"] or result["idle_broken"]
                or result["idle"] != options.get("idle", 0)):
            self.faults.append(f"{case}, {who}: {result}")
        self.say(f"{case}: {who}: {result['rate']:,.0f} POSTs/s, "
                 f"p50 {result['p50_us'] / 1000:.2f} ms")
        return self.note(case, who, result)

    def ratios(self, case, over, under, figure):
        """Round by round: what ran side by side is compared with each other."""
        runs = self.runs[case]
        return [figure(a) / figure(b) for a, b in zip(runs[over], runs[under])]


def warm_rate(result):
    return result["warm"]["rate"]


def cold_rate(result):
    return result["cold"]["rate"]


def warm_p99(result):
    return result["warm"]["p99_us"]
