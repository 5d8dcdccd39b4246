/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-transport.h"

#include "delivery/eb-epoll-source.h"
#include "delivery/eb-wire-pool.h"

/* Deliveries to http:// sinks over sockets of our own: thousands of them behind one epoll
 * descriptor, which is one source of the worker's context. One delivery costs a sendmsg() and a
 * recv().
 *
 * This file decides who connects where and when; EbWireConnection does what is decided. Lives in
 * its worker's thread. */

#define BUFFER_SIZE (64 * 1024) /* larger than any response that is read to its end */

struct _EbWireTransport
{
  GObject parent_instance;

  EbClock *clock;               /* (owned) */
  GResolver *resolver;          /* (owned) */
  char *log_id;                 /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbAnswerFunc answer;
  gpointer user_data;

  GSource *source;       /* (owned) an epoll source; kicked while something is failed */
  EbDeadlines *attempts; /* (owned) of deliveries under way */
  EbDeadlines *connects; /* (owned) of connections that do not stand yet */
  EbWirePool pool;       /* all connections */
  EbWireParser *parser;  /* (owned) of all responses */
  guint8 *buffer;        /* (owned) */
};

/* What a subscription has here. */
typedef struct
{
  EbSubscription *subscription; /* (owned) */
  EbSigner *signer;             /* (owned) (nullable) */
  GQueue connections;           /* (element-type EbWireConnection) in any state but CLOSED */
} WireChannel;

static void eb_wire_transport_iface_init (EbTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbWireTransport,
                               eb_wire_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_TRANSPORT,
                                                      eb_wire_transport_iface_init))

static void connect_next (EbWireTransport *self, EbWireConnection *connection);
static void obtain_connection (EbWireTransport *self, EbWireConnection *connection);

static void
set_prefix (EbWireTransport *self, EbWireConnection *connection)
{
  WireChannel *channel = connection->channel;
  g_autofree char *prefix =
      eb_wire_head_create_prefix (channel->subscription, self->log_id, self->settings->origin);

  eb_wire_head_set_prefix (&connection->head, prefix);
}

static gboolean
has_room (EbWireTransport *self)
{
  return eb_wire_pool_has_room (&self->pool, self->settings->max_connections);
}

/* Who waited longest for a place among the open connections gets it. */
static void
admit_waiting (EbWireTransport *self)
{
  while (self->pool.waiting.length > 0 && has_room (self))
    obtain_connection (self, g_queue_peek_head (&self->pool.waiting));
}

static void
drop (EbWireTransport *self, EbWireConnection *connection)
{
  WireChannel *channel = connection->channel;

  eb_deadlines_clear (self->connects, &connection->connecting);
  g_queue_unlink (&channel->connections, &connection->channel_link);
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_CLOSED);
  eb_wire_connection_close (connection);
  eb_epoll_source_kick (self->source); /* to free it, and to let the next one in */
}

static void
tell (EbWireTransport *self, EbDelivery *delivery, const EbAnswer *answer)
{
  eb_deadlines_clear (self->attempts, &delivery->deadline);
  delivery->transport_data = NULL;
  self->answer (delivery, answer, self->user_data);
}

static void
tell_response (EbWireTransport *self, EbWireConnection *connection)
{
  EbDelivery *delivery = connection->delivery;
  g_autofree char *retry_after = g_steal_pointer (&connection->response.retry_after);
  EbAnswer answer = { EB_ANSWER_RESPONSE, connection->response.status, retry_after, NULL };

  /* While others wait for a place, a connection is lent for one request at a time. */
  if (connection->response.keep_alive && self->pool.waiting.length == 0)
    {
      eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_IDLE);
      eb_wire_connection_rest (connection);
    }
  else
    drop (self, connection);
  tell (self, delivery, &answer);
}

static void
tell_failure (EbWireTransport *self, EbWireConnection *connection)
{
  EbDelivery *delivery = connection->delivery;
  g_autoptr (GError) error = g_steal_pointer (&connection->error);
  EbAnswer answer = { connection->position > 0 ? EB_ANSWER_FAILED : EB_ANSWER_UNREACHABLE, 0, NULL,
                      error->message };

  drop (self, connection);
  tell (self, delivery, &answer);
}

