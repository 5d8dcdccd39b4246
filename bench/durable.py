# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to keep events on disk: the cases that need a durable store."""

import load
import servers
from harness import Row, warm_rate

PUBLISHERS = 64
# Slow cases are repeated less often: their length evens out what short ones repeat for.
LONG_ROUNDS = 3
LONG_RUN_EVENTS = 100_000
LONG_RUN_SECONDS = 400
FEW_SUBSCRIBERS = 10
MANY_SUBSCRIBERS = 5_000
# Seldom enough that an event is through before the next one comes.
LONE_RATE = 50
BACKLOG_EVENTS = 1_000_000
BACKLOG_ROUNDS = 1  # some minutes each
BACKLOG_SECONDS = 500


def durable_fanout(bench, rounds):
    case, shape = "durable-fanout", {"sinks": 100, "warmup": 20, "events": bench.events(3000)}
    for _ in range(rounds):
        bench.eventbusd(case, "memory", **shape)
        bench.eventbusd(case, "durable", servers.durable, **shape)
    return [Row("deliveries/s, 100 sinks, durable", "memory log",
                bench.ratios(case, "durable", "memory", warm_rate), at_least=0.9)]


def durable_publish(bench, rounds):
    case = "durable-publish"
    many, one = f"{PUBLISHERS} publishers", "one publisher"
    for _ in range(rounds):
        with servers.eventbusd(bench.build) as server:
            bench.posts(case, f"{many}, memory", server, connections=PUBLISHERS)
        with servers.durable(bench.build) as server:
            bench.posts(case, f"{many}, durable", server, connections=PUBLISHERS)
        with servers.durable(bench.build) as server:
            bench.posts(case, f"{one}, durable", server)
        syncs = bench.note(case, "fdatasync", load.syncs(bench.build, 1 if bench.quick else 3))
        bench.say(f"{case}: fdatasync on a growing file: {syncs['rate']:,.0f}/s")

    def row(who, against, what, target):
        return Row(f"publishes acked/s, {who}, durable", what, bench.ratios(
            case, f"{who}, durable", against, lambda result: result["rate"]), at_least=target)

    return [row(many, f"{many}, memory", "memory log", 0.5),
            row(one, "fdatasync", "fdatasync of a page on a growing file", 0.4)]


def long_run(bench, rounds):
    case, shape = "long-run", {"sinks": 100, "warmup": 20}
    for _ in range(min(rounds, LONG_ROUNDS)):
        bench.eventbusd(case, "1,000 events", servers.durable, events=1000, **shape)
        bench.eventbusd(case, f"{LONG_RUN_EVENTS:,} events", servers.durable,
                        events=bench.events(LONG_RUN_EVENTS), deadline=LONG_RUN_SECONDS, **shape)
    return [Row(f"deliveries/s, 100 sinks, durable, {LONG_RUN_EVENTS:,} events on end",
                "over 1,000 events",
                bench.ratios(case, f"{LONG_RUN_EVENTS:,} events", "1,000 events", warm_rate),
                at_least=0.8)]


def publish_cost(bench, rounds):
    case = "publish-cost"
    variants = {f"{count:,} subscribers": count for count in (FEW_SUBSCRIBERS, MANY_SUBSCRIBERS)}
    few, many = variants
    for _ in range(rounds):
        for who, count in variants.items():
            with servers.durable(bench.build) as server:
                # Nobody listens there: what is measured is the publishing, not the delivery.
                load.run(bench.build, "register", server=server.address, count=count)
                bench.posts(case, who, server, rate=LONE_RATE)
    return [Row(f"time until a lone publish is acked, {many}, durable", few,
                bench.ratios(case, many, few, lambda result: result["p50_us"]), at_most=1.2)]


def backlog(bench, rounds):
    case, events = "backlog", bench.events(BACKLOG_EVENTS)
    for _ in range(min(rounds, BACKLOG_ROUNDS)):
        bench.eventbusd(case, "live", servers.durable, sinks=1, warmup=20,
                        events=bench.events(30_000))
        result = bench.eventbusd(case, "behind", servers.durable, sinks=1, warmup=0, events=events,
                                 connections=PUBLISHERS, window=0, late=True,
                                 deadline=BACKLOG_SECONDS)
        bench.say(f"{case}: {events:,} events behind: caught up at {result['catch_up']:,.0f}/s, "
                  f"at most {result['peak_kib'] / 1024:.1f} MiB resident")
    runs = bench.runs[case]
    return [
        Row(f"deliveries/s to a sink that is {events:,} events behind", "live, to one sink",
            [behind["catch_up"] / live["warm"]["rate"]
             for behind, live in zip(runs["behind"], runs["live"])], at_least=0.8),
        Row(f"resident memory at most, {events:,} events behind", "",
            [run["peak_kib"] / 1024 for run in runs["behind"]], at_most=64, unit=" MiB"),
    ]


DURABLE_CASES = {
    "durable-fanout": durable_fanout,
    "durable-publish": durable_publish,
    "long-run": long_run,
    "publish-cost": publish_cost,
    "backlog": backlog,
}
