# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscribers' sinks: all behind one listening socket, told apart by the prefix of their address."""

import asyncio
import base64
import json
import re

from history import Arrival

BODY = re.compile(rb"(\d+) (\d+)\n")
HEADER = re.compile(rb"\r\n([^:\r\n]+): *([^\r\n]*)")

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
ANSWERS = {
    204: OK,
    500: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
}
BATCH = b"application/cloudevents-batch+json"
# Fewer than the attempts that the daemon makes: nothing dies.
MOST_REFUSALS = 2


class Prompt:
    """Takes everything at once."""

    def answer(self, key):
        """Status and seconds until it is sent."""
        return 204, 0


class Slow:
    """Takes everything; for some events in a row after a while, and now and then after so long that
    its queue in memory gets full."""

    def __init__(self, random):
        self._random = random
        self._left = 0  # events that it will be slow for

    def answer(self, key):
        chance = self._random.random()
        if chance < 0.0001:
            return 204, self._random.uniform(0.5, 1.5)
        if chance < 0.002:
            self._left = 30
        if self._left == 0:
            return 204, 0
        self._left -= 1
        return 204, self._random.uniform(0, 0.008)


class Flaky:
    """Refuses now and then, or closes the connection, or is busy; but no event for ever."""

    def __init__(self, random):
        self._random = random
        self._refusals = {}

    def answer(self, key):
        chance = self._random.random()
        if chance > 0.02 or self._refusals.get(key, 0) >= MOST_REFUSALS:
            return 204, 0
        self._refusals[key] = self._refusals.get(key, 0) + 1
        return (503 if chance < 0.0005 else 0 if chance < 0.003 else 500), 0


def _key(data):
    """Which event it is; None: none of ours."""
    match = BODY.match(data)
    return (int(match[1]), int(match[2])) if match else None


class _Connection(asyncio.Protocol):
    def __init__(self, sinks):
        self._sinks = sinks
        self._rest = b""
        self._transport = None

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end + 2]
            headers = {name.lower(): value for name, value in HEADER.findall(head)}
            size = end + 4 + int(headers.get(b"content-length", 0))
            if len(self._rest) < size:
                return
            body, self._rest = self._rest[end + 4:size], self._rest[size:]
            status, delay = self._sinks.take(head, headers, body)
            if delay:
                asyncio.get_running_loop().call_later(delay, self._answer, status)
            else:
                self._answer(status)

    def _answer(self, status):
        if status:
            self._transport.write(ANSWERS[status])
        else:
            self._transport.close()


class Sinks:
    """The server of all of them."""

    def __init__(self, history, progress):
        self._history = history
        self._progress = progress
        self._by_prefix = {}  # "NAME" → (Subscription, behaviour)
        self._server = None
        self.port = None

    async def start(self):
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=128)
        self.port = self._server.sockets[0].getsockname()[1]

    def add(self, subscription, behaviour):
        """Events for /NAME/event are this subscription's."""
        self._by_prefix[subscription.name] = (subscription, behaviour)

    def take(self, head, headers, body):
        """Writes an arrival down; the status and the seconds until it is to be answered."""
        name = head[:head.find(b"\r\n")].split(b"/")[1].decode("latin-1")
        subscription, behaviour = self._by_prefix.get(name, (None, None))
        if subscription is None:
            self._history.remarks.append(f"a delivery for nobody: {head[:80]!r}")
            return 204, 0
        number = {field: int(headers.get(field, b"-1"))
                  for field in (b"ce-sequence", b"eventbus-previous", b"eventbus-attempt")}
        if headers.get(b"content-type", b"").startswith(BATCH):
            events = [(int(event["sequence"]), base64.b64decode(event["data_base64"]))
                      for event in json.loads(body)]
            batch = tuple(sequence for sequence, _ in events)
        else:
            events, batch = [(number[b"ce-sequence"], body)], ()
        status, delay = behaviour.answer(_key(events[0][1]))
        previous = number[b"eventbus-previous"]
        for sequence, data in events:
            subscription.arrived(Arrival(
                asyncio.get_running_loop().time(), _key(data), hash(data), sequence, previous,
                headers.get(b"webhook-id", b"").decode("latin-1"), number[b"eventbus-attempt"],
                status, batch))
            previous = sequence
        self._progress.set()
        return status, delay

    def close(self):
        self._server.close()
