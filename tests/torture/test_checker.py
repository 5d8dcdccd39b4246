# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checker finds each fault that a history can have, and none in one that has none."""

import dataclasses
import unittest

from checker import (AFTER_END, HEADERS, INVENTED, LOST, NEVER_ENDED, OUT_OF_ORDER, SEQUENCE,
                     TOO_MANY_REPEATS, SEEN_RUNNING, check)
from history import ACKED, REFUSED, UNKNOWN, Arrival, History, Kill, Subscription

PUBLISHERS = 2
EVENTS = 10  # of each
KILL = 105.55  # after one event arrived in the 100 ms before


def good_history():
    """Two publishers in turn, an event every half second; two subscribers that get each one 10 ms
    later; the daemon killed in between."""
    history = History()
    for name in ("a", "b"):
        history.subscriptions.append(Subscription(name, f"127.0.0.1:1/{name}", 99.0, 99.5))
    for counter in range(1, EVENTS + 1):
        for publisher in range(PUBLISHERS):
            time = 100.0 + counter + publisher / 2
            event = history.begin(publisher, counter, hash((publisher, counter)), time)
            event.outcome, event.ended = ACKED, time + 0.005
            sequence = len(history.events)
            for subscription in history.subscriptions:
                webhook_id = f"{subscription.name}-{sequence}"
                subscription.arrived(Arrival(time + 0.01, event.key, event.digest, sequence,
                                             sequence - 1, webhook_id, 1, 204))
    history.kills.append(Kill("random", KILL, KILL + 0.2))
    return history


