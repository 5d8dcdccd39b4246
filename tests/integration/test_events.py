# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""CloudEvents over HTTP: published in every mode, read again, and refused as they should be."""

import base64
import json
import socket
import unittest

from bus import BusCase
from program import DEADLINE_S

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
REQUIRED = {"specversion": "1.0", "id": "1", "source": "/s", "type": "com.example.a"}
BINARY = {f"ce-{name}": value for name, value in REQUIRED.items()}
DIGITS = '{"n":12345678901234567890,"x":1.10}'


def event(**members):
    """A structured event; a member that is None is left out."""
    members = {**REQUIRED, **members}
    return json.dumps({name: value for name, value in members.items() if value is not None})


class EventsCase(BusCase):
    """With what these cases need."""

    def setUp(self):
        self.daemon("--store=memory:")

    def post(self, body, query="", **headers):
        """Publishes; status and answer."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        status, got, text = self.exchange("POST", f"/v1/events{query}", body, names)
        self.assertEqual(got["Content-Type"],
                         "application/json" if status < 300 else "application/problem+json", text)
        return status, json.loads(text)

    def structured(self, text, query=""):
        """Publishes one structured event."""
        return self.post(text, query, Content_Type=STRUCTURED)

    def batch(self, text):
        """Publishes a batch."""
        return self.post(text, Content_Type=BATCH)

    def binary(self, body=b"", headers=None, **more):
        """Publishes in binary mode, with these headers instead of others."""
        merged = {**BINARY, **(headers or {}), **more}
        return self.post(body, **{name: value for name, value in merged.items()
                                  if value is not None})

    def refused(self, status, names, got):
        """An answer that refuses, and names what is wrong."""
        self.assertEqual((got[0], got[1]["status"]), (status, status), got)
        self.assertIn(names, got[1]["detail"])

    def problem(self, status, names, method, target, headers=None):
        """A request that is refused."""
        got, answered, text = self.exchange(method, target, None, headers)
        self.assertEqual((got, answered["Content-Type"]), (status, "application/problem+json"), text)
        self.assertIn(names, json.loads(text)["detail"])
        return answered

    def history(self, query=""):
        """What was published, and where it goes on."""
        status, headers, text = self.exchange("GET", f"/v1/events{query}")
        self.assertEqual((status, headers["Content-Type"]), (200, BATCH), text)
        return json.loads(text), headers["Link"]

    def assert_nothing_published(self):
        """That whatever was refused is not in the log."""
        self.assertEqual(self.history(), ([], None))


class PublishTest(EventsCase):
    """What is accepted, and what becomes of it."""

    def test_structured(self):
        sink = self.sink()
        self.register(sink.address)
        body = event(subject="käse", datacontenttype=None)[:-1] + f',"data":{DIGITS}}}'
        self.assertEqual(self.structured(body), (202, {"id": "1", "sequence": 1}))
        _, headers, data = sink.get()
        self.assertEqual(data, DIGITS.encode())
        self.assertEqual(headers["content-type"], "application/json")
        self.assertEqual(headers["ce-subject"], "k%C3%A4se")
        self.assertIn(DIGITS, self.exchange("GET", "/v1/events")[2])
        self.assertEqual(self.exchange("GET", "/v1/events/1")[2], DIGITS)

    def test_content_types(self):
        for number, (members, content_type, data) in enumerate((
                ({"data": "text"}, "application/json", '"text"'),
                ({"data": None}, None, ""),
                ({"data": "text", "datacontenttype": "text/x"}, "text/x", "text"),
                ({"data": [1], "datacontenttype": "a/b+json"}, "a/b+json", "[1]"),
                ({"data_base64": "YWJj", "datacontenttype": "image/png"}, "image/png", "abc"),
                ({"data_base64": "YWJj"}, None, "abc")), 1):
            with self.subTest(members):
                self.assertEqual(self.structured(event(id=str(number), **members))[0], 202)
                status, headers, body = self.exchange("GET", f"/v1/events/{number}")
                self.assertEqual((status, headers["Content-Type"], body),
                                 (200, content_type, data))

    def test_own_sequence(self):
        """A publisher's is no attribute of the event, whichever way it comes."""
        sink = self.sink()
        body = json.dumps({"sink": f"http://{sink.address}/",
                           "filters": [{"not": {"exact": {"sequence": "9"}}}]}).encode()
        self.assertEqual(self.request("POST", "/v1/subscriptions", body)[0], 201)
        self.structured(event(id="1", sequence="9"))
        self.binary(b"", ce_id="2", ce_sequence="9")
        self.batch(f"[{event(id='3', sequence=9)}]")
        for number in (1, 2, 3):
            self.assertEqual(sink.get()[1]["ce-sequence"], f"{number:020}")

    def test_no_content_type(self):
        """JSON without a datacontenttype says so in headers only, where it must."""
        self.structured(event(data={"a": 1}))
        self.post(b"1", "?type=com.example.b")
        (implied, absent), _ = self.history()
        self.assertEqual(implied["data"], {"a": 1})
        self.assertNotIn("datacontenttype", implied)
        self.assertNotIn("datacontenttype", absent)
        self.assertEqual([self.exchange("GET", f"/v1/events/{number}")[1]["Content-Type"]
                          for number in (1, 2)], ["application/json", None])

    def test_content_type_of_the_request(self):
        for content_type in (STRUCTURED.upper(), f"{STRUCTURED}; charset=utf-8",
                             f'{STRUCTURED};charset="UTF-8"'):
            with self.subTest(content_type):
                self.assertEqual(self.post(event(), Content_Type=content_type)[0] // 100, 2)

    def test_binary(self):
        self.assertEqual(
            self.binary(b"\0data", Content_Type="text/x; a=b", ce_subject="50%25%20%E2%82%AC",
                        ce_time="2018-04-05T17:31:00Z", CE_Ext='"quoted \\" one"', ce_empty=""),
            (202, {"id": "1", "sequence": 1}))
        status, headers, body = self.exchange("GET", "/v1/events/1")
        self.assertEqual((status, body), (200, "\0data"))
        self.assertEqual({name: headers[name] for name in (
            "Content-Type", "ce-id", "ce-source", "ce-type", "ce-specversion", "ce-subject",
            "ce-ext", "ce-empty", "ce-sequence", "X-Content-Type-Options")}, {
                "Content-Type": "text/x; a=b", "ce-id": "1", "ce-source": "/s",
                "ce-type": "com.example.a", "ce-specversion": "1.0",
                "ce-subject": "50%25%20%E2%82%AC", "ce-ext": "quoted%20%22%20one", "ce-empty": "",
                "ce-sequence": "00000000000000000001", "X-Content-Type-Options": "nosniff"})
        (stored,), _ = self.history()
        self.assertEqual(stored, {
            **REQUIRED, "datacontenttype": "text/x; a=b", "subject": "50% €", "ext": 'quoted " one',
            "empty": "", "time": "2018-04-05T17:31:00Z", "sequence": "00000000000000000001",
            "data": "\0data"})

    def test_plain(self):
        status, answer = self.post(b"hello", "?type=com.example.b&source=/x&subject=a%20b&id=i",
                                   Content_Type="text/plain")
        self.assertEqual((status, answer), (202, {"id": "i", "sequence": 1}))
        status, answer = self.post(b"")
        self.assertEqual((status, answer["sequence"]), (202, 2))
        (first, second), _ = self.history()
        self.assertEqual(first, {
            "specversion": "1.0", "id": "i", "source": "/x", "type": "com.example.b",
            "subject": "a b", "datacontenttype": "text/plain", "data": "hello",
            "sequence": "00000000000000000001"})
        self.assertEqual(second, {
            "specversion": "1.0", "id": answer["id"], "source": "/eventbus",
            "type": "org.example.EventBus.message", "sequence": "00000000000000000002"})

    def test_trace_context(self):
        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                 "tracestate": "a=1"}
        self.binary(headers=trace)
        self.post(b"", **trace)
        self.post(b"", tracestate="a=1")
        self.binary(headers={**trace, "ce-id": "2", "ce-traceparent": "mine"})
        self.structured(event(id="3"))
        stored, _ = self.history()
        self.assertEqual(
            [(one.get("traceparent"), one.get("tracestate")) for one in stored],
            [tuple(trace.values()), tuple(trace.values()), (None, None), ("mine", None),
             (None, None)])

    def test_trace_context_of_a_message(self):
        trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                 "tracestate": "a=1"}
        for headers in (trace, {**trace, "traceparent": "\xff"}, {"tracestate": "a=1"}):
            self.assertEqual(self.request("POST", "/sendMessage", b"", headers), (200, "success"))
        self.assertEqual(
            [(one.get("traceparent"), one.get("tracestate")) for one in self.history()[0]],
            [tuple(trace.values()), (None, None), (None, None)])

    def test_batch(self):
        self.assertEqual(self.batch(f"[{event()},{event(id='2', data=5)}]"),
                         (202, {"events": [{"id": "1", "sequence": 1}, {"id": "2", "sequence": 2}]}))
        self.assertEqual(self.batch("[]"), (202, {"events": []}))
        self.assertEqual(len(self.history()[0]), 2)

    def test_largest_batch(self):
        events = ",".join(event(id=str(number)) for number in range(1000))
        status, answer = self.batch(f"[{events}]")
        self.assertEqual((status, len(answer["events"])), (202, 1000))
        self.refused(413, "1000", self.batch(f"[{events},{event(id='x')}]"))
        self.assertEqual(self.history("?after=1000"), ([], None))

    def test_sequence_is_ours(self):
        self.structured(event(sequence="mine"))
        self.binary(ce_id="2", ce_sequence="mine")
        self.assertEqual([one["sequence"] for one in self.history()[0]],
                         ["00000000000000000001", "00000000000000000002"])


