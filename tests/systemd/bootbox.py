# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A booted systemd of its own, with a build installed, for the length of a test."""

import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

# Booting takes two or three seconds; a machine under load may need many times that.
BOOT_TIMEOUT_S = 90
# No box outlives this, whatever becomes of the test.
LIFETIME_S = 300
CREDENTIALS = struct.Struct("3i")


class BootBox:
    """Boots in the constructor; run() runs a command in it; close() takes it down."""

    def __init__(self, build):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="eventbus-box."))
        self.init = None
        self.process = None
        try:
            self._boot(build)
        except BaseException:
            self.close()
            raise

    def _boot(self, build):
        (self.scratch / "notify").mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            notify.bind(str(self.scratch / "notify" / "socket"))
            script = pathlib.Path(__file__).with_name("boot-box")
            with open(self.scratch / "log", "w", encoding="utf-8") as log:
                self.process = subprocess.Popen(
                    [script, self.scratch, build, str(LIFETIME_S)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.init = self._wait_until_up(notify)

    def _wait_until_up(self, notify):
        """The process id of the box's systemd, which comes with its message."""
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        notify.settimeout(0.5)
        while time.monotonic() < deadline:
            try:
                message, controls, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
            except TimeoutError:
                if self.process.poll() is not None:
                    break
                continue
            if b"READY=1" in message.splitlines():
                return CREDENTIALS.unpack(controls[0][2])[0]
        said = (self.scratch / "log").read_text(encoding="utf-8").strip()
        if self.process.poll() == 77:
            raise unittest.SkipTest(said)
        raise AssertionError(f"the box did not boot: {said}")

    def _inside(self, command, user):
        """What runs the command in the box, and with which environment."""
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--net", "--uts", "--ipc",
                 "--cgroup", f"--root=/proc/{self.init}/root", f"--wd=/proc/{self.init}/root"]
        as_user = ["runuser", "-u", user, "--"] if user else []
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
        return {"args": enter + as_user + [str(word) for word in command], "env": environment,
                "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                "stderr": subprocess.STDOUT, "encoding": "utf-8"}

    def run(self, *command, user=None, timeout_s=60):
        """Runs a command and returns it with its output, both streams as one text."""
        return subprocess.run(**self._inside(command, user), check=False, timeout=timeout_s)

    def popen(self, *command, user=None):
        """Starts a command, which the caller ends."""
        return subprocess.Popen(**self._inside(command, user))

    def close(self):
        """Takes everything in the box down. Its process 1 being killed, the kernel kills the rest."""
        if self.process:
            if self.init:
                os.kill(self.init, signal.SIGKILL)
            else:
                self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)
