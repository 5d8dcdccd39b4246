# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Publishers and subscribers as clients of the daemon, which may end at any moment."""

import asyncio
import json
import random
import urllib.parse

from history import ACKED, REFUSED, UNKNOWN, Subscription
from sinks import Prompt

# Events that the slowest subscriber may be behind: more than a queue in memory holds.
WINDOW = 1500
# What the daemon is told to take; some events are larger and must be refused.
MAX_EVENT = 4096
KEEPALIVE_S = 20
# Events in a batch, at most.
MOST_TOGETHER = 100
# Who leaves is told of nothing for so long before it does.
STAY_S = (0.02, 0.6)
# Turns of the loop in which all that is readable by now is read: accepted, watched, read.
DRAIN_TURNS = 8


class Bus:
    """Where the daemon is while it runs."""

    def __init__(self, port):
        self._port = port
        self._up = asyncio.Event()

    def is_up(self, up):
        if up:
            self._up.set()
        else:
            self._up.clear()

    async def try_connect(self):
        """A connection; None when nobody listens."""
        try:
            return Client(*await asyncio.open_connection("127.0.0.1", self._port))
        except OSError:
            return None

    async def connect(self):
        """A connection, as soon as there can be one."""
        while True:
            await self._up.wait()
            client = await self.try_connect()
            if client is not None:
                return client
            # It has been killed, and that is not known here yet.
            await asyncio.sleep(0.001)


class Client:
    """A keep-alive connection with one request at a time."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    async def request(self, method, target, body=b""):
        """Status and body of the answer; None when the connection broke instead."""
        self._writer.write(b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
            method.encode(), target.encode(), len(body), body))
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            size = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            return int(head.split()[1]), await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            return None

    def close(self):
        self._writer.close()


async def ask(bus, method, target):
    """The answer to a request that may be repeated: it is, until there is one."""
    while True:
        client = await bus.connect()
        try:
            answer = await client.request(method, target)
        finally:
            client.close()
        if answer is not None and answer[0] not in (429, 503):
            return answer
        await asyncio.sleep(0.005)


def now():
    return asyncio.get_running_loop().time()


class Publisher:
    """Publishes numbered events, one after the other. What was not answered is not repeated."""

    def __init__(self, number, seed, history, bus, progress):
        self._number = number
        self._random = random.Random(f"{seed} publisher {number}")
        self._history = history
        self._bus = bus
        self._progress = progress
        self._counter = 0
        self.stopped = False
        self.acked = 0

    def _body(self):
        self._counter += 1
        head = b"%d %d\n" % (self._number, self._counter)
        chance = self._random.random()
        if chance < 0.002:
            return head + bytes(MAX_EVENT)
        return head + self._random.randbytes(self._random.randrange(2000 if chance < 0.05 else 200))

    async def _publish(self, client):
        """Whether the connection can go on."""
        body = self._body()
        event = self._history.begin(self._number, self._counter, hash(body), now())
        answer = await client.request("POST", "/sendMessage", body)
        event.ended = now()
        if answer is None:
            event.outcome = UNKNOWN
            return False
        event.outcome = ACKED if answer[0] // 100 == 2 else REFUSED
        if event.outcome == ACKED:
            self.acked += 1
        elif answer[0] == 413:
            # The rest of a body that it did not want is not read.
            return False
        elif answer[0] in (429, 503):
            await asyncio.sleep(0.005)
        return True

    async def run(self, lag):
        """Publishes while lag() lets it, until stopped."""
        while not self.stopped:
            client = await self._bus.connect()
            going = True
            while going and not self.stopped:
                if lag() > WINDOW:
                    self._progress.clear()
                    await self._progress.wait()
                else:
                    going = await self._publish(client)
            client.close()


class Subscriber:
    """Registers, keeps alive, and may leave again."""

    def __init__(self, name, behaviour, history, bus, sinks):
        self._bus = bus
        self._behaviour = behaviour
        self.subscription = Subscription(name, f"127.0.0.1:{sinks.port}/{name}", now())
        self._history = history
        sinks.add(self.subscription, behaviour)
        history.subscriptions.append(self.subscription)

    @property
    def _target(self):
        return f"/registerAndKeepAlive?address={self.subscription.address}"

    async def _ask_to_register(self, client):
        return await client.request("POST", self._target)

    async def register(self):
        """Registers. It is asked only once, so what a registration without an answer began cannot
        be mixed up with what a second one begins: without an answer, it is to leave."""
        client = await self._bus.connect()
        answer = await self._ask_to_register(client)
        client.close()
        if answer is None:
            return
        if answer != (200, b"success"):
            self._history.remarks.append(f"{self.subscription.address} registered: {answer}")
        self.subscription.registered = now()

    async def keep_alive(self):
        """Renews its lease."""
        answer = await ask(self._bus, "POST", self._target)
        if answer != (200, b"success"):
            self._history.remarks.append(f"{self.subscription.address} kept alive: {answer}")

    async def deregister(self):
        """Leaves; what arrives later is a fault."""
        self.subscription.leaving = now()
        answer = await ask(self._bus, "DELETE", f"/deregister?address={self.subscription.address}")
        if answer != (200, b"success"):
            self._history.remarks.append(f"{self.subscription.address} deregistered: {answer}")
        for _ in range(DRAIN_TURNS):
            await asyncio.sleep(0)
        self.subscription.gone = now()


class ConfiguredSubscriber(Subscriber):
    """Subscribes under its address, so that it keeps alive and leaves like the others, but with a
    configuration of its own."""

    def __init__(self, name, behaviour, history, bus, sinks, config):
        super().__init__(name, behaviour, history, bus, sinks)
        self._config = config
        self.subscription.together = MOST_TOGETHER if config.get("mode") == "batch" else 1
        self.subscription.concurrency = config.get("concurrency", 1)

    async def _ask_to_register(self, client):
        body = {"sink": f"http://{self.subscription.address}/event", "protocol": "HTTP",
                "config": self._config}
        quoted = urllib.parse.quote(self.subscription.address, safe="")
        answer = await client.request("PUT", f"/v1/subscriptions/{quoted}",
                                      json.dumps(body).encode())
        return (200, b"success") if answer and answer[0] == 201 else answer


async def keep_alive(subscribers):
    """Renews all leases for as long as it runs."""
    while True:
        await asyncio.sleep(KEEPALIVE_S)
        for subscriber in subscribers:
            await subscriber.keep_alive()


async def come_and_go(number, seed, history, bus, sinks, stopped):
    """Subscribers that stay for a short while each, one after the other."""
    choice = random.Random(f"{seed} guest {number}")
    visit = 0
    while not stopped.is_set():
        visit += 1
        subscriber = Subscriber(f"guest{number}.{visit}", Prompt(), history, bus, sinks)
        await subscriber.register()
        if subscriber.subscription.registered is not None:
            try:
                await asyncio.wait_for(stopped.wait(), choice.uniform(*STAY_S))
            except TimeoutError:
                pass
        await subscriber.deregister()
