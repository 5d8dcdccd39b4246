# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happened in a run, as seen from outside: written by the traffic, read by the checker.

Every time is one of the same monotonic clock, in seconds.
"""

import dataclasses

# What a publisher knows of an event.
SENT = "sent"  # and not answered yet
ACKED = "acked"
REFUSED = "refused"
UNKNOWN = "unknown"  # the connection broke before an answer: it may be in the log or not


@dataclasses.dataclass(slots=True)
class Event:
    """One request to publish."""

    publisher: int
    counter: int
    digest: int  # of its bytes
    begun: float  # when the request began to be sent
    outcome: str = SENT
    ended: float = None  # when its answer came, or the connection broke

    @property
    def key(self):
        return self.publisher, self.counter


@dataclasses.dataclass(slots=True)
class Arrival:
    """One event at a sink."""

    time: float
    key: tuple  # (publisher, counter); None: the body is none of ours
    digest: int
    sequence: int
    previous: int
    webhook_id: str
    attempt: int
    status: int  # what the sink answers; 0: it closes the connection instead
    batch: tuple = ()  # the sequences that came in the same request; none: it came alone

    @property
    def accepted(self):
        return 200 <= self.status < 300


@dataclasses.dataclass
class Subscription:
    """One registration of an address, from its first request to the answer to its DELETE."""

    name: str
    address: str
    asked: float  # when the first request to register began
    together: int = dataclasses.field(default=1, kw_only=True)  # events in a request, at most
    concurrency: int = dataclasses.field(default=1, kw_only=True)  # requests at a time, at most
    registered: float = None  # when one was answered
    leaving: float = None  # when the first request to deregister began
    gone: float = None  # when one was answered, and all that had arrived by then was read
    arrivals: list = dataclasses.field(default_factory=list)
    accepted: set = dataclasses.field(default_factory=set)  # keys

    def arrived(self, arrival):
        self.arrivals.append(arrival)
        if arrival.accepted:
            self.accepted.add(arrival.key)

    def is_owed(self, event):
        """Whether it must get the event, if that is in the log at all."""
        return (self.registered is not None and self.leaving is None
                and event.begun > self.registered)


@dataclasses.dataclass
class Kill:
    """One end of the daemon."""

    point: str
    time: float
    back: float = None  # when the next daemon was started


class History:
    """All of it."""

    def __init__(self):
        self.events = {}  # key → Event
        self.subscriptions = []
        self.kills = []
        self.remarks = []  # faults that were seen while it ran

    def begin(self, publisher, counter, digest, time):
        event = Event(publisher, counter, digest, time)
        self.events[event.key] = event
        return event

    def missing(self):
        """(subscription, event) for each delivery of an acked event that has not ended."""
        acked = [event for event in self.events.values() if event.outcome == ACKED]
        return [(subscription, event) for subscription in self.subscriptions
                if subscription.leaving is None for event in acked
                if event.key not in subscription.accepted and subscription.is_owed(event)]

    def count(self, outcome):
        return sum(event.outcome == outcome for event in self.events.values())
