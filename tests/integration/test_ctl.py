#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eventbusctl as a process: against a bus made of http.server, and a real one.

EVENTBUSCTL names the program to test; EVENTBUSD, when set, the daemon to try it
with.
"""

import base64
import contextlib
import datetime
import http.client
import http.server
import json
import os
import pathlib
import pty
import queue
import re
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

PROGRAM = os.environ.get("EVENTBUSCTL")
DAEMON = os.environ.get("EVENTBUSD")
DEADLINE = 60  # seconds; only a broken program ever needs them
COMPLETION = pathlib.Path(__file__).parents[2] / "data" / "completion"


class Call:
    """A request that the bus has got."""

    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query = method, path, query
        self.headers, self.body = headers, body
        self.when = time.monotonic()

    @property
    def address(self):
        return urllib.parse.parse_qs(self.query)["address"][0]

    def __repr__(self):
        return f"{self.method} {self.path}?{self.query}"


class BusHandler(http.server.BaseHTTPRequestHandler):
    def setup(self):
        self.timeout = self.server.bus.patience
        super().setup()

    def handle_any(self):
        target = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bus = self.server.bus
        bus.calls.put(Call(self.command, target.path, target.query, self.headers, body))
        bus.gate.wait(DEADLINE)
        default = bus.answers.get(target.path, (200, b"success"))
        status, text, *headers = bus.answers.get(self.path, default)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = handle_any

    def address_string(self):
        return "-"

    def log_message(self, *args):
        pass


class HttpServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A program that does not wait for its answer is no news."""


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class FakeBus:
    """Answers as told, keeps what it was asked, and delivers what a test says."""

    def __init__(self, address=("127.0.0.1", 0)):
        unix = isinstance(address, str)
        kind = UnixServer if unix else HttpServer
        self.calls = queue.Queue()
        self.answers = {}  # path, or path and query -> (status, body, *(name, value))
        self.patience = None  # seconds after which an idle connection is closed
        self.gate = threading.Event()  # closed: no call is answered
        self.gate.set()
        self.server = kind(address, BusHandler)
        self.server.bus = self
        self.url = f"unix:{address}" if unix else f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def next_call(self):
        return self.calls.get(timeout=DEADLINE)


