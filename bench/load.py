# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the load generator and reads what it prints."""

import contextlib
import json
import subprocess

from servers import Failure, stop

# The load generator and the senders end by themselves before that.
DEADLINE_SECONDS = 60


def options_of(**options):
    """--name=value for each; a value that is True stands for a flag."""
    names = ((name.replace("_", "-"), value) for name, value in options.items())
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in names]


def _result(command, output):
    try:
        return json.loads(output)
    except ValueError:
        raise Failure(f"{command} gave no result: {output!r}") from None


@contextlib.contextmanager
def _sinks(build, options):
    """The load generator with its sinks listening; it waits for the server's address."""
    process = subprocess.Popen([f"{build}/bench/eb-bench", "fanout", *options_of(**options)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline().split()
        if len(said) != 2 or said[0] != "port":
            raise Failure("eb-bench did not start")
        yield process, int(said[1])
    finally:
        stop(process)


def _finish(process, line=None, deadline=DEADLINE_SECONDS):
    try:
        output, _ = process.communicate(line, deadline + 30)
    except subprocess.TimeoutExpired:
        raise Failure("eb-bench did not end") from None
    return _result("eb-bench", output)


def _with_cost(result, cpu_seconds):
    """Adds what a delivery cost the measured process, in microseconds of processor time."""
    arrived = result["cold"]["deliveries"] + result["warm"]["deliveries"]
    result["cpu_us"] = cpu_seconds * 1e6 / max(arrived, 1)
    result["sink_busy"] = result["cpu_seconds"] / max(result["warm"]["seconds"], 1e-9)
    return result


def fanout(build, start_server, deadline=DEADLINE_SECONDS, **options):
    """A fan-out through a server; start_server(port) is a context manager around it."""
    with _sinks(build, options | {"deadline": deadline}) as (process, port):
        with start_server(port) as server:
            result = _finish(process, server.address + "\n", deadline)
            result["peak_kib"] = server.resident_kib("VmHWM")
            return _with_cost(result, server.cpu_seconds())


def sender(build, kind, head_bytes, **options):
    """A fan-out by eb-send, which publishes to nobody and only delivers."""
    shape = {name: options[name] for name in ("sinks", "warmup", "events")}
    sinks = options | {"passive": True, "deadline": DEADLINE_SECONDS}
    with _sinks(build, sinks) as (process, port):
        command = [f"{build}/bench/eb-send", kind,
                   *options_of(port=port, head_bytes=head_bytes, deadline=DEADLINE_SECONDS, **shape)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False,
                              timeout=DEADLINE_SECONDS + 30)
        if done.returncode != 0:
            raise Failure(f"eb-send {kind} ended with {done.returncode}")
        cost = _result("eb-send", done.stdout)["cpu_seconds"]
        return _with_cost(_finish(process), cost)


def run(build, command, **options):
    """One of the load generator's other commands; returns what it prints."""
    done = subprocess.run([f"{build}/bench/eb-bench", command, *options_of(**options)],
                          stdout=subprocess.PIPE, text=True, check=False,
                          timeout=2 * DEADLINE_SECONDS)
    if done.returncode != 0:
        raise Failure(f"eb-bench {command} ended with {done.returncode}")
    return done.stdout


def posts(build, server, **options):
    """Publishes a second, and how long each takes."""
    return _result("eb-bench", run(build, "posts", server=server.address, **options))


def syncs(build, seconds):
    """Durable writes a second that the file system of the build folder takes."""
    return _result("eb-bench", run(build, "sync", folder=build, seconds=seconds))


def match(build, **options):
    """How long it takes to find out who wants an event."""
    done = subprocess.run([f"{build}/bench/eb-match", *options_of(**options)],
                          stdout=subprocess.PIPE, text=True, check=False, timeout=DEADLINE_SECONDS)
    if done.returncode != 0:
        raise Failure(f"eb-match ended with {done.returncode}")
    return _result("eb-match", done.stdout)
