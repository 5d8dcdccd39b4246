#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills the daemon again and again while events are published, and checks that nothing is lost.

It is ended with SIGKILL at random moments and at named points of what its store does, and started
again on the same port and store, while publishers and subscribers go on. In the end every acked
event must have reached every subscriber, in order, and nothing else; repeats are counted. One of them
takes batches, each of which must be the same whenever it comes, and one takes several at a time.
"""

import argparse
import asyncio
import collections
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import report
import timeline
from checker import PROGRESS_MS, check
from daemon import Broken, Daemon, free_port
from history import History, Kill
from sinks import Flaky, Prompt, Sinks, Slow
from traffic import (MAX_EVENT, Bus, ConfiguredSubscriber, Publisher, Subscriber, come_and_go,
                     keep_alive, now)

POINTS = ("random", "before-commit", "after-commit", "in-checkpoint", "in-migration")
# Passages of a point before the one that ends the daemon: about what a cycle sees.
MOST_PASSAGES = {"before-commit": 200, "after-commit": 200, "in-checkpoint": 40, "in-migration": 1}
# How long the daemon lives when nothing but the clock ends it, and how long a point is waited for.
LIFE_S = (0.03, 0.4)
POINT_S = 0.8
# Those that are not the tutorial's.
CONFIGURED = {"batches": {"mode": "batch"}, "several": {"concurrency": 4}}
# Nothing more is delivered for so long: what is missing will not come. More than a retry takes.
QUIET_S = 10
# A repeat or an invented event may come after everything has.
LINGER_S = 0.3


class Torture:
    """A run."""

    def __init__(self, options, folder):
        self.options = options
        self.history = History()
        self.restarts = []  # seconds each until it was ready
        self.kills = collections.Counter()  # by point
        self._n_migrations = 0
        self._folder = folder
        # Not what this machine has installed.
        pathlib.Path(folder, "eventbus.conf").touch()
        self._random = random.Random(f"{options.seed} driver")
        self._points = []  # that were shuffled and not taken yet
        self._progress = asyncio.Event()
        self._sinks = Sinks(self.history, self._progress)
        self._daemon = self._new_daemon(free_port(options.seed), "events.db")
        self._bus = Bus(self._daemon.port)
        self._publishers = [Publisher(i, options.seed, self.history, self._bus, self._progress)
                            for i in range(options.publishers)]
        self._subscribers = []

    def _new_daemon(self, port, name):
        location = "memory:" if self.options.store == "memory" else f"sqlite:{self._folder}/{name}"
        settings = [f"limits.max-event-size={MAX_EVENT}", "delivery.retry=1,1,1,1,1"]
        if self.options.durability:
            settings.append(f"store.durability={self.options.durability}")
        return Daemon(self.options.daemon, port,
                      [f"--config={self._folder}/eventbus.conf", f"--store={location}",
                       *(f"--set={setting}" for setting in settings)],
                      self.options.crash_points)

    def _lag(self):
        acked = sum(publisher.acked for publisher in self._publishers)
        return acked - min(len(s.subscription.accepted) for s in self._subscribers)

    def _choose(self):
        """How the next life is to end: a point, and what the daemon is told of it. Every point has
        its turn before one has its second, whatever the sinks draw from the same numbers."""
        if not self._points:
            self._points = self._random.sample(self.options.points, len(self.options.points))
        point = self._points.pop()
        if point in ("random", "in-migration"):
            return point, None
        return point, f"{point}:{self._random.randint(1, MOST_PASSAGES[point])}"

    def _killed(self, point):
        self._bus.is_up(False)
        self.history.kills.append(Kill(point, now()))
        self.kills[point] += 1

    async def _start(self, point=None, crash_at=None):
        """Starts it until it is ready: it may pass its point before it is. Returns whether it
        still has that point before it."""
        while True:
            begun = now()
            if self.history.kills:
                self.history.kills[-1].back = begun
            self._daemon.start(crash_at)
            if await self._daemon.ready():
                break
            if crash_at is None or self._daemon.status != -signal.SIGKILL:
                raise Broken(f"the daemon ended with {self._daemon.status} instead of being ready")
            self._killed(point)
            crash_at = None
        self.restarts.append(now() - begun)
        self._bus.is_up(True)
        await self._check_list()
        return crash_at is not None

    async def _check_list(self):
        """Who has registered is still there after a restart, and nobody who has left."""
        subscriptions = self.history.subscriptions
        gone = {s.address for s in subscriptions if s.gone is not None}
        here = [s for s in subscriptions if s.registered is not None and s.leaving is None]
        client = await self._bus.try_connect()
        answer = client and await client.request("GET", "/listSubscribers")
        if not answer:
            # It has passed its point since it was ready.
            return
        client.close()
        listed = {line.partition("  :  ")[0] for line in answer[1].decode().splitlines()}
        for subscription in here:
            if subscription.leaving is None and subscription.address not in listed:
                self.history.remarks.append(f"{subscription.name} is not subscribed any more")
        for address in gone & listed:
            self.history.remarks.append(f"{address} deregistered and is subscribed again")

    async def _migrate(self):
        """A daemon on a store of its own is killed while it makes it, and starts again."""
        point = f"in-migration:{self._random.randint(1, MOST_PASSAGES['in-migration'])}"
        self._n_migrations += 1
        daemon = self._new_daemon(free_port(self._n_migrations), f"new-{self._n_migrations}.db")
        try:
            daemon.start(point)
            if await daemon.ready():
                await daemon.end()
                self.kills["in-migration, not reached"] += 1
            else:
                self.kills["in-migration"] += 1
            daemon.start()
            if not await daemon.ready():
                raise Broken("the daemon does not start after it was killed in a migration:\n"
                             + "\n".join(daemon.lines))
            await daemon.end(signal.SIGTERM)
        finally:
            daemon.abandon()

    async def _end(self, point, armed):
        """The daemon's end, at its point or at a random moment."""
        if point == "in-migration":
            await self._migrate()
        elif armed:
            if await self._daemon.exited(POINT_S):
                if self._daemon.status != -signal.SIGKILL:
                    raise Broken(f"the daemon ended with {self._daemon.status}")
                self._killed(point)
                return
            point += ", not reached"
        await self._daemon.exited(self._random.uniform(*LIFE_S))
        self._killed(point if armed else "random")
        await self._daemon.end()

    async def _settle(self):
        """Waits until everything has been delivered, or nothing more comes."""
        count, since = -1, now()
        # What has gone wrong already is not waited for.
        while (self.history.missing() and not self.history.remarks
               and now() < since + QUIET_S):
            accepted = sum(len(s.accepted) for s in self.history.subscriptions)
            if accepted != count:
                count, since = accepted, now()
            await self._daemon.exited(0.2)
        await self._daemon.exited(LINGER_S)

    async def _finish(self, publishers, guests, leave):
        """Lets the traffic end, and the daemon after it."""
        for publisher in self._publishers:
            publisher.stopped = True
        self._progress.set()  # who waits for room waits no more
        leave.set()
        await asyncio.gather(*publishers, *guests)
        await self._settle()
        await self._check_list()
        await self._daemon.end(signal.SIGTERM)
        if self._daemon.status != 0:
            self.history.remarks.append(f"SIGTERM ended the daemon with {self._daemon.status}")

    async def _cycles(self):
        # The first life is the one in which everybody registers; it is not told of any point.
        point, armed = "random", False
        for left in reversed(range(self.options.cycles)):
            if self.options.points == ["none"]:
                await self._daemon.exited(LIFE_S[1])
                continue
            await self._end(point, armed)
            point, crash_at = self._choose()
            armed = await self._start(point, crash_at if left else None)

    async def run(self):
        """From the first start to the last check."""
        await self._sinks.start()
        await self._start()
        behaviours = (Prompt, lambda: Slow(self._random), lambda: Flaky(self._random))
        self._subscribers += [
            Subscriber(f"sink{i}", behaviours[i % len(behaviours)](), self.history, self._bus,
                       self._sinks) for i in range(self.options.subscribers)]
        for name, config in CONFIGURED.items() if self.options.configured else ():
            self._subscribers.append(ConfiguredSubscriber(
                name, Slow(self._random), self.history, self._bus, self._sinks, config))
        await asyncio.gather(*(subscriber.register() for subscriber in self._subscribers))
        leave = asyncio.Event()
        keeper = asyncio.create_task(keep_alive(self._subscribers))
        guests = [asyncio.create_task(come_and_go(i, self.options.seed, self.history, self._bus,
                                                  self._sinks, leave))
                  for i in range(self.options.guests)]
        publishers = [asyncio.create_task(publisher.run(self._lag))
                      for publisher in self._publishers]
        try:
            await self._cycles()
            keeper.cancel()
            await self._finish(publishers, guests, leave)
        finally:
            self._daemon.abandon()
            self._sinks.close()

    @property
    def output(self):
        """What the daemon said last."""
        return self._daemon.lines


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--publishers", type=int, default=4, help="default %(default)s")
    parser.add_argument("--subscribers", type=int, default=4,
                        help="that stay: one in three is slow, one refuses at times; default "
                        "%(default)s")
    parser.add_argument("--no-configured", dest="configured", action="store_false",
                        help="without the one that takes batches, and the one that takes several "
                        "events at a time")
    parser.add_argument("--guests", type=int, default=2,
                        help="subscribers at a time that come and go; default %(default)s")
    parser.add_argument("--points", type=lambda text: text.split(","), default=list(POINTS),
                        help=f"of {', '.join(POINTS)}; none: no kill at all; default: all")
    parser.add_argument("--durability", choices=("full", "relaxed"), default=None)
    parser.add_argument("--store", choices=("sqlite", "memory"), default="sqlite",
                        help="memory: to see that a loss is found")
    parser.add_argument("--keep", action="store_true", 
                        help="keep the folder with the store, and write the run's timeline into it")
    parser.add_argument("--progress-ms", type=int, default=PROGRESS_MS, metavar="MS",
                        help="a kill may repeat what so long delivers, and one more; default "
                        "%(default)s")
    parser.add_argument("--daemon", required=True, help="the program")
    parser.add_argument("--crash-points", required=True, help="the library to preload")
    options = parser.parse_args()
    unknown = set(options.points) - {*POINTS, "none"}
    if unknown or options.cycles < 1 or options.publishers < 1 or options.subscribers < 1:
        parser.error(f"no such point: {', '.join(unknown)}" if unknown else
                     "cycles, publishers and subscribers must be 1 or more")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    return options


def main():
    options = parse_arguments()
    print(f"seed                     {options.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="eventbus-torture.")
    start = time.monotonic()
    torture = Torture(options, folder)
    broken = None
    try:
        asyncio.run(torture.run())
    except Broken as error:
        broken = error
    findings = check(torture.history, options.progress_ms)
    report.show(torture, findings, time.monotonic() - start)
    if broken:
        print(f"BROKEN: {broken}")
    well = findings.well and not broken
    if not well:
        print("The daemon's last words:", *torture.output[-20:], sep="\n  ")
    if options.keep:
        timeline.write(torture.history, f"{folder}/timeline")
        print(f"Kept: {folder}")
    else:
        shutil.rmtree(folder)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
