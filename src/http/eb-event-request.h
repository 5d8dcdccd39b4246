/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-draft.h"
#include "http/eb-exchange.h"

G_BEGIN_DECLS

#define EB_EVENT_REQUEST_MAX 1000 /* events in a batch */

/**
 * EbEventRequestMode:
 * @EB_EVENT_REQUEST_PLAIN: the body is the data, the query may have attributes
 * @EB_EVENT_REQUEST_BINARY: the body is the data, `ce-` headers are the attributes
 * @EB_EVENT_REQUEST_STRUCTURED: the body is a JSON object with everything
 * @EB_EVENT_REQUEST_BATCH: the body is an array of such objects
 * @EB_EVENT_REQUEST_UNSUPPORTED: it is in a CloudEvents format that the bus does not read
 * @EB_EVENT_REQUEST_ENCODED: it is compressed, or encoded in another way that the bus does not undo
 */
typedef enum
{
  EB_EVENT_REQUEST_PLAIN,
  EB_EVENT_REQUEST_BINARY,
  EB_EVENT_REQUEST_STRUCTURED,
  EB_EVENT_REQUEST_BATCH,
  EB_EVENT_REQUEST_UNSUPPORTED,
  EB_EVENT_REQUEST_ENCODED,
} EbEventRequestMode;

EbEventRequestMode eb_event_request_get_mode (EbExchange *exchange);
EbDraft *eb_event_request_new_draft (EbExchange *exchange);
void eb_event_request_add_trace_context (EbExchange *exchange, EbDraft *draft);
GPtrArray *eb_event_request_read (EbExchange *exchange, EbEventRequestMode mode, GError **error);

G_END_DECLS
