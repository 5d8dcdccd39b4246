# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""eventbusctl listen: what it prints."""

import base64
import json
import unittest

from ctl import ListenTest, deliver


class Output(ListenTest):
    def show(self, *args, data, content_type="text/plain; charset=utf-8", **headers):
        """What one event looks like."""
        running = self.listen("--count=1", *args)
        self.assertEqual(deliver(running.address, 7, data, content_type, **headers), 200)
        self.assert_deregisters(running)
        lines = list(iter(running.line, None))
        return b"".join(lines)

    def test_human(self):
        self.assertEqual(
            self.show(data="grüße\nzweite\tZeile".encode()).decode(),
            "#7  org.example.EventBus.message  text/plain; charset=utf-8  20 bytes\n"
            "  grüße\n  zweite\tZeile\n",
        )

    def test_human_little(self):
        self.assertTrue(self.show(data=b"").endswith(b"  0 bytes\n"))
        self.assertTrue(self.show(data=b"1").endswith(b"  1 byte\n  1\n"))
        self.assertIn(b"  -  4 bytes", self.show(data=b"none", content_type=None))

    def test_human_controls(self):
        out = self.show(
            data="\x1b]0;title\x07 \x1b[2J\r\b\x7f \x9b1m \u202egnp \u2028".encode()
            + b"\xff\n#8  a forged headline",
            content_type="text/plain\t\x80",
            ce_type="%1B[31mred%0A",
        )
        self.assertEqual(
            out.decode(),
            "#7  \\x1b[31mred\\n  text/plain\t\ufffd  57 bytes\n"
            "  \\x1b]0;title\\x07 \\x1b[2J\\r\\x08\\x7f \\u009b1m \\u202egnp \\u2028\\xff\n"
            "  #8  a forged headline\n",
        )

    def test_human_binary(self):
        out = self.show(data=bytes(range(256)), content_type="application/octet-stream")
        lines = out.decode().splitlines()
        self.assertTrue(lines[0].endswith("  256 bytes"))
        self.assertEqual(
            lines[3],
            "  20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f"
            "   !\"#$%&'()*+,-./",
        )
        self.assertEqual(lines[5], "  + 192 bytes")
        self.assertEqual(len(lines), 6)

    def test_raw(self):
        data = bytes(range(256))
        self.assertEqual(self.show("--raw", data=data), data + b"\n")
        self.assertEqual(self.show("--raw", data=b""), b"\n")

    def test_raw_large(self):
        data = bytes(range(256)) * 4096
        running = self.listen("--count=1", "--raw")
        self.assertEqual(deliver(running.address, 1, data), 200)
        self.assert_deregisters(running)
        self.assertEqual(b"".join(iter(running.line, None)), data + b"\n")

    def test_json(self):
        out = self.show("--json", data="zwei\nZeilen ü".encode(), ce_subject="a%20b%22")
        self.assertEqual(out.count(b"\n"), 1)
        self.assertEqual(
            list(json.loads(out).items()),
            [
                ("id", "id-7"),
                ("sequence", 7),
                ("type", "org.example.EventBus.message"),
                ("source", "/eventbus"),
                ("datacontenttype", "text/plain; charset=utf-8"),
                ("specversion", "1.0"),
                ("subject", 'a b"'),
                ("data", "zwei\nZeilen ü"),
            ],
        )

    def test_json_binary(self):
        for data, kind in (
            (b"\xff\0", "text/plain"),
            (b"a\0b", "text/plain"),
            (bytes(range(256)), "application/octet-stream"),
            (b"{broken", "application/json"),
            (b"not json", None),
        ):
            with self.subTest(data=data, kind=kind):
                event = json.loads(self.show("--json", data=data, content_type=kind))
                self.assertNotIn("data", event)
                self.assertEqual(base64.b64decode(event["data_base64"]), data)

    def test_json_nested(self):
        text = '{"n": 12345678901234567890.10,\n "s": "a \\" } \\u00e9", "l": [ 1, [ ], { }, -0e+1 ] }'
        for kind in ("application/json; charset=utf-8", "application/Problem+JSON", None):
            with self.subTest(kind):
                out = self.show("--json", data=text.encode(), content_type=kind).decode()
                self.assertTrue(
                    out.endswith(
                        ',"data":{"n":12345678901234567890.10,"s":"a \\" } \\u00e9",'
                        '"l":[1,[],{},-0e+1]}}\n'
                    ),
                    out,
                )
                json.loads(out)

    def test_json_is_strict(self):
        deep = 128
        for text, good in (
            ("[" * deep + "]" * deep, True),
            ("[" * (deep + 1) + "]" * (deep + 1), False),
            ("true", True),
            (" null\n", True),
            ('"\\ud83d\\ude00"', True),
            ('"\\ud83d"', False),
            ("-1.5e-3", True),
            ("01", False),
            (".5", False),
            ("1.", False),
            ("+1", False),
            ("0x10", False),
            ("{}{}", False),
            ("[1,]", False),
            ("{'a':1}", False),
            ('{"a" 1}', False),
            ('{"a":1,}', False),
            ('"\\x"', False),
            ('"\\u12g4"', False),
            ('"a\nb"', False),
            ('"open', False),
            ("tru", False),
            ("// c\n1", False),
            ("nullx", False),
        ):
            with self.subTest(text):
                event = json.loads(
                    self.show("--json", data=text.encode(), content_type="application/json")
                )
                self.assertEqual("data" in event, good)
                self.assertEqual("data_base64" in event, not good)

    def test_json_controls(self):
        out = self.show("--json", data="\x1b[2J \x9b1m".encode(), ce_type="\x7f")
        self.assertNotRegex(out.decode(), "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertEqual(json.loads(out)["data"], "\x1b[2J \x9b1m")

    def test_empty_json(self):
        event = json.loads(self.show("--json", data=b"", content_type=None))
        self.assertEqual(event.keys() & {"data", "data_base64", "datacontenttype"}, set())


if __name__ == "__main__":
    unittest.main()
