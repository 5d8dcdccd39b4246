# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running daemon and sinks to deliver to, for tests of the whole."""

import http.client
import os
import pathlib
import queue
import socket
import threading
import time
import unittest
import urllib.parse

from program import DEADLINE_S, Program

DAEMON = os.environ["EVENTBUSD"]
# Not what this machine has installed.
CONFIGURATION = f"--config={pathlib.Path(__file__).parent}/test.conf"


class Sink:
    """A listening socket; each connection is served by a function of the test's in a thread."""

    def __init__(self, serve, address="127.0.0.1", family=socket.AF_INET, port=0):
        self._serve = serve
        self._socket = socket.create_server((address, port), family=family, backlog=128)
        self.port = self._socket.getsockname()[1]
        self.address = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.requests = queue.Queue()
        self.connections = 0
        self._open = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self._serve(self, connection)
        except (OSError, EOFError):
            pass
        finally:
            connection.close()

    def get(self, deadline_s=DEADLINE_S):
        """The next request that arrived: its first line, headers and body."""
        try:
            return self.requests.get(timeout=deadline_s)
        except queue.Empty:
            raise AssertionError("no delivery arrived in time") from None

    def close(self):
        """Ends it and every connection."""
        # Closing alone does not wake a thread in accept(): it goes on to listen, and once it is
        # stopped and continued does so on whatever has the descriptor by then, the next sink.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(DEADLINE_S)
        self._socket.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def read_request(stream):
    """A request: its first line, headers with lower-case names, and body."""
    line = stream.readline()
    if not line:
        raise EOFError
    headers = {}
    while (field := stream.readline()) not in (b"\r\n", b""):
        name, _, value = field.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return line.decode().strip(), headers, stream.read(int(headers.get("content-length", 0)))


def answering(answer):
    """Serves each request on a connection with the same bytes."""
    def serve(sink, connection):
        with connection.makefile("rb") as stream:
            while True:
                sink.requests.put(read_request(stream))
                connection.sendall(answer)
    return serve


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class BusCase(unittest.TestCase):
    """What the cases of whole programs need."""

    def daemon(self, *options, env=None):
        """A daemon that is ready, and gone after the case."""
        program = Program(DAEMON, CONFIGURATION, "--bus=none", "--listen=127.0.0.1:0", *options,
                          env=env)
        self.addCleanup(program.close)
        self.port = int(program.wait_for(r"ready: http://127\.0\.0\.1:(\d+)").group(1))
        return program

    def sink(self, serve=None, **options):
        """A sink that is gone after the case."""
        sink = Sink(serve or answering(OK), **options)
        self.addCleanup(sink.close)
        return sink

    def request(self, method, target, body=None, headers=None):
        """Status and body of the answer."""
        status, _, text = self.exchange(method, target, body, headers)
        return status, text

    def exchange(self, method, target, body=None, headers=None):
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def raw(self, *pieces, half_close=False):
        """All that is answered to bytes sent as they are, until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as client:
            for piece in pieces:
                client.sendall(piece)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                try:
                    some = client.recv(65536)
                except ConnectionResetError:
                    return answer
                if not some:
                    return answer
                answer += some

    def register(self, address):
        """Registers an address."""
        quoted = urllib.parse.quote(address, safe="")
        self.assertEqual(self.request("POST", f"/registerAndKeepAlive?address={quoted}"),
                         (200, "success"))

    def deregister(self, address):
        """Deregisters an address."""
        quoted = urllib.parse.quote(address, safe="")
        self.assertEqual(self.request("DELETE", f"/deregister?address={quoted}"),
                         (200, "success"))

    def publish(self, body=b"event", content_type=None):
        """Publishes."""
        headers = {"Content-Type": content_type} if content_type else {}
        self.assertEqual(self.request("POST", "/sendMessage", body, headers), (200, "success"))

    def wait_until(self, condition, what):
        """Asks again and again until it is so: what another process does wakes nobody here."""
        end = time.monotonic() + DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what} has not happened in time")
            threading.Event().wait(0.02)
