/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-subscription-route.h"

#include <string.h>

#include "bus/eb-bus-subscriptions.h"
#include "core/eb-quote.h"
#include "http/eb-query.h"

/* Paths below /v1/subscriptions/ID. ID is one segment, percent-decoded once. */

#define PREFIX EB_SUBSCRIPTIONS_PATH "/"

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

/* Returns: (transfer full): the methods of the routes with that suffix; empty if there are none */
static char *
get_allowed (const EbSubscriptionRoute *routes, gsize n_routes, const char *suffix)
{
  GString *allowed = g_string_new (NULL);

  for (gsize i = 0; i < n_routes; i++)
    if (g_str_equal (routes[i].suffix, suffix))
      g_string_append_printf (allowed, "%s%s%s", allowed->len > 0 ? ", " : "", routes[i].method,
                              g_str_equal (routes[i].method, "GET") ? ", HEAD" : "");
  return g_string_free (allowed, FALSE);
}

static const EbSubscriptionRoute *
find_route (const EbSubscriptionRoute *routes,
            gsize n_routes,
            const char *suffix,
            const char *method)
{
  for (gsize i = 0; i < n_routes; i++)
    if (g_str_equal (routes[i].suffix, suffix) && g_str_equal (routes[i].method, method))
      return &routes[i];
  return NULL;
}

/**
 * eb_subscription_route_get_method:
 *
 * Returns: (transfer none): the method by which the request is handled: HEAD is GET, of which
 *   libsoup sends the head alone
 */
const char *
eb_subscription_route_get_method (EbExchange *exchange)
{
  const char *method = soup_server_message_get_method (exchange->message);

  return g_str_equal (method, "HEAD") ? "GET" : method;
}

static void
reply_no_such_id (EbExchange *exchange)
{
  g_autofree char *shown = eb_quote_text (exchange->path, -1);
  g_autofree char *detail = g_strdup_printf ("There is no subscription at %s", shown);

  eb_exchange_reply_problem (exchange, SOUP_STATUS_NOT_FOUND, detail);
}

/* Of nobody no question is wrong. A PUT makes it; a DELETE forgets also what is left of one that
 * has ended. */
static gboolean
check_exists (EbExchange *exchange,
              const EbSubscriptionRoute *route,
              const char *id,
              GError **error)
{
  if (g_str_equal (route->method, "PUT"))
    return TRUE;
  if (*route->suffix == '\0' && g_str_equal (route->method, "DELETE")
      && eb_bus_is_kept (exchange->bus, id))
    return TRUE;
  return eb_bus_check_known (exchange->bus, id, error);
}

/* Takes @taken. */
static void
dispatch (EbExchange *taken,
          const EbSubscriptionRoute *route,
          const char *suffix,
          const char *allowed)
{
  g_autoptr (EbExchange) exchange = taken;
  const char *start = exchange->path + strlen (PREFIX);
  g_autofree char *id = decode_id (start, (gsize) (suffix - start));
  g_autoptr (GError) error = NULL;

  if (route == NULL)
    eb_exchange_refuse_method (exchange, allowed);
  else if (id == NULL)
    reply_no_such_id (exchange);
  /* What was meant to name some must never redrive or drop all. */
  else if (!check_exists (exchange, route, id, &error)
           || !eb_query_check_names (exchange->query, route->parameters, &error))
    eb_exchange_reply_error (exchange, error);
  else
    route->handle (g_steal_pointer (&exchange), id);
}

/**
 * eb_subscription_routes_handle:
 * @exchange: (transfer full): if its path is that of one of @routes
 * @routes: (array length=n_routes)
 *
 * Returns: FALSE if its path is another
 */
gboolean
eb_subscription_routes_handle (EbExchange *exchange,
                               const EbSubscriptionRoute *routes,
                               gsize n_routes)
{
  const char *method = eb_subscription_route_get_method (exchange);
  const char *suffix;
  g_autofree char *allowed = NULL;

  if (!g_str_has_prefix (exchange->path, PREFIX))
    return FALSE;
  suffix = strchrnul (exchange->path + strlen (PREFIX), '/');
  allowed = get_allowed (routes, n_routes, suffix);
  if (*allowed == '\0')
    return FALSE;
  dispatch (exchange, find_route (routes, n_routes, suffix, method), suffix, allowed);
  return TRUE;
}