/* Takes @error. The answer comes with the next turn, never from within send(). */
static void
fail (EbWireTransport *self, EbWireConnection *connection, GError *error)
{
  eb_deadlines_clear (self->connects, &connection->connecting);
  eb_wire_connection_close (connection);
  connection->error = error;
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_FAILED);
  eb_epoll_source_kick (self->source);
}

/* On a connection that turned out to have been closed before the request reached the sink. */
static void
start_over (EbWireTransport *self, EbWireConnection *connection)
{
  eb_wire_connection_close (connection);
  connection->position = 0;
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_WAITING);
  eb_epoll_source_kick (self->source);
}

/* Takes @error. */
static void
handle_broken (EbWireTransport *self, EbWireConnection *connection, GError *error)
{
  if (connection->state == EB_WIRE_CONNECTING)
    {
      g_clear_error (&connection->error);
      connection->error = error;
      connect_next (self, connection);
    }
  else if (connection->delivery != NULL && eb_wire_connection_was_ignored (connection))
    {
      g_error_free (error);
      start_over (self, connection);
    }
  else
    fail (self, connection, error);
}

static void
begin (EbWireTransport *self, EbWireConnection *connection)
{
  WireChannel *channel = connection->channel;
  EbMode mode = eb_subscription_get_options (channel->subscription)->mode;
  EbContent *content = eb_delivery_get_content (connection->delivery, mode);
  gint64 now_us = eb_clock_get_real (self->clock);
  GError *error = NULL;

  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_BUSY);
  if (!eb_wire_connection_begin (connection, content, channel->signer, now_us, &error))
    handle_broken (self, connection, error);
}

static void
handle_connected (EbWireTransport *self, EbWireConnection *connection)
{
  eb_deadlines_clear (self->connects, &connection->connecting);
  g_clear_list (&connection->addresses, g_object_unref);
  g_clear_error (&connection->error); /* of the addresses before */
  begin (self, connection);
}

static gboolean
try_address (EbWireTransport *self,
             EbWireConnection *connection,
             GInetAddress *address,
             GError **error)
{
  WireChannel *channel = connection->channel;
  guint16 port = eb_sink_get_port (eb_subscription_get_sink (channel->subscription));
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, port);

  if (!eb_address_policy_check (self->settings->policy, address, port, error))
    return FALSE;
  return eb_wire_connection_connect (connection, eb_epoll_source_get_fd (self->source),
                                     socket_address, error);
}

/* Tries the sink's addresses in turn; the last one's error is the one that is told. */
static void
connect_next (EbWireTransport *self, EbWireConnection *connection)
{
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_CONNECTING);
  while (connection->addresses != NULL)
    {
      g_autoptr (GInetAddress) address = connection->addresses->data;

      connection->addresses = g_list_delete_link (connection->addresses, connection->addresses);
      g_clear_error (&connection->error);
      if (try_address (self, connection, address, &connection->error))
        return;
    }
  fail (self, connection, g_steal_pointer (&connection->error));
}

typedef struct
{
  EbWireTransport *transport;   /* (owned) */
  EbWireConnection *connection; /* (unowned) valid unless the lookup was cancelled */
} Lookup;

static void
resolved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Lookup *lookup = user_data;
  g_autoptr (EbWireTransport) self = lookup->transport;
  EbWireConnection *connection = lookup->connection;
  GError *error = NULL;
  GList *addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return;
    }
  g_clear_object (&connection->lookup);
  if (error != NULL)
    {
      fail (self, connection, error);
      return;
    }
  connection->addresses = addresses;
  connect_next (self, connection);
}

static void
resolve (EbWireTransport *self, EbWireConnection *connection, const char *host)
{
  Lookup *lookup = g_new (Lookup, 1);

  lookup->transport = g_object_ref (self);
  lookup->connection = connection;
  connection->lookup = g_cancellable_new ();
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_RESOLVING);
  g_resolver_lookup_by_name_async (self->resolver, host, connection->lookup, resolved_cb, lookup);
}

