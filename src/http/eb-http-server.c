/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-http-server.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

#include "codec/eb-problem.h"
#include "core/eb-quote.h"
#include "http/eb-browser-guard.h"
#include "http/eb-cors.h"
#include "http/eb-dead-letters-api.h"
#include "http/eb-description-api.h"
#include "http/eb-events-api.h"
#include "http/eb-query.h"
#include "http/eb-subscriptions-api.h"
#include "http/eb-tutorial-api.h"

/* The HTTP front end: SoupServer behind the gate. Lives in the main thread. */
struct _EbHttpServer
{
  GObject parent_instance;

  EbBus *bus;         /* (owned) */
  SoupServer *server; /* (owned) */
  EbGate *gate;       /* (owned) */
  char **names;       /* (owned) (nullable) that Host may be, beside addresses and localhost */
  char **origins;     /* (owned) (nullable) whose pages may use the bus, beside its own */
  GSocketAddress *loopback; /* (owned) SoupServer wants an address, which is no matter to us */
  EbClient *lending;        /* (unowned) (nullable) whose request is handed over at this moment */
  GTask *drain;             /* (owned) (nullable) done when every request is answered */
};

G_DEFINE_FINAL_TYPE (EbHttpServer, eb_http_server, G_TYPE_OBJECT)

/* Where a message's EbClient is kept. */
static GQuark
client_quark (void)
{
  return g_quark_from_static_string ("eb-client");
}

static EbClient *
get_client (SoupServerMessage *message)
{
  return g_object_get_qdata (G_OBJECT (message), client_quark ());
}

/* Routes */

/* Returns: whether the request is to be handled; else it has its answer */
static gboolean
check_browser (EbHttpServer *self, EbClient *client, EbExchange *exchange)
{
  const char *const *origins = (const char *const *) self->origins;
  g_autofree char *host = eb_client_dup_slice (client, client->framing.host);
  g_autofree char *origin = eb_client_dup_slice (client, client->framing.origin);
  g_autoptr (GError) error = NULL;

  if (client->local)
    return TRUE;
  eb_cors_add_headers (exchange, origins, origin);
  if (eb_browser_guard_check (host, origin, (const char *const *) self->names, origins, &error))
    return !eb_cors_reply_preflight (exchange, origins, origin);
  eb_exchange_reply_problem (exchange, SOUP_STATUS_FORBIDDEN, error->message);
  return FALSE;
}

static void
request_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  EbHttpServer *self = user_data;
  EbClient *client = get_client (message);
  g_autofree char *target = eb_client_dup_slice (client, client->framing.target);
  g_autoptr (EbExchange) exchange = eb_exchange_new (message, self->bus, target);

  exchange->content_type = eb_client_dup_slice (client, client->framing.content_type);
  if (!check_browser (self, client, exchange))
    return;
  if (eb_tutorial_api_handle (exchange) || eb_events_api_handle (exchange)
      || eb_subscriptions_api_handle (exchange) || eb_dead_letters_api_handle (exchange)
      || eb_description_api_handle (exchange))
    g_steal_pointer (&exchange);
  else
    {
      g_autofree char *shown = eb_quote_text (exchange->path, -1);
      g_autofree char *detail = g_strdup_printf ("There is nothing at %s", shown);

      eb_exchange_reply_problem (exchange, SOUP_STATUS_NOT_FOUND, detail);
    }
}

/* SoupServer refuses by itself what it does not parse, before any handler, with an empty answer.
 * What goes into the answer before is what it says. Nothing that is known gets here without
 * explain_known_refusal(), but it must not be empty either. */
#define NOT_PARSED                                                                                 \
  "{\"title\":\"Bad Request\",\"status\":400,"                                                     \
  "\"detail\":\"The request target or Host does not parse\"}"

static char *
describe_refusal (const char *method, const char *bad_escape)
{
  if (bad_escape == NULL)
    return g_strdup_printf ("This is no proxy, and %s has no meaning here", method);
  return g_strdup_printf ("The path or query has “%s”, which is no percent-encoding", bad_escape);
}

