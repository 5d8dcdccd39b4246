/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-dead-letters-api.h"

#include <string.h>

#include "codec/eb-dead-letters-json.h"
#include "codec/eb-sequences.h"
#include "core/eb-error.h"
#include "http/eb-query.h"

/* The dead letters of a subscription:
 *
 *   GET, DELETE /v1/subscriptions/ID/dead-letters
 *   POST        /v1/subscriptions/ID/dead-letters/redrive
 *
 * ID is one segment of the path, percent-decoded once. */

#define PREFIX         "/v1/subscriptions/"
#define LETTERS_SUFFIX "/dead-letters"
#define REDRIVE_SUFFIX "/dead-letters/redrive"

#define DEFAULT_LIMIT 100

/* @exchange is theirs to free. */
typedef void (*Handler) (EbExchange *exchange, const char *id);

typedef struct
{
  const char *suffix;
  const char *method;
  Handler handle;
  const char *parameters[3]; /* (array zero-terminated=1) that its query may have */
} Route;

/* Parameters */

/* Returns: (transfer full) (nullable): NULL if it is not what an id can be */
static char *
decode_id (const char *text, gsize length)
{
  g_autoptr (GBytes) bytes = g_uri_unescape_bytes (text, (gssize) length, NULL, NULL);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;

  /* That one is FALSE for a NUL too. */
  if (size == 0 || !g_utf8_validate_len (data, size, NULL))
    return NULL;
  return g_strndup (data, size);
}

static gboolean
get_number (EbExchange *exchange,
            const char *name,
            guint64 min,
            guint64 max,
            guint64 *number,
            GError **error)
{
  g_autofree char *text = NULL;

  if (!eb_query_get (exchange->query, name, &text, error))
    return FALSE;
  if (text == NULL || (eb_sequence_parse (text, min, number) && *number <= max))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“%s” is “%s”, not a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
               name, text, min, max);
  return FALSE;
}

/* List */

