/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-subscriptions-api.h"

#include "bus/eb-bus-defaults.h"
#include "codec/eb-subscription-json.h"
#include "core/eb-error.h"
#include "http/eb-attempts-api.h"
#include "http/eb-paging.h"
#include "http/eb-query.h"
#include "http/eb-subscription-actions.h"
#include "http/eb-subscription-route.h"

/* Subscriptions:
 *
 *   GET, HEAD, POST        /v1/subscriptions
 *   GET, HEAD, PUT, DELETE /v1/subscriptions/ID
 *   POST                   /v1/subscriptions/ID/keepalive, pause, resume, replay, test, secret
 *   GET, HEAD              /v1/subscriptions/ID/deliveries
 */

/* Create and replace */

static void
reply_created (EbExchange *exchange, const EbSubscriptionInfo *info)
{
  const char *id = eb_subscription_get_id (info->subscription);
  g_autofree char *escaped = g_uri_escape_string (id, NULL, FALSE);
  g_autofree char *location = g_strconcat (EB_SUBSCRIPTIONS_PATH "/", escaped, NULL);

  soup_server_message_set_status (exchange->message, SOUP_STATUS_CREATED, NULL);
  soup_message_headers_replace (eb_exchange_get_answer_headers (exchange), "Location", location);
}

/* What is left for the bus to find: where it begins, and whether policy allows its sink. */
static void
name_member (GError *error)
{
  const char *member = NULL;
  char *message;

  if (g_str_has_prefix (error->message, "“"))
    return; /* it says so itself */
  if (g_error_matches (error, EB_ERROR, EB_ERROR_INVALID))
    member = "config.start";
  else if (g_error_matches (error, EB_ERROR, EB_ERROR_FORBIDDEN))
    member = "sink";
  if (member == NULL)
    return;
  message = g_strdup_printf ("Member “%s”: %s", member, error->message);
  g_free (error->message);
  error->message = message;
}

static void
put_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  gboolean created = FALSE;
  g_autoptr (EbSubscriptionInfo) info =
      eb_bus_put_finish (EB_BUS (source), result, &created, &error);

  if (info == NULL)
    {
      name_member (error);
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_reply_json (exchange, eb_subscription_info_to_json (exchange->bus, info));
  if (created)
    reply_created (exchange, info);
}

/* The bus counts from the event before. */
static guint64
start_to_after (guint64 start)
{
  return start == EB_SUBSCRIPTION_START_NOW ? EB_START_NOW : start - MIN (start, 1);
}

static void
put (EbExchange *taken, const char *id_from_path, EbPutMode mode)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autoptr (GError) error = NULL;
  guint64 start = 0;
  g_autoptr (EbSubscription) subscription =
      eb_subscription_parse (body, id_from_path, eb_bus_get_lease (exchange->bus), &start, &error);

  if (subscription == NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_put_async (exchange->bus, subscription, mode, start_to_after (start), put_cb, exchange);
  g_steal_pointer (&exchange);
}

static void
handle_create (EbExchange *exchange)
{
  put (exchange, NULL, EB_PUT_CREATE);
}

static void
handle_replace (EbExchange *exchange, const char *id)
{
  put (exchange, id, EB_PUT_REPLACE);
}

/* List */

static const char *
get_last_id (GPtrArray *infos)
{
  const EbSubscriptionInfo *last = g_ptr_array_index (infos, infos->len - 1);

  return eb_subscription_get_id (last->subscription);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new ("[");
  guint64 limit = EB_PAGING_LIMIT;
  gboolean more = FALSE;
  g_autoptr (GPtrArray) infos =
      eb_bus_list_subscriptions_finish (EB_BUS (source), result, &more, &error);

  if (infos == NULL)
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  for (guint i = 0; i < infos->len; i++)
    {
      g_autofree char *one = eb_subscription_info_to_json (exchange->bus, infos->pdata[i]);

      g_string_append_printf (text, "%s%s", i > 0 ? "," : "", one);
    }
  g_string_append_c (text, ']');
  if (more && infos->len > 0
      && eb_query_get_number (exchange->query, "limit", 1, EB_SUBSCRIPTIONS_MAX, &limit, NULL))
    eb_paging_add_next (exchange, get_last_id (infos), limit);
  eb_exchange_reply_json (exchange, g_string_free (g_steal_pointer (&text), FALSE));
}

static void
handle_list (EbExchange *taken)
{
  static const char *const parameters[] = { "after", "limit", NULL };
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GError) error = NULL;
  g_autofree char *after = NULL;
  guint64 limit = EB_PAGING_LIMIT;

  if (!eb_query_check_names (exchange->query, parameters, &error)
      || !eb_query_get_once (exchange->query, "after", &after, &error)
      || !eb_query_get_number (exchange->query, "limit", 1, EB_SUBSCRIPTIONS_MAX, &limit, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_list_subscriptions_async (exchange->bus, after, (guint) limit, listed_cb, exchange);
  g_steal_pointer (&exchange);
}

/* Get */

static void
handle_get (EbExchange *exchange, const char *id)
{
  eb_exchange_pause (exchange);
  eb_bus_get_subscription_async (exchange->bus, id, eb_subscription_show_cb, exchange);
}

/* Delete */

static void
deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  eb_bus_delete_finish (EB_BUS (source), result, &error);
  eb_exchange_end (user_data, error);
}

static void
handle_delete (EbExchange *exchange, const char *id)
{
  eb_exchange_pause (exchange);
  eb_bus_delete_async (exchange->bus, id, deleted_cb, exchange);
}

/* Routes */

static const EbSubscriptionRoute routes[] = {
  { "", "GET", handle_get, { NULL } },
  { "", "PUT", handle_replace, { NULL } },
  { "", "DELETE", handle_delete, { NULL } },
  { "/keepalive", "POST", eb_subscription_action_keep_alive, { NULL } },
  { "/pause", "POST", eb_subscription_action_pause, { NULL } },
  { "/resume", "POST", eb_subscription_action_resume, { NULL } },
  { "/replay", "POST", eb_subscription_action_replay, { NULL } },
  { "/test", "POST", eb_subscription_action_test, { NULL } },
  { "/secret", "POST", eb_subscription_action_rotate, { NULL } },
  { "/deliveries", "GET", eb_attempts_api_list, { "after", "limit" } },
};

static void
handle_collection (EbExchange *taken)
{
  static const char *const no_parameters[] = { NULL };
  g_autoptr (EbExchange) exchange = taken;
  const char *method = eb_subscription_route_get_method (exchange);
  g_autoptr (GError) error = NULL;

  if (g_str_equal (method, "GET"))
    handle_list (g_steal_pointer (&exchange));
  else if (!g_str_equal (method, "POST"))
    eb_exchange_refuse_method (exchange, "GET, HEAD, POST");
  else if (!eb_query_check_names (exchange->query, no_parameters, &error))
    eb_exchange_reply_error (exchange, error);
  else
    handle_create (g_steal_pointer (&exchange));
}

/**
 * eb_subscriptions_api_handle:
 * @exchange: (transfer full): if its path is one of these
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_subscriptions_api_handle (EbExchange *exchange)
{
  if (!g_str_equal (exchange->path, EB_SUBSCRIPTIONS_PATH))
    return eb_subscription_routes_handle (exchange, routes, G_N_ELEMENTS (routes));
  handle_collection (exchange);
  return TRUE;
}
