# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tutorial's API over real sockets: what it answers, and what no server may let through."""

import json
import os
import re
import socket
import unittest

from bus import CONFIGURATION, DAEMON, BusCase
from program import Program

WRONG = (400, "Error:Wrong input address.")


class CorsTest(BusCase):
    """Pages of other origins, of which some are allowed."""

    APP = "https://app.example"
    ASKS = {"Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type, ce-id"}

    def setUp(self):
        self.daemon("--store=memory:", f"--set=http.cors-origins={self.APP}; http://b.example:81")

    def cors(self, headers):
        """What an answer tells a browser."""
        return {name.lower().removeprefix("access-control-"): value
                for name, value in headers.items()
                if name.lower().startswith("access-control-") or name.lower() == "vary"}

    def test_answers(self):
        allowed = {"allow-origin": self.APP, "expose-headers": "*", "vary": "Origin"}
        for method, path, status in (("GET", "/v1/events", 200), ("GET", "/v1/events/9", 404),
                                     ("GET", "/nothing", 404), ("POST", "/listSubscribers", 400),
                                     ("PATCH", "/v1/subscriptions", 405)):
            with self.subTest(path=path):
                got, headers, _ = self.exchange(method, path, None, {"Origin": self.APP})
                self.assertEqual((got, self.cors(headers)), (status, allowed))
        headers = self.exchange("GET", "/v1/events")[1]
        self.assertEqual(self.cors(headers), {"vary": "Origin"})

    def test_preflight(self):
        for path in ("/v1/subscriptions/a", "/sendMessage", "/nothing"):
            status, headers, text = self.exchange(
                "OPTIONS", path, None, {"Origin": "http://b.example:81", **self.ASKS})
            self.assertEqual((status, text), (204, ""))
            self.assertEqual(self.cors(headers), {
                "allow-origin": "http://b.example:81", "vary": "Origin", "max-age": "600",
                "allow-methods": "GET, HEAD, POST, PUT, DELETE", "expose-headers": "*",
                "allow-headers": "content-type, ce-id"})

    def test_foreign(self):
        for origin in ("http://b.example", "https://app.example.org", "null"):
            for method, more in (("GET", {}), ("OPTIONS", self.ASKS)):
                with self.subTest(origin=origin, method=method):
                    status, headers, text = self.exchange(method, "/v1/events", None,
                                                          {"Origin": origin, **more})
                    self.assertEqual((status, self.cors(headers)), (403, {"vary": "Origin"}))
                    self.assertIn("http.cors-origins", text)
        # Only what a browser asks is answered.
        self.assertEqual(self.exchange("OPTIONS", "/v1/events", None, {"Origin": self.APP})[0], 405)
        self.assertEqual(self.exchange("GET", "/v1/events", None, {
            "Origin": self.APP, "Host": "app.example"})[0], 403)

    def test_all(self):
        self.daemon("--store=memory:", "--set=http.cors-origins=*")
        headers = self.exchange("GET", "/v1/events", None, {"Origin": "null"})[1]
        self.assertEqual(self.cors(headers), {"allow-origin": "*", "expose-headers": "*"})