/* @limit: 0 for none */
static void
add_link (EbExchange *exchange, guint64 next, guint64 limit)
{
  g_autofree char *more =
      limit > 0 ? g_strdup_printf ("&limit=%" G_GUINT64_FORMAT, limit) : g_strdup ("");
  g_autofree char *link = g_strdup_printf ("<%s?after=%" G_GUINT64_FORMAT "%s>; rel=\"next\"",
                                           exchange->path, next, more);

  soup_message_headers_append (soup_server_message_get_response_headers (exchange->message), "Link",
                               link);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  guint64 next = 0;
  guint64 limit = DEFAULT_LIMIT;
  g_autoptr (GPtrArray) letters =
      eb_bus_list_dead_letters_finish (EB_BUS (source), result, &next, &error);

  if (letters == NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  if (next > 0 && get_number (exchange, "limit", 1, EB_DEAD_LETTERS_MAX, &limit, NULL))
    add_link (exchange, next, limit);
  eb_exchange_reply_json (exchange, eb_dead_letters_to_json (letters));
}

static void
handle_list (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint64 limit = DEFAULT_LIMIT;

  if (!get_number (exchange, "after", 0, G_MAXINT64, &after, &error)
      || !get_number (exchange, "limit", 1, EB_DEAD_LETTERS_MAX, &limit, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_list_dead_letters_async (exchange->bus, id, after, (guint) limit, listed_cb, exchange);
  g_steal_pointer (&exchange);
}

/* Redrive */

static void
redriven_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  EbRedriven redriven;

  if (!eb_bus_redrive_finish (EB_BUS (source), result, &redriven, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  if (redriven.left > 0)
    add_link (exchange, redriven.last, 0);
  eb_exchange_reply_json (exchange, eb_redriven_to_json (redriven.n, redriven.left));
}

static void
handle_redrive (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GBytes) body =
      soup_message_body_flatten (soup_server_message_get_request_body (exchange->message));
  g_autoptr (GArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  guint64 after = 0;

  if (get_number (exchange, "after", 0, G_MAXINT64, &after, &error) && g_bytes_get_size (body) > 0)
    sequences = eb_sequences_parse_json (body, &error);
  if (error != NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_redrive_async (exchange->bus, id, sequences, after, redriven_cb, exchange);
  g_steal_pointer (&exchange);
}

/* Drop */

static void
dropped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;

  if (eb_bus_drop_dead_letters_finish (EB_BUS (source), result, &error))
    soup_server_message_set_status (exchange->message, SOUP_STATUS_NO_CONTENT, NULL);
  else
    eb_exchange_reply_error (exchange, error);
}

static void
handle_drop (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *list = NULL;

  if (eb_query_get (exchange->query, "sequences", &list, &error) && list != NULL)
    sequences = eb_sequences_parse_list (list, &error);
  if (error != NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_drop_dead_letters_async (exchange->bus, id, sequences, dropped_cb, exchange);
  g_steal_pointer (&exchange);
}

/* Routes */

static const Route routes[] = {
  { LETTERS_SUFFIX, "GET", handle_list, { "after", "limit" } },
  { LETTERS_SUFFIX, "DELETE", handle_drop, { "sequences" } },
  { REDRIVE_SUFFIX, "POST", handle_redrive, { NULL } },
};

/* Returns: (transfer full): the methods of the routes with that suffix; empty if there are none */
static char *
get_allowed (const char *suffix)
{
  GString *allowed = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (routes[i].suffix, suffix))
      g_string_append_printf (allowed, "%s%s", allowed->len > 0 ? ", " : "", routes[i].method);
  return g_string_free (allowed, FALSE);
}

static const Route *
find_route (const char *suffix, const char *method)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (routes[i].suffix, suffix) && g_str_equal (routes[i].method, method))
      return &routes[i];
  return NULL;
}

static void
reply_not_allowed (EbExchange *exchange, const char *method, const char *allowed)
{
  g_autofree char *detail =
      g_strdup_printf ("%s is not for this path; there is %s", method, allowed);

  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message),
                                "Allow", allowed);
  eb_exchange_reply_problem (exchange, SOUP_STATUS_METHOD_NOT_ALLOWED, detail);
}

static void
reply_no_such_id (EbExchange *exchange)
{
  g_autofree char *detail = g_strdup_printf ("There is no subscription at %s", exchange->path);

  eb_exchange_reply_problem (exchange, SOUP_STATUS_NOT_FOUND, detail);
}

/* Takes @taken. */
static void
dispatch (EbExchange *taken, const char *suffix, const char *allowed)
{
  g_autoptr (EbExchange) exchange = taken;
  const char *method = soup_server_message_get_method (exchange->message);
  const char *start = exchange->path + strlen (PREFIX);
  const Route *route = find_route (suffix, method);
  g_autofree char *id = decode_id (start, (gsize) (suffix - start));
  g_autoptr (GError) error = NULL;

  if (route == NULL)
    reply_not_allowed (exchange, method, allowed);
  else if (id == NULL)
    reply_no_such_id (exchange);
  /* What was meant to name some must never redrive or drop all. */
  else if (!eb_query_check_names (exchange->query, route->parameters, &error))
    eb_exchange_reply_error (exchange, error);
  else
    route->handle (g_steal_pointer (&exchange), id);
}

/**
 * eb_dead_letters_api_handle:
 * @exchange: (transfer full): if its path is one of these
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_dead_letters_api_handle (EbExchange *exchange)
{
  const char *suffix;
  g_autofree char *allowed = NULL;

  if (!g_str_has_prefix (exchange->path, PREFIX))
    return FALSE;
  suffix = strchr (exchange->path + strlen (PREFIX), '/');
  if (suffix == NULL)
    return FALSE;
  allowed = get_allowed (suffix);
  if (*allowed == '\0')
    return FALSE;
  dispatch (exchange, suffix, allowed);
  return TRUE;
}