/* Opens @connection, which is WAITING, if there is room for one more. */
static void
obtain_connection (EbWireTransport *self, EbWireConnection *connection)
{
  WireChannel *channel = connection->channel;
  EbSink *sink = eb_subscription_get_sink (channel->subscription);
  GInetAddress *literal;

  if (!has_room (self))
    return;
  if (self->pool.n_open >= self->settings->max_connections)
    drop (self, g_queue_peek_head (&self->pool.idle));

  eb_deadlines_set (self->connects, &connection->connecting, self->settings->connect_timeout);
  literal = eb_sink_dup_literal (sink);
  if (literal == NULL)
    {
      resolve (self, connection, eb_sink_get_host (sink));
      return;
    }
  connection->addresses = g_list_prepend (NULL, literal);
  connect_next (self, connection);
}

static EbWireConnection *
find_idle (WireChannel *channel)
{
  for (GList *link = channel->connections.head; link != NULL; link = link->next)
    {
      EbWireConnection *connection = link->data;

      if (connection->state == EB_WIRE_IDLE)
        return connection;
    }
  return NULL;
}

static GTimeSpan
get_timeout (EbWireTransport *self, const WireChannel *channel)
{
  return eb_delivery_settings_get_timeout (self->settings,
                                           eb_subscription_get_options (channel->subscription));
}

static void
wire_send (EbTransport *transport, EbChannel *opaque, EbDelivery *delivery)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);
  WireChannel *channel = (WireChannel *) opaque;
  EbWireConnection *connection = find_idle (channel);

  eb_deadlines_set (self->attempts, &delivery->deadline, get_timeout (self, channel));
  if (connection != NULL)
    {
      connection->delivery = delivery;
      delivery->transport_data = connection;
      begin (self, connection);
      return;
    }

  connection = eb_wire_connection_new ();
  connection->channel = channel;
  set_prefix (self, connection);
  connection->delivery = delivery;
  delivery->transport_data = connection;
  g_queue_push_tail_link (&channel->connections, &connection->channel_link);
  eb_wire_pool_add (&self->pool, connection);
  obtain_connection (self, connection);
}

static EbChannel *
wire_open (EbTransport *transport, EbSubscription *subscription)
{
  WireChannel *channel = g_new0 (WireChannel, 1);
  GPtrArray *secrets = eb_subscription_get_options (subscription)->secrets;

  channel->subscription = eb_subscription_ref (subscription);
  if (secrets != NULL)
    channel->signer = eb_signer_new (secrets);
  return (EbChannel *) channel;
}

static void
wire_close (EbTransport *transport, EbChannel *opaque)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);
  WireChannel *channel = (WireChannel *) opaque;
  EbWireConnection *connection;

  while ((connection = g_queue_peek_head (&channel->connections)) != NULL)
    {
      if (connection->delivery != NULL)
        {
          eb_deadlines_clear (self->attempts, &connection->delivery->deadline);
          connection->delivery->transport_data = NULL;
        }
      drop (self, connection);
    }
  g_clear_pointer (&channel->signer, eb_signer_free);
  eb_subscription_unref (channel->subscription);
  g_free (channel);
}

static void
wire_configure (EbTransport *transport, EbDeliverySettings *settings)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);
  g_autoptr (EbDeliverySettings) old = self->settings;

  self->settings = eb_delivery_settings_ref (settings);
  /* Their heads say who we were. */
  while (self->pool.idle.length > 0 && !g_str_equal (old->origin, settings->origin))
    drop (self, g_queue_peek_head (&self->pool.idle));
}

static void
wire_set_answer_func (EbTransport *transport, EbAnswerFunc func, gpointer user_data)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);

  self->answer = func;
  self->user_data = user_data;
}

static void
eb_wire_transport_iface_init (EbTransportInterface *iface)
{
  iface->set_answer_func = wire_set_answer_func;
  iface->configure = wire_configure;
  iface->open = wire_open;
  iface->send = wire_send;
  iface->close = wire_close;
}

static GError *
new_timeout_error (const char *what, GTimeSpan timeout)
{
  return g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s within %g s", what,
                      (double) timeout / G_TIME_SPAN_SECOND);
}

