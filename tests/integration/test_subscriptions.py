# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscriptions over HTTP: what is asked, what is refused, and what comes of it."""

import concurrent.futures
import base64
import datetime
import json
import re
import signal
import tempfile
import threading
import time
import unittest
import urllib.parse

from bus import DEADLINE_S, OK, BusCase, read_request

ROOT = "/v1/subscriptions"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def path_of(name, action=""):
    """The path of a subscription, or of what can be asked of it."""
    return f"{ROOT}/{urllib.parse.quote(name, safe='')}{action}"


class SubscriptionsCase(BusCase):
    """What the cases here need."""

    def ask(self, status, method, path, body=None):
        """Headers and JSON of an answer that has that status."""
        text = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        got, headers, answer = self.exchange(method, path, text)
        self.assertEqual(got, status, answer)
        if status >= 400:
            self.assertEqual(headers["Content-Type"], "application/problem+json")
        elif status != 204:
            self.assertEqual(headers["Content-Type"], "application/json")
        return headers, json.loads(answer) if answer else None

    def problem(self, status, detail, method, path, body=None):
        """Headers of a request that is refused with a problem that says so."""
        headers, problem = self.ask(status, method, path, body)
        self.assertEqual(problem["status"], status)
        self.assertIn(detail, problem["detail"])
        return headers

    def put(self, name, sink, status=201, **members):
        """The subscription that was created or replaced."""
        return self.ask(status, "PUT", path_of(name), {"sink": sink, **members})[1]

    def get(self, name):
        """The subscription."""
        return self.ask(200, "GET", path_of(name))[1]

    def state(self, name):
        """What it does."""
        return self.get(name)["status"]["state"]

    def take(self, sink, count):
        """The sequences of that many deliveries."""
        return [int(sink.get()[1]["ce-sequence"]) for _ in range(count)]


