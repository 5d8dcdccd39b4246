// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A sink as a subscriber would write one: each delivery is kept with its headers and its very bytes.

import { once } from 'node:events';
import http from 'node:http';

import { within } from './bus.mjs';

export class Sink {
  #deliveries = [];
  #wake = () => {};
  #server = http.createServer((request, response) => this.#receive(request, response));
  #gate = Promise.resolve();
  #statuses = [];

  static async open () {
    const sink = new Sink();
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server, 'listening');
    sink.url = `http://127.0.0.1:${sink.#server.address().port}/event`;
    return sink;
  }

  async #receive (request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    this.#deliveries.push({ headers: request.headers, body: Buffer.concat(chunks) });
    this.#wake();
    await this.#gate;
    response.writeHead(this.#statuses.shift() ?? 204).end();
  }

  /** The next delivery. */
  async take () {
    if (this.#deliveries.length === 0)
      await within(new Promise((resolve) => { this.#wake = resolve; }), 'a delivery');
    return this.#deliveries.shift();
  }

  /** Answers the next deliveries with these instead of 204. */
  answerNext (...statuses) {
    this.#statuses.push(...statuses);
  }

  /** Answers nothing until what is returned is called. */
  hold () {
    let release;
    this.#gate = new Promise((resolve) => { release = resolve; });
    return release;
  }

  close () {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
