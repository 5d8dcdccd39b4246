// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The CloudEvents SDK publishes, and the CloudEvents SDK reads what is delivered.

import assert from 'node:assert/strict';
import test from 'node:test';

import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from 'cloudevents';

import { Bus } from './bus.mjs';
import { eventsIn, writers } from './cloudevents-codec.mjs';
import { assertSame, assertSameTypes, samples } from './events.mjs';
import { Sink } from './sink.mjs';

const MODES = ['binary', 'structured', 'batch'];
const bus = await Bus.start();

/** A sink of a mode that takes what is of a type. */
async function subscribed (t, type, mode) {
  const sink = await Sink.open();
  t.after(() => sink.close());
  await bus.subscribe(`${type}-${mode}`, { sink: sink.url, types: [type], config: { mode } });
  return sink;
}

async function takeEvents (sink, count) {
  const events = [];
  while (events.length < count) events.push(...eventsIn(await sink.take()));
  return events;
}

for (const publisherMode of MODES) {
  for (const sinkMode of MODES) {
    test(`published ${publisherMode}, delivered ${sinkMode}`, async (t) => {
      const type = `com.example.${publisherMode}.${sinkMode}`;
      const sink = await subscribed(t, type, sinkMode);
      const published = samples(type);
      for (const { headers, body } of writers[publisherMode](published))
        assert.equal((await bus.request('POST', '/v1/events', body, headers)).status, 202);
      const arrived = await takeEvents(sink, published.length);
      published.forEach((event, i) => assertSame(arrived[i], event));
      // Headers have no types.
      if (publisherMode !== 'binary' && sinkMode !== 'binary')
        published.forEach((event, i) => assertSameTypes(arrived[i], event));
    });
  }
}

for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  test(`the SDK's own emitter and transport, ${mode}`, async (t) => {
    const type = `com.example.emitter.${mode}`;
    const sink = await subscribed(t, type, 'binary');
    const emit = emitterFor(httpTransport(`${bus.url}/v1/events`), { mode });
    // It puts spaces into headers as they are.
    const event = new CloudEvent({ type, source: '/interop', subject: 'a b c', data: { a: [1, 'é'] } });
    const answer = JSON.parse((await emit(event)).body);
    assert.equal(answer.id, event.id);
    assert.ok(Number.isSafeInteger(answer.sequence));
    const [arrived] = await takeEvents(sink, 1);
    assertSame(arrived, event);
    assert.equal(Number(arrived.sequence), answer.sequence);
  });
}

test('a batch is answered event by event, in order', async () => {
  const events = samples('com.example.answered');
  const [{ headers, body }] = writers.batch(events);
  const { events: receipts } = (await bus.request('POST', '/v1/events', body, headers)).json;
  assert.deepEqual(receipts.map(({ id }) => id), events.map(({ id }) => id));
  receipts.slice(1).forEach(({ sequence }, i) => assert.equal(sequence, receipts[i].sequence + 1));
});

test('what waits for a busy sink comes as one batch', async (t) => {
  const type = 'com.example.filled';
  const sink = await subscribed(t, type, 'batch');
  const release = sink.hold();
  const publish = (event) =>
    bus.request('POST', '/v1/events', HTTP.structured(event).body, HTTP.structured(event).headers);
  const [first, ...others] = samples(type);
  await publish(first);
  const head = eventsIn(await sink.take());
  assert.equal(head.length, 1);
  for (const event of others) await publish(event);
  release();
  const delivery = await sink.take();
  const arrived = eventsIn(delivery);
  assert.equal(arrived.length, others.length);
  others.forEach((event, i) => assertSame(arrived[i], event));
  assert.equal(delivery.headers['ce-sequence'], arrived.at(-1).sequence);
  assert.equal(Number(delivery.headers['eventbus-previous']), Number(head[0].sequence));
});

test('an event published again is delivered once', async (t) => {
  const type = 'com.example.again';
  const sink = await subscribed(t, type, 'structured');
  const once = new CloudEvent({ id: 'once', type, source: '/interop/again', data: 1 });
  const answers = [];
  for (const event of [once, once, once.cloneWith({ id: 'next' })]) {
    const { headers, body } = HTTP.structured(event);
    answers.push(await bus.request('POST', '/v1/events', body, headers));
  }
  assert.deepEqual(answers.map(({ status }) => status), [202, 200, 202]);
  assert.equal(answers[1].json.sequence, answers[0].json.sequence);
  assert.deepEqual((await takeEvents(sink, 2)).map(({ id }) => id), ['once', 'next']);
});

test('history, page by page, and one event of it', async () => {
  const type = 'com.example.history';
  const published = samples(type);
  const [{ headers, body }] = writers.batch(published);
  const { events: receipts } = (await bus.request('POST', '/v1/events', body, headers)).json;
  const found = [];
  let path = `/v1/events?types=${type}&limit=4&after=${receipts[0].sequence - 1}`;
  while (path) {
    const page = await bus.request('GET', path);
    const events = eventsIn({ headers: page.headers, body: page.bytes });
    assert.ok(events.length <= 4);
    found.push(...events);
    path = page.headers.link?.match(/<([^>]+)>; *rel="?next"?/)?.[1];
  }
  assert.equal(found.length, published.length);
  published.forEach((event, i) => assertSame(found[i], event));
  for (const [i, { sequence }] of receipts.entries()) {
    const one = await bus.request('GET', `/v1/events/${sequence}`);
    assertSame(eventsIn({ headers: one.headers, body: one.bytes })[0], published[i]);
  }
});

// Last: the hook that Node has for this came later than some Nodes.
test('the bus ends well', () => bus.stop());
