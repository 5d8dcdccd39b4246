# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases: what runs against what, and the figure that each must reach."""

import json

import load
import servers
from durable import DURABLE_CASES
from harness import HEAD_BYTES, Row, cold_rate, warm_p99, warm_rate

# nginx's best; with more, its rate falls.
NGINX_CONNECTIONS = 4
# Memory of one registration includes what all of them need together.
REGISTRATIONS = 1_000_000
IDLE_CLIENTS = 4_000
# Of each pattern ten subscriptions.
FEW_SUBSCRIPTIONS, SUBSCRIPTIONS, MANY_SUBSCRIPTIONS = 1_000, 10_000, 100_000
MATCHES = 10
PATTERN_SHAPES = {"literal": "literal", "middle": "`*` in the middle", "rest": "`>` at the end"}
WAITING_EVENTS = 100_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def fanout_100(bench, rounds):
    case, shape = "fanout-100", {"sinks": 100, "warmup": 20}
    for _ in range(rounds):
        own = bench.eventbusd(case, events=bench.events(3000), **shape)
        head = round(own["warm"]["head_bytes"]) or HEAD_BYTES
        bench.sender(case, "epoll", head, events=bench.events(3000), **shape)
        bench.nginx(case, events=bench.events(2000), connections=NGINX_CONNECTIONS, **shape)
        bench.sender(case, "soup", head, events=bench.events(200), **shape)
        # It loses events: a window that is full of lost ones would never let another through.
        bench.tutorial(case, events=bench.events(500), give_up=250, **shape)
        bench.tutorial(case, "tutorial, one event at a time", events=bench.events(500), window=1,
                       give_up=250, **shape)

    def row(against, who, **target):
        return Row("deliveries/s, 100 sinks", against,
                   bench.ratios(case, "eventbusd", who, warm_rate), **target)

    return [
        row("bare epoll loop", "epoll", at_least=0.75),
        row("nginx mirror, one worker", "nginx", at_least=1.2),
        row("the tutorial's program in Go, same publisher", "tutorial", at_least=8),
        row("the same, never given more than one event at a time", "tutorial, one event at a time"),
        row("SoupSession", "soup"),
    ]


def fanout_5000(bench, rounds):
    case, shape = "fanout-5000", {"sinks": 5000, "warmup": 10, "events": 10}
    for _ in range(rounds):
        own = bench.eventbusd(case, **shape)
        bench.sender(case, "epoll", round(own["cold"]["head_bytes"]) or HEAD_BYTES, **shape)
    what = "deliveries/s, 5,000 sinks"
    return [
        Row(f"{what}, connecting included", "bare epoll loop, connecting included",
            bench.ratios(case, "eventbusd", "epoll", cold_rate), at_least=0.75),
        Row(f"{what}, connected", "bare epoll loop, connected",
            bench.ratios(case, "eventbusd", "epoll", warm_rate)),
    ]


def isolation(bench, rounds):
    case = "isolation"
    shape = {"sinks": 99, "rate": 50, "warmup": bench.events(100), "events": bench.events(400)}
    for _ in range(rounds):
        bench.eventbusd(case, "all well", **shape)
        bench.eventbusd(case, "one never answers", silent=1, **shape)
        bench.eventbusd(case, "one refuses", refusing=1, **shape)
    return [Row(f"p99 of the others at 50 events/s, {who} of 100", "p99 without that one",
                bench.ratios(case, who, "all well", warm_p99), at_most=1.5)
            for who in ("one never answers", "one refuses")]


def latency(bench, rounds):
    case = "latency"
    shape = {"sinks": 100, "rate": 50, "warmup": bench.events(100), "events": bench.events(500)}
    for _ in range(rounds):
        bench.eventbusd(case, **shape)
        bench.nginx(case, **shape)
    return [Row("publish to delivery at 50 events/s, 100 sinks, p99", "nginx mirror",
                bench.ratios(case, "eventbusd", "nginx", warm_p99), at_most=0.7)]