def post(address, data=b"", path="/event", method="POST", **headers):
    """Sends what a bus would and returns the answer's status."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request(method, path, data, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def deliver(address, sequence, data, content_type="text/plain; charset=utf-8", **more):
    headers = {
        "ce_id": f"id-{sequence}",
        "ce_type": "org.example.EventBus.message",
        "ce_source": "/eventbus",
        "ce_specversion": "1.0",
        "ce_sequence": f"{sequence:020d}",
        "webhook_id": f"msg_{sequence}",
        "eventbus_previous": str(sequence - 1),
    }
    if content_type is not None:
        headers["Content_Type"] = content_type
    headers.update(more)
    return post(address, data, **headers)


class Running:
    """A started program whose output is read line by line with a deadline."""

    def __init__(self, *args, program=None, **more):
        self.process = subprocess.Popen(
            [program or PROGRAM, *args],
            stdin=subprocess.DEVNULL,
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            **more,
        )
        self.readers = []
        self.out = self.read(self.process.stdout)
        self.err = self.read(self.process.stderr)

    def read(self, stream):
        lines = queue.Queue()
        if stream is None:
            return lines

        def run():
            for line in stream:
                lines.put(line)
            lines.put(None)

        reader = threading.Thread(target=run)
        reader.start()
        self.readers.append(reader)
        return lines

    def line(self):
        return self.out.get(timeout=DEADLINE)

    def error_line(self):
        line = self.err.get(timeout=DEADLINE)
        return None if line is None else line.decode()

    def wait(self):
        status = self.process.wait(DEADLINE)
        for reader in self.readers:
            reader.join(DEADLINE)
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def run(*args, data=None, env=None):
    """Runs a command to its end: (status, output, messages)."""
    environment = {k: v for k, v in os.environ.items() if k != "EVENTBUS_URL"}
    done = subprocess.run(
        [PROGRAM, *args],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        timeout=DEADLINE,
        env={**environment, **(env or {})},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(PROGRAM, "EVENTBUSCTL is not set")
class CtlTest(unittest.TestCase):
    maxDiff = None

    def make_bus(self, *args):
        bus = FakeBus(*args)
        self.addCleanup(bus.close)
        return bus

    def make_folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def start(self, *args, **more):
        running = Running(*args, **more)
        self.addCleanup(running.close)
        return running


class CommandLine(CtlTest):
    def test_help(self):
        for args in (["--help"], ["listen", "--help"], ["publish", "--help"], ["list", "--help"]):
            with self.subTest(args):
                status, out, err = run(*args)
                self.assertEqual((status, err), (0, ""))
                self.assertIn(b"--url", out)
        self.assertIn(b"listen", run("--help")[1])

    def test_version(self):
        for args in (["--version"], ["listen", "--version"]):
            with self.subTest(args):
                status, out, _ = run(*args)
                self.assertEqual(status, 0)
                self.assertRegex(out, rb"\Aeventbusctl [0-9]+\.[0-9]+\.[0-9]+\n\Z")

    def test_mistakes(self):
        for args, word in (
            ([], "Which command"),
            (["frobnicate"], '"frobnicate"'),
            (["--frobnicate"], "--frobnicate"),
            (["list", "--frobnicate"], "--frobnicate"),
            (["list", "extra"], '"extra"'),
            (["listen", "extra"], '"extra"'),
            (["listen", "--raw", "--json"], "--json"),
            (["listen", "--count=-1"], "--count"),
            (["listen", "--count=many"], "--count"),
            (["listen", "--lease=0"], "--lease"),
            (["listen", "--address="], '"" is not an address'),
            (["listen", "--address=:80"], '":80" is not an address'),
            (["listen", "--address=[::1"], '"[::1" is not an address'),
            (["listen", "--address=127.0.0.1:99999"], '"127.0.0.1:99999" is not an address'),
            (["dead-letters", ""], "Whose"),
            (["publish", "one", "two"], "one argument"),
            (["publish", "one", "--file=two"], "--file"),
            (["publish", "one", "--content-type=a/b\n"], r'"a/b\n" is not a content type'),
            (["publish", "one", "--content-type=a\nb"], r'"a\nb" is not a content type'),
            (["publish", "one", "--content-type="], '"" is not a content type'),
            (["publish", "one", "--content-type=json"], '"json" is not a content type'),
            (["publish", "one", "--content-type=a/b/c"], '"a/b/c" is not a content type'),
            (["publish", "one", "--content-type=text/é"], '"text/é" is not a content type'),
            (["publish", "one", "--content-type=text/plain x"], "charset=utf-8"),
            (["list", "--url=127.0.0.1:3000"], '"127.0.0.1:3000"'),
            (["list", "--url=ftp://127.0.0.1"], "ftp"),
            (["list", "--url=unix:"], "unix:"),
        ):
            with self.subTest(args):
                status, out, err = run(*args)
                self.assertEqual((status, out), (2, b""), err)
                self.assertIn(word, err)
                self.assertIn("--help", err)

    def test_unreachable(self):
        url = f"http://127.0.0.1:{free_port()}"
        for args in (["list"], ["publish", "x"], ["listen"]):
            with self.subTest(args):
                status, out, err = run(*args, f"--url={url}")
                self.assertEqual((status, out), (1, b""))
                self.assertIn(f"Cannot reach the bus at {url}: Connection refused.", err)
                self.assertIn("Is eventbusd running?", err)

    def test_unreachable_socket(self):
        status, _, err = run("list", "--url=unix:/nonexistent/bus.sock")
        self.assertEqual(status, 1)
        self.assertIn("unix:/nonexistent/bus.sock: No such file or directory", err)

    def test_where_the_bus_is(self):
        bus, nobody = self.make_bus(), f"http://127.0.0.1:{free_port()}"
        for args, env in (
            (["list", f"--url={bus.url}"], {"EVENTBUS_URL": nobody}),
            ([f"--url={bus.url}", "list"], {"EVENTBUS_URL": nobody}),
            ([f"--url={nobody}", "list", f"--url={bus.url}"], {}),
            (["list"], {"EVENTBUS_URL": bus.url}),
            (["list"], {"EVENTBUS_URL": bus.url, "http_proxy": nobody}),
            (["list", f"--url={bus.url}/"], {}),
        ):
            with self.subTest(args=args, env=env):
                self.assertEqual(run(*args, env=env)[0], 0)
                self.assertEqual(bus.next_call().path, "/listSubscribers")

    def test_prefix(self):
        bus = self.make_bus()
        self.assertEqual(run("list", f"--url={bus.url}/some/where/")[0], 0)
        self.assertEqual(bus.next_call().path, "/some/where/listSubscribers")

    def test_unix_socket(self):
        bus = self.make_bus(str(self.make_folder() / "bus.sock"))
        status, out, err = run("publish", "over a file", f"--url={bus.url}")
        self.assertEqual((status, out, err), (0, b"published\n", ""))
        call = bus.next_call()
        self.assertEqual((call.body, call.headers["Host"]), (b"over a file", "localhost"))


class Publish(CtlTest):
    def setUp(self):
        self.bus = self.make_bus()

    def publish(self, *args, **more):
        result = run("publish", f"--url={self.bus.url}", *args, **more)
        self.assertEqual(result, (0, b"published\n", ""))
        call = self.bus.next_call()
        self.assertEqual((call.method, call.path, call.query), ("POST", "/sendMessage", ""))
        return call.body, call.headers["Content-Type"]

    def test_argument(self):
        self.assertEqual(
            self.publish("grüße & %zz"), ("grüße & %zz".encode(), "text/plain; charset=utf-8")
        )
        self.assertEqual(self.publish(""), (b"", "text/plain; charset=utf-8"))
        self.assertEqual(self.publish("--", "--x"), (b"--x", "text/plain; charset=utf-8"))
        self.assertEqual(self.publish(b"\xff\x01"), (b"\xff\x01", "application/octet-stream"))

    def test_content_type(self):
        self.assertEqual(
            self.publish("{}", "--content-type=application/json"), (b"{}", "application/json")
        )
        self.assertEqual(
            self.publish("-", "--content-type=text/csv", data=b"a,b"), (b"a,b", "text/csv")
        )

    def test_file(self):
        data = bytes(range(256)) * 4096  # 1 MiB with everything in it
        file = self.make_folder() / "a file"
        file.write_bytes(data)
        self.assertEqual(self.publish(f"--file={file}"), (data, "application/octet-stream"))

    def test_standard_input(self):
        data = b"one\0two\n" * 20000
        for args in ([], ["-"], ["--file=-"]):
            with self.subTest(args):
                self.assertEqual(self.publish(*args, data=data), (data, "application/octet-stream"))

    def test_quiet(self):
        self.assertEqual(run("publish", "-q", "x", f"--url={self.bus.url}"), (0, b"", ""))

    def test_missing_file(self):
        status, out, err = run("publish", "--file=/nonexistent", f"--url={self.bus.url}")
        self.assertEqual((status, out), (1, b""))
        self.assertIn('"/nonexistent"', err)
        self.assertTrue(self.bus.calls.empty())

    def test_not_acknowledged(self):
        for answer, word in (
            ((413, b"Error: too large\n"), "413 Error: too large"),
            ((503, b""), "503 Service Unavailable"),
            ((202, b"success"), "202"),
            ((302, b"elsewhere"), "302"),
            ((400, b"\x1b[2Jevil"), r"400 \x1b[2Jevil"),
        ):
            with self.subTest(answer):
                self.bus.answers["/sendMessage"] = answer
                status, out, err = run("publish", "x", f"--url={self.bus.url}")
                self.assertEqual((status, out), (1, b""))
                self.assertIn(word, err)
                self.assertIn(self.bus.url, err)


class List(CtlTest):
    def setUp(self):
        self.bus = self.make_bus()

    def list(self, *args, body=b"", **more):
        self.bus.answers["/listSubscribers"] = (200, body)
        status, out, err = run("list", f"--url={self.bus.url}", *args, **more)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(self.bus.next_call().method, "GET")
        return out.decode()

    def test_table(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        then = now - datetime.timedelta(minutes=3, seconds=1)
        out = self.list(
            body=f"10.0.0.7:8080/a  :  b  :  {then:%Y-%m-%dT%H:%M:%S}Z\nhost  :  never\n".encode(),
            env={"TZ": "UTC-2"},
        )
        local = then + datetime.timedelta(hours=2)
        heading, first, second = out.splitlines()
        self.assertEqual(re.split("  +", heading), ["ADDRESS", "LAST KEEP-ALIVE", "AGE"])
        self.assertRegex(
            first, rf"\A10\.0\.0\.7:8080/a  :  b  {local:%Y-%m-%d %H:%M:%S}  3 min [0-9]+ s\Z"
        )
        self.assertEqual(re.split("  +", second), ["host", "never", "-"])
        self.assertEqual(heading.index("LAST"), second.index("never"))

    def test_hostile_address(self):
        out = self.list(body=b"a\x1b]0;b\xff  :  2026-01-01T00:00:00Z\n")
        self.assertIn(r"a\x1b]0;b\xff", out)

    def test_nobody(self):
        self.assertEqual(self.list(), "No subscribers.\n")

    def test_raw(self):
        body = b"host  :  2026-01-01T00:00:00Z\n"
        self.assertEqual(self.list("--raw", body=body), body.decode())
        self.assertEqual(self.list("--raw"), "")

    def test_refused(self):
        self.bus.answers["/listSubscribers"] = (404, b"no such thing")
        status, out, err = run("list", f"--url={self.bus.url}")
        self.assertEqual((status, out), (1, b""))
        self.assertIn("/listSubscribers: 404 no such thing", err)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            running = self.start("list", f"--url={self.bus.url}", stdout=full)
            self.assertIn("No space left on device", running.error_line())
            self.assertEqual(running.wait(), 1)


class DeadLetters(CtlTest):
    PATH = "/v1/subscriptions/host%2Fa%252Fb/dead-letters"
    LETTERS = [
        {"id": "one", "sequence": 7, "reason": "answered 500", "laststatus": 500, "attempts": 10,
         "first": "2026-01-01T00:00:00Z", "last": "2026-01-02T03:04:05Z"},
        {"id": "t\x1bwo", "sequence": 123, "reason": "no answer", "laststatus": 0, "attempts": 1,
         "first": None, "last": None},
    ]

    def setUp(self):
        self.bus = self.make_bus()

    def letters(self, *args, **more):
        return run("dead-letters", "host/a%2Fb", f"--url={self.bus.url}", *args, **more)

    def calls(self):
        calls = []
        while not self.bus.calls.empty():
            calls.append(self.bus.next_call())
        return [(c.method, c.path, c.query, c.body) for c in calls]

    def test_table(self):
        pages = [json.dumps([letter]).encode() for letter in self.LETTERS]
        link = ("Link", f'<{self.PATH}?after=7&limit=1000>; rel="next"')
        self.bus.answers[f"{self.PATH}?after=0&limit=1000"] = (200, pages[0], link)
        self.bus.answers[f"{self.PATH}?after=7&limit=1000"] = (200, pages[1])
        status, out, err = self.letters(env={"TZ": "UTC-2"})
        self.assertEqual((status, err), (0, ""))
        rows = [re.split("  +", row) for row in out.decode().splitlines()]
        self.assertEqual(rows, [
            ["SEQUENCE", "EVENT", "STATUS", "ATTEMPTS", "LAST", "REASON"],
            ["7", "one", "500", "10", "2026-01-02 05:04:05", "answered 500"],
            ["123", r"t\x1bwo", "-", "1", "-", "no answer"]])
        self.assertEqual(len(self.calls()), 2)

    def test_none(self):
        self.bus.answers[self.PATH] = (200, b"[]")
        self.assertEqual(self.letters(), (0, b"No dead letters.\n", ""))

    def test_redrive_all(self):
        """As often as it takes, and none of them twice."""
        target = f"{self.PATH}/redrive"
        link = ("Link", f'<{target}?after=1200>; rel="next"')
        self.bus.answers[f"{target}?after=0"] = (200, b'{"redriven":1000,"left":500}', link)
        self.bus.answers[f"{target}?after=1200"] = (200, b'{"redriven":500,"left":0}')
        status, out, err = self.letters("--redrive")
        self.assertEqual((status, out, err), (0, b"redriven: 1500, left: 0\n", ""))
        self.assertEqual(self.calls(), [("POST", target, "after=0", b""),
                                        ("POST", target, "after=1200", b"")])

    def test_redrive_without_end(self):
        """A sink that takes nothing is not waited for."""
        self.bus.answers[f"{self.PATH}/redrive"] = (200, b'{"redriven":0,"left":1000}')
        status, out, err = self.letters("--redrive")
        self.assertEqual((status, out, err), (0, b"redriven: 0, left: 1000 or more\n", ""))

    def test_redrive_some(self):
        self.bus.answers[f"{self.PATH}/redrive"] = (200, b'{"redriven":2,"left":5}')
        status, out, err = self.letters("--redrive", "--sequence=7", "--sequence=9")
        self.assertEqual((status, out, err), (0, b"redriven: 2, left: 5\n", ""))
        self.assertEqual(
            self.calls(), [("POST", f"{self.PATH}/redrive", "", b'{"sequences":[7,9]}')])

    def test_drop(self):
        self.bus.answers[self.PATH] = (204, b"")
        self.assertEqual(self.letters("--drop"), (0, b"dropped\n", ""))
        self.assertEqual(self.letters("--drop", "--sequence=7")[0], 0)
        self.assertEqual(self.calls(), [("DELETE", self.PATH, "", b""),
                                        ("DELETE", self.PATH, "sequences=7", b"")])

    def test_refused(self):
        problem = json.dumps({"title": "Not Found", "status": 404, "detail": "no “host”\n"}).encode()
        self.bus.answers[self.PATH] = (404, problem, ("Content-Type", "application/problem+json"))
        status, out, err = self.letters()
        self.assertEqual((status, out), (1, b""))
        self.assertIn("404 no “host”", err)
        self.bus.answers[self.PATH] = (200, b"success")
        self.assertIn("not an event bus", self.letters()[2])

    def test_usage(self):
        for args, says in ((("--redrive", "--drop"), "not both"), (("--sequence=1",), "--redrive"),
                           (("--drop", "--sequence=x"), "--sequence=x"), (("more",), "more")):
            with self.subTest(args):
                status, _, err = self.letters(*args)
                self.assertEqual(status, 2)
                self.assertIn(says, err)
        self.assertEqual(run("dead-letters", f"--url={self.bus.url}")[0], 2)
        self.assertEqual(self.calls(), [])


class ListenTest(CtlTest):
    def setUp(self):
        self.bus = self.make_bus()

    def listen(self, *args, **more):
        """Starts listening; returns the program once it is registered."""
        running = self.start("listen", f"--url={self.bus.url}", *args, **more)
        call = self.bus.next_call()
        self.assertEqual((call.method, call.path), ("POST", "/registerAndKeepAlive"))
        running.address = call.address
        line = running.error_line()
        self.assertIn(call.address, line)
        self.assertIn(self.bus.url, line)
        return running

    def assert_deregisters(self, running, status=0):
        call = self.bus.next_call()
        while call.path == "/registerAndKeepAlive":
            call = self.bus.next_call()
        self.assertEqual((call.method, call.path), ("DELETE", "/deregister"))
        self.assertEqual(call.address, running.address)
        self.assertEqual(running.wait(), status)
        self.assertIsNone(running.error_line())
        self.assertTrue(self.bus.calls.empty(), "a call after deregistering")


class Lease(ListenTest):
    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                running = self.listen()
                self.assertRegex(running.address, r"\A127\.0\.0\.1:[0-9]+\Z")
                running.process.send_signal(number)
                self.assert_deregisters(running)
                with self.assertRaises(ConnectionRefusedError):
                    post(running.address)

    def test_keep_alive(self):
        begin = time.monotonic()
        running = self.listen("--lease=1")
        calls = [self.bus.next_call() for _ in range(6)]
        self.assertEqual({c.path for c in calls}, {"/registerAndKeepAlive"})
        self.assertEqual({c.address for c in calls}, {running.address})
        # Six thirds of a second are two; half of that would be too eager.
        self.assertGreater(calls[-1].when - begin, 1.0)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_default_lease_is_not_hurried(self):
        begin = time.monotonic()
        running = self.listen()
        calls = [self.bus.next_call() for _ in range(2)]
        self.assertEqual({c.path for c in calls}, {"/registerAndKeepAlive"})
        # Twice a third of six seconds are four; half of that would be too eager.
        self.assertGreater(calls[1].when - begin, 2.0)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_idle_connections_closed(self):
        """By a bus that stays: registers again, soon but ever more rarely, and is silent."""
        self.bus.patience = 0.01
        begin = time.monotonic()
        running = self.listen("--lease=600")
        calls = [self.bus.next_call() for _ in range(4)]
        self.assertEqual({c.path for c in calls}, {"/registerAndKeepAlive"})
        # At once, after 250 ms, after 500 ms.
        self.assertGreater(calls[3].when - begin, 0.7)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_addresses(self):
        port = free_port()
        for given, pattern in (
            (f"127.0.0.2:{port}", rf"\A127\.0\.0\.2:{port}\Z"),
            ("127.0.0.3", r"\A127\.0\.0\.3:[1-9][0-9]*\Z"),
            ("localhost", r"\Alocalhost:[1-9][0-9]*\Z"),
        ):
            with self.subTest(given):
                running = self.listen(f"--address={given}")
                self.assertRegex(running.address, pattern)
                self.assertEqual(deliver(running.address, 1, b"x"), 204)
                running.process.send_signal(signal.SIGINT)
                self.assert_deregisters(running)

    def test_ipv6(self):
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6):
                pass
        except OSError as error:
            self.skipTest(f"no IPv6 loopback here: {error}")
        running = self.start("listen", f"--url={self.bus.url}", "--address=[::1]")
        call = self.bus.next_call()
        self.assertRegex(call.query, r"\Aaddress=%5B%3A%3A1%5D%3A[0-9]+\Z")
        running.address = call.address
        self.assertIn(call.address, running.error_line())
        self.assertEqual(deliver(call.address, 1, b"x"), 204)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_address_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            status, _, err = run("listen", f"--url={self.bus.url}", f"--address={address}")
        self.assertEqual(status, 1)
        self.assertIn(f"Cannot listen at {address}", err)
        self.assertTrue(self.bus.calls.empty())

    def test_refused(self):
        self.bus.answers["/registerAndKeepAlive"] = (400, b"Error:Wrong input address.")
        status, out, err = run("listen", f"--url={self.bus.url}")
        self.assertEqual((status, out), (1, b""))
        self.assertIn("400 Error:Wrong input address.", err)

    def test_bus_goes_and_comes_back(self):
        running = self.listen("--lease=1")
        self.bus.answers["/registerAndKeepAlive"] = (503, b"closing")
        self.assertIn("gone away", running.error_line())
        seen = 0
        while seen < 3:  # more than one failure, but one message
            seen += self.bus.next_call().path == "/registerAndKeepAlive"
        del self.bus.answers["/registerAndKeepAlive"]
        self.assertIn("is back", running.error_line())
        self.assertEqual(deliver(running.address, 1, b"again"), 204)
        self.assertIn(b"#1", running.line())
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_bus_dies(self):
        running = self.listen("--lease=1")
        port = self.bus.server.server_port
        self.bus.close()
        self.assertIn("Connection refused", running.error_line())
        self.bus = self.make_bus(("127.0.0.1", port))
        self.assertEqual(self.bus.next_call().address, running.address)
        self.assertIn("is back", running.error_line())
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_bus_away_at_the_end(self):
        running = self.listen()
        self.bus.close()
        running.process.send_signal(signal.SIGINT)
        line = running.error_line()
        if "gone away" in line:  # that may well be noticed before
            line = running.error_line()
        self.assertIn("Could not deregister", line)
        self.assertEqual(running.wait(), 1)

    def test_bus_hangs_at_the_end(self):
        running = self.listen("--lease=600")
        self.bus.gate.clear()
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(self.bus.next_call().path, "/deregister")
        self.assertIn("does not answer", running.error_line())
        self.assertEqual(running.wait(), 1)

    def test_second_signal_does_not_wait(self):
        running = self.listen("--lease=600")
        self.bus.gate.clear()
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(self.bus.next_call().path, "/deregister")
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(), 1)
        self.assertIsNone(running.error_line())

    def test_stop_waits_for_a_registration_under_way(self):
        self.bus.gate.clear()
        running = self.start("listen", f"--url={self.bus.url}")
        running.address = self.bus.next_call().address
        running.process.send_signal(signal.SIGINT)
        with self.assertRaises(queue.Empty):
            # Nothing may come while the first call is unanswered.
            self.bus.calls.get(timeout=0.3)
        self.bus.gate.set()
        self.assert_deregisters(running)

    def test_far_bus_gets_a_hint(self):
        # A name that is not known to be this machine, though it leads here.
        url = self.bus.url.replace("127.0.0.1", "localhost.")
        running = self.start("listen", f"--url={url}")
        self.assertIn("--address=HOST", running.error_line())


class Output(ListenTest):
    def show(self, *args, data, content_type="text/plain; charset=utf-8", **headers):
        """What one event looks like."""
        running = self.listen("--count=1", *args)
        self.assertEqual(deliver(running.address, 7, data, content_type, **headers), 204)
        self.assert_deregisters(running)
        lines = list(iter(running.line, None))
        return b"".join(lines)

    def test_human(self):
        self.assertEqual(
            self.show(data="grüße\nzweite\tZeile".encode()).decode(),
            "#7  org.example.EventBus.message  text/plain; charset=utf-8  20 bytes\n"
            "  grüße\n  zweite\tZeile\n",
        )

    def test_human_little(self):
        self.assertTrue(self.show(data=b"").endswith(b"  0 bytes\n"))
        self.assertTrue(self.show(data=b"1").endswith(b"  1 byte\n  1\n"))
        self.assertIn(b"  -  4 bytes", self.show(data=b"none", content_type=None))

    def test_human_controls(self):
        out = self.show(
            data="\x1b]0;title\x07 \x1b[2J\r\b\x7f \x9b1m \u202egnp \u2028".encode()
            + b"\xff\n#8  a forged headline",
            content_type="text/plain\t\x80",
            ce_type="%1B[31mred%0A",
        )
        self.assertEqual(
            out.decode(),
            "#7  \\x1b[31mred\\n  text/plain\t\ufffd  57 bytes\n"
            "  \\x1b]0;title\\x07 \\x1b[2J\\r\\x08\\x7f \\u009b1m \\u202egnp \\u2028\\xff\n"
            "  #8  a forged headline\n",
        )

    def test_human_binary(self):
        out = self.show(data=bytes(range(256)), content_type="application/octet-stream")
        lines = out.decode().splitlines()
        self.assertTrue(lines[0].endswith("  256 bytes"))
        self.assertEqual(
            lines[3],
            "  20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f"
            "   !\"#$%&'()*+,-./",
        )
        self.assertEqual(lines[5], "  + 192 bytes")
        self.assertEqual(len(lines), 6)

    def test_raw(self):
        data = bytes(range(256))
        self.assertEqual(self.show("--raw", data=data), data + b"\n")
        self.assertEqual(self.show("--raw", data=b""), b"\n")

    def test_raw_large(self):
        data = bytes(range(256)) * 4096
        running = self.listen("--count=1", "--raw")
        self.assertEqual(deliver(running.address, 1, data), 204)
        self.assert_deregisters(running)
        self.assertEqual(b"".join(iter(running.line, None)), data + b"\n")

    def test_json(self):
        out = self.show("--json", data="zwei\nZeilen ü".encode(), ce_subject="a%20b%22")
        self.assertEqual(out.count(b"\n"), 1)
        self.assertEqual(
            list(json.loads(out).items()),
            [
                ("id", "id-7"),
                ("sequence", 7),
                ("type", "org.example.EventBus.message"),
                ("source", "/eventbus"),
                ("datacontenttype", "text/plain; charset=utf-8"),
                ("specversion", "1.0"),
                ("subject", 'a b"'),
                ("data", "zwei\nZeilen ü"),
            ],
        )

    def test_json_binary(self):
        for data, kind in (
            (b"\xff\0", "text/plain"),
            (b"a\0b", "text/plain"),
            (bytes(range(256)), "application/octet-stream"),
            (b"{broken", "application/json"),
            (b"not json", None),
        ):
            with self.subTest(data=data, kind=kind):
                event = json.loads(self.show("--json", data=data, content_type=kind))
                self.assertNotIn("data", event)
                self.assertEqual(base64.b64decode(event["data_base64"]), data)

    def test_json_nested(self):
        text = '{"n": 12345678901234567890.10,\n "s": "a \\" } \\u00e9", "l": [ 1, [ ], { }, -0e+1 ] }'
        for kind in ("application/json; charset=utf-8", "application/Problem+JSON", None):
            with self.subTest(kind):
                out = self.show("--json", data=text.encode(), content_type=kind).decode()
                self.assertTrue(
                    out.endswith(
                        ',"data":{"n":12345678901234567890.10,"s":"a \\" } \\u00e9",'
                        '"l":[1,[],{},-0e+1]}}\n'
                    ),
                    out,
                )
                json.loads(out)

    def test_json_is_strict(self):
        deep = 128
        for text, good in (
            ("[" * deep + "]" * deep, True),
            ("[" * (deep + 1) + "]" * (deep + 1), False),
            ("true", True),
            (" null\n", True),
            ('"\\ud83d\\ude00"', True),
            ("-1.5e-3", True),
            ("01", False),
            (".5", False),
            ("1.", False),
            ("+1", False),
            ("0x10", False),
            ("{}{}", False),
            ("[1,]", False),
            ("{'a':1}", False),
            ('{"a" 1}', False),
            ('{"a":1,}', False),
            ('"\\x"', False),
            ('"\\u12g4"', False),
            ('"a\nb"', False),
            ('"open', False),
            ("tru", False),
            ("// c\n1", False),
            ("nullx", False),
        ):
            with self.subTest(text):
                event = json.loads(
                    self.show("--json", data=text.encode(), content_type="application/json")
                )
                self.assertEqual("data" in event, good)
                self.assertEqual("data_base64" in event, not good)

    def test_json_controls(self):
        out = self.show("--json", data="\x1b[2J \x9b1m".encode(), ce_type="\x7f")
        self.assertNotRegex(out.decode(), "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertEqual(json.loads(out)["data"], "\x1b[2J \x9b1m")

    def test_empty_json(self):
        event = json.loads(self.show("--json", data=b"", content_type=None))
        self.assertEqual(event.keys() & {"data", "data_base64", "datacontenttype"}, set())


class Flow(ListenTest):
    def test_each_event_at_once(self):
        running = self.listen("--raw")
        for sequence in range(1, 51):
            self.assertEqual(deliver(running.address, sequence, b"%d" % sequence), 204)
            self.assertEqual(running.line(), b"%d\n" % sequence)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_count(self):
        running = self.listen("--raw", "--count=2")
        self.assertEqual(deliver(running.address, 1, b"a"), 204)
        self.assertEqual(deliver(running.address, 2, b"b"), 204)
        self.assert_deregisters(running)
        self.assertEqual(list(iter(running.line, None)), [b"a\n", b"b\n"])

    def test_repeat_is_printed_once(self):
        running = self.listen("--raw", "--count=2")
        for sequence in (1, 1, 2):
            self.assertEqual(deliver(running.address, sequence, b"%d" % sequence), 204)
        self.assert_deregisters(running)
        self.assertEqual(list(iter(running.line, None)), [b"1\n", b"2\n"])

    def test_gap(self):
        running = self.listen("--raw")
        self.assertEqual(deliver(running.address, 3, b"a"), 204)
        self.assertEqual(deliver(running.address, 9, b"b", eventbus_previous="8"), 204)
        self.assertIn("missing after 3, up to 8", running.error_line())
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_new_log(self):
        running = self.listen("--raw")
        self.assertEqual(deliver(running.address, 3, b"a"), 204)
        self.assertEqual(deliver(running.address, 3, b"b", webhook_id="new", eventbus_previous="0"), 204)
        line = running.error_line()
        self.assertIn("new log", line)
        self.assertIn("event 3,", line)
        self.assertEqual(deliver(running.address, 4, b"c"), 204)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_late_repeat_is_no_new_log(self):
        running = self.listen("--raw")
        for sequence in (2, 3):
            self.assertEqual(deliver(running.address, sequence, b"x"), 204)
        self.assertEqual(deliver(running.address, 1, b"late", eventbus_attempt="2"), 204)
        # Nor does a gap open behind it.
        self.assertEqual(deliver(running.address, 4, b"x"), 204)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_plain_bus(self):
        """One that sends nothing but the data."""
        running = self.listen()
        self.assertEqual(post(running.address, b"bare"), 204)
        self.assertEqual(running.line(), b"#0  -  -  4 bytes\n")
        self.assertEqual(running.line(), b"  bare\n")

    def test_strangers(self):
        running = self.listen("--raw")
        address = running.address
        self.assertEqual(post(address, b"x", path="/other"), 404)
        self.assertEqual(post(address, b"x", path="/event/more"), 404)
        self.assertEqual(post(address, method="GET"), 405)
        self.assertEqual(post(address, b"x", Origin="http://example.org"), 403)
        self.assertEqual(post(address, iter([b"x"])), 411)
        self.assertEqual(deliver(address, 1, b"mine"), 204)
        self.assertEqual(running.line(), b"mine\n")

    def test_too_large(self):
        running = self.listen("--raw")
        host, _, port = running.address.rpartition(":")
        with socket.create_connection((host, int(port)), DEADLINE) as client:
            client.sendall(b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n"
                           b"Expect: 100-continue\r\n\r\n")
            self.assertIn(b" 413 ", client.makefile("rb").readline())

    def test_reader_leaves(self):
        read, write = os.pipe()
        running = self.listen("--raw", stdout=write)
        os.close(write)
        self.assertEqual(deliver(running.address, 1, b"a"), 204)
        self.assertEqual(os.read(read, 10), b"a\n")
        os.close(read)
        self.assertEqual(deliver(running.address, 2, b"b"), 503)
        self.assert_deregisters(running)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            running = self.listen(stdout=full)
        self.assertEqual(deliver(running.address, 1, b"a"), 503)
        self.assertIn("No space left on device", running.error_line())
        self.assert_deregisters(running, 1)

    def test_blocked_reader(self):
        """Keeps alive and stays correct while nobody reads what it prints."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        running = self.listen("--raw", "--lease=1", stdout=write)
        os.close(write)
        data = b"x" * 300000  # more than a pipe holds
        answers = queue.Queue()
        thread = threading.Thread(
            target=lambda: answers.put(deliver(running.address, 1, data)), daemon=True
        )
        thread.start()
        for _ in range(4):
            self.assertEqual(self.bus.next_call().path, "/registerAndKeepAlive")
        self.assertTrue(answers.empty(), "accepted before it was printed")
        # The bus lost patience: the same again, and it is not printed twice.
        self.assertEqual(deliver(running.address, 1, data), 503)
        got = b""
        while len(got) < len(data) + 1:
            got += os.read(read, 65536)
        self.assertEqual(got, data + b"\n")
        self.assertEqual(answers.get(timeout=DEADLINE), 204)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)
        self.assertEqual(os.read(read, 1), b"")

    def test_bus_hangs_up(self):
        """The last event is printed, though the bus does not wait to hear it."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        running = self.listen("--raw", "--count=1", "--lease=1", stdout=write)
        os.close(write)
        data = b"x" * 300000
        host, _, port = running.address.rpartition(":")
        with socket.create_connection((host, int(port)), DEADLINE) as client:
            client.sendall(b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + data)
            got = os.read(read, 65536)  # it is being printed
        while len(got) < len(data) + 1:
            got += os.read(read, 65536)
        self.assert_deregisters(running)

    def test_terminal(self):
        """Ctrl-C as a terminal sends it."""
        parent, child = pty.openpty()
        self.addCleanup(os.close, parent)
        running = self.listen(stdout=child, start_new_session=True)
        os.close(child)
        self.assertEqual(deliver(running.address, 1, b"hello"), 204)
        got = b""
        while b"hello" not in got:
            got += os.read(parent, 1000)
        os.killpg(running.process.pid, signal.SIGINT)
        self.assert_deregisters(running)


@unittest.skipUnless(DAEMON, "EVENTBUSD is not set")
class RealBus(CtlTest):
    def setUp(self):
        self.start_daemon("127.0.0.1:0")

    def start_daemon(self, address):
        self.daemon = self.start(
            f"--listen={address}", "--bus=none", "--store=memory:",
            program=DAEMON, cwd=self.make_folder(),
        )
        for line in iter(self.daemon.line, None):
            ready = re.search(rb" ready: (http://\S+)", line)
            if ready:
                break
        else:
            self.fail("the daemon ended before it was ready")
        self.url = ready[1].decode().rstrip(",")

    def listen(self, *args):
        running = self.start("listen", f"--url={self.url}", *args)
        self.assertIn("Listening at ", running.error_line())
        return running

    def test_round_trip(self):
        data = bytes(range(256)) * 100
        listeners = [self.listen("--json", "--count=2") for _ in range(2)]
        rows = run("list", f"--url={self.url}")[1].decode().splitlines()
        self.assertEqual(len(rows), 3, rows)
        self.assertRegex(rows[1], r"\A127\.0\.0\.1:[0-9]+  [-0-9]+ [:0-9]+  [0-9] s\Z")
        self.assertEqual(run("publish", "hello", f"--url={self.url}"), (0, b"published\n", ""))
        self.assertEqual(run("publish", "-", f"--url={self.url}", data=data)[0], 0)
        for listener in listeners:
            first, second = json.loads(listener.line()), json.loads(listener.line())
            self.assertEqual(listener.wait(), 0)
            self.assertIsNone(listener.error_line())
            self.assertEqual(second["sequence"], first["sequence"] + 1)
            self.assertEqual(first["type"], "org.example.EventBus.message")
            self.assertEqual(first["source"], "/eventbus")
            self.assertEqual(first["datacontenttype"], "text/plain; charset=utf-8")
            self.assertEqual(first["data"], "hello")
            self.assertEqual(base64.b64decode(second["data_base64"]), data)
        self.assertEqual(run("list", f"--url={self.url}")[1], b"No subscribers.\n")

    def test_restart(self):
        """A bus that starts anew has forgotten everybody; no keep-alive is due for minutes."""
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number):
                listener = self.listen("--raw", "--lease=600")
                self.assertEqual(run("publish", "before", f"--url={self.url}")[0], 0)
                self.assertEqual(listener.line(), b"before\n")
                self.daemon.process.send_signal(number)
                self.assertIn("gone away", listener.error_line())
                self.daemon.wait()
                self.start_daemon(self.url.removeprefix("http://"))
                self.assertIn("registered again", listener.error_line())
                self.assertEqual(run("publish", "after", f"--url={self.url}")[0], 0)
                self.assertEqual(listener.line(), b"after\n")
                self.assertIn("new log", listener.error_line())
                listener.process.send_signal(signal.SIGINT)
                self.assertEqual(listener.wait(), 0)
                self.assertIsNone(listener.error_line())

    def test_interrupt_deregisters(self):
        listener = self.listen()
        listener.process.send_signal(signal.SIGINT)
        self.assertEqual(listener.wait(), 0)
        self.assertEqual(run("list", "--raw", f"--url={self.url}")[1], b"")

    def test_ipv6_address(self):
        try:
            listener = self.listen("--address=[::1]", "--raw", "--count=1")
        except AssertionError as error:
            self.skipTest(f"no IPv6 loopback here: {error}")
        self.assertEqual(run("publish", "six", f"--url={self.url}")[0], 0)
        self.assertEqual(listener.line(), b"six\n")
        self.assertEqual(listener.wait(), 0)

    def test_refused_address(self):
        status, _, err = run("listen", f"--url={self.url}", "--address=0.0.0.0")
        self.assertEqual(status, 1)
        self.assertIn("400 Error:", err)


@unittest.skipUnless((COMPLETION / "eventbusctl").exists(), "no completion files here")
class Completion(unittest.TestCase):
    SCRIPT = """
        set -u
        source "$1"; program=$2; shift 2
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        "$(complete -p "$program" | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
        printf '%s\\n' "${COMPREPLY[@]}"
    """

    def complete(self, program, *words):
        done = subprocess.run(
            ["bash", "-c", self.SCRIPT, "bash", COMPLETION / program, program, program, *words],
            capture_output=True,
            timeout=DEADLINE,
            check=True,
            text=True,
        )
        self.assertEqual(done.stderr, "")
        return {word.strip() for word in done.stdout.splitlines() if word}

    def test_eventbusctl(self):
        self.assertEqual(self.complete("eventbusctl", "lis"), {"list", "listen"})
        self.assertIn("--version", self.complete("eventbusctl", "--"))
        self.assertEqual(self.complete("eventbusctl", "listen", "--c"), {"--count="})
        self.assertEqual(
            self.complete("eventbusctl", "--url", "=", "x", "publish", "--f"), {"--file="}
        )

    def test_eventbusd(self):
        self.assertEqual(self.complete("eventbusd", "--st"), {"--store="})
        self.assertEqual(
            self.complete("eventbusd", "--bus", "="), {"session", "system", "none"}
        )

    @unittest.skipUnless(PROGRAM, "EVENTBUSCTL is not set")
    def test_knows_every_option(self):
        for command in ("listen", "publish", "list", "dead-letters"):
            with self.subTest(command):
                options = set(re.findall(r"--[a-z-]+", run(command, "--help")[1].decode()))
                known = {o.rstrip("=") for o in self.complete("eventbusctl", command, "--")}
                self.assertEqual(options, known)


if __name__ == "__main__":
    unittest.main()
