/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-transport.h"

#include "delivery/eb-epoll-source.h"
#include "delivery/eb-wire-channel.h"
#include "delivery/eb-wire-connector.h"

/* Deliveries to http:// sinks over sockets of our own: thousands of them behind one epoll
 * descriptor, which is one source of the worker's context. One delivery costs a sendmsg() and a
 * recv().
 *
 * This file decides who may connect and when, what is sent where, and what is told of it. The
 * connections are in an EbWirePool, an EbWireConnector connects them, and EbWireConnection does the
 * rest. Lives in its worker's thread. */

#define BUFFER_SIZE (64 * 1024) /* larger than any response that is read to its end */

struct _EbWireTransport
{
  GObject parent_instance;

  EbClock *clock;               /* (owned) */
  char *log_id;                 /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbAnswerFunc answer;
  gpointer user_data;

  GSource *source;            /* (owned) an epoll source; kicked while there is something to do */
  EbDeadlines *attempts;      /* (owned) of deliveries under way */
  EbWireConnector *connector; /* (owned) */
  EbWirePool pool;            /* all connections */
  EbWireParser *parser;       /* (owned) of all responses */
  guint8 *buffer;             /* (owned) */
};

static void eb_wire_transport_iface_init (EbTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbWireTransport,
                               eb_wire_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_TRANSPORT,
                                                      eb_wire_transport_iface_init))

static void obtain_connection (EbWireTransport *self, EbWireConnection *connection);

/* A head says who we are, so it goes by the settings. */
static void
ensure_prefix (EbWireTransport *self, EbWireConnection *connection)
{
  EbWireChannel *channel = connection->channel;
  g_autofree char *prefix = NULL;

  if (connection->settings == self->settings)
    return;
  prefix = eb_wire_head_create_prefix (channel->subscription, self->log_id, self->settings->origin);
  eb_wire_head_set_prefix (&connection->head, prefix);
  g_clear_pointer (&connection->settings, eb_delivery_settings_unref);
  connection->settings = eb_delivery_settings_ref (self->settings);
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
  EbWireChannel *channel = connection->channel;

  eb_wire_connector_stop (self->connector, connection);
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
  eb_wire_connector_stop (self->connector, connection);
  eb_wire_connection_close (connection);
  connection->error = error;
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_FAILED);
  eb_epoll_source_kick (self->source);
}

static void
connect_failed_cb (EbWireConnection *connection, GError *error, gpointer user_data)
{
  fail (user_data, connection, error);
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
    eb_wire_connector_go_on (self->connector, connection, error);
  else if (connection->delivery != NULL && eb_wire_connection_was_ignored (connection))
    {
      g_error_free (error);
      start_over (self, connection);
    }
  else
    fail (self, connection, error);
}

/* A sink may share the machine with us, and be woken by what it gets. If its requests follow each
 * other faster than it takes them, it is woken once for many of them, and else for each, which
 * costs both of us more than the request. So a turn's answers are read first, and what follows is
 * written; then all of it is sent. */
static void
make_ready (EbWireTransport *self, EbWireConnection *connection)
{
  EbWireChannel *channel = connection->channel;
  EbMode mode = eb_subscription_get_options (channel->subscription)->mode;

  ensure_prefix (self, connection);
  eb_wire_connection_prepare (connection, eb_delivery_get_content (connection->delivery, mode),
                              channel->signer, eb_clock_get_real (self->clock));
  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_READY);
  if (g_main_current_source () != self->source)
    eb_epoll_source_kick (self->source);
}

static void
begin (EbWireTransport *self, EbWireConnection *connection)
{
  GError *error = NULL;

  eb_wire_pool_set_state (&self->pool, connection, EB_WIRE_BUSY);
  if (!eb_wire_connection_send (connection, &error))
    handle_broken (self, connection, error);
}

static void
handle_connected (EbWireTransport *self, EbWireConnection *connection)
{
  eb_wire_connector_stop (self->connector, connection);
  g_clear_list (&connection->addresses, g_object_unref);
  g_clear_error (&connection->error); /* of the addresses before */
  make_ready (self, connection);
}

