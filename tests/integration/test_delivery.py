# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Deliveries over real sockets: what arrives, on which connection, and what a bad sink costs."""

import json
import os
import re
import socket
import time
import unittest

from bus import OK, BusCase, answering, read_request


def transports(test):
    """Runs a test with each of the two transports."""
    def run(self):
        for option in ("--transport=auto", "--transport=soup"):
            with self.subTest(option):
                test(self, option)
    return run


class ContentTest(BusCase):
    """Bytes and headers."""

    @transports
    def test_headers(self, option):
        self.daemon(option)
        sink = self.sink()
        self.register(sink.address)
        self.publish(b"one", "text/x; a=\"b\"")
        self.publish(b"two")
        first, second = sink.get(), sink.get()
        line, headers, body = first
        self.assertEqual(line, "POST /event HTTP/1.1")
        self.assertEqual(body, b"one")
        self.assertEqual(headers["content-type"], 'text/x; a="b"')
        self.assertEqual(headers["host"], sink.address)
        self.assertEqual(headers["content-length"], "3")
        self.assertRegex(headers["user-agent"], r"\AEventBus/\d")
        self.assertEqual(headers["ce-specversion"], "1.0")
        self.assertEqual(headers["ce-type"], "org.example.EventBus.message")
        self.assertEqual(headers["ce-source"], "/eventbus")
        self.assertRegex(headers["ce-id"], r"\A[0-9a-f-]{36}\Z")
        self.assertEqual(headers["ce-sequence"], "0" * 19 + "1")
        self.assertEqual(headers["eventbus-attempt"], "1")
        self.assertEqual(headers["eventbus-previous"], "0")
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 30)
        self.assertNotIn(".", headers["webhook-id"])
        self.assertNotIn("content-type", second[1])
        self.assertEqual(second[1]["eventbus-previous"], "1")
        self.assertNotEqual(second[1]["webhook-id"], headers["webhook-id"])
        self.assertEqual(sink.connections, 1)

    @transports
    def test_bytes(self, option):
        self.daemon(option)
        sink = self.sink()
        self.register(sink.address + "/with/prefix")
        bodies = [b"", b"\0", b"a\0b\r\n\r\n", bytes(range(256)) * 8, os.urandom(2048),
                  os.urandom(2049), os.urandom(1048576)]
        for body in bodies:
            self.publish(body, "application/octet-stream")
        for body in bodies:
            line, headers, arrived = sink.get()
            self.assertEqual(line, "POST /with/prefix/event HTTP/1.1")
            self.assertEqual(arrived, body)
            self.assertEqual(headers["content-length"], str(len(body)))

    @transports
    def test_everybody_gets_everything_in_order(self, option):
        self.daemon(option)
        sinks = [self.sink() for _ in range(5)]
        for sink in sinks:
            self.register(sink.address)
        for i in range(50):
            self.publish(str(i).encode())
        for sink in sinks:
            self.assertEqual([int(sink.get()[2]) for _ in range(50)], list(range(50)))

    @transports
    def test_same_host_twice(self, option):
        self.daemon(option)
        sink = self.sink()
        self.register(sink.address)
        self.register(sink.address + "/b")
        self.publish()
        self.assertEqual({sink.get()[0].split()[1], sink.get()[0].split()[1]},
                         {"/event", "/b/event"})