static void
attempt_timeout_cb (EbDeadline *deadline, gpointer user_data)
{
  EbWireTransport *self = user_data;
  EbDelivery *delivery = eb_deadline_get_owner (deadline, EbDelivery, deadline);
  EbWireConnection *connection = delivery->transport_data;

  if (connection->state == EB_WIRE_FAILED)
    return; /* its own answer is on its way */
  if (connection->response.status != 0)
    {
      /* It has answered; just the body dawdles. */
      connection->response.keep_alive = FALSE;
      tell_response (self, connection);
      return;
    }
  fail (
      self, connection,
      new_timeout_error (connection->state == EB_WIRE_WAITING ? "No free connection" : "No answer",
                         get_timeout (self, connection->channel)));
}

static void
connect_timeout_cb (EbDeadline *deadline, gpointer user_data)
{
  EbWireTransport *self = user_data;
  EbWireConnection *connection = eb_deadline_get_owner (deadline, EbWireConnection, connecting);

  fail (self, connection, new_timeout_error ("No connection", self->settings->connect_timeout));
}

static void
handle_event (EbWireTransport *self, EbWireConnection *connection, guint32 events)
{
  GError *error = NULL;

  if (connection->state == EB_WIRE_IDLE && (events & ~(guint32) EPOLLOUT) != 0)
    {
      drop (self, connection); /* it closed, or it speaks without being asked */
      return;
    }
  if (connection->state != EB_WIRE_CONNECTING && connection->state != EB_WIRE_BUSY)
    return;

  switch (eb_wire_connection_handle (connection, events, self->parser, self->buffer, BUFFER_SIZE,
                                     &error))
    {
    case EB_WIRE_CONNECTED:
      handle_connected (self, connection);
      break;
    case EB_WIRE_ANSWERED:
      tell_response (self, connection);
      break;
    case EB_WIRE_BROKEN:
      handle_broken (self, connection, error);
      break;
    case EB_WIRE_NOTHING:
    default:
      break;
    }
}

static void
turn_cb (const struct epoll_event *events, guint n_events, gpointer user_data)
{
  EbWireTransport *self = user_data;
  guint n_failed;

  for (guint i = 0; i < n_events; i++)
    handle_event (self, events[i].data.ptr, events[i].events);

  /* Those that fail from here on have their turn later, so that a turn ends. */
  for (n_failed = self->pool.failed.length; n_failed > 0 && self->pool.failed.length > 0;
       n_failed--)
    tell_failure (self, g_queue_peek_head (&self->pool.failed));
  admit_waiting (self);
  eb_wire_pool_free_closed (&self->pool);

  if (self->pool.failed.length > 0)
    eb_epoll_source_kick (self->source);
}

static void
eb_wire_transport_finalize (GObject *object)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (object);

  eb_wire_pool_free_closed (&self->pool);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  eb_deadlines_free (self->attempts);
  eb_deadlines_free (self->connects);
  eb_wire_parser_free (self->parser);
  g_free (self->buffer);
  g_free (self->log_id);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->resolver);
  g_object_unref (self->clock);

  G_OBJECT_CLASS (eb_wire_transport_parent_class)->finalize (object);
}

static void
eb_wire_transport_class_init (EbWireTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_wire_transport_finalize;
}

static void
eb_wire_transport_init (EbWireTransport *self)
{
  self->parser = eb_wire_parser_new ();
  self->buffer = g_malloc (BUFFER_SIZE);
}

/**
 * eb_wire_transport_new:
 * @resolver: for sinks that have a name; must not block the thread that asks it
 * @log_id: of the log whose events are delivered
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a transport for http:// sinks
 */
EbTransport *
eb_wire_transport_new (EbClock *clock,
                       GResolver *resolver,
                       const char *log_id,
                       EbDeliverySettings *settings)
{
  EbWireTransport *self = g_object_new (EB_TYPE_WIRE_TRANSPORT, NULL);
  GMainContext *context = g_main_context_get_thread_default ();

  self->clock = g_object_ref (clock);
  self->resolver = g_object_ref (resolver);
  self->log_id = g_strdup (log_id);
  self->settings = eb_delivery_settings_ref (settings);
  self->attempts = eb_deadlines_new (clock, context, attempt_timeout_cb, self);
  self->connects = eb_deadlines_new (clock, context, connect_timeout_cb, self);
  self->source = eb_epoll_source_new (turn_cb, self);
  g_source_set_static_name (self->source, "EbWireTransport");
  g_source_attach (self->source, context);

  return EB_TRANSPORT (self);
}
