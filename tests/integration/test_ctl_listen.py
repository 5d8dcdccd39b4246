# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eventbusctl listen: how it stays registered, and what it does with what comes."""

import os
import pty
import queue
import signal
import socket
import threading
import time
import unittest

from ctl import DEADLINE, ListenTest, deliver, free_port, post, run


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
        begin = time.monotonic()
        running = self.listen("--lease=600")
        for _ in range(3):
            self.bus.end_silent()
            call = self.bus.next_call()
            self.assertEqual(call.path, "/registerAndKeepAlive")
        # At once, after 250 ms, after 500 ms.
        self.assertGreater(call.when - begin, 0.7)
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
                self.assertEqual(deliver(running.address, 1, b"x"), 200)
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
        self.assertEqual(deliver(call.address, 1, b"x"), 200)
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
        self.assertEqual(deliver(running.address, 1, b"again"), 200)
        self.assertIn(b"#1", running.line())
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_bus_dies(self):
        # No keep-alive is due while it dies: one that the dying bus has not yet refused is reset.
        running = self.listen("--lease=600")
        port = self.bus.server.server_port
        self.bus.close()
        self.bus.end_silent()
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


class Flow(ListenTest):
    def test_each_event_at_once(self):
        running = self.listen("--raw")
        for sequence in range(1, 51):
            self.assertEqual(deliver(running.address, sequence, b"%d" % sequence), 200)
            self.assertEqual(running.line(), b"%d\n" % sequence)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_connection_is_kept(self):
        """Or a bus could send the next event on it just when it ends, and have to repeat that one."""
        running = self.listen("--raw")
        host, _, port = running.address.rpartition(":")
        request = b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d"
        with socket.create_connection((host, int(port)), DEADLINE) as client:
            answers = client.makefile("rb")
            for number in range(3):
                client.sendall(request % number)
                self.assertRegex(answers.readline(), rb"\AHTTP/1\.1 2")
                while answers.readline() != b"\r\n":
                    pass
                self.assertEqual(running.line(), b"%02d\n" % number)

    def test_count(self):
        running = self.listen("--raw", "--count=2")
        self.assertEqual(deliver(running.address, 1, b"a"), 200)
        self.assertEqual(deliver(running.address, 2, b"b"), 200)
        self.assert_deregisters(running)
        self.assertEqual(list(iter(running.line, None)), [b"a\n", b"b\n"])

    def test_repeat_is_printed_once(self):
        running = self.listen("--raw", "--count=2")
        for sequence in (1, 1, 2):
            self.assertEqual(deliver(running.address, sequence, b"%d" % sequence), 200)
        self.assert_deregisters(running)
        self.assertEqual(list(iter(running.line, None)), [b"1\n", b"2\n"])

    def test_late_repeat_is_printed_once(self):
        """One whose answer came too late for the bus, which has sent others since."""
        running = self.listen("--raw", "--count=4")
        for sequence in (1, 2, 3):
            self.assertEqual(deliver(running.address, sequence, b"%d" % sequence), 200)
        self.assertEqual(deliver(running.address, 1, b"late", eventbus_attempt="2"), 200)
        # A replay begins with the first attempt.
        self.assertEqual(deliver(running.address, 2, b"again", eventbus_attempt="1"), 200)
        self.assert_deregisters(running)
        self.assertEqual(list(iter(running.line, None)), [b"1\n", b"2\n", b"3\n", b"again\n"])

    def test_gap(self):
        running = self.listen("--raw")
        self.assertEqual(deliver(running.address, 3, b"a"), 200)
        self.assertEqual(deliver(running.address, 9, b"b", eventbus_previous="8"), 200)
        self.assertIn("missing after 3, up to 8", running.error_line())
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_new_log(self):
        running = self.listen("--raw")
        self.assertEqual(deliver(running.address, 3, b"a"), 200)
        self.assertEqual(deliver(running.address, 3, b"b", webhook_id="new", eventbus_previous="0"), 200)
        line = running.error_line()
        self.assertIn("new log", line)
        self.assertIn("event 3,", line)
        self.assertEqual(deliver(running.address, 4, b"c"), 200)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_late_repeat_is_no_new_log(self):
        running = self.listen("--raw")
        for sequence in (2, 3):
            self.assertEqual(deliver(running.address, sequence, b"x"), 200)
        self.assertEqual(deliver(running.address, 1, b"late", eventbus_attempt="2"), 200)
        # Nor does a gap open behind it.
        self.assertEqual(deliver(running.address, 4, b"x"), 200)
        running.process.send_signal(signal.SIGINT)
        self.assert_deregisters(running)

    def test_plain_bus(self):
        """One that sends nothing but the data."""
        running = self.listen()
        self.assertEqual(post(running.address, b"bare"), 200)
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
        self.assertEqual(deliver(address, 1, b"mine"), 200)
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
        self.assertEqual(deliver(running.address, 1, b"a"), 200)
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
        self.assertEqual(answers.get(timeout=DEADLINE), 200)
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
        self.assertEqual(deliver(running.address, 1, b"hello"), 200)
        got = b""
        while b"hello" not in got:
            got += os.read(parent, 1000)
        os.killpg(running.process.pid, signal.SIGINT)
        self.assert_deregisters(running)


if __name__ == "__main__":
    unittest.main()
