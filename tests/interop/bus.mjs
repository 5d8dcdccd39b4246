// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The daemon under test: started, spoken to over HTTP, and always ended.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// Far above what anything here takes, also under a sanitizer on a busy machine.
const DEADLINE_MS = 60_000;

/** What the promise gives, unless that takes too long. */
export async function within (promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not in time`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class Bus {
  #process;
  #exited;
  #said = [];

  /** A daemon that is ready; url is where. */
  static async start () {
    const bus = new Bus();
    bus.url = await within(bus.#ready(), 'the daemon gets ready');
    return bus;
  }

  constructor () {
    assert.ok(process.env.EVENTBUSD, 'EVENTBUSD names the daemon under test');
    const transport = process.env.EVENTBUS_TRANSPORT ?? 'auto';
    this.#process = spawn(process.env.EVENTBUSD,
      ['--listen=127.0.0.1:0', '--bus=none', '--store=memory:', `--transport=${transport}`],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = new Promise((resolve) => this.#process.on('exit', resolve).on('error', resolve));
    // A test that fails must not leave it behind.
    process.on('exit', () => this.#process.kill('SIGKILL'));
  }

  async #ready () {
    const ready = new Promise((resolve) => {
      for (const stream of [this.#process.stdout, this.#process.stderr]) {
        createInterface(stream).on('line', (line) => {
          this.#said.push(line);
          const match = line.match(/ ready: (http:\S+)/);
          if (match) resolve(match[1]);
        });
      }
    });
    const ended = this.#exited.then(() => assert.fail(`the daemon ended:\n${this.#said.join('\n')}`));
    return Promise.race([ready, ended]);
  }

  /** Tells it to end, and checks that it does so well. */
  async stop () {
    this.#process.kill('SIGTERM');
    const status = await within(this.#exited, 'the daemon ends');
    assert.equal(status, 0, this.#said.join('\n'));
  }

  /** An answer with its body read, as it was and as JSON. Anything but 2xx is a failure. */
  async request (method, path, body, headers = {}) {
    const response = await within(fetch(this.url + path, { method, body, headers }), `${method} ${path}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${bytes}`);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      bytes,
      get json () { return JSON.parse(bytes); },
    };
  }

  /** Creates a subscription, or replaces it. */
  async subscribe (id, object) {
    return this.request('PUT', `/v1/subscriptions/${id}`, JSON.stringify(object),
      { 'Content-Type': 'application/json' });
  }
}
