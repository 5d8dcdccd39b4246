/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-dead-letters-api.h"

#include "bus/eb-dead-letter-query.h"
#include "codec/eb-dead-letters-json.h"
#include "codec/eb-sequences.h"
#include "http/eb-paging.h"
#include "http/eb-query.h"
#include "http/eb-subscription-route.h"

/* The dead letters of a subscription:
 *
 *   GET, DELETE /v1/subscriptions/ID/dead-letters
 *   POST        /v1/subscriptions/ID/dead-letters/redrive
 *
 * ID is one segment of the path, percent-decoded once. */

#define LETTERS_SUFFIX "/dead-letters"
#define REDRIVE_SUFFIX "/dead-letters/redrive"

/* List */

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  guint64 next = 0;
  guint64 limit = EB_PAGING_LIMIT;
  g_autoptr (GPtrArray) letters =
      eb_bus_list_dead_letters_finish (EB_BUS (source), result, &next, &error);

  if (letters == NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  if (next > 0
      && eb_query_get_number (exchange->query, "limit", 1, EB_DEAD_LETTERS_MAX, &limit, NULL))
    eb_paging_add_next_number (exchange, next, limit);
  eb_exchange_reply_json (exchange, eb_dead_letters_to_json (letters));
}

static void
handle_list (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GError) error = NULL;
  guint64 after = 0;
  guint64 limit = EB_PAGING_LIMIT;

  if (!eb_query_get_number (exchange->query, "after", 0, G_MAXINT64, &after, &error)
      || !eb_query_get_number (exchange->query, "limit", 1, EB_DEAD_LETTERS_MAX, &limit, &error))
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
    eb_paging_add_next_number (exchange, redriven.last, 0);
  eb_exchange_reply_json (exchange, eb_redriven_to_json (redriven.n, redriven.left));
}

static void
handle_redrive (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autoptr (GArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  guint64 after = 0;

  if (!eb_query_get_number (exchange->query, "after", 0, G_MAXINT64, &after, &error)
      || (g_bytes_get_size (body) > 0 && !eb_sequences_parse_json (body, &sequences, &error)))
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
  g_autoptr (GError) error = NULL;

  eb_bus_drop_dead_letters_finish (EB_BUS (source), result, &error);
  eb_exchange_end (user_data, error);
}

static void
handle_drop (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GArray) sequences = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *list = NULL;

  if (eb_query_get_once (exchange->query, "sequences", &list, &error) && list != NULL)
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

static const EbSubscriptionRoute routes[] = {
  { LETTERS_SUFFIX, "GET", handle_list, { "after", "limit" } },
  { LETTERS_SUFFIX, "DELETE", handle_drop, { "sequences" } },
  { REDRIVE_SUFFIX, "POST", handle_redrive, { "after" } },
};

/**
 * eb_dead_letters_api_handle:
 * @exchange: (transfer full): if its path is one of these
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_dead_letters_api_handle (EbExchange *exchange)
{
  return eb_subscription_routes_handle (exchange, routes, G_N_ELEMENTS (routes));
}
