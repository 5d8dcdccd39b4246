# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon and its name on a message bus: started by a call, refused, lost, gone."""

import os
import pathlib
import re
import select
import signal
import unittest

from program import DEADLINE_S, PrivateBus, Program

NAME = "org.example.EventBus"
PATH = "/org/example/EventBus"
DAEMON = os.environ["EVENTBUSD"]
# Not what this machine has installed.
CONFIGURATION = f"--config={pathlib.Path(__file__).parents[1]}/support/test.conf"
ON_BUS = (CONFIGURATION, "--bus=session", "--listen=127.0.0.1:0")
READY = r"^eventbusd \S+ ready: http://127\.0\.0\.1:\d+$"


class BusCase(unittest.TestCase):
    """What the cases below need."""

    def bus(self, *arguments):
        """A bus that is gone after the case."""
        bus = PrivateBus(*arguments)
        self.addCleanup(bus.close)
        return bus

    def daemon(self, bus, *options):
        """A daemon that is gone after the case."""
        daemon = Program(DAEMON, *ON_BUS, *options, env=bus.environment)
        self.addCleanup(daemon.close)
        return daemon


class ActivationTest(BusCase):
    """A bus starts the daemon from a service file."""

    def test_first_call_starts_it(self):
        bus = self.bus(NAME, " ".join((DAEMON,) + ON_BUS))
        self.assertEqual(bus.call(NAME, PATH, f"{NAME}.ListSubscribers"), (0, "(@a(sx) [],)"))
        process = self.process_of(bus)
        self.assertEqual(
            bus.call(NAME, PATH, f"{NAME}.RegisterAndKeepAlive", "127.0.0.1:9"), (0, "()"))
        status, said = bus.call(NAME, PATH, f"{NAME}.ListSubscribers")
        self.assertEqual(status, 0)
        self.assertRegex(said, r"^\(\[\('127\.0\.0\.1:9', (int64 )?\d+\)\],\)$")
        self.assertEqual(self.process_of(bus), process)
        self.end(process)

    def test_a_call_after_its_end_starts_it_again(self):
        bus = self.bus(NAME, " ".join((DAEMON,) + ON_BUS))
        bus.call(NAME, PATH, f"{NAME}.ListSubscribers")
        first = self.process_of(bus)
        self.end(first)
        self.assertEqual(bus.call(NAME, PATH, f"{NAME}.ListSubscribers"), (0, "(@a(sx) [],)"))
        second = self.process_of(bus)
        self.assertNotEqual(first, second)
        self.end(second)

    def process_of(self, bus):
        """The process that has the name."""
        status, said = bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                "org.freedesktop.DBus.GetConnectionUnixProcessID", NAME)
        self.assertEqual(status, 0, said)
        return int(re.search(r"uint32 (\d+)", said).group(1))

    def end(self, process):
        """Ends the daemon, which is no child of ours, and waits until it is gone."""
        descriptor = os.pidfd_open(process)
        self.addCleanup(os.close, descriptor)
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        readable, _, _ = select.select([descriptor], [], [], DEADLINE_S)
        self.assertTrue(readable, "it did not end on SIGTERM")


class NameTest(BusCase):
    """Without its name, the daemon does not run."""

    def test_name_taken(self):
        bus = self.bus()
        first = self.daemon(bus)
        first.wait_for(READY)
        status, said = self.daemon(bus).wait_exit()
        self.assertEqual(status, 1, said)
        self.assertIn(NAME, said)
        self.assertNotRegex(said, "ready: ")
        # The one that has the name is not disturbed.
        self.assertEqual(bus.call(NAME, PATH, f"{NAME}.ListSubscribers"), (0, "(@a(sx) [],)"))
        first.send(signal.SIGTERM)
        self.assertEqual(first.wait_exit()[0], 0)

    def test_bus_gone(self):
        bus = self.bus()
        daemon = self.daemon(bus)
        daemon.wait_for(READY)
        before = len(daemon.seen)
        bus.close()
        status, _ = daemon.wait_exit()
        self.assertEqual(status, 1)
        self.assertRegex("\n".join(daemon.seen[before:]), r"(?i)\bbus\b")

    def test_no_bus_there(self):
        daemon = Program(DAEMON, *ON_BUS,
                         env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"})
        self.addCleanup(daemon.close)
        status, said = daemon.wait_exit()
        self.assertEqual(status, 1, said)
        self.assertIn("/nonexistent/bus", said)

    def test_runs_without_any_bus(self):
        daemon = Program(DAEMON, CONFIGURATION, "--bus=none", "--listen=127.0.0.1:0",
                         env={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"})
        self.addCleanup(daemon.close)
        daemon.wait_for(READY)
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait_exit()[0], 0)


if __name__ == "__main__":
    unittest.main()
