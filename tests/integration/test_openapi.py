# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The description of the HTTP API: that it is served, holds together, and is what the daemon does."""

import json
import pathlib
import re
import unittest

import yaml

from bus import BusCase

SOURCES = pathlib.Path(__file__).resolve().parents[2]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def walk(node):
    """Every object in a document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from walk(child)


def defined_routes():
    """Suffixes and methods in the route tables of the sources."""
    for path in sorted((SOURCES / "src" / "http").glob("*-api.c")):
        text = path.read_text(encoding="utf-8")
        words = dict(re.findall(r'#define (\w+_SUFFIX)\s+(".*?")', text))
        for suffix, method in re.findall(r'^  \{ (\w+_SUFFIX|".*?"), "([A-Z]+)"', text, re.M):
            yield words.get(suffix, suffix).strip('"'), method


class OpenApiTest(BusCase):
    """data/openapi.yaml."""

    def setUp(self):
        self.daemon("--store=memory:")
        status, headers, self.text = self.exchange("GET", "/openapi.yaml")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/yaml"))
        self.document = yaml.safe_load(self.text)

    def test_served(self):
        self.assertEqual(self.text, (SOURCES / "data/openapi.yaml").read_text(encoding="utf-8"))
        status, headers, body = self.exchange("HEAD", "/openapi.yaml")
        self.assertEqual((status, headers["Content-Length"], body),
                         (200, str(len(self.text.encode())), ""))
        status, headers, _ = self.exchange("POST", "/openapi.yaml", b"")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_references(self):
        used = set()
        for node in walk(self.document):
            if "$ref" not in node:
                continue
            target = self.document
            used.add(node["$ref"])
            for name in node["$ref"].removeprefix("#/").split("/"):
                self.assertIn(name, target, node["$ref"])
                target = target[name]
        for kind, entries in self.document["components"].items():
            for name in entries:
                self.assertIn(f"#/components/{kind}/{name}", used)

    def test_operations(self):
        names = []
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method not in METHODS:
                    continue
                names.append(operation["operationId"])
                self.assertTrue(operation["summary"] and operation["responses"], path)
                parameters = item.get("parameters", []) + operation.get("parameters", [])
                inside = [one for one in parameters
                          if one.get("in") == "path" or one.get("$ref", "").endswith("/Id")]
                self.assertEqual(len(inside), path.count("{"), path)
        self.assertEqual(len(names), len(set(names)))

    def test_every_route_is_described(self):
        routes = list(defined_routes())
        self.assertGreaterEqual(len(routes), 17)
        for suffix, method in routes:
            with self.subTest(f"{method} {suffix}"):
                paths = (suffix, "/v1/subscriptions/{id}" + suffix)
                self.assertTrue(any(method.lower() in self.document["paths"].get(path, {})
                                    for path in paths))

    def test_methods_are_those_described(self):
        for path, item in self.document["paths"].items():
            described = {method.upper() for method in item if method in METHODS}
            target = path.replace("{id}", "a").replace("{sequence}", "1")
            status, headers, text = self.exchange("PATCH", target, b"")
            with self.subTest(path):
                if not path.startswith("/v1") and path != "/openapi.yaml":
                    self.assertEqual((status, text),
                                     (400, f"Error: Only {described.pop()} accepted"))
                    continue
                self.assertEqual(status, 405)
                self.assertEqual(set(headers["Allow"].split(", ")) - {"HEAD"}, described)

    def test_an_answer_has_the_members_described(self):
        schemas = self.document["components"]["schemas"]
        _, text = self.request("POST", "/v1/subscriptions", json.dumps({
            "sink": "http://127.0.0.1:9/", "protocolsettings": {"headers": {"X": "1"}},
            "filters": [{"exact": {"type": "a"}}],
            "sinkcredential": {"credentialtype": "ACCESSTOKEN", "accesstokentype": "Bearer",
                               "accesstoken": "t"}}).encode())
        shown = json.loads(text)
        self.assertEqual(set(shown), set(schemas["Subscription"]["properties"]))
        hidden = {name for name, schema in schemas["Config"]["properties"].items()
                  if schema.get("writeOnly")}
        self.assertEqual(set(shown["config"]), set(schemas["Config"]["properties"]) - hidden)
        self.assertEqual(set(shown["status"]), set(schemas["Status"]["properties"]))
        for name, value in shown["config"].items():
            self.assertEqual(schemas["Config"]["properties"][name].get("default", value), value)


if __name__ == "__main__":
    unittest.main()