class RoutesTest(BusCase):
    """The four routes, to the letter."""

    def setUp(self):
        self.program = self.daemon()

    def test_life_of_a_registration(self):
        self.register("127.0.0.1:9")
        self.register("name.example:80/prefix")
        status, body = self.request("GET", "/listSubscribers")
        self.assertEqual(status, 200)
        self.assertRegex(body, r"\A127\.0\.0\.1:9  :  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
                               r"(Z|[+-]\d\d:\d\d)\nname\.example:80/prefix  :  \S+\n\Z")
        self.deregister("127.0.0.1:9")
        self.deregister("127.0.0.1:9")
        self.deregister("never.example:1")
        self.assertTrue(self.request("GET", "/listSubscribers")[1].startswith("name.example"))

    def test_wrong_methods(self):
        routes = {"/registerAndKeepAlive": "POST", "/deregister": "DELETE",
                  "/sendMessage": "POST", "/listSubscribers": "GET"}
        for path, right in routes.items():
            for method in ("GET", "PUT", "PATCH", "DELETE", "POST", "OPTIONS", "FOO", "CONNECT"):
                if method == right:
                    continue
                for query in ("", "?address=%zz", "?address=127.0.0.1:9"):
                    with self.subTest(path=path, method=method, query=query):
                        self.assertEqual(self.request(method, path + query),
                                         (400, f"Error: Only {right} accepted"))
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))

    def test_no_empty_answer(self):
        problem = rb".*Content-Type: application/problem\+json\r\n.*\r\n\r\n\{.*\"detail\":\"\w"
        for line, answer in (("CONNECT /nothing", rb"HTTP/1.1 400 " + problem),
                             ("OPTIONS *", rb"HTTP/1.1 400 " + problem),
                             ("GET http://[::1/", rb"HTTP/1.1 400 " + problem),
                             ("GET /%zz", rb"HTTP/1.1 400 " + problem),
                             ("GET /listSubscribers?%zz",
                              rb"HTTP/1.1 400 .*\r\n\r\nError:invalid"),
                             ("GET " + "/" * 40000,
                              rb"HTTP/1.1 431 Request Header Fields Too Large\r\n" + problem),
                             ("GET /listSubscribers HTTP/1.1\r\nX:" + "x" * 40000,
                              rb"HTTP/1.1 431 .*\r\n\r\nError: \w")):
            with self.subTest(line=line[:20]):
                self.assertRegex(
                    self.raw(f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                             .encode()), re.compile(answer, re.DOTALL))

    def test_head_has_no_body(self):
        self.assertEqual(self.request("HEAD", "/listSubscribers"), (400, ""))

    def test_queries(self):
        for method, path in (("POST", "/registerAndKeepAlive"), ("DELETE", "/deregister")):
            for query, answer in {
                    "": WRONG,
                    "?": WRONG,
                    "?address": WRONG,
                    "?address=": WRONG,
                    "?Address=127.0.0.1:9": WRONG,
                    "?address=&address=127.0.0.1:9": WRONG,
                    "?address=%zz": (400, 'Error:invalid URL escape "%zz"'),
                    "?address=127.0.0.1:9&x=%4": (400, 'Error:invalid URL escape "%4"'),
                    "?address=127.0.0.1:9;x=1": (400, "Error:invalid semicolon separator in query"),
                    "?address=%00": WRONG,
                    "?address=%ff": WRONG,
                    "?address=a+b": WRONG,
                    "?address=a%20b": WRONG,
                    "?address=user:pw@host": WRONG,
                    "?address=host%3Fq": WRONG,
                    "?address=host%23f": WRONG,
                    "?address=:80": WRONG,
                    "?address=host:": WRONG,
                    "?address=host:0": WRONG,
                    "?address=host:65536": WRONG,
                    "?address=host:8o": WRONG,
                    "?address=2130706433": WRONG,
                    "?address=127.1": WRONG,
                    "?address=0x7f.1": WRONG,
                    "?address=0177.0.0.1": WRONG,
                    "?address=256.1.1.1": WRONG,
                    "?address=[::1": WRONG,
                    "?address=[::1%25lo]": WRONG,
                    "?address=::1": WRONG,
                    "?address=h%C3%A4st": WRONG,
            }.items():
                with self.subTest(path=path, query=query):
                    self.assertEqual(self.request(method, path + query), answer)
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))

    def test_addresses_that_are_fine(self):
        for address in ("host", "host:1", "h_st.example.:65535", "[::1]:80", "10.0.0.1",
                        "host:80/a/b", "host/a%20b", "LOCALHOST:80"):
            with self.subTest(address=address):
                self.register(address)
        self.assertEqual(len(self.request("GET", "/listSubscribers")[1].splitlines()), 8)

    def test_first_address_counts(self):
        self.assertEqual(
            self.request("POST", "/registerAndKeepAlive?x=1&address=a:1&address=b:1")[0], 200)
        self.assertRegex(self.request("GET", "/listSubscribers")[1], r"\Aa:1  :  [^\n]*\n\Z")

    def test_identity_is_the_decoded_string(self):
        self.assertEqual(self.request("POST", "/registerAndKeepAlive?address=%61%3A1")[0], 200)
        self.register("a:1")
        self.assertEqual(len(self.request("GET", "/listSubscribers")[1].splitlines()), 1)
        self.assertEqual(self.request("POST", "/registerAndKeepAlive?address=h%252Fx")[0], 400)

    def test_forbidden_literals(self):
        for address in ("169.254.169.254", "224.0.0.1", "255.255.255.255", "0.0.0.0", "[fe80::1]",
                        "[ff02::1]", "[::]", "[::ffff:169.254.1.1]", f"127.0.0.1:{self.port}"):
            with self.subTest(address=address):
                status, body = self.request("POST", f"/registerAndKeepAlive?address={address}")
                self.assertEqual(status, 400)
                self.assertRegex(body, r"\AError:\S.*never go there")

    def test_unknown_paths(self):
        for path in ("/", "/sendMessage/", "/nothing", "/v1/nothing", "//sendMessage"):
            with self.subTest(path=path):
                status, body = self.request("POST", path)
                self.assertEqual(status, 404)
                self.assertIn('"status":404', body)

    def test_event_size(self):
        self.publish(b"x" * 1048576)
        status, body = self.request("POST", "/sendMessage", b"x" * 1048577)
        self.assertEqual(status, 413)
        self.assertIn("1048577", body)

    def test_any_content_type(self):
        sink = self.sink()
        self.register(sink.address)
        for content_type in ("text/plain;\tcharset=utf-8", 'text/plain; x="\xe9\xff\x80"', "none",
                             "t/" + "x" * 1022):
            with self.subTest(content_type=content_type):
                self.publish(b"\0", content_type)
                self.assertEqual(sink.get()[1]["content-type"], content_type)

    def test_long_content_type(self):
        status, body = self.request("POST", "/sendMessage", b"",
                                    {"Content-Type": "t/" + "x" * 1023})
        self.assertEqual((status, body), (413, "Error:Content-Type has 1025 bytes, more than 1024"))

    def test_browsers(self):
        own = f"http://127.0.0.1:{self.port}"
        for headers, status in (({"Origin": own}, 200), ({"Origin": "http://evil.example"}, 403),
                                ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403),
                                ({"Host": "localhost"}, 200), ({"Host": "[::1]:3000"}, 200),
                                ({"Host": "x.localhost:1"}, 200)):
            with self.subTest(headers=headers):
                self.assertEqual(self.request("GET", "/listSubscribers", headers=headers)[0],
                                 status)

    def test_foreign_text_is_shortened(self):
        shown = "x" * 100 + "…"
        self.register("a:1")
        for method, target, headers, detail in (
                ("GET", "/v1/events", {"Host": "x" * 200}, f"not known as “{shown}”:"),
                ("GET", "/v1/events?" + "x" * 200, {}, f"no parameter “{shown}” here"),
                ("GET", "/v1/events?limit=" + "x" * 200, {}, f"“limit” is “{shown}”, not"),
                ("GET", "/v1/subscriptions/" + "x" * 200, {}, f"no subscription “{shown}”"),
                ("GET", "/v1/subscriptions/%E2%80%AE", {}, "no subscription “\\u202e”"),
                ("GET", "/v1/subscriptions/%FF" + "x" * 200, {}, "%FF" + "x" * 79 + "…"),
                ("GET", "/v1/events?%ff=1", {}, "no parameter “%ff” here"),
                ("GET", "/v1/events?a%00b=1", {}, "no parameter “a%00b” here"),
                ("GET", "/v1/events?%E2%80%AEa=1", {}, "no parameter “\\u202ea” here"),
                ("GET", "/v1/events?types=a%00b", {}, "“types” is “a%00b”, which is not text"),
                ("GET", "/v1/subscriptions?after=%FF", {}, "“after” is “%FF”, which is not text"),
                ("GET", "/v1/subscriptions?after=a&after=b", {}, "“after” is given twice"),
                ("DELETE", "/v1/subscriptions/a:1/dead-letters?sequences=%00", {},
                 "“sequences” is “%00”, which is not text"),
                ("GET", "/" + "x" * 200, {}, "nothing at /" + "x" * 99 + "…"),
                ("GET", "/v1/events/" + "x" * 200, {}, "no event at /v1/events/" + "x" * 89 + "…:"),
                ("GET", "/v1/events?limit=%FF", {}, "“limit” is “%FF”, which is not text"),
                ("DELETE", "/v1/subscriptions/a:1/dead-letters?sequences=" + "x" * 200, {},
                 f"“sequences” has “{shown}”, which")):
            with self.subTest(detail=detail):
                self.assertIn(detail, json.loads(
                    self.request(method, target, None, headers)[1])["detail"])

    def test_no_body_for_head(self):
        for target, more in (("/v1/events", "X: " + "x" * 40000), ("/" + "x" * 40000, "X: x"),
                             ("/listSubscribers", "X: " + "x" * 40000), ("/%zz", "X: x"),
                             ("/v1/events", "Content-Length: 9000000")):
            with self.subTest(target=target[:20], more=more[:20]):
                sizes = []
                for method in ("GET", "HEAD"):
                    head, _, body = self.raw(
                        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        f"{more}\r\n\r\n".encode()).partition(b"\r\n\r\n")
                    self.assertRegex(head, rb"\AHTTP/1.1 4\d\d ")
                    sizes.append((re.search(rb"(?i)content-length: (\d+)", head).group(1),
                                  len(body)))
                self.assertEqual(sizes[0][0], str(sizes[0][1]).encode())
                self.assertEqual(sizes[1], (sizes[0][0], 0))

    def test_browsers_and_absolute_targets(self):
        for target, host, status in (("http://evil.example", "127.0.0.1", 403),
                                     ("http://localhost", "evil.example", 200)):
            answer = self.raw(f"GET {target}/listSubscribers HTTP/1.1\r\nHost: {host}\r\n"
                              "Connection: close\r\n\r\n".encode())
            self.assertIn(b" %d " % status, answer.splitlines()[0])


