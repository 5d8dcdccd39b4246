// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Events made with the CloudEvents SDK, and what it means that one has arrived as it was published.

import assert from 'node:assert/strict';

import { CloudEvent } from 'cloudevents';

const EVERYTHING = {
  subject: 'eu/42',
  time: '2026-02-03T04:05:06.789Z',
  dataschema: 'https://example.com/schemas/order#v1',
  datacontenttype: 'application/json',
  region: 'north',
  attempts: 3,
  urgent: true,
  data: { order: 42, items: [{ name: 'Kaffee – groß', price: 2.5 }], note: null },
};

const SAMPLES = {
  'every attribute': EVERYTHING,
  'only what is required': { data: { one: 1 } },
  'attributes beyond ASCII': {
    subject: 'Zürich/日本/☕ "50 %"',
    customer: 'Łukasz Ærø 🚲',
    datacontenttype: 'application/json',
    data: ['ä', 'ö'],
  },
  'text': { datacontenttype: 'text/plain', data: 'Grüße,\n"Welt" \\ ☕' },
  'text that is JSON': { datacontenttype: 'text/plain; charset=utf-8', data: '{"a": 1.0}' },
  'XML': { datacontenttype: 'application/xml', data: '<a b="c">ü</a>' },
  'another JSON': { datacontenttype: 'application/vnd.example.order+json', data: { a: { b: [] } } },
  'bytes': {
    datacontenttype: 'application/octet-stream',
    data: Uint8Array.from({ length: 512 }, (_, i) => i % 256),
  },
  'a picture': { datacontenttype: 'image/png', data: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 255) },
};

/** An event of each sort that is worth a look, with ids that are unique to the type. */
export function samples (type) {
  return Object.entries(SAMPLES).map(([name, attributes], number) => new CloudEvent({
    id: `${name.replaceAll(' ', '-')}-${number}`,
    type,
    source: `/interop/${type}`,
    ...attributes,
  }));
}

/** The data, whichever of the forms it has that the SDK gives it. */
function dataOf (event) {
  if (/json/.test(event.datacontenttype ?? 'json') && !ArrayBuffer.isView(event.data))
    return typeof event.data === 'string' ? JSON.parse(event.data) : event.data;
  const bytes = Buffer.from(event.data);
  return /json/.test(event.datacontenttype) ? JSON.parse(bytes) : bytes;
}

/** The attributes, as the text that all of them are in an HTTP header. */
function attributesOf (event) {
  const { data, data_base64, time, ...others } = event;
  return Object.fromEntries(Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]));
}

/**
 * Fails unless the event that arrived is the one that was published, with the bus's sequence and
 * nothing else to it.
 */
export function assertSame (arrived, published) {
  const { sequence, ...attributes } = attributesOf(arrived);
  const expected = attributesOf(published);
  assert.match(sequence, /^\d{20}$/);
  // JSON is what data is when nothing is said. The SDK says so in a header, and the bus may.
  if (published.datacontenttype === undefined) {
    assert.match(attributes.datacontenttype ?? 'application/json', /^application\/json(; charset=utf-8)?$/);
    delete attributes.datacontenttype;
  }
  assert.deepEqual(attributes, expected);
  assert.equal(Date.parse(arrived.time), Date.parse(published.time));
  assert.deepEqual(dataOf(arrived), dataOf(published));
}

/** Fails unless the extensions that are no strings are what they were. */
export function assertSameTypes (arrived, published) {
  for (const [name, value] of Object.entries(published))
    if (['boolean', 'number'].includes(typeof value)) assert.strictEqual(arrived[name], value);
}