/* Returns: whether the request is one that SoupServer refuses; it has its answer then */
static gboolean
explain_known_refusal (EbHttpServer *self, EbClient *client, SoupServerMessage *message)
{
  g_autofree char *target = eb_client_dup_slice (client, client->framing.target);
  g_autofree char *method = eb_client_dup_slice (client, client->framing.method);
  g_autofree char *bad = eb_query_find_bad_escape (target);
  g_autoptr (EbExchange) exchange = NULL;
  g_autofree char *text = NULL;

  if (bad == NULL && !g_str_equal (method, "CONNECT"))
    return FALSE;
  exchange = eb_exchange_new (message, self->bus, target);
  if (!eb_tutorial_api_has_path (exchange->path))
    {
      text = describe_refusal (method, bad);
      eb_exchange_reply_problem (exchange, SOUP_STATUS_BAD_REQUEST, text);
      return TRUE;
    }
  text = eb_tutorial_api_explain (method, exchange->path, bad);
  eb_exchange_reply_text (exchange, SOUP_STATUS_BAD_REQUEST, text);
  return TRUE;
}

static void
explain_refusal (EbHttpServer *self, EbClient *client, SoupServerMessage *message)
{
  if (!explain_known_refusal (self, client, message))
    soup_server_message_set_response (message, EB_PROBLEM_TYPE, SOUP_MEMORY_STATIC, NOT_PARSED,
                                      strlen (NOT_PARSED));
}

static void
got_headers_cb (SoupServerMessage *message, gpointer user_data)
{
  if (soup_server_message_get_status (message) == 0) /* it was not refused */
    soup_server_message_set_response (message, NULL, SOUP_MEMORY_STATIC, NULL, 0);
  /* SoupServer would serve a range of an answer, several times over if asked so. */
  soup_message_headers_remove (soup_server_message_get_request_headers (message), "Range");
}

/* Between the gate and SoupServer */

static gboolean
take_back_cb (gpointer user_data)
{
  SoupServerMessage *message = user_data;
  EbClient *client = get_client (message);
  g_autoptr (GIOStream) stream = NULL;

  if (client->state != EB_CLIENT_SERVED)
    return G_SOURCE_REMOVE;
  eb_gate_stream_release (client->stream);
  stream = soup_server_message_steal_connection (message);
  eb_gate_take_back (client->gate, client);
  return G_SOURCE_REMOVE;
}

/* Not at once: SoupServer is still busy with it. */
static void
finished_cb (SoupServerMessage *message, gpointer user_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, take_back_cb, g_object_ref (message), g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
request_started_cb (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  EbHttpServer *self = user_data;
  EbClient *client = self->lending;

  /* After an answer SoupServer waits for one more request, which never comes. */
  if (client == NULL)
    return;
  g_object_set_qdata_full (G_OBJECT (message), client_quark (), eb_client_ref (client),
                           (GDestroyNotify) eb_client_unref);
  g_signal_connect (message, "got-headers", G_CALLBACK (got_headers_cb), NULL);
  g_signal_connect (message, "finished", G_CALLBACK (finished_cb), NULL);
  explain_refusal (self, client, message);
}

static void
hand_over_cb (EbClient *client, gpointer user_data)
{
  EbHttpServer *self = user_data;
  g_autoptr (GError) error = NULL;
  GIOStream *stream = eb_gate_lend (self->gate, client, &error);
  gboolean accepted;

  if (stream == NULL)
    {
      g_warning ("Cannot serve a client: %s", error->message);
      return;
    }
  self->lending = client;
  accepted =
      soup_server_accept_iostream (self->server, stream, self->loopback, self->loopback, &error);
  self->lending = NULL;
  if (!accepted)
    {
      g_warning ("Cannot serve a client: %s", error->message);
      g_io_stream_close (stream, NULL, NULL);
    }
}

static void
drained_cb (gpointer user_data)
{
  EbHttpServer *self = user_data;

  if (self->drain != NULL)
    g_task_return_boolean (self->drain, TRUE);
  g_clear_object (&self->drain);
}

/* Without any listener SoupServer would close a connection after each answer; this one has a name
 * that nobody can guess. */
static gboolean
add_unreachable_listener (EbHttpServer *self, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, error);
  g_autofree char *name = g_uuid_string_random ();
  g_autoptr (GSocketAddress) address =
      g_unix_socket_address_new_with_type (name, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT);

  return socket != NULL && g_socket_bind (socket, address, FALSE, error)
         && g_socket_listen (socket, error)
         && soup_server_listen_socket (self->server, socket, 0, error);
}

