# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured: eventbusd, nginx and the tutorial's program, each as a child process."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

READY_SECONDS = 15
STOP_SECONDS = 10
TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A run that has no result."""


class Server:
    """A running child process: its address, and what it has cost so far."""

    def __init__(self, process, address):
        self.process = process
        self.address = address

    def _pids(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [pid, *map(int, children.split())]

    def cpu_seconds(self):
        """Processor time used since its start, children's included."""
        ticks = 0
        for pid in self._pids():
            # The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def resident_kib(self, field="VmRSS"):
        """Resident memory as the kernel counts it; VmHWM is what it was at most."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1))


def stop(process):
    """Ends a child that we started, kindly at first."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _address_it_says(process):
    """Reads stdout up to the line that says that it is ready, and the rest of it in a thread."""
    ready = threading.Event()
    found = []

    def read():
        for line in process.stdout:
            match = not found and re.search(r"ready: http://(\S+)", line)
            if match:
                found.append(match.group(1))
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(READY_SECONDS) or not found:
        raise Failure(f"{process.args[0]} did not say that it is ready")
    return found[0]


@contextlib.contextmanager
def saying_ready(*command):
    """A program that prints `ready: http://ADDRESS:PORT` on stdout."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield Server(process, _address_it_says(process))
            if process.poll() is not None:
                raise Failure(f"{command[0]} ended with {process.returncode}")
        except Failure as failure:
            errors.seek(0)
            raise Failure(f"{failure}\n{errors.read()[-2000:]}") from None
        finally:
            stop(process)


def eventbusd(build, *options, store="memory:"):
    """The daemon without a bus, and with a memory log unless told otherwise."""
    return saying_ready(f"{build}/src/eventbusd", "--listen=127.0.0.1:0", "--bus=none",
                        f"--store={store}", "--lease=3600", *options)


@contextlib.contextmanager
def durable(build, *options):
    """The daemon with a new store on the file system of the build folder."""
    with tempfile.TemporaryDirectory(prefix="store-", dir=build) as folder:
        with eventbusd(build, *options, store=f"sqlite:{folder}/events.db") as server:
            yield server


def tutorial(build):
    """The tutorial's design."""
    return saying_ready(f"{build}/bench/tutorial")


def sink_address(index):
    """The loopback address of a sink, as eb-load-payload.c has it."""
    return f"127.{1 + index // 62500}.{index // 250 % 250}.{1 + index % 250}"


def nginx_configuration(folder, listen, sink_port, sinks):
    """The first sink gets the request itself, the others its mirrors: that is one hop less than a
    main request answered elsewhere, and as many deliveries."""
    paths = "".join(f"  {module}_temp_path {folder}/{module};\n"
                    for module in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    upstreams = "".join(
        f"  upstream s{i} {{ server {sink_address(i)}:{sink_port}; keepalive 64;"
        " keepalive_requests 100000000; }\n" for i in range(sinks))
    mirrors = "".join(f"      mirror /m{i};\n" for i in range(1, sinks))
    locations = "".join(f"    location = /m{i} {{ internal; proxy_pass http://s{i}/event; }}\n"
                        for i in range(1, sinks))
    return f"""daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  keepalive_requests 100000000;
{paths}{upstreams}  server {{
    listen {listen} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    mirror_request_body on;
    location / {{
{mirrors}      proxy_pass http://s0/event;
    }}
{locations}  }}
}}
"""


def _wait_until_it_listens(process, port):
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Failure("nginx does not listen")


@contextlib.contextmanager
def nginx(sink_port, sinks):
    """nginx with one worker, mirroring to each sink over kept connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="eventbus-bench-") as folder:
        # Its worker has another user when the master is root's.
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder, "nginx.conf")
        path.write_text(nginx_configuration(folder, f"127.0.0.1:{port}", sink_port, sinks),
                        encoding="ascii")
        process = subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-c", str(path)])
        try:
            _wait_until_it_listens(process, port)
            yield Server(process, f"127.0.0.1:{port}")
        finally:
            stop(process)
