/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-events-api.h"

#include <string.h>

#include "codec/eb-event-json.h"
#include "codec/eb-receipt-json.h"
#include "http/eb-event-request.h"
#include "http/eb-events-reading.h"

/* Events:
 *
 *   POST      /v1/events           publishes one or a batch
 *   GET, HEAD /v1/events           what was published, as a batch
 *   GET, HEAD /v1/events/SEQUENCE  one event, in binary mode
 */

#define PATH   "/v1/events"
#define PREFIX PATH "/"

/* Publish */

typedef struct
{
  EbExchange *exchange; /* (owned) */
  GPtrArray *drafts;    /* (owned) (element-type EbDraft) */
  EbEventRequestMode mode;
} Publishing;

static void
publishing_free (Publishing *self)
{
  eb_exchange_free (self->exchange);
  g_ptr_array_unref (self->drafts);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Publishing, publishing_free)

/* What was in the log already is no news, unless something else is. */
static guint
get_status (GArray *receipts)
{
  for (guint i = 0; i < receipts->len; i++)
    if (!g_array_index (receipts, EbReceipt, i).duplicate)
      return SOUP_STATUS_ACCEPTED;
  return receipts->len > 0 ? SOUP_STATUS_OK : SOUP_STATUS_ACCEPTED;
}

static void
reply_receipts (Publishing *self, GArray *receipts)
{
  const EbReceipt *first = (const EbReceipt *) (gpointer) receipts->data;

  if (self->mode == EB_EVENT_REQUEST_BATCH)
    eb_exchange_reply_json (self->exchange, eb_receipts_to_json (self->drafts, receipts));
  else
    eb_exchange_reply_json (self->exchange, eb_receipt_to_json (self->drafts->pdata[0], first));
  soup_server_message_set_status (self->exchange->message, get_status (receipts), NULL);
}

static void
published_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Publishing) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_bus_publish_finish (EB_BUS (source), result, &error);

  if (receipts != NULL)
    reply_receipts (self, receipts);
  else
    eb_exchange_reply_error (self->exchange, error);
}

/* Takes @exchange and @drafts. */
static void
publish (EbExchange *exchange, GPtrArray *drafts, EbEventRequestMode mode)
{
  g_autoptr (Publishing) self = g_new0 (Publishing, 1);
  g_autoptr (GArray) nothing = NULL;

  *self = (Publishing){ exchange, drafts, mode };
  if (drafts->len == 0)
    {
      nothing = g_array_new (FALSE, FALSE, sizeof (EbReceipt));
      reply_receipts (self, nothing);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_publish_async (exchange->bus, drafts, published_cb, g_steal_pointer (&self));
}

static void
reply_unsupported (EbExchange *exchange)
{
  soup_message_headers_replace (eb_exchange_get_answer_headers (exchange), "Accept",
                                EB_EVENT_JSON_TYPE ", " EB_EVENTS_JSON_TYPE);
  eb_exchange_reply_problem (
      exchange, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
      "Content-Type: of the CloudEvents formats there are " EB_EVENT_JSON_TYPE
      " and " EB_EVENTS_JSON_TYPE ", in UTF-8");
}

static void
handle_publish (EbExchange *taken)
{
  g_autoptr (EbExchange) exchange = taken;
  EbEventRequestMode mode = eb_event_request_get_mode (exchange);
  g_autoptr (GError) error = NULL;
  GPtrArray *drafts;

  if (mode == EB_EVENT_REQUEST_UNSUPPORTED)
    {
      reply_unsupported (exchange);
      return;
    }
  if (mode == EB_EVENT_REQUEST_ENCODED)
    {
      soup_message_headers_replace (eb_exchange_get_answer_headers (exchange), "Accept-Encoding",
                                    "identity");
      eb_exchange_reply_problem (exchange, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
                                 "Content-Encoding: events are taken as they are, without one");
      return;
    }
  drafts = eb_event_request_read (exchange, mode, &error);
  if (drafts != NULL)
    publish (g_steal_pointer (&exchange), drafts, mode);
  else
    eb_exchange_reply_error (exchange, error);
}

/* Routes */

/* Takes @exchange. */
static void
refuse_method (EbExchange *exchange, const char *allowed)
{
  eb_exchange_refuse_method (exchange, allowed);
  eb_exchange_free (exchange);
}

/**
 * eb_events_api_handle:
 * @exchange: (transfer full): if its path is one of these
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_events_api_handle (EbExchange *exchange)
{
  const char *method = soup_server_message_get_method (exchange->message);
  gboolean is_all = g_str_equal (exchange->path, PATH);
  gboolean is_read = g_str_equal (method, "GET") || g_str_equal (method, "HEAD");

  if (!is_all && !g_str_has_prefix (exchange->path, PREFIX))
    return FALSE;
  if (is_all && g_str_equal (method, "POST"))
    handle_publish (exchange);
  else if (!is_read)
    refuse_method (exchange, is_all ? "GET, HEAD, POST" : "GET, HEAD");
  else if (is_all)
    eb_events_reading_handle_history (exchange);
  else
    eb_events_reading_handle_event (exchange, exchange->path + strlen (PREFIX));
  return TRUE;
}