/**
 * eb_http_server_listen:
 * @spec: see eb_listener_new()
 */
gboolean
eb_http_server_listen (EbHttpServer *self, const char *spec, GError **error)
{
  EbListener *listener = eb_listener_new (spec, error);

  if (listener != NULL)
    eb_gate_add_listener (self->gate, listener);
  return listener != NULL;
}

/**
 * eb_http_server_listen_fd:
 * @fd: (transfer full): a listening stream socket
 */
gboolean
eb_http_server_listen_fd (EbHttpServer *self, int fd, GError **error)
{
  EbListener *listener = eb_listener_new_for_fd (fd, error);

  if (listener != NULL)
    eb_gate_add_listener (self->gate, listener);
  return listener != NULL;
}

/**
 * eb_http_server_configure:
 * @limits: for what begins from now on
 * @names: (nullable): what the bus may be called in `Host`, beside addresses and localhost
 * @origins: (nullable): whose pages may use the bus, beside its own; “*” for all
 */
void
eb_http_server_configure (EbHttpServer *self,
                          const EbHttpLimits *limits,
                          const char *const *names,
                          const char *const *origins)
{
  eb_gate_configure (self->gate, limits);
  g_strfreev (self->names);
  self->names = g_strdupv ((char **) names);
  g_strfreev (self->origins);
  self->origins = g_strdupv ((char **) origins);
}

/**
 * eb_http_server_dup_uris:
 *
 * Returns: (transfer full) (array zero-terminated=1): where it listens, with the actual ports
 */
char **
eb_http_server_dup_uris (EbHttpServer *self)
{
  GPtrArray *listeners = eb_gate_get_listeners (self->gate);
  char **uris = g_new0 (char *, listeners->len + 1);

  for (guint i = 0; i < listeners->len; i++)
    uris[i] = eb_listener_dup_uri (g_ptr_array_index (listeners, i));
  return uris;
}

/**
 * eb_http_server_dup_addresses:
 *
 * Returns: (transfer full) (element-type GSocketAddress): where it listens
 */
GPtrArray *
eb_http_server_dup_addresses (EbHttpServer *self)
{
  GPtrArray *listeners = eb_gate_get_listeners (self->gate);
  GPtrArray *addresses = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < listeners->len; i++)
    {
      const EbListener *listener = g_ptr_array_index (listeners, i);

      g_ptr_array_add (addresses, g_object_ref (listener->address));
    }
  return addresses;
}

/**
 * eb_http_server_drain_async:
 *
 * Takes nothing any more. Done when every request that was taken is answered.
 */
void
eb_http_server_drain_async (EbHttpServer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  self->drain = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->drain, eb_http_server_drain_async);
  eb_gate_stop (self->gate);
}

void
eb_http_server_drain_finish (EbHttpServer *self, GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}

static void
eb_http_server_finalize (GObject *object)
{
  EbHttpServer *self = EB_HTTP_SERVER (object);

  if (self->server != NULL)
    soup_server_disconnect (self->server);
  g_clear_object (&self->server);
  g_clear_pointer (&self->gate, eb_gate_free);
  g_clear_object (&self->bus);
  g_clear_object (&self->drain);
  g_clear_object (&self->loopback);
  g_strfreev (self->names);
  g_strfreev (self->origins);

  G_OBJECT_CLASS (eb_http_server_parent_class)->finalize (object);
}

static void
eb_http_server_class_init (EbHttpServerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_http_server_finalize;
}

static void
eb_http_server_init (EbHttpServer *self)
{
  /* It stands for the host of an HTTP/1.0 request that names none, so it must be an IP address. */
  self->loopback = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  soup_server_add_handler (self->server, NULL, request_cb, self, NULL);
  g_signal_connect (self->server, "request-started", G_CALLBACK (request_started_cb), self);
}

/**
 * eb_http_server_new:
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a server that does not listen yet
 */
EbHttpServer *
eb_http_server_new (EbBus *bus, EbClock *clock, GError **error)
{
  g_autoptr (EbHttpServer) self = g_object_new (EB_TYPE_HTTP_SERVER, NULL);

  self->bus = g_object_ref (bus);
  self->gate = eb_gate_new (clock, hand_over_cb, drained_cb, self);
  return add_unreachable_listener (self, error) ? g_steal_pointer (&self) : NULL;
}
