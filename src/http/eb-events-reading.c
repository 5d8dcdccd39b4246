/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-events-reading.h"

#include <string.h>

#include "bus/eb-bus-history.h"
#include "codec/eb-event-headers.h"
#include "codec/eb-event-json.h"
#include "codec/eb-sequences.h"
#include "core/eb-error.h"
#include "core/eb-media-type.h"
#include "core/eb-quote.h"
#include "core/eb-types.h"
#include "http/eb-paging.h"
#include "http/eb-query.h"

/* What of /v1/events reads. */

static const char *const history_names[] = { "after", "types", "limit", NULL };
static const char *const no_names[] = { NULL };

/* History */

typedef struct
{
  guint64 after;
  guint64 limit;
  char **types; /* (owned) (nullable) */
} HistoryQuery;

static void
history_query_clear (HistoryQuery *self)
{
  g_strfreev (self->types);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HistoryQuery, history_query_clear)

/* `types` may be given several times, and each time be several, separated by commas.
 * Returns: (transfer full) (nullable): NULL for all */
static char **
read_types (EbExchange *exchange, GError **error)
{
  g_auto (GStrv) values = eb_query_get_all (exchange->query, "types", error);
  g_autofree char *joined = values != NULL ? g_strjoinv (",", values) : NULL;
  g_auto (GStrv) types = NULL;

  if (values == NULL || *values == NULL)
    return NULL;
  types = g_strsplit (joined, ",", -1);
  if (*types == NULL)
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "“types” is empty");
  else if (eb_types_check ((const char *const *) types, error))
    return g_steal_pointer (&types);
  else
    g_prefix_error (error, "“types”: ");
  return NULL;
}

static gboolean
read_query (EbExchange *exchange, HistoryQuery *query, GError **error)
{
  g_autoptr (GError) types_error = NULL;

  *query = (HistoryQuery){ 0, EB_PAGING_LIMIT, NULL };
  if (!eb_query_check_names (exchange->query, history_names, error)
      || !eb_query_get_number (exchange->query, "after", 0, G_MAXINT64, &query->after, error)
      || !eb_query_get_number (exchange->query, "limit", 1, EB_HISTORY_MAX, &query->limit, error))
    return FALSE;
  query->types = read_types (exchange, &types_error);
  if (types_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&types_error));
  return FALSE;
}

static void
add_link (EbExchange *exchange, const HistoryQuery *query, guint64 next)
{
  g_autoptr (GString) link = g_string_new (NULL);

  g_string_append_printf (link, "<%s?after=%" G_GUINT64_FORMAT "&limit=%" G_GUINT64_FORMAT,
                          exchange->path, next, query->limit);
  for (char **type = query->types; type != NULL && *type != NULL; type++)
    {
      g_string_append (link, "&types=");
      g_string_append_uri_escaped (link, *type, NULL, FALSE);
    }
  g_string_append (link, ">; rel=\"next\"");
  soup_message_headers_append (eb_exchange_get_answer_headers (exchange), "Link", link->str);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbHistory) history = eb_bus_read_finish (EB_BUS (source), result, &error);
  g_auto (HistoryQuery) query = { 0 };
  char *text;

  if (history == NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  if (history->next > 0 && read_query (exchange, &query, NULL))
    add_link (exchange, &query, history->next);
  text = eb_events_to_json (history->events);
  soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (exchange->message, EB_EVENTS_JSON_TYPE, SOUP_MEMORY_TAKE, text,
                                    strlen (text));
}

/* Returns: whether a stream of events is acceptable (RFC 9110 12.5.1), and what is here is not */
static gboolean
wants_stream (EbExchange *exchange)
{
  static const char *const here[] = { "*/*", "application/*", "application/json",
                                      EB_EVENTS_JSON_TYPE };
  const char *accept = soup_message_headers_get_list (
      soup_server_message_get_request_headers (exchange->message), "Accept");
  GSList *types = accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  gboolean stream = FALSE, batch = FALSE;

  for (GSList *type = types; type != NULL; type = type->next)
    {
      stream |= eb_media_type_is (type->data, "text/event-stream");
      for (gsize i = 0; i < G_N_ELEMENTS (here); i++)
        batch |= eb_media_type_is (type->data, here[i]);
    }
  soup_header_free_list (types);
  return stream && !batch;
}

/**
 * eb_events_reading_handle_history:
 * @taken: (transfer full)
 *
 * Answers what was published, as a batch.
 */
void
eb_events_reading_handle_history (EbExchange *taken)
{
  g_autoptr (EbExchange) exchange = taken;
  g_auto (HistoryQuery) query = { 0 };
  g_autoptr (GError) error = NULL;

  if (wants_stream (exchange))
    {
      eb_exchange_reply_problem (
          exchange, SOUP_STATUS_NOT_ACCEPTABLE,
          "Accept: there is no text/event-stream here, but " EB_EVENTS_JSON_TYPE);
      return;
    }
  if (!read_query (exchange, &query, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_read_async (exchange->bus, query.after, (const char *const *) query.types,
                     (guint) query.limit, read_cb, exchange);
  g_steal_pointer (&exchange);
}

/* One event */

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  soup_message_headers_append (user_data, name, value);
}

/* A browser must neither guess what the data is nor run what is in it. */
static void
reply_event (EbExchange *exchange, EbEvent *event)
{
  SoupMessageHeaders *headers = eb_exchange_get_answer_headers (exchange);
  GBytes *data = eb_event_get_data (event);

  soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_message_headers_append (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_append (headers, "Content-Security-Policy", "sandbox");
  eb_event_foreach_header (event, EB_MODE_BINARY, append_header, headers);
  if (g_bytes_get_size (data) > 0)
    soup_message_body_append_bytes (soup_server_message_get_response_body (exchange->message),
                                    data);
}

static void
got_event_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbEvent) event = eb_bus_get_event_finish (EB_BUS (source), result, &error);

  if (event != NULL)
    reply_event (exchange, event);
  else
    eb_exchange_reply_error (exchange, error);
}

static void
reply_no_sequence (EbExchange *exchange)
{
  g_autofree char *shown = eb_quote_text (exchange->path, -1);
  g_autofree char *detail =
      g_strdup_printf ("There is no event at %s: a sequence is a whole number from 1", shown);

  eb_exchange_reply_problem (exchange, SOUP_STATUS_NOT_FOUND, detail);
}

/**
 * eb_events_reading_handle_event:
 * @taken: (transfer full)
 * @text: (transfer none): what stands for the sequence in its path
 *
 * Answers one event, in binary mode.
 */
void
eb_events_reading_handle_event (EbExchange *taken, const char *text)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GError) error = NULL;
  guint64 sequence;

  if (!eb_query_check_names (exchange->query, no_names, &error))
    eb_exchange_reply_error (exchange, error);
  else if (!eb_sequence_parse (text, 1, &sequence))
    reply_no_sequence (exchange);
  else
    {
      eb_exchange_pause (exchange);
      eb_bus_get_event_async (exchange->bus, sequence, got_event_cb, exchange);
      g_steal_pointer (&exchange);
    }
}
