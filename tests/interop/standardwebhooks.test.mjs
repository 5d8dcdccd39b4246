// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The Standard Webhooks library accepts what the bus has signed, and nothing else.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { Bus } from './bus.mjs';
import { Sink } from './sink.mjs';

const MODES = ['binary', 'structured', 'batch'];
const bus = await Bus.start();

function newSecret () {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

/** A sink whose deliveries are signed. */
async function signed (t, id, secret, config = {}) {
  const sink = await Sink.open();
  t.after(() => sink.close());
  await bus.subscribe(id, { sink: sink.url, types: [`com.example.${id}`], config: { ...config, secret } });
  return sink;
}

async function publish (id, data, contentType = 'application/json') {
  return bus.request('POST', `/v1/events?type=com.example.${id}`, data, { 'Content-Type': contentType });
}

function assertVerifies (secret, { headers, body }) {
  return new Webhook(secret).verify(body, headers, { jsonParse: false });
}

function assertRefuses (secret, { headers, body }) {
  assert.throws(() => new Webhook(secret).verify(body, headers), WebhookVerificationError);
}

for (const mode of MODES) {
  test(`a delivery verifies, ${mode}`, async (t) => {
    const secret = newSecret();
    const sink = await signed(t, mode, secret, { mode });
    for (const data of ['{"order": 42}', '"Grüße ☕"']) {
      await publish(mode, data);
      const delivery = await sink.take();
      // As everybody would: the library also parses what it has verified.
      const parsed = new Webhook(secret).verify(delivery.body, delivery.headers);
      const found = { binary: parsed, structured: parsed.data, batch: parsed[0]?.data }[mode];
      assert.deepEqual(found, JSON.parse(data));
    }
    for (const [data, type] of [['Grüße', 'text/plain'], ['', 'text/plain'], ['\0\x01', 'image/png']]) {
      await publish(mode, data, type);
      assertVerifies(secret, await sink.take());
    }
  });

  test(`what was altered does not verify, ${mode}`, async (t) => {
    const secret = newSecret();
    const sink = await signed(t, `altered-${mode}`, secret, { mode });
    await publish(`altered-${mode}`, '{"order": 42}');
    const { headers, body } = await sink.take();
    assertVerifies(secret, { headers, body });
    assertRefuses(newSecret(), { headers, body });
    assertRefuses(secret, { headers, body: Buffer.from(body.toString().replace('42', '43')) });
    assertRefuses(secret, { headers, body: Buffer.concat([body, Buffer.from(' ')]) });
    assertRefuses(secret, { headers: { ...headers, 'webhook-id': `${headers['webhook-id']}0` }, body });
    const later = Number(headers['webhook-timestamp']) + 1;
    assertRefuses(secret, { headers: { ...headers, 'webhook-timestamp': String(later) }, body });
  });
}

test('no secret, no signature', async (t) => {
  const sink = await signed(t, 'unsigned', undefined);
  await publish('unsigned', '1');
  assert.equal((await sink.take()).headers['webhook-signature'], undefined);
});

test('a repeated delivery verifies, with the same id and body', async (t) => {
  const secret = newSecret();
  await Promise.all(MODES.map(async (mode) => {
    const id = `repeated-${mode}`;
    const sink = await signed(t, id, secret, { mode, retry: [1] });
    sink.answerNext(500);
    await publish(id, '{"n": 1}');
    const first = await sink.take();
    const second = await sink.take();
    for (const delivery of [first, second]) assertVerifies(secret, delivery);
    assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
    assert.deepEqual(second.body, first.body);
    assert.equal(second.headers['eventbus-attempt'], '2');
  }));
});

test('after a rotation both the new and the old secret verify', async (t) => {
  const [first, third] = [newSecret(), newSecret()];
  const sink = await signed(t, 'rotated', first);
  const rotate = (body) => bus.request('POST', '/v1/subscriptions/rotated/secret', body);

  const second = (await rotate()).json.secret;
  assert.match(second, /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/);
  await publish('rotated', '{"n": 1}');
  let delivery = await sink.take();
  assert.equal(delivery.headers['webhook-signature'].split(' ').length, 2);
  for (const secret of [first, second]) assertVerifies(secret, delivery);
  assertRefuses(third, delivery);

  await rotate(JSON.stringify({ secret: third }));
  await publish('rotated', '{"n": 2}');
  delivery = await sink.take();
  for (const secret of [first, second, third]) assertVerifies(secret, delivery);

  // Two old ones at most: the first one goes.
  const fourth = (await rotate()).json.secret;
  await publish('rotated', '{"n": 3}');
  delivery = await sink.take();
  for (const secret of [second, third, fourth]) assertVerifies(secret, delivery);
  assertRefuses(first, delivery);
});

test('whoever knows an old secret verifies all that comes while secrets change', async (t) => {
  const first = newSecret();
  const sink = await signed(t, 'changing', first);
  const secrets = [first];
  const rounds = [1, 2, 3].map(async (round) => {
    for (let i = 0; i < 50; i++) await publish('changing', `{"n": ${round * 50 + i}}`);
  });
  const taken = [];
  while (taken.length < 150) {
    taken.push(await sink.take());
    if (taken.length === 40 || taken.length === 90)
      secrets.push((await bus.request('POST', '/v1/subscriptions/changing/secret')).json.secret);
  }
  await Promise.all(rounds);
  for (const delivery of taken) assertVerifies(first, delivery);
  await publish('changing', '{"n": "last"}');
  const last = await sink.take();
  for (const secret of secrets) assertVerifies(secret, last);
  assert.equal(new Set(taken.map(({ headers }) => headers['webhook-id'])).size, taken.length);
});

test('a replaced subscription keeps the secret that is left out', async (t) => {
  const secret = newSecret();
  const sink = await signed(t, 'kept', secret);
  const config = { mode: 'structured' };
  await bus.subscribe('kept', { sink: sink.url, types: ['com.example.kept'], config });
  await publish('kept', '{}');
  const delivery = await sink.take();
  assert.match(delivery.headers['content-type'], /^application\/cloudevents\+json/);
  assertVerifies(secret, delivery);
});

test('a test delivery verifies', async (t) => {
  const secret = newSecret();
  const sink = await signed(t, 'tested', secret);
  await bus.request('POST', '/v1/subscriptions/tested/test');
  assertVerifies(secret, await sink.take());
});

test('the bus ends well', () => bus.stop());
