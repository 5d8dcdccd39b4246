# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dead letters over HTTP: what is asked, what is refused, and how."""

import json
import unittest
import urllib.parse

from bus import OK, BusCase, read_request


class RoutesTest(BusCase):
    """The routes, without any dead letter."""

    def setUp(self):
        self.daemon()
        self.register("127.0.0.1:9")
        self.path = "/v1/subscriptions/127.0.0.1:9/dead-letters"

    def problem(self, status, detail, *request, **more):
        """A request that is refused with a problem that says so."""
        got, headers, body = self.exchange(*request, **more)
        self.assertEqual((got, headers["Content-Type"]), (status, "application/problem+json"), body)
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        self.assertIn(detail, problem["detail"])
        return headers

    def test_list(self):
        status, headers, body = self.exchange("GET", self.path)
        self.assertEqual((status, body), (200, "[]"))
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertIsNone(headers["Link"])
        self.assertEqual(self.request("GET", f"{self.path}?after=7&limit=1000"), (200, "[]"))

    def test_redrive_and_drop(self):
        self.assertEqual(self.request("POST", f"{self.path}/redrive"),
                         (200, '{"redriven":0,"left":0}'))
        self.assertEqual(self.request("POST", f"{self.path}/redrive", b'{"sequences": []}'),
                         (200, '{"redriven":0,"left":0}'))
        self.assertEqual(self.request("POST", f"{self.path}/redrive", b"{}"),
                         (200, '{"redriven":0,"left":0}'))
        self.assertEqual(self.request("DELETE", self.path), (204, ""))

    def test_parameters(self):
        for query, name in (("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"),
                            ("after=-1", "after"), ("after=", "after"), ("after=01", "after")):
            with self.subTest(query):
                self.problem(400, f"“{name}”", "GET", f"{self.path}?{query}")
        self.problem(400, "“sequences”", "DELETE", f"{self.path}?sequences=1,x")
        self.problem(400, "“sequence”", "DELETE", f"{self.path}?sequence=1")
        self.problem(400, "“sequences”", "POST", f"{self.path}/redrive?sequences=1")
        self.problem(400, "%zz", "GET", f"{self.path}?after=%zz")

    def test_bodies(self):
        for body, says in ((b"[]", "sequences"), (b'{"all":true}', "“all”"),
                           (b'{"sequences":[0]}', "“sequences”"), (b" ", "sequences"),
                           (json.dumps({"sequences": list(range(1, 1002))}).encode(), "1000")):
            with self.subTest(body[:20]):
                self.problem(400, says, "POST", f"{self.path}/redrive", body)

    def test_unknown(self):
        for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/redrive")):
            with self.subTest(method):
                self.problem(404, "“127.0.0.1:8”", method,
                             f"/v1/subscriptions/127.0.0.1:8/dead-letters{rest}")
        self.problem(404, "sequence 3", "POST", f"{self.path}/redrive", b'{"sequences":[3]}')
        self.problem(404, "sequence 3", "DELETE", f"{self.path}?sequences=3")
        for path in ("/v1/subscriptions//dead-letters", "/v1/subscriptions/%ff/dead-letters",
                     "/v1/subscriptions/a%00/dead-letters", "/v1/subscriptions/a/b/dead-letters",
                     "/v1/subscriptions/127.0.0.1:9/dead-letters/", "/v1/subscriptions/"):
            with self.subTest(path):
                self.problem(404, "", "GET", path)

    def test_methods(self):
        headers = self.problem(405, "PUT", "PUT", self.path, b"")
        self.assertEqual(headers["Allow"], "GET, HEAD, DELETE")
        headers = self.problem(405, "GET", "GET", f"{self.path}/redrive")
        self.assertEqual(headers["Allow"], "POST")

    def test_id_is_decoded_once(self):
        for address in ("host/a%2Fb", "[::1]:9", "host/%41"):
            with self.subTest(address):
                self.register(address)
                quoted = urllib.parse.quote(address, safe="")
                self.assertEqual(
                    self.request("GET", f"/v1/subscriptions/{quoted}/dead-letters"), (200, "[]"))


class RefusedTest(BusCase):
    """Dead letters of a sink that refuses what it does not like."""

    def setUp(self):
        self.daemon("--set=delivery.retry=1")
        self.refuses = True
        self.target = self.sink(self.serve)
        self.register(self.target.address)
        self.path = f"/v1/subscriptions/{self.target.address}/dead-letters"

    def serve(self, sink, connection):
        """Refuses as long as it does."""
        with connection.makefile("rb") as stream:
            while True:
                request = read_request(stream)
                connection.sendall(OK.replace(b"200 OK", b"500 No") if self.refuses else OK)
                sink.requests.put(request)

    def letters(self, query=""):
        """What the bus lists."""
        return json.loads(self.request("GET", self.path + query)[1])

    def test_redrive(self):
        for number in range(3):
            self.publish(b"%d" % number)
        self.wait_until(lambda: len(self.letters()) == 3, "giving up")
        letters = self.letters()
        self.assertEqual([letter["sequence"] for letter in letters], [1, 2, 3])
        self.assertEqual({letter["laststatus"] for letter in letters}, {500})
        self.assertEqual({letter["attempts"] for letter in letters}, {2})
        self.assertRegex(letters[0]["last"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        tried = [self.target.get()[1]["ce-id"] for _ in range(6)]
        self.assertEqual(tried.count(letters[0]["id"]), 2)

        _, headers, body = self.exchange("GET", f"{self.path}?limit=2")
        self.assertEqual([letter["sequence"] for letter in json.loads(body)], [1, 2])
        self.assertEqual(headers["Link"], f'<{self.path}?after=2&limit=2>; rel="next"')
        self.assertEqual(len(self.letters("?after=2&limit=2")), 1)

        self.refuses = False
        self.assertEqual(
            self.request("POST", f"{self.path}/redrive", b'{"sequences":[2]}'),
            (200, '{"redriven":1,"left":2}'))
        _, again, data = self.target.get()
        self.assertEqual((data, again["eventbus-attempt"]), (b"1", "1"))
        self.assertEqual(self.request("POST", f"{self.path}/redrive"),
                         (200, '{"redriven":2,"left":0}'))
        self.assertEqual({self.target.get()[2] for _ in range(2)}, {b"0", b"2"})
        self.assertEqual(self.letters(), [])

    def test_drop(self):
        self.publish()
        self.wait_until(self.letters, "giving up")
        self.assertEqual(self.request("DELETE", self.path), (204, ""))
        self.assertEqual(self.letters(), [])


if __name__ == "__main__":
    unittest.main()
