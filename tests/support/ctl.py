# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starting eventbusctl, which EVENTBUSCTL names, and a bus made of http.server for it to talk to."""

import contextlib
import http.client
import http.server
import os
import pathlib
import queue
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

PROGRAM = os.environ.get("EVENTBUSCTL")
DEADLINE = 60  # seconds; only a broken program ever needs them


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
        super().setup()
        bus = self.server.bus
        with bus.silent_changed:
            bus.silent.add(self.connection)
            bus.silent_changed.notify()

    def finish(self):
        self.server.bus.silent.discard(self.connection)
        super().finish()

    def handle_any(self):
        target = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bus = self.server.bus
        bus.silent.discard(self.connection)
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
        self.silent = set()  # connections on which nothing was said
        self.silent_changed = threading.Condition()
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

    def end_silent(self):
        """Ends the connection on which nothing was said; while no call is on its way, as that
        would be silent, too, until it arrives."""
        with self.silent_changed:
            if not self.silent_changed.wait_for(lambda: self.silent, DEADLINE):
                raise AssertionError("no connection is silent")
            self.silent.pop().shutdown(socket.SHUT_RDWR)


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