class LimitsTest(BusCase):
    """What the configuration bounds."""

    def test_subscriptions(self):
        self.daemon("--set=limits.max-subscriptions=2")
        self.register("a:1")
        self.register("b:1")
        status, body = self.request("POST", "/registerAndKeepAlive?address=c:1")
        self.assertEqual(status, 503)
        self.assertIn("limits.max-subscriptions", body)
        self.register("a:1")

    def test_named_host(self):
        self.daemon("--set=http.hosts=bus.example")
        self.assertEqual(
            self.request("GET", "/listSubscribers", headers={"Host": "bus.example:3000"})[0], 200)


def post(body, *fields, version="1.1"):
    """A request with these fields and this body, byte for byte."""
    head = "".join(f"{field}\r\n" for field in ("Host: localhost",) + fields)
    return f"POST /sendMessage HTTP/{version}\r\n{head}\r\n".encode("latin-1") + body


class FramingTest(BusCase):
    """Where a request ends, nobody may see differently."""

    def setUp(self):
        self.program = self.daemon()

    def published(self):
        """How many events there are, as their subscriber counts them."""
        return self.events.requests.qsize()

    def test_refused(self):
        self.events = self.sink()
        self.register(self.events.address)
        smuggled = b"POST /sendMessage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nX"
        for name, request in {
                "two lengths": post(b"", "Content-Length: 0", "Content-Length: 5"),
                "same length twice": post(b"a", "Content-Length: 1", "Content-Length: 1"),
                "list of lengths": post(b"a", "Content-Length: 1, 1"),
                "signed length": post(b"abcde", "Content-Length: +5"),
                "negative length": post(b"", "Content-Length: -1"),
                "hex length": post(b"abcde", "Content-Length: 0x5"),
                "empty length": post(b"", "Content-Length: "),
                "huge length": post(b"", "Content-Length: 99999999999999999999"),
                "both": post(b"0\r\n\r\n", "Content-Length: 5", "Transfer-Encoding: chunked"),
                "space before colon": post(b"0\r\n\r\n", "Transfer-Encoding : chunked"),
                "folded": post(b"", "X: a", " b", "Content-Length: 0"),
                "two codings": post(b"0\r\n\r\n", "Transfer-Encoding: chunked",
                                    "Transfer-Encoding: chunked"),
                "other coding": post(b"", "Transfer-Encoding: gzip, chunked"),
                "identity": post(b"", "Transfer-Encoding: identity"),
                "chunked in 1.0": post(b"0\r\n\r\n", "Transfer-Encoding: chunked", version="1.0"),
                "chunk -1": post(b"-1\r\n", "Transfer-Encoding: chunked"),
                "chunk zz": post(b"zz\r\n", "Transfer-Encoding: chunked"),
                "chunk 2^64": post(b"10000000000000000\r\n", "Transfer-Encoding: chunked"),
                "chunk with space": post(b" 1\r\na\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
                "chunk with bare LF": post(b"1\na\n0\n\n", "Transfer-Encoding: chunked"),
                "long chunk": post(b"1\r\nab\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
                "bare LF": b"GET /listSubscribers HTTP/1.1\nHost: localhost\n\n",
                "bare CR": b"GET /listSubscribers HTTP/1.1\rHost: localhost\r\n\r\n",
                "NUL": b"GET /listSubscribers HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n",
                "no host": b"GET /listSubscribers HTTP/1.1\r\n\r\n",
                "userinfo in target": b"GET http://u:p@localhost/ HTTP/1.1\r\n"
                                      b"Host: localhost\r\n\r\n",
                "no host in target": b"GET http:///x HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "two origins": post(b"", "Origin: http://localhost", "Origin: http://localhost"),
                "two hosts": post(b"", "Host: other"),
                "userinfo": b"GET / HTTP/1.1\r\nHost: user:pw@localhost\r\n\r\n",
                "no version": b"GET /listSubscribers\r\nHost: localhost\r\n\r\n",
                "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
                "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                "space in target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "unknown expectation": post(b"", "Expect: 200-ok", "Content-Length: 0"),
                "two types": post(b"", "Content-Type: a/b", "Content-Type: a/b"),
                "large header": post(b"", "X: " + "x" * 40000),
                "many fields": post(b"", *["X: y"] * 300),
                "large body": post(b"", "Content-Length: 8388609"),
        }.items():
            with self.subTest(name):
                answer = self.raw(request + smuggled)
                self.assertRegex(answer.splitlines()[0], rb"HTTP/1.1 (4\d\d|501|505) ")
                self.assertEqual(len(re.findall(rb"HTTP/1.1 \d\d\d ", answer)), 1)
                self.assertIn(b"Connection: close", answer)
        self.publish(b"the only one")
        self.assertEqual(self.events.get()[2], b"the only one")
        self.assertEqual(self.published(), 0)

    def test_chunked(self):
        sink = self.sink()
        self.register(sink.address)
        answer = self.raw(post(b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
                               "Transfer-Encoding: chunked", "Connection: close"))
        self.assertTrue(answer.endswith(b"success"))
        self.assertEqual(sink.get()[2], b"abc0123456789")

    def peak(self):
        """The most memory that the daemon has had, in KiB."""
        with open(f"/proc/{self.program.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))

    def test_tiny_chunks(self):
        sink = self.sink()
        self.register(sink.address)
        self.publish(b"x" * 1048576)
        self.assertEqual(len(sink.get()[2]), 1048576)
        before = self.peak()
        data = bytes(i % 251 for i in range(100000)) * 10
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(post(b"", "Transfer-Encoding: chunked", "Connection: close"))
            for start in range(0, len(data), 100000):
                client.sendall(b"".join(b"1\r\n%c\r\n" % byte
                                        for byte in data[start:start + 100000]))
                self.assertEqual(self.request("GET", "/nothing")[0], 404)
            client.sendall(b"0\r\n\r\n")
            answer = b""
            while some := client.recv(65536):
                answer += some
        self.assertTrue(answer.endswith(b"success"))
        self.assertEqual(sink.get()[2], data)
        self.assertLess(self.peak() - before, 32 * 1024)

    def test_announced_chunk(self):
        answer = self.raw(post(b"800001\r\n", "Transfer-Encoding: chunked"))
        self.assertIn(b" 413 ", answer.splitlines()[0])

    def test_pieces(self):
        sink = self.sink()
        self.register(sink.address)
        request = post(b"hello", "Content-Length: 5", "Connection: close")
        answer = self.raw(*[request[i:i + 1] for i in range(len(request))])
        self.assertTrue(answer.endswith(b"success"))
        self.assertEqual(sink.get()[2], b"hello")

    def test_pipelining(self):
        sink = self.sink()
        self.register(sink.address)
        requests = [post(str(i).encode(), "Content-Length: 1") for i in range(9)]
        answer = self.raw(b"\r\n" + b"".join(requests)
                          + b"GET /listSubscribers HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 10)
        self.assertEqual([sink.get()[2] for _ in range(9)], [b"%d" % i for i in range(9)])

    def test_half_close(self):
        answer = self.raw(post(b"x", "Content-Length: 1"), half_close=True)
        self.assertTrue(answer.endswith(b"success"))

    def test_http_1_0(self):
        for host in (b"Host: localhost\r\n", b""):
            with self.subTest(host=host):
                answer = self.raw(b"GET /listSubscribers HTTP/1.0\r\n%s\r\n" % host)
                self.assertIn(b" 200 ", answer.splitlines()[0])
                answer = self.raw(b"POST /deregister?address=%%zz HTTP/1.0\r\n%s\r\n" % host)
                self.assertTrue(answer.endswith(b"Error: Only DELETE accepted"), answer)
                answer = self.raw(b"POST /registerAndKeepAlive?address=a:1 HTTP/1.0\r\n%s\r\n"
                                  % host)
                self.assertTrue(answer.endswith(b"success"), answer)

    def test_absolute_target(self):
        answer = self.raw(b"GET http://localhost/listSubscribers HTTP/1.1\r\nHost: localhost\r\n"
                          b"Connection: close\r\n\r\n")
        self.assertIn(b" 200 ", answer.splitlines()[0])

    def test_continue(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(post(b"", "Expect: 100-continue", "Content-Length: 5",
                                "Connection: close"))
            self.assertEqual(client.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            client.sendall(b"hello")
            answer = b""
            while some := client.recv(65536):
                answer += some
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)
        self.assertTrue(answer.endswith(b"success"))

    def test_no_continue_for_http_1_0(self):
        for value in (b"100-continue", b"200-ok"):
            with self.subTest(value=value), \
                    socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
                client.sendall(b"POST /sendMessage HTTP/1.0\r\nExpect: %s\r\n"
                               b"Content-Length: 5\r\n\r\n" % value)
                self.request("GET", "/listSubscribers")  # the header has been read after that
                client.sendall(b"hello")
                answer = b""
                while some := client.recv(65536):
                    answer += some
                self.assertTrue(answer.startswith(b"HTTP/1.0 200 "), answer)
                self.assertTrue(answer.endswith(b"success"), answer)

    def test_range_is_ignored(self):
        self.register("a:1")
        status, body = self.request("GET", "/listSubscribers",
                                    headers={"Range": "bytes=" + ",".join(["0-"] * 100)})
        self.assertEqual(status, 200)
        self.assertEqual(len(body.splitlines()), 1)


GET = b"GET /listSubscribers HTTP/1.1\r\nHost: localhost\r\n\r\n"


class ClientsTest(BusCase):
    """Clients that come, stay and go."""

    def descriptors(self, program):
        """How many the daemon has open."""
        return len(os.listdir(f"/proc/{program.pid}/fd"))

    def test_no_descriptor_is_left(self):
        program = self.daemon()
        self.request("GET", "/listSubscribers")
        before = self.descriptors(program)
        for name, sent in {"silent": b"", "in the head": GET[:20],
                           "in the body": post(b"a", "Content-Length: 9"),
                           "in the answer": GET * 3, "after an answer": GET}.items():
            clients = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(300)]
            for client in clients:
                client.sendall(sent)
            if name == "after an answer":
                for client in clients:
                    self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
            for client in clients:
                client.close()
            self.wait_until(lambda: self.descriptors(program) <= before, name)

    def limited_daemon(self):
        """A daemon that may have no more than 60 descriptors, of which it inherits 35: it shares
        out what it believes to have, so it runs out before it has as many clients as allowed."""
        script = f'for n in {{20..54}}; do eval "exec $n</dev/null"; done; ulimit -n 60; exec {DAEMON} "$@"'
        program = Program("bash", "-c", script, "sh", CONFIGURATION, "--bus=none",
                          "--listen=127.0.0.1:0")
        self.addCleanup(program.close)
        self.port = int(program.wait_for(r"ready: http://127\.0\.0\.1:(\d+)").group(1))
        return program

    def connect(self, sent=b""):
        """A client that has sent this."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.addCleanup(client.close)
        client.sendall(sent)
        return client

    def assert_served(self, client, sent):
        """Whether it is answered, and kept."""
        client.sendall(sent)
        self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 "))

    def test_limit_of_descriptors(self):
        self.limited_daemon()
        idle = [self.connect() for _ in range(100)]
        # Who has been idle for longest makes room, and all is well again when they leave.
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))
        for client in idle:
            client.close()
        for _ in range(5):
            self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))

    def test_last_descriptor(self):
        program = self.limited_daemon()
        clients = []
        while self.descriptors(program) < 60:
            clients.append(self.connect())
            self.assert_served(clients[-1], GET)
        # Nobody waits, so nobody has to go.
        for client in clients:
            self.assert_served(client, GET)

    def test_no_descriptor_and_nobody_idle(self):
        program = self.limited_daemon()
        busy = [self.connect(GET[:20]) for _ in range(80)]
        program.wait_for("Cannot accept clients for now")
        waiting = self.connect(GET)
        for client in busy:
            self.assert_served(client, GET[20:])
        self.assert_served(waiting, b"")

    def test_limit_of_clients(self):
        self.daemon("--set=http.max-connections=5")
        idle = [self.connect() for _ in range(20)]
        self.assertEqual(self.request("GET", "/listSubscribers"), (200, ""))
        for client in idle:
            client.close()

    def test_as_many_clients_as_allowed(self):
        self.daemon("--set=http.max-connections=5")
        clients = [self.connect() for _ in range(5)]
        for _ in range(3):
            for client in clients:
                self.assert_served(client, GET)

    def test_more_clients_than_allowed(self):
        self.daemon("--set=http.max-connections=5")
        busy = [self.connect(GET[:20]) for _ in range(5)]
        waiting = [self.connect(GET) for _ in range(20)]
        # Each that is answered makes room for one that waits.
        for client in busy:
            self.assert_served(client, GET[20:])
        for client in waiting:
            self.assert_served(client, b"")

    def test_slow_clients(self):
        self.daemon("--set=http.header-timeout=1", "--set=http.body-timeout=1",
                    "--set=http.idle-timeout=1")
        for name, sent, answer in (("silent", b"", rb"\Z"),
                                   ("head", b"GET / HTTP/1.1\r\nHo", rb"HTTP/1.1 408 "),
                                   ("body", post(b"a", "Content-Length: 9"), rb"HTTP/1.1 408 ")):
            with self.subTest(name):
                self.assertTrue(re.match(answer, self.raw(sent)))


if __name__ == "__main__":
    unittest.main()
