// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A publisher's data is passed on digit for digit. No JSON parser stands between these bytes and the test.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Bus } from './bus.mjs';
import { Sink } from './sink.mjs';

// No number here outlives a parser that has doubles only; nor do the spaces, the escapes, the order.
const TEXTS = [
  '{"n":12345678901234567890,"x":1.10}',
  '{ "z" : -0.0, "a" : 1E+2,\n"deep":[[1.000000000000000000001]], "u":"\\u00fc\\/ü" }',
  '"a string \\u0041"',
  '100000000000000000000000000000000.50',
];

const bus = await Bus.start();

for (const mode of ['binary', 'structured', 'batch']) {
  test(`to a ${mode} sink`, async (t) => {
    const sink = await Sink.open();
    t.after(() => sink.close());
    const type = `com.example.digits.${mode}`;
    await bus.subscribe(type, { sink: sink.url, types: [type], config: { mode } });
    for (const [i, text] of TEXTS.entries()) {
      const event = `{"specversion":"1.0","id":"${i}","source":"/${mode}","type":"${type}","data":${text}}`;
      const { json } = await bus.request('POST', '/v1/events', event,
        { 'Content-Type': 'application/cloudevents+json' });
      const { headers, body } = await sink.take();
      if (mode === 'binary') {
        assert.equal(body.toString(), text);
        assert.equal(headers['content-type'], 'application/json');
      } else {
        assert.ok(body.includes(`"data":${text}`), body.toString());
      }
      const kept = await bus.request('GET', `/v1/events/${json.sequence}`);
      assert.equal(kept.bytes.toString(), text);
    }
  });
}

test('the bus ends well', () => bus.stop());
