# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as a process: how it starts, what it says when it cannot, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from bus import CONFIGURATION, DAEMON, BusCase
from program import Program

USAGE = 64


class StartTest(BusCase):
    """What stands on the command line and in the file."""

    def fails(self, status, pattern, *options):
        """It must not start, and say why."""
        program = Program(DAEMON, CONFIGURATION, "--bus=none", *options)
        self.addCleanup(program.close)
        ended, said = program.wait_exit()
        self.assertEqual(ended, status, said)
        self.assertRegex(said, pattern)

    def test_version(self):
        said = subprocess.run([DAEMON, "--version"], check=True, capture_output=True, text=True)
        self.assertRegex(said.stdout, r"\Aeventbusd \d+\.\d+\.\d+\n\Z")

    def test_help(self):
        said = subprocess.run([DAEMON, "--help"], check=True, capture_output=True, text=True)
        for option in ("config", "listen", "bus", "store", "lease", "transport", "set", "version"):
            self.assertIn(f"--{option}", said.stdout)

    def test_bad_command_lines(self):
        for pattern, *options in (
                ("nonsense", "--nonsense"), ("extra", "extra"),
                ("dbus.bus is “moon”", "--bus=moon"), ("transport", "--transport=pigeon"),
                ("bus.lease is “soon”", "--lease=soon"), ("bus.lease is “0”", "--lease=0"),
                ("store.location", "--store=cloud:"), ("GROUP.KEY=VALUE", "--set=nonsense"),
                ("There is no key a.b", "--set=a.b=c"),
                ("limits.max-event-size", "--set=limits.max-event-size=-1"),
                ("delivery.workers", "--set=delivery.workers=0"),
                ("/nonexistent/file", "--config=/nonexistent/file"),
                ("nowhere", "--listen=nowhere"), ("127.0.0.1:x", "--listen=127.0.0.1:x"),
                ("::1:80", "--listen=::1:80"), ("unix:", "--listen=unix:"),
                ("127.0.0.1:70000", "--listen=127.0.0.1:70000"),
                ("/nonexistent/ca", "--set=delivery.ca-file=/nonexistent/ca"),
                ("300.0.0.0/8", "--set=delivery.deny=300.0.0.0/8")):
            with self.subTest(options=options):
                self.fails(USAGE, pattern, *options)

    def test_unknown_key_of_a_file(self):
        """Whoever has both is told where it stands."""
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[delivery]\nallowed=10.0.0.0/8\n")
            file.flush()
            self.fails(USAGE, f"{re.escape(file.name)}: There is no key delivery.allowed",
                       f"--config={file.name}", "--set=delivery.workers=1")

    def test_no_session_bus(self):
        with tempfile.TemporaryDirectory(prefix="eventbus-test.") as folder:
            program = Program(DAEMON, CONFIGURATION, "--listen=127.0.0.1:0", "--store=memory:",
                              env={"DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": folder})
            self.addCleanup(program.close)
            program.wait_for("ready: ")

    def test_address_of_another_machine(self):
        self.fails(1, "192.0.2.1", "--listen=192.0.2.1:1")

    def test_default_store(self):
        """In the state folder; one daemon at a time has it, and the next goes on with it."""
        with tempfile.TemporaryDirectory(prefix="eventbus-test.") as folder, \
                tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            options = (f"--config={file.name}", "--bus=none", "--listen=127.0.0.1:0")
            state = {"XDG_STATE_HOME": folder}
            for number in range(2):
                program = Program(DAEMON, *options, env=state)
                self.addCleanup(program.close)
                self.port = int(program.wait_for(r"ready: http://127\.0\.0\.1:(\d+)").group(1))
                self.assertTrue(os.path.exists(f"{folder}/eventbus/events.db"))
                if number == 0:
                    self.register("127.0.0.1:9")
                    second = Program(DAEMON, *options, env=state)
                    self.addCleanup(second.close)
                    self.assertEqual(second.wait_exit()[0], 1)
                self.assertIn("127.0.0.1:9", self.request("GET", "/listSubscribers")[1])
                program.send(signal.SIGTERM)
                self.assertEqual(program.wait_exit()[0], 0)

    def test_store_that_cannot_be_opened(self):
        with tempfile.TemporaryDirectory(prefix="eventbus-test.") as folder:
            os.symlink("loop", f"{folder}/loop")
            os.mkdir(f"{folder}/folder")
            for reason, path in (("Too many levels of symbolic links", f"{folder}/loop"),
                                 ("Is a directory", f"{folder}/folder"),
                                 ("Not a directory", f"{__file__}/events.db")):
                with self.subTest(path=path):
                    self.fails(1, f"{re.escape(path[:path.rfind('/')])}.*: {reason}",
                               f"--store=sqlite:{path}")

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            self.fails(1, f"127.0.0.1:{port}.*in use", f"--listen=127.0.0.1:{port}")

    def test_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[limits]\nmax-event-size=10\n[http]\nlisten=127.0.0.1:0\n")
            file.flush()
            program = Program(DAEMON, f"--config={file.name}", "--bus=none", "--store=memory:")
            self.addCleanup(program.close)
            self.port = int(program.wait_for(r"ready: http://127\.0\.0\.1:(\d+)").group(1))
            page = {"Origin": "http://a.example"}
            self.assertEqual(self.request("POST", "/sendMessage", b"x" * 11)[0], 413)
            self.assertEqual(self.request("GET", "/v1/events", headers=page)[0], 403)

            # An option wins over the file, and a change of the file takes effect on SIGHUP.
            file.write("cors-origins=http://a.example\n[limits]\nmax-event-size=11\n")
            file.flush()
            program.send(signal.SIGHUP)
            program.wait_for("Configuration reread")
            self.assertEqual(self.request("POST", "/sendMessage", b"x" * 11)[0], 200)
            self.assertEqual(self.request("GET", "/v1/events", headers=page)[0], 200)

            file.write("nonsense\n")
            file.flush()
            program.send(signal.SIGHUP)
            program.wait_for("stays as it was")
            self.assertEqual(self.request("POST", "/sendMessage", b"x" * 11)[0], 200)

    def test_what_waits_for_the_next_start(self):
        """Said each time that the file is read, as long as it waits."""
        with tempfile.NamedTemporaryFile("w+", suffix=".conf") as file:
            def write(text):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()

            def reread():
                program.send(signal.SIGHUP)
                return program.wait_for(
                    r"Configuration reread(?:; waiting for the next start: (.*))?$")[1]

            write("[http]\nlisten=127.0.0.1:0\n[delivery]\nworkers=1\n")
            program = Program(DAEMON, f"--config={file.name}", "--bus=none", "--store=memory:")
            self.addCleanup(program.close)
            program.wait_for("ready")
            for text, waits in (("[delivery]\nworkers=2\n", "http.listen, delivery.workers"),
                                ("[delivery]\nworkers=2\n", "http.listen, delivery.workers"),
                                ("[http]\nlisten=127.0.0.1:0\n[delivery]\nworkers=1\n", None)):
                write(text)
                self.assertEqual(reread(), waits)

    def test_renewal_of_what_policy_came_to_forbid(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            program = self.daemon(f"--config={file.name}", "--store=memory:")
            self.register("127.0.0.1:9")
            self.register("localhost:9")  # a name is checked when it is connected to
            file.write("[delivery]\ndeny=127.0.0.0/8\n")
            file.flush()
            program.send(signal.SIGHUP)
            program.wait_for("Configuration reread")
            status, body = self.request("POST", "/registerAndKeepAlive?address=127.0.0.1:9")
            self.assertEqual(status, 400)
            self.assertRegex(body, "^Error:.*127.0.0.0/8")
            self.register("localhost:9")
            self.deregister("127.0.0.1:9")

    def test_option_wins(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[limits]\nmax-event-size=10\n")
            file.flush()
            self.daemon(f"--config={file.name}", "--set=limits.max-event-size=20")
            self.assertEqual(self.request("POST", "/sendMessage", b"x" * 20)[0], 200)


class ListenTest(BusCase):
    """Where it listens."""

    def over_unix(self, path):
        """The first line of an answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /listSubscribers HTTP/1.1\r\nHost: anything\r\n"
                           b"Connection: close\r\n\r\n")
            return client.makefile().readline().strip()

    def test_unix(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/socket"
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(path)
            program = self.daemon(f"--listen=unix:{path}")
            self.assertEqual(self.over_unix(path), "HTTP/1.1 200 OK")
            program.send(signal.SIGTERM)
            self.assertEqual(program.wait_exit()[0], 0)
            self.assertFalse(os.path.exists(path))

    def test_unix_in_use(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/socket"
            self.daemon(f"--listen=unix:{path}")
            second = Program(DAEMON, CONFIGURATION, "--bus=none", f"--listen=unix:{path}")
            self.addCleanup(second.close)
            status, said = second.wait_exit()
            self.assertEqual(status, 1)
            self.assertIn("in use", said)
            self.assertEqual(self.over_unix(path), "HTTP/1.1 200 OK")

    def test_several(self):
        program = Program(DAEMON, CONFIGURATION, "--bus=none", "--listen=127.0.0.1:0",
                          "--listen=127.0.0.2:0")
        self.addCleanup(program.close)
        match = program.wait_for(r"ready: http://127\.0\.0\.1:(\d+) http://127\.0\.0\.2:(\d+)$")
        for address, port in (("127.0.0.1", match[1]), ("127.0.0.2", match[2])):
            with socket.create_connection((address, int(port))) as client:
                client.sendall(b"GET /listSubscribers HTTP/1.0\r\nHost: localhost\r\n\r\n")
                self.assertIn("200", client.makefile().readline())

    def test_socket_passed_in(self):
        with socket.create_server(("127.0.0.1", 0)) as passed:
            self.port = passed.getsockname()[1]
            # As a service manager does it: the descriptor is number 3, and meant for this process.
            start = (f"exec 3<&{passed.fileno()}; export LISTEN_FDS=1 LISTEN_PID=$$; "
                     f"exec {DAEMON} {CONFIGURATION} --bus=none --listen=192.0.2.1:1")
            program = Program("bash", "-c", start, pass_fds=(passed.fileno(),))
            self.addCleanup(program.close)
            program.wait_for(f"ready: http://127.0.0.1:{self.port}$")
            self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))


class StopTest(BusCase):
    """SIGTERM: take nothing, deliver what there is, end."""

    # When it gives up on what is still under way; with nothing under way it must not wait for that.
    DRAIN_LIMIT_S = 4
    # Between that limit and the 15 s after which a delivery gives up by itself, with room for a
    # busy machine.
    GIVEN_UP_S = 12

    def stop(self, program, number=signal.SIGTERM):
        """Seconds until it ended well."""
        start = time.monotonic()
        program.send(number)
        status, said = program.wait_exit()
        self.assertEqual(status, 0, said)
        return time.monotonic() - start

    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertLess(self.stop(self.daemon(), number), self.DRAIN_LIMIT_S)

    def test_delivers_what_is_left(self):
        program = self.daemon()
        sink = self.sink()
        self.register(sink.address)
        for i in range(500):
            self.publish(str(i).encode())
        self.stop(program)
        self.assertEqual([int(sink.get()[2]) for _ in range(500)], list(range(500)))

    def test_sink_that_never_answers(self):
        program = self.daemon()

        def serve(sink, connection):
            sink.requests.put(connection.recv(65536))
            while connection.recv(65536):
                pass

        sink = self.sink(serve)
        self.register(sink.address)
        self.publish()
        sink.get()
        self.assertLess(self.stop(program), self.GIVEN_UP_S)

    def test_idle_client(self):
        program = self.daemon()
        with socket.create_connection(("127.0.0.1", self.port)):
            self.request("GET", "/listSubscribers")
            self.assertLess(self.stop(program), self.DRAIN_LIMIT_S)

    def test_port_can_be_taken_again(self):
        program = self.daemon()
        self.request("GET", "/listSubscribers")
        port = self.port
        self.stop(program)
        again = Program(DAEMON, CONFIGURATION, "--bus=none", f"--listen=127.0.0.1:{port}")
        self.addCleanup(again.close)
        again.wait_for("ready")


if __name__ == "__main__":
    unittest.main()