/* Opens @connection, which is WAITING, if there is room for one more. */
static void
obtain_connection (EbWireTransport *self, EbWireConnection *connection)
{
  if (!has_room (self))
    return;
  if (self->pool.n_open >= self->settings->max_connections)
    drop (self, g_queue_peek_head (&self->pool.idle));
  eb_wire_connector_start (self->connector, connection);
}

static GTimeSpan
get_timeout (EbWireTransport *self, const EbWireChannel *channel)
{
  return eb_delivery_settings_get_timeout (self->settings,
                                           eb_subscription_get_options (channel->subscription));
}

/* Returns: (transfer none) (nullable): an open connection for one more request */
static EbWireConnection *
find_idle (EbWireTransport *self, EbWireChannel *channel)
{
  EbWireConnection *connection;

  while ((connection = eb_wire_channel_find_idle (channel)) != NULL
         && !eb_wire_connector_allows (self->connector, connection))
    drop (self, connection);
  return connection;
}

static void
wire_send (EbTransport *transport, EbChannel *opaque, EbDelivery *delivery)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);
  EbWireChannel *channel = (EbWireChannel *) opaque;
  EbWireConnection *connection = find_idle (self, channel);

  eb_deadlines_set (self->attempts, &delivery->deadline, get_timeout (self, channel));
  if (connection != NULL)
    {
      connection->delivery = delivery;
      delivery->transport_data = connection;
      make_ready (self, connection);
      return;
    }

  connection = eb_wire_connection_new ();
  connection->channel = channel;
  connection->delivery = delivery;
  delivery->transport_data = connection;
  g_queue_push_tail_link (&channel->connections, &connection->channel_link);
  eb_wire_pool_add (&self->pool, connection);
  admit_waiting (self); /* who may be others than this one */
}

static EbChannel *
wire_open (EbTransport *transport, EbSubscription *subscription)
{
  return (EbChannel *) eb_wire_channel_new (subscription);
}

static void
wire_close (EbTransport *transport, EbChannel *opaque)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);
  EbWireChannel *channel = (EbWireChannel *) opaque;
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
  eb_wire_channel_free (channel);
}

static void
wire_configure (EbTransport *transport, EbDeliverySettings *settings)
{
  EbWireTransport *self = EB_WIRE_TRANSPORT (transport);

  eb_delivery_settings_unref (self->settings);
  self->settings = eb_delivery_settings_ref (settings);
  eb_wire_connector_configure (self->connector, settings);
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

static void
attempt_timeout_cb (EbDeadline *deadline, gpointer user_data)
{
  EbWireTransport *self = user_data;
  EbDelivery *delivery = eb_deadline_get_owner (deadline, EbDelivery, deadline);
  EbWireConnection *connection = delivery->transport_data;
  const char *what;

  if (connection->state == EB_WIRE_FAILED)
    return; /* its own answer is on its way */
  if (connection->response.status != 0)
    {
      /* It has answered; just the body dawdles. */
      connection->response.keep_alive = FALSE;
      tell_response (self, connection);
      return;
    }
  what = connection->state == EB_WIRE_WAITING ? "No free connection" : "No answer";
  fail (self, connection,
        g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s within %g s", what,
                     (double) get_timeout (self, connection->channel) / G_TIME_SPAN_SECOND));
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
  if (connection->state == EB_WIRE_READY && (events & ~(guint32) EPOLLOUT) != 0)
    {
      start_over (self, connection); /* likewise */
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
  while (self->pool.ready.length > 0)
    begin (self, g_queue_peek_head (&self->pool.ready));
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
  eb_wire_connector_free (self->connector);
  eb_wire_parser_free (self->parser);
  g_free (self->buffer);
  g_free (self->log_id);
  eb_delivery_settings_unref (self->settings);
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
  self->log_id = g_strdup (log_id);
  self->settings = eb_delivery_settings_ref (settings);
  self->attempts = eb_deadlines_new (clock, context, attempt_timeout_cb, self);
  self->source = eb_epoll_source_new (turn_cb, self);
  g_source_set_static_name (self->source, "EbWireTransport");
  g_source_attach (self->source, context);
  self->connector = eb_wire_connector_new (
      clock, resolver, &self->pool, eb_epoll_source_get_fd (self->source), connect_failed_cb, self);
  eb_wire_connector_configure (self->connector, settings);

  return EB_TRANSPORT (self);
}
