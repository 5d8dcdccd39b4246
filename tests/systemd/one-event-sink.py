#!/usr/bin/python3
# SPDX-FileCopyrightText: EventBus contributors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves on a free port, prints it, takes one event, prints that, and ends."""

import http.server


class Sink(http.server.BaseHTTPRequestHandler):
    """Answers a delivery."""

    def do_POST(self):
        event = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        print(event.decode(), flush=True)

    def log_message(self, *_arguments):
        """Says nothing of its own."""


with http.server.HTTPServer(("127.0.0.1", 0), Sink) as server:
    print(server.server_port, flush=True)
    server.handle_request()