class DuplicatesTest(EventsCase):
    """What is published again is told where it is, and delivered no second time."""

    def test_one(self):
        first = (202, {"id": "1", "sequence": 1})
        again = (200, {"id": "1", "sequence": 1})
        self.assertEqual(self.structured(event(data=1)), first)
        self.assertEqual(self.structured(event(data=2)), again)
        self.assertEqual(self.binary(), again)
        self.assertEqual(self.post(b"", "?id=1&source=/s&type=x"), again)
        self.assertEqual(self.structured(event(source="/other")), (202, {"id": "1", "sequence": 2}))
        self.assertEqual(self.post(b"", "?id=1")[1]["sequence"], 3)
        self.assertEqual(self.post(b"", "?id=1")[1]["sequence"], 4)
        self.assertEqual(self.exchange("GET", "/v1/events/1")[2], "1")

    def test_batch(self):
        one, two = ({"id": "1", "sequence": 1}, {"id": "2", "sequence": 2})
        self.assertEqual(self.batch(f"[{event()},{event()}]"), (202, {"events": [one, one]}))
        self.assertEqual(self.batch(f"[{event()}]"), (200, {"events": [one]}))
        self.assertEqual(self.batch(f"[{event()},{event(id='2')}]"), (202, {"events": [one, two]}))
        self.assertEqual(self.batch(f"[{event()},{event(id='2')}]"), (200, {"events": [one, two]}))
        self.assertEqual(len(self.history()[0]), 2)


