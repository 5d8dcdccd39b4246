# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs under test: started, waited for by what they say, and always ended."""

import os
import queue
import re
import subprocess
import tempfile
import threading
import time

# Far above what anything here takes, also under a sanitizer on a busy machine.
DEADLINE_S = 60


class Program:
    """A running program whose lines, of both streams, are kept in the order they came."""

    def __init__(self, *command, env=None, pass_fds=()):
        self.command = [str(word) for word in command]
        self.seen = []
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            self.command, env=dict(os.environ, LC_ALL="C.UTF-8", **(env or {})),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="backslashreplace", pass_fds=pass_fds)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    @property
    def pid(self):
        """Its process id."""
        return self._process.pid

    def wait_for(self, pattern, deadline_s=DEADLINE_S):
        """The match of the first further line in which pattern is found."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                line = self._lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(self._story(f"did not say {pattern!r} in time")) from None
            if line is None:
                raise AssertionError(self._story(f"ended without saying {pattern!r}"))
            self.seen.append(line)
            match = re.search(pattern, line)
            if match:
                return match

    def wait_exit(self, deadline_s=DEADLINE_S):
        """Its exit status, and all that it said."""
        try:
            status = self._process.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._story("did not end in time")) from None
        self._reader.join(timeout=deadline_s)
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None:
                self.seen.append(line)
        return status, "\n".join(self.seen)

    def send(self, number):
        """Sends a signal."""
        self._process.send_signal(number)

    def close(self):
        """Ends it if it still runs."""
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=DEADLINE_S)
        self._process.stdout.close()

    def _story(self, what):
        said = "\n".join(self.seen)
        return f"{' '.join(self.command)} {what}; it said:\n{said}"


class PrivateBus:
    """A dbus-daemon of its own, which starts what stands in its service folder."""

    CONFIGURATION = """<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

    def __init__(self, name=None, command=None):
        """With a name, command is what the bus runs to get it."""
        self._folder = tempfile.TemporaryDirectory(prefix="eventbus-test.")
        folder = self._folder.name
        os.mkdir(f"{folder}/services")
        if name:
            with open(f"{folder}/services/{name}.service", "w", encoding="utf-8") as service:
                service.write(f"[D-BUS Service]\nName={name}\nExec={command}\n")
        with open(f"{folder}/bus.conf", "w", encoding="utf-8") as configuration:
            configuration.write(self.CONFIGURATION.format(folder=folder))
        self._daemon = Program("dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork",
                               "--nopidfile", "--print-address=1")
        self.address = self._daemon.wait_for("^unix:").string
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": self.address}

    def call(self, name, path, method, *arguments):
        """Calls a method as a person at a prompt would; status and output."""
        done = subprocess.run(
            ["gdbus", "call", f"--address={self.address}", f"--dest={name}",
             f"--object-path={path}", f"--method={method}", "--", *arguments],
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", timeout=DEADLINE_S)
        return done.returncode, done.stdout.strip()

    def close(self):
        """Ends the bus and with it every connection."""
        self._daemon.close()
        self._folder.cleanup()
