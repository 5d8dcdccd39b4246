# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon under torture: started again and again on one port and one store."""

import asyncio
import os
import pathlib
import random
import re
import signal
import socket
import subprocess

READY_S = 60
EXIT_S = 60
# Lines of output that are kept to show when something went wrong.
KEPT_LINES = 200


class Broken(Exception):
    """The daemon did not do what it must for the run to go on."""


def free_port(seed):
    """A port that no outgoing connection gets, so that it is still free after each restart."""
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(
        encoding="ascii").split())
    choice = random.Random(f"{seed} {os.getpid()}")
    while True:
        port = choice.randrange(10000, 65000)
        if first <= port <= last:
            continue
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Daemon:
    """One process at a time."""

    def __init__(self, program, port, options, crash_points):
        self.port = port
        self.lines = []
        self._command = [program, f"--listen=127.0.0.1:{port}", "--bus=none", *options]
        self._crash_points = crash_points
        self._process = None
        self._exited = None  # an asyncio.Event
        self._said_ready = None  # an asyncio.Future

    def start(self, crash_at=None):
        """Starts it; crash_at is POINT:N."""
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        if crash_at:
            environment |= {"LD_PRELOAD": self._crash_points, "EB_CRASH_AT": crash_at}
        loop = asyncio.get_running_loop()
        self._exited = asyncio.Event()
        self._said_ready = loop.create_future()
        self._process = subprocess.Popen(self._command, env=environment, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self._process.stdout.fileno(), False)
        loop.add_reader(self._process.stdout, self._read, self._process.stdout)
        watch = os.pidfd_open(self._process.pid)
        loop.add_reader(watch, self._end, watch)

    def _read(self, stream):
        text = stream.read()
        if not text:
            asyncio.get_running_loop().remove_reader(stream)
            stream.close()
            return
        lines = text.decode(errors="backslashreplace").splitlines()
        self.lines = (self.lines + lines)[-KEPT_LINES:]
        if not self._said_ready.done() and any(re.search(r"ready: http", line) for line in lines):
            self._said_ready.set_result(True)

    def _end(self, watch):
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
        self._process.wait()
        if not self._said_ready.done():
            self._said_ready.set_result(False)
        self._exited.set()

    async def ready(self):
        """Whether it got ready before it ended."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._said_ready), READY_S)
        except TimeoutError:
            raise Broken(f"the daemon is not ready after {READY_S} s") from None

    async def exited(self, seconds):
        """Whether it ends by itself within that time."""
        try:
            await asyncio.wait_for(self._exited.wait(), seconds)
        except TimeoutError:
            return False
        return True

    @property
    def status(self):
        """Its exit status; negative for a signal."""
        return self._process.returncode

    async def end(self, number=signal.SIGKILL):
        """Sends a signal and waits for its end."""
        if not self._exited.is_set():
            self._process.send_signal(number)
        if not await self.exited(EXIT_S):
            raise Broken(f"the daemon goes on {EXIT_S} s after signal {number}")

    def abandon(self):
        """For the end of a run that was broken off."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