def idle_clients(bench, rounds):
    case = "idle-clients"
    variants = {"alone": 0, "beside idle clients": IDLE_CLIENTS}
    for _ in range(rounds):
        for who, idle in variants.items():
            with servers.eventbusd(bench.build) as server:
                bench.posts(case, who, server, idle=idle)
    return [Row(f"POSTs/s of one publisher beside {IDLE_CLIENTS:,} idle clients", "without them",
                bench.ratios(case, "beside idle clients", "alone", lambda r: r["rate"]),
                at_least=0.8)]


def memory(bench, rounds):
    case = "memory"
    for _ in range(rounds):
        with servers.eventbusd(bench.build, f"--set=limits.max-subscriptions={REGISTRATIONS}",
                               "--lease=86400") as server:
            idle = server.resident_kib()
            load.run(bench.build, "register", server=server.address, count=REGISTRATIONS)
            full = server.resident_kib()
        bench.say(f"{case}: {idle:,} KiB idle, {full:,} KiB with {REGISTRATIONS:,} registrations")
        bench.note(case, "eventbusd", {"idle": idle / 1024,
                                       "each": (full - idle) * 1024 / REGISTRATIONS})
    runs = bench.runs[case]["eventbusd"]
    return [
        Row("resident memory, idle", "", [run["idle"] for run in runs], at_most=16, unit=" MiB"),
        Row(f"resident memory of each of {REGISTRATIONS:,} registrations", "",
            [run["each"] for run in runs], at_most=512, unit=" bytes"),
    ]


def matching(bench, rounds):
    case = "matching"

    def measure(who, shape, subscriptions, types):
        result = load.match(bench.build, shape=shape, subscriptions=subscriptions,
                            patterns=subscriptions // MATCHES, types=types)
        bench.say(f"{case}: {who}: {result['p50_us']:.2f} µs, p99 {result['p99_us']:.2f} µs")
        bench.note(case, who, result)

    few, many = (f"{count:,} subscriptions" for count in (FEW_SUBSCRIPTIONS, MANY_SUBSCRIPTIONS))
    few_types = FEW_SUBSCRIPTIONS // MATCHES
    for _ in range(rounds):
        for shape, who in PATTERN_SHAPES.items():
            measure(who, shape, SUBSCRIPTIONS, SUBSCRIPTIONS // MATCHES)
        measure(few, "middle", FEW_SUBSCRIPTIONS, few_types)
        measure(many, "middle", MANY_SUBSCRIPTIONS, few_types)

    what = f"time to find the {MATCHES} that want an event, of"
    rows = [Row(f"{what} {SUBSCRIPTIONS:,} subscriptions, patterns: {who}", "",
                [run["p50_us"] for run in bench.runs[case][who]], at_most=20, unit=" µs")
            for who in PATTERN_SHAPES.values()]
    return rows + [Row(f"{what} {many}", f"of {few}, same types",
                       bench.ratios(case, many, few, lambda result: result["p50_us"]),
                       at_most=1.5)]


def signing(bench, rounds):
    case, shape = "signing", {"sinks": 100, "warmup": 20}
    for _ in range(rounds):
        bench.eventbusd(case, "unsigned", config="{}", events=bench.events(3000), **shape)
        bench.eventbusd(case, "signed", config=json.dumps({"secret": SECRET}),
                        events=bench.events(3000), **shape)
    return [Row("deliveries/s, 100 sinks, signed", "unsigned",
                bench.ratios(case, "signed", "unsigned", warm_rate), at_least=0.9)]


def batch(bench, rounds):
    case, events = "batch", bench.events(WAITING_EVENTS)
    shape = {"sinks": 1, "warmup": 0, "events": events, "connections": 16, "window": 0,
             "late": True}
    for _ in range(rounds):
        for mode in ("binary", "batch"):
            result = bench.eventbusd(case, mode, config=json.dumps({"mode": mode}), **shape)
            bench.say(f"{case}: {mode}: {result['catch_up']:,.0f} events/s of {events:,} that waited")
    return [Row("events/s to a sink that takes batches", "one by one",
                bench.ratios(case, "batch", "binary", lambda result: result["catch_up"]),
                at_least=10)]


CASES = {
    "fanout-100": fanout_100,
    "fanout-5000": fanout_5000,
    "isolation": isolation,
    "latency": latency,
    "idle-clients": idle_clients,
    "memory": memory,
    "matching": matching,
    "signing": signing,
    "batch": batch,
    **DURABLE_CASES,
}