class RefuseTest(EventsCase):
    """What breaks a rule publishes nothing, and the answer names it."""

    def tearDown(self):
        self.assert_nothing_published()

    def test_structured(self):
        for text, names in (
                ("", "JSON"), ("{", "JSON"), ("[]", "object"), (f"{event()} x", "JSON"),
                ("// no\n" + event(), "JSON"), (event(id=None), "“id”"),
                (event(source=None), "“source”"), (event(type=None), "“type”"),
                (event(specversion=None), "“specversion”"), (event(specversion="2.0"), "specversion"),
                (event(id=""), "“id”"), (event(type=""), "“type”"), (event(source="a b"), "“source”"),
                (event(id=7), "“id”"), (event(ext=1.5), "“ext”"), (event(ext=2 ** 31), "“ext”"),
                (event(ext=[]), "“ext”"), (event(Ext="x"), "Ext"), (event(time="now"), "“time”"),
                (event(subject="\0"), "“subject”"), (event(subject="\ud800"), "“subject”"),
                (event(datacontenttype="nonsense"), "“datacontenttype”"),
                (event(data=1, data_base64=""), "“data_base64”"), (event(data_base64="a"), "base64"),
                (event(data="x").replace('"x"', "01"), "“data”"),
                (event()[:-1] + ',"id":"2"}', "“id”"), (event()[:-1] + ',"data":' + "[" * 200, "128"),
                (event(data=5, datacontenttype="text/plain"), "“data”")):
            with self.subTest(text):
                self.refused(400, names, self.structured(text.encode()))
        self.refused(400, "UTF-8", self.structured(event(subject="x").encode().replace(b"x", b"\xff")))
        self.refused(400, "“type”", self.structured(event(), "?type=x"))

    def test_batch(self):
        for text, names in (
                ("", "JSON"), (event(), "array"), ("[1]", "Event 0"),
                (f"[{event()},{event(id='')}]", "Event 1"), (f"[{event()},{event(id='')}]", "“id”"),
                (f"[{event()},]", "JSON")):
            with self.subTest(text):
                self.refused(400, names, self.batch(text))

    def test_binary(self):
        for headers, names in (
                ({"ce-specversion": None}, "“specversion”"), ({"ce-id": None}, "“id”"),
                ({"ce-source": None}, "“source”"), ({"ce-type": None}, "“type”"),
                ({"ce-specversion": "0.3"}, "“specversion”"), ({"ce-id": ""}, "“id”"),
                ({"ce-type": ""}, "“type”"), ({"ce-source": "%20"}, "“source”"),
                ({"ce-time": "today"}, "“time”"), ({"ce-subject": "100%"}, "“ce-subject”"),
                ({"ce-subject": "%00"}, "“ce-subject”"), ({"ce-subject": "%FF"}, "“subject”"),
                ({"ce-subject": "%0A"}, "“subject”"), ({"ce-subject": '"'}, "“ce-subject”"),
                ({"ce-data": "x"}, "data"), ({"ce-": "x"}, "name"), ({"ce-a.b": "x"}, "a.b"),
                ({"ce-datacontenttype": "text/plain"}, "Content-Type"),
                ({"Content-Type": "nonsense"}, "Content-Type"), ({"CE-ID": "2"}, "“id”"),
                ({"ce-dataschema": "/relative"}, "“dataschema”")):
            with self.subTest(headers):
                self.refused(400, names, self.binary(b"x", headers))
        self.refused(400, "“type”", self.post(b"x", "?type=a", **BINARY))

    def test_plain(self):
        for query, names in (
                ("?type=", "“type”"), ("?id=", "“id”"), ("?source=a%20b", "“source”"),
                ("?type=a&type=b", "“type”"), ("?time=x", "“time”"), ("?Type=x", "“Type”"),
                ("?subject=%FF", "“subject”"), ("?subject=%zz", "%zz"), ("?a;b", "“a;b”"), ("?id=a;b", "semicolon")):
            with self.subTest(query):
                got = self.exchange("POST", f"/v1/events{query}", b"x")
                self.assertEqual((got[0], got[1]["Content-Type"]), (400, "application/problem+json"))
                self.assertIn(names, json.loads(got[2])["detail"])
        self.refused(400, "Content-Type", self.post(b"x", Content_Type="nonsense"))

    def test_sizes(self):
        self.refused(413, "limits.max-event-size", self.post(b"x" * (1024 * 1024 + 1)))
        self.refused(413, "limits.max-event-size",
                     self.structured(event(data="x" * 1024 * 1024)))
        self.refused(413, "Event 1", self.batch(f"[{event()},{event(data='x' * 1024 * 1024)}]"))
        self.refused(413, "“ext”", self.structured(event(ext="x" * 16 * 1024)))
        self.refused(413, "“type”", self.structured(event(type="x" * 257)))

    def test_formats(self):
        for content_type in ("application/cloudevents+avro", "application/cloudevents",
                             "application/cloudevents-batch+avro", f"{STRUCTURED}; charset=utf-16",
                             f"{STRUCTURED}; nonsense"):
            with self.subTest(content_type):
                status, headers, text = self.exchange(
                    "POST", "/v1/events", event(), {"Content-Type": content_type})
                self.assertEqual((status, headers["Content-Type"]),
                                 (415, "application/problem+json"))
                self.assertEqual(headers["Accept"], f"{STRUCTURED}, {BATCH}")
                self.assertIn("Content-Type", json.loads(text)["detail"])


