# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table on the terminal and in docs/performance.md."""

import datetime
import os
import pathlib
import platform
import re
import statistics
import subprocess

COLUMNS = ("what", "against", "measured", "lowest–highest", "target", "")


def _figure(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:,.1f}" if number >= 10 else f"{number:.2f}"


def _cells(row):
    target = ""
    if row.at_least is not None:
        target = f"≥ {row.at_least:g}{row.unit}"
    if row.at_most is not None:
        target = f"≤ {row.at_most:g}{row.unit}"
    verdict = {True: "reached", False: "MISSED", None: ""}[row.passed]
    spread = f"{_figure(min(row.values))}–{_figure(max(row.values))}"
    return (row.what, row.against, _figure(row.value) + row.unit, spread, target, verdict)


def table(rows):
    """Markdown that is also readable as it is."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
                     for line in lines)


def _median(results, figure):
    return statistics.median(figure(result) for result in results)


def _fanout_lines(runs):
    for case, who, results in runs:
        rate, p50, p99 = (_median(results, lambda r, k=k: r["warm"][k])
                          for k in ("rate", "p50_us", "p99_us"))
        share = 100 * sum(r["lost"] for r in results) / sum(r["owed"] for r in results)
        lost = f"{share:.0f} %" if share >= 1 else f"{sum(r['lost'] for r in results)}"
        yield (f"| {case} | {who} | {rate:,.0f} | {_median(results, lambda r: r['cold']['rate']):,.0f} "
               f"| {p50 / 1000:.2f} | {p99 / 1000:.2f} "
               f"| {_median(results, lambda r: r['cpu_us']):.1f} "
               f"| {100 * _median(results, lambda r: r['sink_busy']):.0f} % "
               f"| {_median(results, lambda r: r['warm']['head_bytes']):.0f} "
               f"| {lost} | {sum(r['repeats'] for r in results)} |")


def details(bench):
    """The medians behind the ratios."""
    runs = [(case, who, results) for case, by_who in bench.runs.items()
            for who, results in by_who.items() if "warm" in results[0]]
    head = ("| case | what | deliveries/s | connecting included | p50 ms | p99 ms | µs a delivery "
            "| sinks busy | head bytes | lost | repeats |\n" + "|---|---" + "|--:" * 9 + "|")
    return "\n".join([head, *_fanout_lines(runs)])


def _output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.stdout.strip()


def machine():
    """What the figures depend on."""
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text("utf-8"),
                    re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.*)"$', pathlib.Path("/etc/os-release").read_text("utf-8"),
                       re.MULTILINE)
    nginx = _output("/usr/sbin/nginx", "-v").rpartition("/")[2]
    go = _output("go", "version").split()[2].removeprefix("go")
    soup = _output("pkg-config", "--modversion", "libsoup-3.0")
    kernel = re.match("[0-9.]*[0-9]", platform.release()).group()
    return (f"{system.group(1) if system else 'Linux'}, kernel {kernel}, "
            f"{os.cpu_count()} processors ({cpu.group(1) if cpu else platform.machine()}); "
            f"nginx {nginx}, Go {go}, libsoup {soup}")


TEXT = """# Performance

Written by `scripts/bench` on {date}; a run takes about {minutes} minutes. To repeat it:

```
scripts/bench                      # everything, {rounds} rounds, writes this page
scripts/bench --quick              # does everything work? one short round
scripts/bench --only=fanout-100    # one case; nothing is written
```

{machine}; open files limited to {files}. Load of the machine before the run: {load}.

{table}

A ratio is the median over {rounds} rounds (one for the backlog), and within a round everything that is compared runs one after
the other. The ratios are what carries over to another machine; the absolute figures do not.
{faults}
## What is measured

Events of 256 bytes, everything on loopback, a memory log where nothing else is said, the daemon with its
defaults otherwise. One process with
one thread is publisher and all sinks; a sink is a loopback address of its own, and for each sink and event
there is one bit, so losses and repeats are counted. A delivery counts when the sink has read the whole
request; its latency begins when the publisher begins to send the event. Sinks answer once all that has
arrived is read, so that what one of them answers does not delay another, which on machines of its own it
would not either. The rates run over the time from the first publish to the last arrival. The publisher has 16 connections and at most 200 events under way
that have not arrived everywhere.

- **bare epoll loop**: the limit. One thread, one `sendmsg` and one `recv` a delivery, a head made once and
  padded to the length that eventbusd's has, so that both move the same bytes; nothing is published.
  Its deliveries are no more than 1 in flight to each sink, as eventbusd's are.
- **SoupSession**: one thread, `SOUP_MESSAGE_IDEMPOTENT` (else no POST reuses a connection), at most 128 in
  flight, the same padding.
- **nginx mirror**: one worker, one main request and a mirror for each other sink, 64 kept connections a
  sink, no access log. Its heads are shorter than the others', which is to its advantage. In the 100-sink
  case its publisher has {nginx_connections} connections, because with more it gets slower.
- **the tutorial's program**: `bench/tutorial/main.go`. With the same publisher as eventbusd it runs out of
  descriptors and drops what it then cannot send; its rate counts what arrived. The row below shows it at
  its best, when the publisher waits for each event to have arrived everywhere.
- **isolation**: 99 sinks, and one more that takes connections and never answers, or whose port refuses.
- **idle clients**: each has published once and keeps its connection; then one closed-loop publisher is
  measured without a subscriber.
- **memory**: `VmRSS`, once ready and after registering.
- **matching**: one lookup of a type in the index, then the whole check, with a filter that they all
  pass, of each subscription that it finds; no delivery. Ten subscriptions share a pattern; the types
  are drawn at random from all patterns, and in the last row from the same 100. The figure is the
  median of 20,000 events.
- **signed**: each sink has a secret, so each delivery has a signature of its own; both runs subscribe by
  `PUT /v1/subscriptions/ID`.
- **batches**: the sink refuses connections until all events are published, then listens and keeps alive;
  the rate runs from there to the last arrival.
- **durable**: the same daemon with `--store=sqlite:` and `durability=full`, in a new folder under the build
  folder: every event is on that file system before its publisher is told. The rate of `fdatasync` is what
  the file system takes for a page appended and synced, again and again, to a file of its own.
  A fan-out with it costs little more of the processors; what it loses is that events come in groups, one
  a commit, so that the sinks catch up in between and are woken for few requests at a time.
- **a lone publish** is one of 50 a second, to subscribers whose port refuses connections; the figure is the
  median time until its answer.
- **behind**: the sink refuses connections while {publishers} publishers publish as fast as they are
  answered, then listens and keeps alive; the rate runs from there to the last arrival. The memory is
  `VmHWM`, the most that the daemon has had from its start to the end.

*µs a delivery* is the processor time that the measured process used, all its threads together; *sinks busy*
is the share of one processor that publisher and sinks used. Where it is near 100 % the rate is bounded by
the sinks, and the processor time tells more.

## The medians

{details}
"""


def page(bench, rows, rounds, minutes, load):
    """docs/performance.md."""
    faults = "".join(f"\n**Wrong:** {fault}\n" for fault in bench.faults)
    files = _output("sh", "-c", "ulimit -Hn")
    from cases import NGINX_CONNECTIONS
    from durable import PUBLISHERS
    return TEXT.format(date=datetime.date.today().isoformat(), minutes=max(round(minutes), 1),
                       rounds=rounds, machine=machine(), files=files, load=load, table=table(rows),
                       faults=faults, nginx_connections=NGINX_CONNECTIONS, publishers=PUBLISHERS,
                       details=details(bench))