class CheckerTest(unittest.TestCase):
    """One fault each."""

    def setUp(self):
        self.history = good_history()
        self.first, self.second = self.history.subscriptions

    def finds(self, *kinds):
        """Exactly these kinds of fault."""
        faults = check(self.history).faults
        self.assertEqual({kind for kind, cases in faults.items() if cases}, set(kinds), faults)

    def again(self, index, **changes):
        """An arrival of the first subscriber's comes once more."""
        arrival = dataclasses.replace(self.first.arrivals[index], **changes)
        self.first.arrived(arrival)
        self.first.arrivals.sort(key=lambda a: a.time)

    def change(self, index, **changes):
        self.first.arrivals[index] = dataclasses.replace(self.first.arrivals[index], **changes)

    def test_good(self):
        self.finds()

    def test_lost(self):
        del self.first.arrivals[7]
        self.finds(LOST)

    def test_lost_last(self):
        del self.first.arrivals[-1]
        self.finds(LOST)

    def test_lost_by_all(self):
        # Its sequence is missing as well, if a later one arrived.
        for subscription in self.history.subscriptions:
            del subscription.arrivals[7]
        self.finds(LOST, SEQUENCE)

    def test_unknown_may_be_missing(self):
        key = self.first.arrivals[-1].key
        self.history.events[key].outcome = UNKNOWN
        for subscription in self.history.subscriptions:
            del subscription.arrivals[-1]
        self.finds()

    def test_unknown_that_one_got_is_owed_to_all(self):
        self.history.events[self.first.arrivals[-1].key].outcome = UNKNOWN
        del self.first.arrivals[-1]
        self.finds(LOST)

    def test_never_ended(self):
        self.change(7, status=500)
        self.first.accepted.discard(self.first.arrivals[7].key)
        self.finds(NEVER_ENDED)

    def test_invented(self):
        self.again(-1, time=120.0, key=(0, 99), sequence=21, previous=20, webhook_id="a-21")
        self.finds(INVENTED)

    def test_not_ours(self):
        self.again(-1, time=120.0, key=None, sequence=21, previous=20, webhook_id="a-21")
        self.finds(INVENTED)

    def test_other_bytes(self):
        self.change(7, digest=1)
        self.finds(INVENTED)

    def test_refused_and_delivered(self):
        self.history.events[self.first.arrivals[7].key].outcome = REFUSED
        # Nobody counts its sequence as known then.
        self.finds(INVENTED, SEQUENCE)

    def test_older_than_the_subscription(self):
        self.first.asked, self.first.registered = 103.1, 103.2
        self.finds(INVENTED)

    def test_out_of_order(self):
        third, fifth = self.first.arrivals[2], self.first.arrivals[4]
        self.change(2, time=fifth.time)
        self.change(4, time=third.time)
        self.history.events[third.key].begun = self.history.events[fifth.key].begun = third.time - 1
        self.first.arrivals.sort(key=lambda a: a.time)
        self.finds(OUT_OF_ORDER)

    def test_refused_comes_later_again(self):
        # It had arrived in its place, so what passed it since is no fault.
        self.change(3, status=500)
        self.again(3, time=115.0, attempt=2, status=204)
        self.finds()

    def test_sequences_out_of_order(self):
        third, fifth = self.first.arrivals[2], self.first.arrivals[4]
        for subscription in self.history.subscriptions:
            a, b = subscription.arrivals[2], subscription.arrivals[4]
            a.sequence, a.previous, b.sequence, b.previous = b.sequence, b.previous, a.sequence, \
                a.previous
            a.webhook_id, b.webhook_id = b.webhook_id, a.webhook_id
        self.assertGreater(third.sequence, fifth.sequence)
        self.finds(OUT_OF_ORDER)

    def test_gap(self):
        for subscription in self.history.subscriptions:
            for arrival in subscription.arrivals[7:]:
                arrival.sequence += 1
                arrival.previous += 1
            subscription.arrivals[7].previous -= 1
        self.finds(SEQUENCE, HEADERS)

    def test_reused_sequence(self):
        for subscription in self.history.subscriptions:
            subscription.arrivals[8].sequence = 8
        self.finds(SEQUENCE, HEADERS)

    def test_two_sequences_of_one_event(self):
        self.again(-1, time=120.0, sequence=21, previous=20, webhook_id="a-21", status=204)
        self.history.kills.append(Kill("random", 119.0, 119.5))
        self.finds(SEQUENCE)

    def test_wrong_previous(self):
        self.change(7, previous=0)
        self.finds(HEADERS)

    def test_first_previous(self):
        self.change(0, previous=5)
        self.finds(HEADERS)

    def test_another_webhook_id(self):
        self.change(7, webhook_id="a-1")
        self.finds(HEADERS)

    def batch(self, *indexes, **changes):
        """Arrivals of the first subscriber's came together."""
        sequences = tuple(self.first.arrivals[index].sequence for index in indexes)
        for index in indexes:
            self.change(index, batch=sequences, webhook_id=f"a-{sequences[0]}-{sequences[-1]}",
                        **changes)
        self.first.together = len(indexes)

    def test_batch(self):
        self.batch(7, 8, 9)
        self.again(9, time=KILL + 0.3)
        self.finds()

    def test_batch_of_others(self):
        self.batch(7, 8, 9)
        self.again(9, time=KILL + 0.3, batch=(10,))
        self.finds(HEADERS)

    def test_batch_with_more(self):
        self.batch(7, 8, 9)
        self.again(9, time=KILL + 0.3, batch=(9, 10, 11), webhook_id="a-9-11")
        self.finds(HEADERS)

    def test_webhook_id_of_a_repeat(self):
        self.again(9, time=KILL + 0.3, webhook_id="a-x")
        self.finds(HEADERS)

    def test_attempt_not_counted(self):
        self.change(3, status=500)
        self.again(3, time=103.3, status=204)
        self.finds(HEADERS)

    def test_attempt_undone_by_a_kill(self):
        self.change(9, status=500)
        self.again(9, time=KILL + 0.3, status=204)
        self.finds()

    def test_repeat_within_the_bound(self):
        self.again(9, time=KILL + 0.3)
        self.finds()
        self.assertEqual(check(self.history).most_repeats, (1, 2))

    def test_too_many_repeats(self):
        for index in (7, 8, 9):
            self.again(index, time=KILL + 0.3 + index / 100)
        self.finds(TOO_MANY_REPEATS)

    def test_what_100_ms_deliver_may_come_again(self):
        self.change(8, time=KILL - 0.09)
        for index in (7, 8, 9):
            self.again(index, time=KILL + 0.3 + index / 100)
        self.finds()

    def test_several_at_a_time(self):
        self.first.concurrency = 3
        self.change(7, time=self.first.arrivals[9].time + 0.01)
        self.first.arrivals.sort(key=lambda a: a.time)
        for index in (7, 8, 9):
            self.again(index, time=KILL + 0.3 + index / 100)
        self.finds()
        self.assertEqual(check(self.history).most_repeats, (3, 5))

    def test_read_after_the_kill(self):
        # Its repeat is that kill's all the same, and not the next one's.
        self.change(9, time=KILL + 0.1)
        self.again(9, time=KILL + 0.3)
        self.finds()

    def test_repeat_without_a_kill(self):
        self.again(3, time=103.3)
        self.finds(TOO_MANY_REPEATS)

    def test_arrival_after_the_end(self):
        self.first.leaving, self.first.gone = 106.0, 106.2
        self.finds(AFTER_END)

    def test_who_left_is_owed_nothing_more(self):
        self.first.leaving, self.first.gone = 106.0, 106.2
        self.first.arrivals = [a for a in self.first.arrivals if a.time < 106.1]
        self.finds()

    def test_hole_of_who_left(self):
        self.first.leaving, self.first.gone = 106.0, 106.2
        self.first.arrivals = [a for a in self.first.arrivals if a.time < 106.1]
        del self.first.arrivals[5]
        self.finds(LOST)

    def test_beginning_of_who_left(self):
        self.first.leaving, self.first.gone = 106.0, 106.2
        self.first.arrivals = [a for a in self.first.arrivals if a.time < 106.1][1:]
        self.first.arrivals[0].previous = 0
        self.finds(LOST)

    def test_remark(self):
        self.history.remarks.append("a is not subscribed any more")
        self.finds(SEEN_RUNNING)


if __name__ == "__main__":
    unittest.main()
