/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-tutorial-api.h"

#include "core/eb-error.h"
#include "http/eb-event-request.h"
#include "http/eb-query.h"

/* The four routes of the tutorial that the bus grew out of, to the letter: what they answer, they
 * have always answered. */

typedef struct
{
  const char *path;
  const char *method;
  void (*handle) (EbExchange *exchange); /* takes it */
} Route;

/* "Error:" and the reason, as the tutorial's fmt.Fprint() puts them together. */
static void
reply_reason (EbExchange *exchange, guint status, const char *reason)
{
  g_autofree char *text = g_strconcat ("Error:", reason, NULL);

  eb_exchange_reply_text (exchange, status, text);
}

static void
reply_error (EbExchange *exchange, const GError *error)
{
  reply_reason (exchange, eb_exchange_get_status_for_error (error), error->message);
}

/* What is wrong with an address, the tutorial does not say. */
static void
reply_address_error (EbExchange *exchange, const GError *error)
{
  if (g_error_matches (error, EB_ERROR, EB_ERROR_INVALID))
    reply_reason (exchange, SOUP_STATUS_BAD_REQUEST, "Wrong input address.");
  else
    reply_error (exchange, error);
}

static void
reply_success (EbExchange *exchange)
{
  eb_exchange_reply_text (exchange, SOUP_STATUS_OK, "success");
}

/* Returns: (transfer full) (nullable): NULL if it was answered */
static char *
get_address (EbExchange *exchange)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;

  if (!eb_query_get (exchange->query, "address", &address, &error))
    {
      reply_reason (exchange, SOUP_STATUS_BAD_REQUEST, error->message);
      return NULL;
    }
  if (address == NULL || *address == '\0')
    {
      reply_reason (exchange, SOUP_STATUS_BAD_REQUEST, "Wrong input address.");
      return NULL;
    }
  return g_steal_pointer (&address);
}

/* Takes @taken. */
static void
end_address (EbExchange *taken, const GError *error)
{
  g_autoptr (EbExchange) exchange = taken;

  if (error == NULL)
    reply_success (exchange);
  else
    reply_address_error (exchange, error);
}

typedef void (*AddressFunc) (EbBus *bus,
                             const char *address,
                             GAsyncReadyCallback callback,
                             gpointer user_data);

/* Takes @taken. */
static void
handle_address (EbExchange *taken, AddressFunc func, GAsyncReadyCallback callback)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autofree char *address = get_address (exchange);

  if (address == NULL)
    return;
  eb_exchange_pause (exchange);
  func (exchange->bus, address, callback, exchange);
  g_steal_pointer (&exchange);
}

static void
registered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  eb_bus_register_finish (EB_BUS (source), result, &error);
  end_address (user_data, error);
}

static void
handle_register_and_keep_alive (EbExchange *exchange)
{
  handle_address (exchange, eb_bus_register_async, registered_cb);
}

static void
deregistered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  eb_bus_deregister_finish (EB_BUS (source), result, &error);
  end_address (user_data, error);
}

static void
handle_deregister (EbExchange *exchange)
{
  handle_address (exchange, eb_bus_deregister_async, deregistered_cb);
}

static void
published_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_bus_publish_finish (EB_BUS (source), result, &error);

  if (receipts != NULL)
    reply_success (exchange);
  else
    reply_error (exchange, error);
}

static void
handle_send_message (EbExchange *taken)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (EbDraft) draft = eb_event_request_new_draft (exchange);
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GError) error = NULL;

  if (exchange->content_type != NULL
      && !eb_draft_set_content_type (draft, exchange->content_type, &error))
    {
      reply_error (exchange, error);
      return;
    }
  eb_event_request_add_trace_context (exchange, draft);
  g_ptr_array_add (drafts, g_steal_pointer (&draft));
  eb_exchange_pause (exchange);
  eb_bus_publish_async (exchange->bus, drafts, published_cb, exchange);
  g_steal_pointer (&exchange);
}

/* As Go's time.RFC3339 has it: in local time, with Z for UTC. */
static char *
format_time (gint64 real_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (real_us / G_USEC_PER_SEC);
  gboolean utc = g_date_time_get_utc_offset (time) == 0;

  return g_date_time_format (time, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S%:z");
}

static void
handle_list_subscribers (EbExchange *taken)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GPtrArray) subscribers = eb_bus_list_subscribers (exchange->bus);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < subscribers->len; i++)
    {
      const EbSubscriber *subscriber = g_ptr_array_index (subscribers, i);
      g_autofree char *time = format_time (subscriber->renewed_us);

      g_string_append_printf (text, "%s  :  %s\n", subscriber->label, time);
    }
  eb_exchange_reply_text (exchange, SOUP_STATUS_OK, text->str);
}

static const Route routes[] = {
  { "/registerAndKeepAlive", "POST", handle_register_and_keep_alive },
  { "/deregister", "DELETE", handle_deregister },
  { "/sendMessage", "POST", handle_send_message },
  { "/listSubscribers", "GET", handle_list_subscribers },
};

static const Route *
find_route (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (routes[i].path, path))
      return &routes[i];
  return NULL;
}

/**
 * eb_tutorial_api_has_path:
 *
 * Returns: whether @path is the tutorial's, where errors are plain text
 */
gboolean
eb_tutorial_api_has_path (const char *path)
{
  return find_route (path) != NULL;
}

/**
 * eb_tutorial_api_handle:
 * @exchange: (transfer full): if it is the tutorial's
 *
 * Returns: FALSE if its path is not the tutorial's
 */
gboolean
eb_tutorial_api_handle (EbExchange *exchange)
{
  const Route *route = find_route (exchange->path);

  if (route == NULL)
    return FALSE;
  if (g_str_equal (soup_server_message_get_method (exchange->message), route->method))
    {
      route->handle (exchange);
      return TRUE;
    }
  else
    {
      g_autofree char *text = g_strdup_printf ("Error: Only %s accepted", route->method);

      eb_exchange_reply_text (exchange, SOUP_STATUS_BAD_REQUEST, text);
      eb_exchange_free (exchange);
    }
  return TRUE;
}

/**
 * eb_tutorial_api_explain:
 * @path: the tutorial's
 * @bad_escape: (nullable): what in the request target does not parse; NULL if it is the method
 *
 * Returns: (transfer full): what goes with the status 400 that such a request gets
 */
char *
eb_tutorial_api_explain (const char *method, const char *path, const char *bad_escape)
{
  const Route *route = find_route (path);

  if (bad_escape == NULL || !g_str_equal (method, route->method))
    return g_strdup_printf ("Error: Only %s accepted", route->method);
  return g_strdup_printf ("Error:invalid URL escape \"%s\"", bad_escape);
}
