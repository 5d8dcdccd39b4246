# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a restart keeps, clean or not, and what a full disk does."""

import http.client
import json
import os
import queue
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from bus import CONFIGURATION, DAEMON, OK, BusCase, answering, read_request
from program import DEADLINE_S, Program

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
# The number of events of the demonstration in README.
MANY = 10_000


class DurableCase(BusCase):
    """A daemon whose store outlives it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eventbus-test.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.program = None

    def start(self, *options):
        """Starts the daemon on the store, or starts it again."""
        self.program = self.daemon(f"--store=sqlite:{self.folder}/events.db", *options)

    def stop(self, number):
        """Ends the daemon and waits until it has."""
        self.program.send(number)
        status, said = self.program.wait_exit()
        self.assertEqual(status, 0 if number == signal.SIGTERM else -number, said)

    def publish_all(self, bodies):
        """Publishes over one connection; each is acked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        self.addCleanup(connection.close)
        for body in bodies:
            connection.request("POST", "/sendMessage", body)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b"success"))

    def reserve(self):
        """A port that refuses connections until a sink listens on it."""
        reserved = socket.socket()
        self.addCleanup(reserved.close)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]

    def expect(self, sink, numbers):
        """Exactly these arrive, in this order, each once."""
        for number in numbers:
            self.assertEqual(int(sink.get()[2]), number)
        self.assertTrue(sink.requests.empty())


def numbered(first, end):
    """The bodies of events."""
    return [str(i).encode() for i in range(first, end)]