class ConnectionTest(BusCase):
    """How connections are used."""

    def check_reuse(self, answer, connections, events=5):
        """Publishes one after the other, and counts the connections."""
        sink = self.sink(answering(answer))
        self.register(sink.address)
        for _ in range(events):
            self.publish()
            sink.get()
        self.assertEqual(sink.connections, connections)
        self.deregister(sink.address)

    @transports
    def test_reuse(self, option):
        self.daemon(option)
        for answer in (OK, b"HTTP/1.1 204 No Content\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                       b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno"):
            with self.subTest(answer=answer):
                self.check_reuse(answer, 1)

    def test_close(self):
        self.daemon()
        self.check_reuse(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 5)
        self.check_reuse(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90000, 5)
        self.check_reuse(OK + b"what nobody asked for", 5)

    def test_closed_while_idle(self):
        self.daemon()

        def serve(sink, connection):
            with connection.makefile("rb") as stream:
                sink.requests.put(read_request(stream))
                connection.sendall(OK)

        sink = self.sink(serve)
        self.register(sink.address)
        for i in range(20):
            self.publish(str(i).encode())
        arrived = [(headers["eventbus-attempt"], int(body))
                   for _, headers, body in (sink.get() for _ in range(20))]
        self.assertEqual(sorted(number for _, number in arrived), list(range(20)))
        # One that came between the answer and the end has failed, and comes again later.
        first = [number for attempt, number in arrived if attempt == "1"]
        self.assertEqual(first, sorted(first))

    @transports
    def test_interim_answers(self, option):
        self.daemon(option)
        self.check_reuse(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 8 + OK, 1)

    def test_cap(self):
        program = self.daemon("--set=delivery.max-connections=4", "--set=delivery.workers=1")
        sinks = [self.sink() for _ in range(20)]
        for sink in sinks:
            self.register(sink.address)
        for i in range(10):
            self.publish(str(i).encode())
        for sink in sinks:
            self.assertEqual([int(sink.get()[2]) for _ in range(10)], list(range(10)))
        sockets = [link for link in map(
            lambda fd: os.readlink(f"/proc/{program.pid}/fd/{fd}"),
            os.listdir(f"/proc/{program.pid}/fd")) if link.startswith("socket:")]
        self.assertLess(len(sockets), 4 + 8)

    @transports
    def test_names(self, option):
        self.daemon(option)
        sink = self.sink()
        self.register(f"localhost:{sink.port}")
        self.publish()
        self.assertEqual(sink.get()[1]["host"], f"localhost:{sink.port}")

    @transports
    def test_ipv6(self, option):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        self.daemon(option)
        try:
            sink = self.sink(address="::1", family=socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 loopback here")
        self.register(sink.address)
        self.publish()
        self.assertEqual(sink.get()[1]["host"], sink.address)


class BadSinkTest(BusCase):
    """A failed delivery is logged with the sink and why, and harms nobody else."""

    def check_failure(self, program, address, why):
        """One bad sink beside a good one."""
        good = self.sink()
        self.register(good.address)
        self.register(address)
        self.publish()
        good.get()
        line = program.wait_for(re.escape(f"http://{address}/event")).string
        self.assertRegex(line, why)
        self.publish()
        good.get()
        self.deregister(address)
        self.deregister(good.address)

    @transports
    def test_refused(self, option):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.check_failure(self.daemon(option), f"127.0.0.1:{port}", "[Rr]efused")

    @transports
    def test_never_answers(self, option):
        program = self.daemon(option, "--set=delivery.timeout=1")

        def serve(sink, connection):
            while connection.recv(65536):
                pass

        self.check_failure(program, self.sink(serve).address, "within 1 s|timed out|[Tt]imeout")

    def test_drips(self):
        program = self.daemon("--set=delivery.timeout=1")

        def drip(sink, connection):
            connection.recv(65536)
            connection.settimeout(0.2)
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
                connection.sendall(bytes([byte]))
                try:
                    if not connection.recv(1):
                        return
                except TimeoutError:
                    pass

        self.check_failure(program, self.sink(drip).address, "within 1 s")

    def test_answers(self):
        program = self.daemon()
        for answer, why in ((b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
                            (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n"
                             b"Content-Length: 0\r\n\r\n", "answered 301"),
                            (b"220 mail ESMTP\r\n\r\n", "not an HTTP response")):
            with self.subTest(why):
                self.check_failure(program, self.sink(answering(answer)).address, why)

    @transports
    def test_too_many_interim_answers(self, option):
        hints = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9
        self.check_failure(self.daemon(option), self.sink(answering(hints + OK)).address,
                           "too long a head")

    def test_closes_without_an_answer(self):
        def serve(sink, connection):
            with connection.makefile("rb") as stream:
                sink.requests.put(read_request(stream))

        self.check_failure(self.daemon(), self.sink(serve).address, "closed|reset")

    @transports
    def test_body_that_is_cut_or_never_ends(self, option):
        """The status is the answer, whatever becomes of the body."""
        self.daemon(option, "--set=delivery.timeout=1", "--set=delivery.retry=1")
        for silent in (False, True):
            def serve(sink, connection, silent=silent):
                with connection.makefile("rb") as stream:
                    sink.requests.put(read_request(stream))
                    connection.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 10\r\n\r\nabc")
                    if silent:
                        stream.read(1)

            with self.subTest(silent=silent):
                sink = self.sink(serve)
                self.register(sink.address)
                self.publish()
                sink.get()
                self.wait_until(lambda: self.request("GET", "/listSubscribers") == (200, ""),
                                "the end of the subscription")

    def test_unknown_name(self):
        self.check_failure(self.daemon(), "no-such-name.invalid:80", r"event 1: \S+")

    def test_name_of_a_forbidden_address(self):
        program = self.daemon("--set=delivery.deny=127.0.0.0/8,::1/128")
        self.register("localhost:9")
        self.publish()
        self.assertIn("delivery.deny", program.wait_for("http://localhost:9/event").string)

    def test_own_listener_by_name(self):
        program = self.daemon()
        self.register(f"localhost:{self.port}")
        self.publish()
        self.assertRegex(program.wait_for(f"http://localhost:{self.port}/event").string,
                         "bus itself|refused")

    def test_kept_waiting_only_itself(self):
        self.daemon()

        def serve(sink, connection):
            while connection.recv(65536):
                pass

        for _ in range(3):
            self.register(self.sink(serve).address)
        good = self.sink()
        self.register(good.address)
        for i in range(2500):
            self.publish(str(i).encode())
        self.assertEqual([int(good.get()[2]) for _ in range(2500)], list(range(2500)))


class LeaseTest(BusCase):
    """Who does not keep alive is removed."""

    def test_expiry(self):
        program = self.daemon()
        sink = self.sink()
        body = json.dumps({"sink": f"http://{sink.address}/event", "config": {"lease": 1}})
        self.assertEqual(self.request("PUT", f"/v1/subscriptions/{sink.address}", body)[0], 201)
        program.wait_for("has not kept alive")
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))
        self.publish(b"1")
        # With the bus's own lease, which outlasts the rest of this however slow the machine is.
        self.register(sink.address)
        self.publish(b"2")
        self.assertEqual(sink.get()[2], b"2")


if __name__ == "__main__":
    unittest.main()
