# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A history as text, a line for everything that happened: to find out how a fault came about."""

FIELDS = ("asked", "registered", "leaving", "gone")


def _lines(history):
    for kill in history.kills:
        yield kill.time, f"KILL {kill.point}"
        if kill.back is not None:
            yield kill.back, "START"
    for event in history.events.values():
        yield event.begun, f"publish {event.publisher} {event.counter}"
        if event.ended is not None:
            yield event.ended, f"{event.outcome} {event.publisher} {event.counter}"
    for subscription in history.subscriptions:
        for field in FIELDS:
            time = getattr(subscription, field)
            if time is not None:
                yield time, f"{subscription.name} {field}"
        for arrival in subscription.arrivals:
            yield arrival.time, (f"{subscription.name} got {arrival.key}, sequence "
                                 f"{arrival.sequence} after {arrival.previous}, attempt "
                                 f"{arrival.attempt}: {arrival.status}")


def write(history, path):
    """Writes it, sorted by time."""
    with open(path, "w", encoding="utf-8") as file:
        for time, what in sorted(_lines(history)):
            file.write(f"{time:.6f} {what}\n")
