/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-event-request.h"

#include <string.h>

#include "codec/eb-draft-json.h"
#include "codec/eb-event-headers.h"
#include "codec/eb-event-json.h"
#include "core/eb-error.h"
#include "core/eb-media-type.h"
#include "http/eb-query.h"

/* What a POST wants published: the CloudEvents HTTP binding 1.0.2, read strictly. */

#define PREFIX        "ce-"
#define FORMAT_PREFIX "application/cloudevents"

/* What the query of a plain request may say. */
static const char *const plain_names[] = { "type", "source", "subject", "id", NULL };
static const char *const no_names[] = { NULL };

static gboolean
is_attribute (const char *header)
{
  return g_ascii_strncasecmp (header, PREFIX, strlen (PREFIX)) == 0;
}

static gboolean
has_attributes (SoupMessageHeaders *headers)
{
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    if (is_attribute (name))
      return TRUE;
  return FALSE;
}

/* Subscribers would get the encoded bytes without a word about it. */
static gboolean
is_encoded (EbExchange *exchange)
{
  const char *encoding = soup_message_headers_get_list (
      soup_server_message_get_request_headers (exchange->message), "Content-Encoding");

  return encoding != NULL && g_ascii_strcasecmp (encoding, "identity") != 0;
}

/**
 * eb_event_request_get_mode:
 *
 * Returns: how the request carries its events
 */
EbEventRequestMode
eb_event_request_get_mode (EbExchange *exchange)
{
  const char *type = exchange->content_type;

  if (is_encoded (exchange))
    return EB_EVENT_REQUEST_ENCODED;
  if (type != NULL && g_ascii_strncasecmp (type, FORMAT_PREFIX, strlen (FORMAT_PREFIX)) == 0)
    {
      if (!eb_media_type_is_valid (type) || !eb_media_type_is_utf8 (type))
        return EB_EVENT_REQUEST_UNSUPPORTED;
      if (eb_media_type_is (type, EB_EVENT_JSON_TYPE))
        return EB_EVENT_REQUEST_STRUCTURED;
      if (eb_media_type_is (type, EB_EVENTS_JSON_TYPE))
        return EB_EVENT_REQUEST_BATCH;
      return EB_EVENT_REQUEST_UNSUPPORTED;
    }
  if (has_attributes (soup_server_message_get_request_headers (exchange->message)))
    return EB_EVENT_REQUEST_BINARY;
  return EB_EVENT_REQUEST_PLAIN;
}

/**
 * eb_event_request_new_draft:
 *
 * Returns: (transfer full): with the body as its data: a copy of just its size, as libsoup's own
 *   takes the next power of two, and events are kept
 */
EbDraft *
eb_event_request_new_draft (EbExchange *exchange)
{
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autoptr (GBytes) data = g_bytes_new (g_bytes_get_data (body, NULL), g_bytes_get_size (body));

  return eb_draft_new (data);
}

static gboolean
set_content_type (EbDraft *draft, EbExchange *exchange, GError **error)
{
  if (exchange->content_type == NULL
      || eb_draft_set (draft, "datacontenttype", exchange->content_type, error))
    return TRUE;
  g_prefix_error (error, "Content-Type: ");
  return FALSE;
}

/* libsoup puts this in the place of what is not UTF-8, which must not pass for what was meant. */
#define REPLACEMENT "\xef\xbf\xbd"

/**
 * eb_event_request_add_trace_context:
 *
 * Whoever traces with the W3C's fields alone is traced; a proxy's mistake in them is no reason to
 * refuse an event.
 */
void
eb_event_request_add_trace_context (EbExchange *exchange, EbDraft *draft)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  const char *parent = soup_message_headers_get_one (headers, "traceparent");
  const char *state = soup_message_headers_get_list (headers, "tracestate");

  if (parent == NULL || strstr (parent, REPLACEMENT) != NULL
      || g_tree_lookup (draft->attributes, "traceparent") != NULL
      || !eb_draft_set (draft, "traceparent", parent, NULL))
    return;
  if (state != NULL && strstr (state, REPLACEMENT) == NULL
      && g_tree_lookup (draft->attributes, "tracestate") == NULL)
    eb_draft_set (draft, "tracestate", state, NULL);
}

/* Binary */

