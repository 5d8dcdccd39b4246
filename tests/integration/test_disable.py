# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What becomes of a subscription for ever whose sink has failed for days."""

import contextlib
import json
import signal
import sqlite3
import tempfile
import time
import unittest

from bus import OK, BusCase, read_request

US = 1_000_000
DAY_US = 24 * 60 * 60 * US


class DisableTest(BusCase):
    """Its days are over in the store, where a test need not wait for them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eventbus-test.")
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/events.db"
        self.broken = True
        self.target = self.sink(self.serve)
        self.program = self.daemon(f"--store=sqlite:{self.path}")

    def serve(self, sink, connection):
        """A sink that does not work until it does."""
        with connection.makefile("rb") as stream:
            while True:
                request = read_request(stream)
                connection.sendall(OK.replace(b"200 OK", b"500 No") if self.broken else OK)
                sink.requests.put(request)

    def restart(self, number):
        """Ends it, changes nothing, and starts it again."""
        self.program.send(number)
        self.program.wait_exit()
        self.program = self.daemon(f"--store=sqlite:{self.path}")

    def ask(self, method, action="", body=None):
        """The subscription, as an answer shows it."""
        text = json.dumps(body).encode() if body is not None else None
        status, _, answer = self.exchange(method, f"/v1/subscriptions/a{action}", text)
        self.assertIn(status, (200, 201), answer)
        return json.loads(answer)

    def put(self):
        """Creates or replaces it."""
        return self.ask("PUT", body={"sink": f"http://{self.target.address}/x",
                                     "config": {"lease": 0, "retry": [1]}})

    def state(self):
        """What it does."""
        return self.ask("GET")["status"]["state"]

    def disable(self):
        """Lets it be a moment before its five days are over, and then after."""
        self.put()
        self.program.send(signal.SIGTERM)
        self.program.wait_exit()
        failing = {"since": int(time.time() * US) - 6 * DAY_US, "lasted": 5 * DAY_US - US // 2}
        with contextlib.closing(sqlite3.connect(self.path)) as store, store:
            row = json.loads(store.execute("SELECT body FROM subscription").fetchone()[0])
            store.execute("UPDATE subscription SET body = ?",
                          [json.dumps({**row, "failing": failing})])
        self.program = self.daemon(f"--store=sqlite:{self.path}")
        self.assertEqual(self.state(), "active")
        self.publish()
        self.wait_until(lambda: self.state() == "disabled", "disabling it")
        for _ in range(2):
            self.target.get()

    def wait_for(self, sequence):
        """That event arrives. What a kill has made unknown may be repeated before."""
        while int(self.target.get()[1]["ce-sequence"]) != sequence:
            pass

    def test_until_resumed(self):
        self.disable()
        self.publish()
        self.restart(signal.SIGKILL)
        status = self.ask("GET")["status"]
        self.assertEqual(status["state"], "disabled")
        self.assertRegex(status["lasterror"], r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        self.assertTrue(self.target.requests.empty())
        self.broken = False
        self.assertNotEqual(self.ask("POST", "/resume")["status"]["state"], "disabled")
        self.wait_for(2)

    def test_until_alive(self):
        self.disable()
        self.publish()
        self.broken = False
        self.assertNotEqual(self.ask("POST", "/keepalive")["status"]["state"], "disabled")
        self.wait_for(2)
        self.restart(signal.SIGTERM)
        self.assertEqual(self.state(), "active")

    def test_until_put(self):
        self.disable()
        self.publish()
        self.broken = False
        self.assertNotEqual(self.put()["status"]["state"], "disabled")
        self.wait_for(2)


if __name__ == "__main__":
    unittest.main()