class RoutesTest(SubscriptionsCase):
    """The routes, and each way in which they refuse."""

    def setUp(self):
        self.daemon("--store=memory:")

    def test_create(self):
        headers, made = self.ask(201, "POST", ROOT, {"sink": "http://127.0.0.1:9/x"})
        self.assertEqual(headers["Location"], path_of(made["id"]))
        self.assertEqual(self.get(made["id"]), made)
        self.assertRegex(made["status"].pop("expires"), TIME)
        self.assertRegex(made.pop("id"), r"^[0-9a-f-]{36}$")
        self.assertEqual(made, {
            "sink": "http://127.0.0.1:9/x", "protocol": "HTTP", "types": [">"],
            "config": {"lease": 120, "mode": "binary", "order": "relaxed", "concurrency": 1,
                       "rate": 0, "timeout": 15, "resume": False, "handshake": False,
                       "retry": [1, 5, 30, 120, 300, 1800, 7200, 21600, 43200]},
            "status": {"state": "active", "cursor": 0, "lag": 0, "lasterror": None}})

    def test_create_twice(self):
        self.ask(201, "POST", ROOT, {"id": "a", "sink": "http://127.0.0.1:9/x"})
        self.problem(409, "“a”", "POST", ROOT, {"id": "a", "sink": "http://127.0.0.1:9/y"})
        self.assertEqual(self.get("a")["sink"], "http://127.0.0.1:9/x")

    def test_any_content_type(self):
        body = json.dumps({"id": "a", "sink": "http://127.0.0.1:9/"}).encode()
        status, _ = self.request("POST", ROOT, body,
                                 {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 201)

    def test_everything_comes_back(self):
        asked = {
            "id": "all", "sink": "https://example.org/x?y", "protocol": "HTTP",
            "types": ["com.example.*", "org.>"],
            "filters": [{"all": [{"exact": {"subject": "a", "zone": "b"}}]},
                        {"not": {"suffix": {"source": "é"}}}],
            "sinkcredential": {"credentialtype": "ACCESSTOKEN", "accesstokentype": "Bearer",
                               "accesstoken": "t0ken"},
            "protocolsettings": {"headers": {"X-Team": "billing"}},
            "config": {"lease": 0, "mode": "batch", "order": "strict", "concurrency": 1, "rate": 3,
                       "timeout": 2, "resume": True, "handshake": True, "secret": SECRET,
                       "retry": [0, 2592000]}}
        for status, method, path in ((201, "POST", ROOT), (200, "PUT", path_of("all")),
                                     (200, "GET", path_of("all"))):
            with self.subTest(method):
                _, shown = self.ask(status, method, path, None if method == "GET" else asked)
                text = json.dumps(shown)
                self.assertNotIn("t0ken", text)
                self.assertNotIn("whsec_", text)
                state = shown.pop("status")
                self.assertEqual((state["state"] in ("active", "held"), state["expires"]),
                                 (True, None))
                expected = json.loads(json.dumps(asked))
                del expected["config"]["secret"], expected["sinkcredential"]["accesstoken"]
                self.assertEqual(shown, expected)

    def test_put(self):
        self.assertEqual(self.put("b", "http://127.0.0.1:9/")["id"], "b")
        made = self.put("b", "http://127.0.0.1:9/", status=200, id="b", types=["x"],
                        config={"lease": 5})
        self.assertEqual((made["types"], made["config"]["lease"]), (["x"], 5))
        # What an answer says can be sent back.
        self.ask(200, "PUT", path_of("b"), made)
        self.problem(400, "“id”", "PUT", path_of("b"), {"id": "c", "sink": "http://127.0.0.1:9/"})

    def test_put_keeps_the_token(self):
        credential = {"credentialtype": "ACCESSTOKEN", "accesstokentype": "Bearer"}
        self.put("a", "http://127.0.0.1:9/", sinkcredential={**credential, "accesstoken": "t"})
        shown = self.put("a", "http://127.0.0.1:9/", status=200, types=["x"])
        self.assertEqual((shown["sinkcredential"], shown["types"]), (credential, ["x"]))

    def test_no_token_to_keep(self):
        sink = "http://127.0.0.1:9/"
        told = {"sink": sink, "sinkcredential": {"credentialtype": "ACCESSTOKEN",
                                                 "accesstokentype": "Bearer"}}
        missing = "“sinkcredential.accesstoken” is missing"
        self.problem(400, missing, "POST", ROOT, told)
        self.problem(400, missing, "PUT", path_of("a"), told)
        self.put("a", sink, types=["x"], config={"secret": SECRET})
        self.problem(400, missing, "PUT", path_of("a"), told)
        self.assertEqual(self.get("a")["types"], ["x"])
        self.put("a", sink, status=200, sinkcredential={**told["sinkcredential"],
                                                        "accesstoken": "t"})
        kept = self.ask(200, "PUT", path_of("a"), told)[1]
        self.assertEqual(kept["sinkcredential"], told["sinkcredential"])

    def test_delete(self):
        self.put("a", "http://127.0.0.1:9/")
        self.assertIsNone(self.ask(204, "DELETE", path_of("a"))[1])
        self.problem(404, "“a”", "GET", path_of("a"))
        self.problem(404, "“a”", "DELETE", path_of("a"))
        self.assertEqual(self.ask(200, "GET", ROOT)[1], [])

    def test_delete_keeps_the_connection(self):
        self.put("a", "http://127.0.0.1:9/")
        answers = self.raw(f"DELETE {path_of('a')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
                           f"GET {path_of('a')} HTTP/1.1\r\nHost: localhost\r\n"
                           "Connection: close\r\n\r\n".encode())
        self.assertEqual(re.findall("HTTP/1.1 ([0-9]+)", str(answers)), ["204", "404"])

    def test_put_while_it_is_deleted(self):
        body = json.dumps({"sink": "http://127.0.0.1:9/"})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for _ in range(100):
                put = pool.submit(self.request, "PUT", path_of("a"), body)
                delete = pool.submit(self.request, "DELETE", path_of("a"))
                self.assertIn(put.result()[0], (200, 201, 503))
                self.assertIn(delete.result()[0], (204, 404))
                self.request("DELETE", path_of("a"))

    def test_what_the_gate_refuses_is_a_problem(self):
        answer = str(self.raw(f"GET {ROOT} HTTP/1.1\r\n\r\n".encode()))
        self.assertIn("400 Bad Request", answer)
        self.assertIn("application/problem+json", answer)

    def test_list(self):
        for name in ("b", "a", "ä/ 1"):
            self.put(name, "http://127.0.0.1:9/")
        headers, every = self.ask(200, "GET", ROOT)
        self.assertEqual([one["id"] for one in every], ["a", "b", "ä/ 1"])
        self.assertIsNone(headers["Link"])
        seen, target = [], f"{ROOT}?limit=1"
        while target:
            headers, page = self.ask(200, "GET", target)
            seen += [one["id"] for one in page]
            match = re.fullmatch(r'<(.*)>; rel="next"', headers["Link"] or "")
            target = match and match.group(1)
        self.assertEqual(seen, ["a", "b", "ä/ 1"])
        self.assertEqual([one["id"] for one in self.ask(200, "GET", f"{ROOT}?after=a")[1]],
                         ["b", "ä/ 1"])

    def test_ids(self):
        for name in ("a/b", "%41", "a b", "[::1]:9", "é", "?", "x" * 2000):
            with self.subTest(name[:9]):
                headers, _ = self.ask(201, "POST", ROOT, {"id": name, "sink": "http://127.0.0.1:9/"})
                self.assertEqual(headers["Location"], path_of(name))
                self.assertEqual(self.get(name)["id"], name)
        for name in (".", ".."):
            with self.subTest(name):
                self.problem(400, "id", "POST", ROOT, {"id": name, "sink": "http://127.0.0.1:9/"})
        for path in (f"{ROOT}/", f"{ROOT}/%ff", f"{ROOT}/a%00", f"{ROOT}/a/b", f"{ROOT}/%ff/pause",
                     f"{ROOT}//pause", f"{ROOT}/a/pause/", f"{ROOT}s"):
            with self.subTest(path):
                self.problem(404, "", "POST" if "pause" in path else "GET", path)

    def test_bodies(self):
        for body, says in ((b"", ""), (b"{", ""), (b"[]", "The body"), (b'{"a":1}', "“a”"),
                           (b'{"sink":"http://a/","sink":"http://b/"}', "sink"),
                           (b'{"sink":"http://a/\xff"}', "UTF-8"), (b"{}", "“sink”"),
                           (b'{"sink":"http://a/","config":{"retry":[1,2,"3"]}}',
                            "“config.retry[2]”"),
                           (b'{"sink":"http://169.254.1.1/"}', "169.254.1.1"),
                           (b'{"sink":"http://127.0.0.1:%d/"}' % self.port, "127.0.0.1"),
                           (b'{"sink":"http://a/","config":{"start":7}}', ""),
                           (b"[" * 1000, "")):
            for method, path in (("POST", ROOT), ("PUT", path_of("new"))):
                with self.subTest(body=body[:60], method=method):
                    self.problem(400, says, method, path, body)
        self.assertEqual(self.ask(200, "GET", ROOT)[1], [])

    def test_bodies_of_actions(self):
        self.put("a", "http://127.0.0.1:9/")
        for action in ("keepalive", "pause", "resume", "test"):
            with self.subTest(action):
                self.problem(400, "“all”", "POST", path_of("a", f"/{action}"), {"all": True})
        for body, says in ((None, ""), ({}, "“after”"), ({"after": 1, "from": "x"}, "“from”"),
                           ({"after": "1"}, "“after”"), ({"after": -1}, "“after”"),
                           ({"from": "yesterday"}, "“from”"), ({"since": 1}, "“since”"),
                           ({"after": 7}, "7")):
            with self.subTest(body=body):
                self.problem(400, says, "POST", path_of("a", "/replay"), body)
        for body in ({"secret": "x"}, {"secret": 1}, {"secrets": []}, []):
            with self.subTest(body=body):
                self.problem(400, "", "POST", path_of("a", "/secret"), body)

    def test_queries(self):
        self.put("a", "http://127.0.0.1:9/")
        for query, says in (("limit=0", "“limit”"), ("limit=1001", "“limit”"), ("limit=", "“limit”"),
                            ("page=2", "“page”"), ("after=%zz", "%zz")):
            with self.subTest(query):
                self.problem(400, says, "GET", f"{ROOT}?{query}")
        for method, action in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/keepalive"),
                               ("POST", "/pause"), ("POST", "/resume"), ("POST", "/replay"),
                               ("POST", "/test"), ("POST", "/secret"), ("GET", "/deliveries")):
            with self.subTest(method + action):
                self.problem(400, "“x”", method, path_of("a", action) + "?x=1")
        self.problem(400, "“x”", "POST", f"{ROOT}?x=1", {"sink": "http://127.0.0.1:9/"})
        self.problem(400, "“limit”", "GET", path_of("a", "/deliveries?limit=x"))

    def test_unknown(self):
        for method, action, body in (
                ("GET", "", None), ("DELETE", "", None), ("POST", "/keepalive", None),
                ("POST", "/pause", None), ("POST", "/resume", None), ("POST", "/test", None),
                ("POST", "/replay", {"after": 0}), ("POST", "/secret", None),
                ("GET", "/deliveries", None), ("GET", "/dead-letters", None),
                ("DELETE", "/dead-letters", None), ("POST", "/dead-letters/redrive", None)):
            # Whatever else is wrong with what is asked of nobody.
            for query, sent in (("", body), ("?x=1", body), ("?limit=x&after=y", body),
                                ("", b"{")):
                with self.subTest(method + action + query, sent=sent):
                    self.problem(404, "“nobody”", method, path_of("nobody", action + query), sent)

    def test_methods(self):
        for action, allowed in (("", "GET, HEAD, PUT, DELETE"), ("/keepalive", "POST"),
                                ("/pause", "POST"), ("/resume", "POST"), ("/replay", "POST"),
                                ("/test", "POST"), ("/secret", "POST"), ("/deliveries", "GET, HEAD")):
            with self.subTest(action):
                headers = self.problem(405, "PATCH", "PATCH", path_of("a", action), b"")
                self.assertEqual(headers["Allow"], allowed)
        headers = self.problem(405, "DELETE", "DELETE", ROOT)
        self.assertEqual(headers["Allow"], "GET, HEAD, POST")

    def test_head(self):
        self.put("a", "http://127.0.0.1:9/")
        for path in (ROOT, path_of("a"), path_of("a", "/deliveries"), path_of("a", "/dead-letters")):
            with self.subTest(path):
                body = self.request("GET", path)[1].encode()
                status, headers, nothing = self.exchange("HEAD", path)
                self.assertEqual((status, nothing), (200, ""))
                self.assertEqual(headers["Content-Type"], "application/json")
                self.assertEqual(headers["Content-Length"], str(len(body)))
        self.assertEqual(self.request("HEAD", path_of("nobody"))[0], 404)

    def test_same_as_registrations(self):
        self.register("127.0.0.1:9")
        shown = self.get("127.0.0.1:9")
        self.assertEqual((shown["sink"], shown["types"], shown["config"]["mode"]),
                         ("http://127.0.0.1:9/event", [">"], "binary"))
        self.assertEqual([one["id"] for one in self.ask(200, "GET", ROOT)[1]], ["127.0.0.1:9"])

        self.put("127.0.0.1:10", "http://127.0.0.1:10/event", types=["a"])
        listed = self.request("GET", "/listSubscribers")[1].splitlines()
        self.assertEqual([line.split("  :  ")[0] for line in listed],
                         ["127.0.0.1:10", "127.0.0.1:9"])
        self.register("127.0.0.1:10")
        self.assertEqual(self.get("127.0.0.1:10")["types"], ["a"])
        self.deregister("127.0.0.1:10")
        self.problem(404, "", "GET", path_of("127.0.0.1:10"))
        self.ask(204, "DELETE", path_of("127.0.0.1:9"))
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))

    def test_full(self):
        self.daemon("--store=memory:", "--set=limits.max-subscriptions=1")
        self.put("a", "http://127.0.0.1:9/")
        self.problem(503, "limits.max-subscriptions", "POST", ROOT, {"sink": "http://127.0.0.1:9/"})
        self.put("a", "http://127.0.0.1:9/x", status=200)


