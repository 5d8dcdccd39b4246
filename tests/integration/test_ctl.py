# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eventbusctl as a process: against a bus made of http.server, and a real one."""

import base64
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

from ctl import DEADLINE, PROGRAM, CtlTest, free_port, run

DAEMON = os.environ.get("EVENTBUSD")
COMPLETION = pathlib.Path(__file__).parents[2] / "data" / "completion"


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
