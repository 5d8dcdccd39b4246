// SPDX-FileCopyrightText: EventBus contributors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The little that the CloudEvents SDK leaves to who uses it: header values beyond ASCII, and batches.

import { CloudEvent, HTTP } from 'cloudevents';

/** A header's value as the HTTP binding wants it: the SDK puts attributes into headers as they are. */
function encode (value) {
  return String(value).replace(/[^\x21-\x7e]|["%]/gu, encodeURIComponent);
}

function decode (event) {
  const decoded = Object.entries(event).map(([name, value]) =>
    [name, typeof value === 'string' && !/^data/.test(name) ? decodeURIComponent(value) : value]);
  return new CloudEvent(Object.fromEntries(decoded), false);
}

/** Each content mode's way to write events as requests. */
export const writers = {
  binary: (events) => events.map((event) => {
    const { headers, body } = HTTP.binary(event);
    const encoded = Object.entries(headers).map(([name, value]) =>
      [name, name.startsWith('ce-') ? encode(value) : value]);
    return { headers: Object.fromEntries(encoded), body };
  }),
  structured: (events) => events.map((event) => HTTP.structured(event)),
  batch: (events) => [{
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  }],
};

/** The events in a message, read by the SDK. */
export function eventsIn ({ headers, body }) {
  if (/^application\/cloudevents/.test(headers['content-type']))
    return [HTTP.toEvent({ headers, body: body.toString() })].flat();
  const text = /json/.test(headers['content-type'] ?? '');
  return [decode(HTTP.toEvent({ headers, body: text ? body.toString() : body }))];
}
