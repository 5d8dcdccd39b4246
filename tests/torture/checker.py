# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must be true of a history: nothing lost, nothing invented, in order, few repeats."""

import bisect
import collections
import functools
import itertools
import sys

from history import ACKED, REFUSED

# What may be delivered between two writes of how far a subscription got.
PROGRESS_MS = 100

LOST = "lost"
INVENTED = "invented"
NEVER_ENDED = "never ended"
OUT_OF_ORDER = "out of order"
SEQUENCE = "sequence gaps and reuses"
HEADERS = "wrong headers"
AFTER_END = "after the end"
TOO_MANY_REPEATS = "repeats over the bound"
SEEN_RUNNING = "seen while running"

KINDS = (LOST, INVENTED, NEVER_ENDED, OUT_OF_ORDER, SEQUENCE, HEADERS, AFTER_END,
         TOO_MANY_REPEATS, SEEN_RUNNING)


class Findings:
    """What a check found."""

    def __init__(self):
        self.faults = {kind: [] for kind in KINDS}
        self.deliveries = 0
        self.repeats = 0
        self.most_repeats = (0, 0)  # the largest number for a kill and subscription, and its bound

    def add(self, kind, text):
        self.faults[kind].append(text)

    def count(self, kind):
        return len(self.faults[kind])

    @property
    def well(self):
        return not any(self.faults.values())


def _said(key, subscription):
    return f"publisher {key[0]}, event {key[1]}, subscriber {subscription.name}"