static char *
decode_value (const char *value, GError **error)
{
  if (strstr (value, REPLACEMENT) == NULL)
    return eb_event_header_decode (value, error);
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                       "it is not valid UTF-8, and what is not ASCII should be percent-encoded");
  return NULL;
}

static gboolean
read_header (EbDraft *draft, const char *header, const char *value, GError **error)
{
  g_autofree char *name = g_ascii_strdown (header + strlen (PREFIX), -1);
  g_autofree char *decoded = decode_value (value, error);

  if (decoded == NULL)
    g_prefix_error (error, "Header “%s%s”: ", PREFIX, name);
  else if (g_str_equal (name, "datacontenttype"))
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                         "There is no header “ce-datacontenttype”; it is “Content-Type”");
  else
    return eb_draft_set (draft, name, decoded, error);
  return FALSE;
}

static gboolean
check_required (const EbDraft *draft, GError **error)
{
  const char *missing = NULL;

  if (!draft->has_version)
    missing = "specversion";
  else if (draft->id == NULL)
    missing = "id";
  else if (draft->source == NULL)
    missing = "source";
  else if (draft->type == NULL)
    missing = "type";
  if (missing == NULL)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Attribute “%s” is missing (header “ce-%s”), as there are other ce- headers",
               missing, missing);
  return FALSE;
}

static EbDraft *
read_binary (EbExchange *exchange, GError **error)
{
  g_autoptr (EbDraft) draft = eb_event_request_new_draft (exchange);
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter,
                                  soup_server_message_get_request_headers (exchange->message));
  while (soup_message_headers_iter_next (&iter, &name, &value))
    if (is_attribute (name) && !read_header (draft, name, value, error))
      return NULL;
  if (!check_required (draft, error) || !set_content_type (draft, exchange, error))
    return NULL;
  eb_event_request_add_trace_context (exchange, draft);
  return g_steal_pointer (&draft);
}

/* Plain */

static gboolean
read_parameter (EbDraft *draft, EbExchange *exchange, const char *name, GError **error)
{
  g_autofree char *value = NULL;

  return eb_query_get_once (exchange->query, name, &value, error)
         && (value == NULL || eb_draft_set (draft, name, value, error));
}

static EbDraft *
read_plain (EbExchange *exchange, GError **error)
{
  g_autoptr (EbDraft) draft = eb_event_request_new_draft (exchange);

  for (const char *const *name = plain_names; *name != NULL; name++)
    if (!read_parameter (draft, exchange, *name, error))
      return NULL;
  if (!set_content_type (draft, exchange, error))
    return NULL;
  eb_event_request_add_trace_context (exchange, draft);
  return g_steal_pointer (&draft);
}

/* All */

static EbDraft *
read_one (EbExchange *exchange, EbEventRequestMode mode, GError **error)
{
  g_autoptr (GBytes) body = NULL;
  const char *text;
  gsize size;

  if (mode == EB_EVENT_REQUEST_PLAIN)
    return read_plain (exchange, error);
  if (mode == EB_EVENT_REQUEST_BINARY)
    return read_binary (exchange, error);
  body = eb_exchange_get_body (exchange);
  text = g_bytes_get_data (body, &size);
  return eb_draft_from_json (text, size, error);
}

static GPtrArray *
read_batch (EbExchange *exchange, GError **error)
{
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  gsize size;
  const char *text = g_bytes_get_data (body, &size);

  return eb_drafts_from_json (text, size, EB_EVENT_REQUEST_MAX, error);
}

/**
 * eb_event_request_read:
 * @mode: the request's, which is supported
 *
 * Returns: (transfer full) (element-type EbDraft): what to publish, one unless it is a batch; NULL
 *   with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which name the member, header or parameter
 */
GPtrArray *
eb_event_request_read (EbExchange *exchange, EbEventRequestMode mode, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  gboolean is_plain = mode == EB_EVENT_REQUEST_PLAIN;
  EbDraft *draft;

  if (!eb_query_check_names (exchange->query, is_plain ? plain_names : no_names, error))
    return NULL;
  if (mode == EB_EVENT_REQUEST_BATCH)
    return read_batch (exchange, error);
  draft = read_one (exchange, mode, error);
  if (draft == NULL)
    return NULL;
  g_ptr_array_add (drafts, draft);
  return g_steal_pointer (&drafts);
}