class RestartTest(DurableCase):
    """Events and subscriptions."""

    def test_subscriber_away_and_daemon_killed(self):
        port = self.reserve()
        self.start()
        self.register(f"127.0.0.1:{port}")
        self.publish_all(numbered(0, MANY // 2))
        self.stop(signal.SIGKILL)
        self.start()
        self.publish_all(numbered(MANY // 2, MANY))
        sink = self.sink(port=port)
        self.register(sink.address)
        # Nothing had been delivered when it was killed, so nothing is repeated.
        self.expect(sink, range(MANY))

    def test_clean_restart(self):
        self.start()
        sink = self.sink()
        self.register(sink.address)
        self.publish_all(numbered(0, 200))
        self.stop(signal.SIGTERM)
        self.expect(sink, range(200))
        self.start()
        self.publish_all(numbered(200, 400))
        _, headers, body = sink.get()
        self.assertEqual((body, headers["ce-sequence"]), (b"200", f"{201:020}"))
        self.assertEqual(headers["eventbus-previous"], "200")
        self.expect(sink, range(201, 400))

    def test_clean_restart_with_a_backlog(self):
        port = self.reserve()
        self.start()
        self.register(f"127.0.0.1:{port}")
        self.publish_all(numbered(0, 100))
        self.stop(signal.SIGTERM)
        self.start()
        sink = self.sink(port=port)
        self.register(sink.address)
        self.expect(sink, range(100))

    def test_deregistered_stays_so(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number):
                self.start()
                here, gone = self.sink(), self.sink()
                self.register(here.address)
                self.register(gone.address)
                self.deregister(gone.address)
                self.stop(number)
                self.start()
                listed = self.request("GET", "/listSubscribers")[1]
                self.assertIn(here.address, listed)
                self.assertNotIn(gone.address, listed)
                self.publish_all(numbered(0, 2))
                self.expect(here, range(2))
                self.assertTrue(gone.requests.empty())
                self.deregister(here.address)
                self.stop(signal.SIGTERM)

    def test_lease_starts_again(self):
        self.start("--lease=1")
        sink = self.sink()
        self.register(sink.address)
        self.stop(signal.SIGKILL)
        begin = time.monotonic()
        self.start("--lease=1")
        self.program.wait_for(f"{re.escape(sink.address)}.* has not kept alive")
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        # Nobody was told, so a kill could still undo it.
        self.stop(signal.SIGTERM)
        self.start()
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))


class RetryTest(DurableCase):
    """What was refused, across a restart."""

    def flaky_sink(self):
        """It refuses its first request."""
        answers = queue.SimpleQueue()
        answers.put(FAILED)

        def serve(sink, connection):
            with connection.makefile("rb") as stream:
                while True:
                    request = read_request(stream)
                    answer = OK if answers.empty() else answers.get()
                    connection.sendall(answer)
                    sink.requests.put(request)

        return self.sink(serve)

    def check_retry(self, number, attempts):
        """An event is refused, the daemon ends, and the event comes again."""
        self.start("--set=delivery.retry=2,2")
        sink = self.flaky_sink()
        self.register(sink.address)
        self.publish_all(numbered(0, 1))
        _, first, _ = sink.get()
        self.assertEqual(first["eventbus-attempt"], "1")
        self.stop(number)
        self.start("--set=delivery.retry=2,2")
        _, second, body = sink.get()
        self.assertEqual(body, b"0")
        self.assertIn(second["eventbus-attempt"], attempts)
        for name in ("webhook-id", "ce-sequence", "ce-id", "eventbus-previous"):
            self.assertEqual(second[name], first[name])
        # It has ended: what comes next is the next event.
        self.publish_all(numbered(1, 2))
        self.expect(sink, [1])

    def test_clean_restart(self):
        self.check_retry(signal.SIGTERM, ("2",))

    def test_killed(self):
        # That it was refused may not have been written when it was killed.
        self.check_retry(signal.SIGKILL, ("1", "2"))

    def test_dead_letter(self):
        self.start("--set=delivery.retry=1")
        sink = self.sink(answering(FAILED))
        self.register(sink.address)
        self.publish_all(numbered(0, 1))
        target = f"/v1/subscriptions/{urllib.parse.quote(sink.address, safe='')}/dead-letters"

        def letters():
            status, body = self.request("GET", target)
            self.assertEqual(status, 200, body)
            return json.loads(body)

        self.wait_until(letters, "a dead letter")
        before = letters()
        self.assertEqual([(letter["sequence"], letter["attempts"], letter["laststatus"])
                          for letter in before], [(1, 2, 500)])
        self.stop(signal.SIGKILL)
        self.start("--set=delivery.retry=1")
        self.assertEqual(letters(), before)


class BatchTest(DurableCase):
    """What travels together, across a kill."""

    def subscribe(self, port):
        """One that gets all there is, in batches."""
        body = json.dumps({"sink": f"http://127.0.0.1:{port}/event", "protocol": "HTTP",
                           "config": {"mode": "batch", "start": "earliest"}})
        self.assertEqual(self.request("PUT", "/v1/subscriptions/b", body)[0], 201)

    def silent_sink(self):
        """It answers once it is told to."""
        self.answering = False

        def serve(sink, connection):
            with connection.makefile("rb") as stream:
                while True:
                    sink.requests.put(read_request(stream))
                    if self.answering:
                        connection.sendall(OK)

        return self.sink(serve)

    def get_batch(self, sink):
        """The next batch: its webhook-id, its attempt, and the sequences in it."""
        _, headers, body = sink.get()
        return (headers["webhook-id"], headers["eventbus-attempt"],
                [int(event["sequence"]) for event in json.loads(body)])

    def check_killed(self, n_events, sizes):
        """Killed while a sink has a batch of so many; after that batches of these sizes come."""
        self.start()
        self.publish_all(numbered(0, n_events))
        sink = self.silent_sink()
        self.subscribe(sink.port)
        first = self.get_batch(sink)
        self.assertEqual(first[1:], ("1", list(range(1, n_events + 1))))
        # These would have joined it if it had not begun.
        self.publish_all(numbered(0, 5))
        self.stop(signal.SIGKILL)
        self.answering = True
        self.start()
        self.assertEqual(self.get_batch(sink), first)
        seen = n_events
        for size in sizes:
            self.assertEqual(self.get_batch(sink)[2], list(range(seen + 1, seen + 1 + size)))
            seen += size
        self.assertTrue(sink.requests.empty())

    def test_killed(self):
        self.check_killed(3, [5])

    def test_killed_with_one(self):
        self.check_killed(1, [5])

    def test_killed_again(self):
        self.start()
        self.publish_all(numbered(0, 3))
        sink = self.silent_sink()
        self.subscribe(sink.port)
        batches = []
        for _ in range(3):
            batches.append(self.get_batch(sink))
            self.publish_all(numbered(0, 2))
            self.stop(signal.SIGKILL)
            self.start()
        self.assertEqual(batches[1:], batches[:1] * 2)


class FullDiskTest(DurableCase):
    """A store on a small file system of its own."""

    SIZE = 4 << 20
    BALLAST = 2 << 20
    EVENT = 16 << 10

    def small_disk(self):
        """The daemon, with what unshares its mounts in front; skips where that is not allowed."""
        unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        script = (f'mount -t tmpfs -o size={self.SIZE} eventbus-test "$1" && '
                  f'head -c {self.BALLAST} /dev/zero >"$1/ballast" && shift && exec "$@"')
        command = [*unshare, "sh", "-c", script, "sh", self.folder]
        tried = subprocess.run([*command, "true"], check=False, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, encoding="utf-8")
        if tried.returncode != 0:
            self.skipTest(f"no file system can be mounted here: {tried.stdout.strip()}")
        self.program = Program(*command, DAEMON, CONFIGURATION, "--bus=none",
                               "--listen=127.0.0.1:0", f"--store=sqlite:{self.folder}/events.db")
        self.addCleanup(self.program.close)
        self.port = int(self.program.wait_for(r"ready: http://127\.0\.0\.1:(\d+)").group(1))

    def send(self, number):
        """The status of publishing an event of that number."""
        body = f"{number:08}".encode() + bytes(self.EVENT)
        return self.request("POST", "/sendMessage", body)[0]

    def fill(self):
        """The numbers of the events that were acked until the disk was full."""
        acked, status = [], 200
        while status == 200:
            status = self.send(len(acked))
            if status == 200:
                acked.append(len(acked))
            self.assertLess(len(acked) * self.EVENT, self.SIZE, "more than fits was acked")
        self.assertEqual(status, 507)
        self.program.wait_for("refused until|[Nn]o space|full")
        return acked

    def free(self):
        os.unlink(f"/proc/{self.program.pid}/root{self.folder}/ballast")
        self.wait_until(lambda: self.send(99_999_999) == 200, "recovery")
        self.program.wait_for("again")

    def test_full_and_free_again(self):
        self.small_disk()
        sink = self.sink()
        self.register(sink.address)
        acked = self.fill()
        self.assertIn(sink.address, self.request("GET", "/listSubscribers")[1])
        # All of these are refused, so none of them may ever arrive.
        for number in range(90_000_000, 90_000_005):
            self.assertEqual(self.send(number), 507)

        self.free()
        for number in (*acked, 99_999_999):
            self.assertEqual(int(sink.get()[2][:8]), number)
        self.assertTrue(sink.requests.empty())

    def test_who_cannot_be_forgotten_stays(self):
        self.small_disk()
        sink = self.sink()
        self.register(sink.address)
        acked = self.fill()
        deregister = f"/deregister?address={sink.address}"
        self.assertEqual(self.request("DELETE", deregister)[0], 507)
        self.assertIn(sink.address, self.request("GET", "/listSubscribers")[1])
        self.free()
        for number in (*acked, 99_999_999):
            self.assertEqual(int(sink.get()[2][:8]), number)
        self.assertEqual(self.request("DELETE", deregister)[0], 200)
        self.assertNotIn(sink.address, self.request("GET", "/listSubscribers")[1])


if __name__ == "__main__":
    unittest.main()
