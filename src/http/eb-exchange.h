/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "bus/eb-bus.h"

G_BEGIN_DECLS

/**
 * EbExchange:
 * @message: (owned): the request and its answer
 * @bus: (owned): what it is about
 * @path: (owned): of the request target, as sent
 * @query: (owned) (nullable): of the request target, as sent
 * @content_type: (owned) (nullable): as sent
 *
 * A request on its way to its answer, which may take until after the handler has returned.
 */
typedef struct
{
  SoupServerMessage *message;
  EbBus *bus;
  char *path;
  char *query;
  char *content_type;
  gboolean paused;
} EbExchange;

char *eb_exchange_dup_path (const char *target);
EbExchange *eb_exchange_new (SoupServerMessage *message, EbBus *bus, const char *target);
void eb_exchange_free (EbExchange *self);
GBytes *eb_exchange_get_body (EbExchange *self);
SoupMessageHeaders *eb_exchange_get_answer_headers (EbExchange *self);
void eb_exchange_pause (EbExchange *self);
void eb_exchange_reply_text (EbExchange *self, guint status, const char *text);
void eb_exchange_reply_problem (EbExchange *self, guint status, const char *detail);
void eb_exchange_reply_json (EbExchange *self, char *text);
void eb_exchange_reply_nothing (EbExchange *self);
void eb_exchange_reply_error (EbExchange *self, const GError *error);
void eb_exchange_refuse_method (EbExchange *self, const char *allowed);
void eb_exchange_end (EbExchange *self, const GError *error);
guint eb_exchange_get_status_for_error (const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbExchange, eb_exchange_free)

G_END_DECLS