class DeliveriesTest(SubscriptionsCase):
    """What comes of it at a sink."""

    def setUp(self):
        self.daemon("--store=memory:")
        self.target = self.sink()
        self.url = f"http://{self.target.address}/hook"

    def test_start(self):
        for number in range(3):
            self.publish(b"%d" % number)
        self.put("all", self.url, config={"start": "earliest"})
        self.assertEqual(self.take(self.target, 3), [1, 2, 3])
        self.put("third", self.url, config={"start": 3})
        self.assertEqual(self.take(self.target, 1), [3])
        self.put("none", self.url, config={"start": "now"})
        self.ask(204, "DELETE", path_of("all"))
        self.ask(204, "DELETE", path_of("third"))
        self.publish()
        self.assertEqual(self.take(self.target, 1), [4])

    def test_redrive_under_load(self):
        taken, well = [], threading.Event()

        def serve(sink, connection):
            with connection.makefile("rb") as stream:
                while True:
                    _, headers, body = read_request(stream)
                    failed = body == b"bad" and not well.is_set()
                    if not failed:
                        taken.append(int(headers["ce-sequence"]))
                        sink.requests.put(len(taken))
                    connection.sendall(OK.replace(b"200", b"500") if failed else OK)

        sink = self.sink(serve)
        self.put("a", f"http://{sink.address}/", config={"retry": []})
        for number in range(300):
            self.publish(b"bad" if number % 10 == 0 else b"good")
        deadline = time.monotonic() + DEADLINE_S
        while len(self.ask(200, "GET", path_of("a", "/dead-letters"))[1]) < 30:
            self.assertLess(time.monotonic(), deadline)
        well.set()
        publisher = threading.Thread(target=lambda: [self.publish() for _ in range(300)])
        publisher.start()
        redriven = self.ask(200, "POST", path_of("a", "/dead-letters/redrive"))[1]
        publisher.join()
        while len(taken) < 600:
            sink.get()
        self.assertEqual(redriven, {"redriven": 30, "left": 0})
        self.assertEqual(sorted(taken), list(range(1, 601)))

    def test_pause_and_resume(self):
        self.put("a", self.url)
        _, paused = self.ask(200, "POST", path_of("a", "/pause"))
        self.assertEqual(paused["status"]["state"], "paused")
        self.publish()
        self.publish()
        self.wait_until(lambda: self.get("a")["status"]["lag"] == 2, "falling back")
        self.assertTrue(self.target.requests.empty())
        _, resumed = self.ask(200, "POST", path_of("a", "/resume"), {})
        self.assertNotEqual(resumed["status"]["state"], "paused")
        self.assertEqual(self.take(self.target, 2), [1, 2])

    def test_replay(self):
        self.publish(b"before")
        self.put("a", self.url)
        between = datetime.datetime.now(datetime.timezone.utc)
        for number in range(3):
            self.publish(b"%d" % number)
        self.assertEqual(self.take(self.target, 3), [2, 3, 4])
        self.ask(200, "POST", path_of("a", "/replay"), {"after": 2})
        self.assertEqual(self.take(self.target, 2), [3, 4])
        self.ask(200, "POST", path_of("a", "/replay"), {"from": between.isoformat()})
        self.assertEqual(self.take(self.target, 3), [2, 3, 4])

    def test_keep_alive(self):
        self.put("a", self.url, config={"lease": 60})
        first = self.get("a")["status"]["expires"]
        self.wait_until(
            lambda: self.ask(200, "POST", path_of("a", "/keepalive"))[1]["status"]["expires"] > first,
            "a later end of the lease")

    def test_lease_ends(self):
        self.put("a", self.url, config={"lease": 1})
        self.wait_until(lambda: self.request("GET", path_of("a"))[0] == 404, "the lease's end")

    def put_and_leave(self):
        """One that has had an event, whose lease has ended, and that may come back."""
        self.put("a", self.url)
        self.publish()
        self.assertEqual(self.take(self.target, 1), [1])
        self.put("a", self.url, status=200, config={"lease": 1, "resume": True})
        self.wait_until(lambda: self.request("GET", path_of("a"))[0] == 404, "the lease's end")

    def test_lease_ends_and_it_comes_back(self):
        self.put_and_leave()
        self.assertEqual(self.ask(200, "GET", ROOT)[1], [])
        self.publish()
        self.put("a", self.url, config={"start": "now"})
        self.assertEqual(self.take(self.target, 1), [2])

    def test_lease_ends_and_it_is_deleted(self):
        self.put_and_leave()
        self.ask(204, "DELETE", path_of("a"))
        self.problem(404, "“a”", "DELETE", path_of("a"))
        self.publish()
        self.put("a", self.url, config={"start": "now"})
        self.publish()
        self.assertEqual(self.take(self.target, 1), [3])

    def test_test(self):
        self.put("a", self.url, types=["nothing"])
        _, said = self.ask(200, "POST", path_of("a", "/test"))
        self.assertEqual((said["status"], said["reason"]), (200, None))
        self.assertGreaterEqual(said["duration"], 0)
        line, headers, _ = self.target.get()
        self.assertEqual((line, headers["ce-type"]),
                         ("POST /hook HTTP/1.1", "org.example.EventBus.ping"))

    def test_test_fails(self):
        def refuse(sink, connection):
            with connection.makefile("rb") as stream:
                read_request(stream)
                connection.sendall(OK.replace(b"200 OK", b"418 Teapot"))
        self.put("a", f"http://{self.sink(refuse).address}/")
        _, said = self.ask(200, "POST", path_of("a", "/test"))
        self.assertEqual(said["status"], 418)
        self.assertIn("418", said["reason"])
        self.put("b", "http://127.0.0.1:1/")
        _, said = self.ask(200, "POST", path_of("b", "/test"))
        self.assertEqual(said["status"], 0)
        self.assertTrue(said["reason"])

    def test_secret(self):
        self.put("a", self.url)
        _, made = self.ask(200, "POST", path_of("a", "/secret"))
        self.assertEqual(len(base64.b64decode(made["secret"].removeprefix("whsec_"))), 24)
        self.assertEqual(self.ask(200, "POST", path_of("a", "/secret"), {"secret": SECRET})[1], {})
        self.assertNotIn("whsec_", json.dumps(self.get("a")))

    def test_deliveries(self):
        self.put("a", self.url)
        self.assertEqual(self.ask(200, "GET", path_of("a", "/deliveries"))[1], [])
        self.publish()
        self.publish()
        path = path_of("a", "/deliveries")
        self.wait_until(lambda: len(self.ask(200, "GET", path)[1]) == 2, "two attempts")
        _, attempts = self.ask(200, "GET", path)
        self.assertEqual([one["sequence"] for one in attempts], [2, 1])
        self.assertEqual({(one["attempt"], one["status"], one["reason"]) for one in attempts},
                         {(1, 200, None)})
        self.assertRegex(attempts[0]["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_deliveries_page_by_page(self):
        self.put("ä", self.url)
        for _ in range(3):
            self.publish()
        path = path_of("ä", "/deliveries")
        self.wait_until(lambda: len(self.ask(200, "GET", path)[1]) == 3, "three attempts")
        self.assertNotIn("Link", self.ask(200, "GET", path)[0])
        found = []
        path += "?limit=1"
        while path:
            headers, page = self.ask(200, "GET", path)
            found += [one["number"] for one in page]
            path = headers["Link"] and headers["Link"].split(">")[0][1:]
            self.assertEqual(len(page), 1)
        self.assertEqual(found, [3, 2, 1])
        newest = self.ask(200, "GET", path_of("ä", "/deliveries?after=0"))[1]
        self.assertEqual([one["number"] for one in newest], [3, 2, 1])
        for query in ("after=-1", "after=x", "limit=0", "before=1"):
            self.problem(400, query.split("=")[0], "GET", path_of("ä", "/deliveries?" + query))

    def test_last_error(self):
        def refuse(sink, connection):
            with connection.makefile("rb") as stream:
                while True:
                    read_request(stream)
                    connection.sendall(OK.replace(b"200 OK", b"500 No"))
        self.put("a", f"http://{self.sink(refuse).address}/")
        self.publish()
        self.wait_until(lambda: self.get("a")["status"]["lasterror"], "an error")
        self.assertIn("500", self.get("a")["status"]["lasterror"])


class DefaultsTest(SubscriptionsCase):
    """The daemon's own defaults, which every subscription shows."""

    def test_largest_come_back(self):
        self.daemon("--store=memory:", "--lease=2592000", "--set=delivery.timeout=3600",
                    f"--set=delivery.retry={','.join(['2592000'] * 100)}")
        made = self.put("a", "http://127.0.0.1:9/")
        _, again = self.ask(200, "PUT", path_of("a"), made)
        self.assertEqual(again["config"], made["config"])


class RestartTest(SubscriptionsCase):
    """What a restart leaves as it was."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eventbus-test.")
        self.addCleanup(folder.cleanup)
        self.store = f"--store=sqlite:{folder.name}/events.db"
        self.program = self.daemon(self.store)

    def restart(self, number):
        """Ends it, and starts it again."""
        self.program.send(number)
        self.program.wait_exit()
        self.program = self.daemon(self.store)

    def test_kept(self):
        target = self.sink()
        self.put("a", f"http://{target.address}/x", types=["org.>"],
                 filters=[{"all": [{"prefix": {"type": "org"}}]}],
                 protocolsettings={"headers": {"X-Team": "t"}},
                 sinkcredential={"credentialtype": "ACCESSTOKEN", "accesstokentype": "Bearer",
                                 "accesstoken": "t0ken"},
                 config={"lease": 0, "timeout": 9, "retry": [7], "secret": SECRET})
        self.ask(200, "POST", path_of("a", "/pause"))
        self.publish()
        before = self.get("a")
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number):
                self.restart(number)
                after = self.get("a")
                self.assertEqual(after["status"]["state"], "paused")
                del after["status"]
                self.assertEqual(after, {name: before[name] for name in after})
        self.ask(200, "POST", path_of("a", "/resume"))
        self.assertEqual(self.take(target, 1), [1])

    def test_gone(self):
        self.put("a", "http://127.0.0.1:9/")
        self.ask(204, "DELETE", path_of("a"))
        self.restart(signal.SIGKILL)
        self.problem(404, "“a”", "GET", path_of("a"))


if __name__ == "__main__":
    unittest.main()
