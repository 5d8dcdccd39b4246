// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The program in the README that verifies deliveries, run as it stands there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { Bus, within } from './bus.mjs';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const LISTEN = ".listen(8080, '127.0.0.1')";
const LISTEN_ANYWHERE = ".listen(0, '127.0.0.1', function () { console.log(this.address().port); })";

function here (path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** The program, but for its port: its process, and the lines that it says. */
async function start (t) {
  const readme = await readFile(here('../../README.md'), 'utf8');
  const [, program] = readme.match(/### Verify a delivery\n[^#]*?```js\n(.*?)```/s);
  assert.ok(program.includes(LISTEN), program);
  const folder = await mkdtemp(join(tmpdir(), 'eventbus-test.'));
  t.after(() => rm(folder, { recursive: true }));
  await symlink(here('node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'verify.mjs'), program.replace(LISTEN, LISTEN_ANYWHERE));
  const child = spawn(process.execPath, [join(folder, 'verify.mjs'), SECRET],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  return createInterface(child.stdout);
}

async function nextLine (lines) {
  const [line] = await within(once(lines, 'line'), 'a line of the program');
  return line;
}

test('the program in the README verifies', async (t) => {
  const lines = await start(t);
  const sink = `http://127.0.0.1:${await nextLine(lines)}/event`;
  const bus = await Bus.start();
  await bus.subscribe('billing', { sink, config: { secret: SECRET } });
  const said = nextLine(lines);
  await bus.request('POST', '/v1/events?type=com.example.order.created', '{"order": 42}',
    { 'Content-Type': 'application/json' });
  assert.equal(await said, '{ order: 42 }');
  const forged = await fetch(sink, { method: 'POST', body: '{"order": 43}' });
  assert.equal(forged.status, 401);
  await bus.stop();
});