class _Check:
    """One pass over a history."""

    def __init__(self, history, progress_ms):
        self.history = history
        self.progress_s = progress_ms / 1000
        self.found = Findings()
        # Lives end here: what a daemon sent may be read when it is dead, but not after the restart.
        self.ends = [kill.time if kill.back is None else kill.back for kill in history.kills]
        self.sequences = {}  # sequence → key
        self.sequence_of = {}  # key → sequence
        self.webhook_ids = {}  # webhook-id → (subscription, sequence or those of a batch)

    def run(self):
        for subscription in self.history.subscriptions:
            known = [a for a in subscription.arrivals if self._is_known(subscription, a)]
            self.found.deliveries += len(subscription.arrivals)
            self._bounds(subscription, known)
            self._log(subscription, known)
            self._order(subscription, known)
            self._headers(subscription, known)
            self._repeats(subscription, known)
        self._gaps()
        for subscription in self.history.subscriptions:
            self._losses(subscription)
        for remark in self.history.remarks:
            self.found.add(SEEN_RUNNING, remark)
        return self.found

    def _is_known(self, subscription, arrival):
        event = self.history.events.get(arrival.key)
        if event is None:
            why = f"never sent: {arrival.key}, sequence {arrival.sequence}, subscriber " \
                  f"{subscription.name}"
        elif event.outcome == REFUSED:
            why = f"refused, and delivered: {_said(arrival.key, subscription)}"
        elif event.digest != arrival.digest:
            why = f"other bytes: {_said(arrival.key, subscription)}"
        elif event.begun > arrival.time:
            why = f"delivered before it was sent: {_said(arrival.key, subscription)}"
        else:
            return True
        self.found.add(INVENTED, why)
        return False

    def _bounds(self, subscription, known):
        """Nothing from before a subscription, and nothing after it."""
        for arrival in known:
            event = self.history.events[arrival.key]
            if subscription.gone is not None and arrival.time > subscription.gone:
                self.found.add(AFTER_END, f"{_said(arrival.key, subscription)}: "
                               f"{arrival.time - subscription.gone:.3f} s after DELETE's answer")
            if event.outcome == ACKED and event.ended < subscription.asked:
                self.found.add(INVENTED, f"older than the subscription: "
                               f"{_said(arrival.key, subscription)}")

    def _log(self, subscription, known):
        """A sequence is one event's, and an event has one."""
        for arrival in known:
            key = self.sequences.setdefault(arrival.sequence, arrival.key)
            sequence = self.sequence_of.setdefault(arrival.key, arrival.sequence)
            if key != arrival.key or sequence != arrival.sequence:
                self.found.add(SEQUENCE, f"{_said(arrival.key, subscription)} came as sequence "
                               f"{arrival.sequence}; before, it was {sequence}, and "
                               f"{arrival.sequence} was publisher {key[0]}, event {key[1]}")

    def _order(self, subscription, known):
        """Events arrive for the first time in the order in which a publisher sent them: a refused
        one too, since it had arrived before it was refused."""
        seen, newest = set(), {}
        for arrival in known:
            # Several requests at a time are answered, and arrive, in any order.
            if arrival.key in seen or subscription.concurrency > 1:
                continue
            seen.add(arrival.key)
            publisher, counter = arrival.key
            if counter < newest.get(publisher, -1):
                self.found.add(OUT_OF_ORDER, f"{_said(arrival.key, subscription)} came after "
                               f"event {newest[publisher]}")
            newest[publisher] = max(counter, newest.get(publisher, -1))

    def _headers(self, subscription, known):
        first = min((a.sequence for a in known), default=0)
        for arrival in known:
            said = f"{_said(arrival.key, subscription)}, sequence {arrival.sequence}"
            previous = 0 if arrival.sequence == first else arrival.sequence - 1
            if arrival.previous != previous:
                self.found.add(HEADERS, f"{said}: eventbus-previous is {arrival.previous} instead "
                               f"of {previous}")
            # A batch has one of its own, and is the same whenever it comes.
            owner = (subscription.name, arrival.batch or arrival.sequence)
            if self.webhook_ids.setdefault(arrival.webhook_id, owner) != owner:
                self.found.add(HEADERS, f"{said}: webhook-id {arrival.webhook_id} is another's, "
                               f"{self.webhook_ids[arrival.webhook_id]}")
        ids = collections.defaultdict(set)
        for arrival in known:
            ids[arrival.sequence].add(arrival.webhook_id)
        for sequence, several in ids.items():
            if len(several) > 1:
                self.found.add(HEADERS, f"subscriber {subscription.name}, sequence {sequence}: "
                               f"{len(several)} different webhook-ids")

    def _repeats(self, subscription, known):
        """What came again although the sink had accepted it, by the kill that made it come."""
        last = {}
        by_kill = collections.Counter()
        for arrival in known:
            before = last.get(arrival.key)
            last[arrival.key] = arrival
            if before is None:
                continue
            kill = bisect.bisect_left(self.ends, before.time)
            killed = kill < len(self.ends) and self.history.kills[kill].time <= arrival.time
            self._attempt(subscription, before, arrival, killed)
            if not before.accepted:
                continue
            self.found.repeats += 1
            if killed:
                by_kill[kill] += 1
            else:
                self.found.add(TOO_MANY_REPEATS, f"{_said(arrival.key, subscription)} came again "
                               "without a kill")
        times = [arrival.time for arrival in subscription.arrivals]
        for kill, repeats in by_kill.items():
            self._bound(subscription, kill, repeats, times)

    def _bound(self, subscription, index, repeats, times):
        kill = self.history.kills[index]
        bound = subscription.concurrency * subscription.together + bisect.bisect_left(times, self.ends[index]) \
            - bisect.bisect_left(times, kill.time - self.progress_s)
        self.found.most_repeats = max(self.found.most_repeats, (repeats, bound))
        if repeats > bound:
            self.found.add(TOO_MANY_REPEATS, f"subscriber {subscription.name}, killed at "
                           f"{kill.time:.3f} ({kill.point}): {repeats} repeats, at most {bound}")

    def _attempt(self, subscription, before, arrival, killed):
        """A kill may undo that attempts were counted, nothing else may."""
        lowest = 1 if killed else before.attempt if before.accepted else before.attempt + 1
        if not lowest <= arrival.attempt <= before.attempt + 1:
            self.found.add(HEADERS, f"{_said(arrival.key, subscription)}: attempt "
                           f"{arrival.attempt} after attempt {before.attempt}")

    def _gaps(self):
        """Every sequence up to the largest is some event's."""
        known = sorted(self.sequences)
        expected = 1
        for sequence in known:
            if sequence != expected:
                self.found.add(SEQUENCE, f"sequences {expected} to {sequence - 1} arrived nowhere")
            expected = sequence + 1
        # A log numbers in the order in which it acks.
        by_publisher = collections.defaultdict(list)
        for (publisher, counter), sequence in self.sequence_of.items():
            by_publisher[publisher].append((counter, sequence))
        for publisher, pairs in by_publisher.items():
            pairs.sort()
            for (a, low), (b, high) in zip(pairs, pairs[1:]):
                if low > high:
                    self.found.add(OUT_OF_ORDER, f"publisher {publisher}: event {a} has sequence "
                                   f"{low}, event {b} has {high}")

    def _losses(self, subscription):
        arrived = {arrival.key for arrival in subscription.arrivals}
        if subscription.leaving is not None:
            self._hole(subscription, arrived)
            return
        for event in self.history.events.values():
            # What arrived anywhere is in the log, whatever its publisher was told.
            in_log = event.outcome == ACKED or event.key in self.sequence_of
            if not in_log or event.outcome == REFUSED or not subscription.is_owed(event):
                continue
            if event.key not in arrived:
                self.found.add(LOST, f"{_said(event.key, subscription)} ({event.outcome})")
            elif event.key not in subscription.accepted:
                self.found.add(NEVER_ENDED, _said(event.key, subscription))

    def _hole(self, subscription, arrived):
        """Who left is owed no more than what it got, but that from its start and without a gap."""
        sequences = {self.sequence_of[key] for key in arrived if key in self.sequence_of}
        if not sequences or subscription.registered is None:
            return
        first = min(self._first_owed(subscription.registered), min(sequences))
        for sequence in range(first, max(sequences)):
            if sequence not in sequences and sequence in self.sequences:
                self.found.add(LOST, f"{_said(self.sequences[sequence], subscription)}: it got "
                               f"later ones, up to sequence {max(sequences)}")

    @functools.cached_property
    def _by_begun(self):
        """When events began to be sent, and the smallest sequence of those from there on."""
        pairs = sorted((self.history.events[key].begun, sequence)
                       for key, sequence in self.sequence_of.items())
        lowest = list(itertools.accumulate((sequence for _, sequence in reversed(pairs)), min))
        return [begun for begun, _ in pairs], lowest[::-1]

    def _first_owed(self, registered):
        begun, lowest = self._by_begun
        index = bisect.bisect_right(begun, registered)
        return lowest[index] if index < len(lowest) else sys.maxsize


def check(history, progress_ms=PROGRESS_MS):
    """The findings of a history."""
    return _Check(history, progress_ms).run()