class SizesTest(EventsCase):
    """What is just small enough."""

    def test_data_counts_decoded(self):
        data = base64.b64encode(b"x" * 1024 * 1024).decode()
        self.assertEqual(self.structured(event(data_base64=data))[0], 202)
        self.assertEqual(self.post(b"x" * 1024 * 1024)[0], 202)


class ReadTest(EventsCase):
    """History, and one event."""

    def setUp(self):
        super().setUp()
        for number, name in enumerate(("a.x", "b.x", "a.y", "a.y.z"), 1):
            self.post(b"1", f"?type={name}&id={number}", Content_Type="application/json")

    def ids(self, query=""):
        """Which events are listed, and where it goes on."""
        events, link = self.history(query)
        return "".join(one["id"] for one in events), link

    def test_history(self):
        for query, ids in (
                ("", "1234"), ("?after=0", "1234"), ("?after=2", "34"), ("?after=4", ""),
                ("?after=9223372036854775807", ""), ("?types=a.*", "13"), ("?types=a.%3E", "134"),
                ("?types=%3E", "1234"), ("?types=b.x,a.y", "23"), ("?types=b.x&types=a.y", "23"),
                ("?types=none", ""), ("?limit=1000", "1234"), ("?types=a.*&after=1&limit=5", "3")):
            with self.subTest(query):
                self.assertEqual(self.ids(query), (ids, None))

    def test_paging(self):
        target = "?limit=1&types=a.>&types=b.x"
        seen = ""
        while target:
            ids, link = self.ids(target)
            seen += ids
            self.assertEqual(len(ids), 1)
            target = None
            if link:
                self.assertRegex(link, r'\A</v1/events\?after=\d+&limit=1&types=a\.%3E&types=b\.x>; '
                                       r'rel="next"\Z')
                target = link[len("</v1/events"):link.index(">;")]
        self.assertEqual(seen, "1234")

    def test_bad_queries(self):
        for query, names in (
                ("limit=0", "“limit”"), ("limit=1001", "“limit”"), ("limit=x", "“limit”"),
                ("limit=", "“limit”"), ("limit=1&limit=2", "“limit”"), ("after=-1", "“after”"),
                ("after=01", "“after”"), ("after=9223372036854775808", "“after”"),
                ("types=", "“types”"), ("types=%FF", "“types”"), ("types=a.>.b", "“types”"), ("types=a..b", "“types”"),
                ("types=a*", "“types”"), ("types=a,,b", "“types”"), ("type=a", "“type”"),
                ("types=%zz", "%zz")):
            with self.subTest(query):
                self.problem(400, names, "GET", f"/v1/events?{query}")

    def test_event(self):
        status, headers, body = self.exchange("GET", "/v1/events/3")
        self.assertEqual((status, headers["ce-id"], headers["ce-type"], body),
                         (200, "3", "a.y", "1"))
        self.problem(404, "5", "GET", "/v1/events/5")
        self.problem(400, "“types”", "GET", "/v1/events/3?types=a")
        for path in ("", "0", "x", "-1", "01", "1/", "1/2", "%31", "9223372036854775808"):
            with self.subTest(path):
                self.problem(404, "", "GET", f"/v1/events/{path}")

    def test_head(self):
        for path in ("", "/3", "?limit=1"):
            with self.subTest(path):
                status, headers, body = self.exchange("GET", f"/v1/events{path}")
                self.assertGreater(len(body), 0)
                got, head, nothing = self.exchange("HEAD", f"/v1/events{path}")
                self.assertEqual((got, head["Content-Length"], head["Link"], nothing),
                                 (status, headers["Content-Length"], headers["Link"], ""))

    def test_methods(self):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            with self.subTest(method):
                self.assertEqual(self.problem(405, method, method, "/v1/events")["Allow"],
                                 "GET, HEAD, POST")
                self.assertEqual(self.problem(405, method, method, "/v1/events/1")["Allow"],
                                 "GET, HEAD")
        self.problem(405, "POST", "POST", "/v1/events/1")
        self.problem(404, "", "GET", "/v1/eventsx")

    def test_accept(self):
        for accept in ("*/*", "application/json", "text/event-stream;q=0, */*",
                       "text/event-stream, application/cloudevents-batch+json;q=0.1",
                       "application/*, TEXT/EVENT-STREAM;q=0.0"):
            with self.subTest(accept):
                status, _ = self.request("GET", "/v1/events", headers={"Accept": accept})
                self.assertEqual(status, 200)

    def test_too_many_attributes(self):
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
        event.update({f"x{i}": "" for i in range(201)})
        status, text = self.request("POST", "/v1/events", json.dumps(event),
                                    {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(status, 400)
        self.assertIn("200 attributes (at “x", json.loads(text)["detail"])

    def test_stream_is_not_there(self):
        for accept in ("text/event-stream", "text/html, Text/Event-Stream;q=0.5"):
            self.problem(406, "text/event-stream", "GET", "/v1/events", {"Accept": accept})


class WireTest(EventsCase):
    """What an HTTP library would not send."""

    def answer(self, head, body=b""):
        """The answer's first line and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as client:
            client.sendall(head + b"Host: localhost\r\nConnection: close\r\nContent-Length: "
                           + str(len(body)).encode() + b"\r\n\r\n" + body)
            with client.makefile("rb") as stream:
                line = stream.readline()
                return line, stream.read().partition(b"\r\n\r\n")[2]

    def test_header_given_twice(self):
        head = b"POST /v1/events HTTP/1.1\r\n" + b"".join(
            f"{name}: {value}\r\n".encode() for name, value in BINARY.items())
        for twice in (b"ce-id: 1\r\n", b"ce-specversion: 1.0\r\n", b"CE-Type: x\r\n",
                      b"ce-sequence: 1\r\nce-sequence: 2\r\n"):
            with self.subTest(twice):
                line, body = self.answer(head + twice)
                self.assertIn(b" 400 ", line)
                self.assertIn(b"twice", body)
        self.assert_nothing_published()

    def test_utf8_as_it_is(self):
        head = b"POST /v1/events HTTP/1.1\r\n" + b"".join(
            f"{name}: {value}\r\n".encode() for name, value in BINARY.items())
        self.assertIn(b" 400 ", self.answer(head + b"ce-subject: \xff\r\n")[0])
        self.assertIn(b" 202 ", self.answer(head + "ce-subject: käse\r\n".encode())[0])
        self.assertEqual(self.history()[0][0]["subject"], "käse")


if __name__ == "__main__":
    unittest.main()
