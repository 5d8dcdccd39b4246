/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-connector.h"

#include "delivery/eb-wire-channel.h"

/* Connects: looks up where a sink is, asks the policy, and tries one address after the other until
 * one answers or the time is over. Part of its transport, and lives in its thread. */
struct _EbWireConnector
{
  GResolver *resolver;          /* (owned) */
  EbDeliverySettings *settings; /* (owned) (nullable) until it is configured */
  EbDeadlines *deadlines;       /* (owned) of connections that do not stand yet */
  EbWirePool *pool;             /* (unowned) its transport's */
  int epoll_fd;                 /* (unowned) that tells of what happens to sockets */
  EbWireFailFunc failed;
  gpointer user_data;
};

static void
timeout_cb (EbDeadline *deadline, gpointer user_data)
{
  EbWireConnector *self = user_data;
  EbWireConnection *connection = eb_deadline_get_owner (deadline, EbWireConnection, connecting);
  double seconds = (double) self->settings->connect_timeout / G_TIME_SPAN_SECOND;

  self->failed (
      connection,
      g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "No connection within %g s", seconds),
      self->user_data);
}

/**
 * eb_wire_connector_new:
 * @resolver: for sinks that have a name; must not block the thread that asks it
 * @pool: must outlive it
 * @epoll_fd: must outlive it
 * @failed: is told of connections that could not be made, from within the other functions too
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a connector that must be configured first
 */
EbWireConnector *
eb_wire_connector_new (EbClock *clock,
                       GResolver *resolver,
                       EbWirePool *pool,
                       int epoll_fd,
                       EbWireFailFunc failed,
                       gpointer user_data)
{
  EbWireConnector *self = g_new0 (EbWireConnector, 1);

  self->resolver = g_object_ref (resolver);
  self->deadlines =
      eb_deadlines_new (clock, g_main_context_get_thread_default (), timeout_cb, self);
  self->pool = pool;
  self->epoll_fd = epoll_fd;
  self->failed = failed;
  self->user_data = user_data;
  return self;
}

/**
 * eb_wire_connector_free:
 *
 * No connection must be on its way any more.
 */
void
eb_wire_connector_free (EbWireConnector *self)
{
  eb_deadlines_free (self->deadlines);
  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_object_unref (self->resolver);
  g_free (self);
}

/**
 * eb_wire_connector_configure:
 * @settings: for addresses that are tried from now on
 */
void
eb_wire_connector_configure (EbWireConnector *self, EbDeliverySettings *settings)
{
  eb_delivery_settings_ref (settings);
  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  self->settings = settings;
}

static gboolean
check_address (EbWireConnector *self,
               EbWireConnection *connection,
               GInetAddress *address,
               GError **error)
{
  guint16 port = eb_sink_get_port (eb_wire_channel_get_sink (connection->channel));

  if (!eb_address_policy_check (self->settings->policy, address, port, error))
    return FALSE;
  g_clear_pointer (&connection->policy, eb_address_policy_unref);
  connection->policy = eb_address_policy_ref (self->settings->policy);
  return TRUE;
}

/**
 * eb_wire_connector_allows:
 * @connection: an open one
 *
 * Returns: whether it leads to where the policy allows it, which may have changed since it was made
 */
gboolean
eb_wire_connector_allows (EbWireConnector *self, EbWireConnection *connection)
{
  g_autoptr (GInetAddress) address = NULL;

  if (connection->policy == self->settings->policy)
    return TRUE;
  address = eb_wire_connection_dup_address (connection);
  return address != NULL && check_address (self, connection, address, NULL);
}

static gboolean
try_address (EbWireConnector *self,
             EbWireConnection *connection,
             GInetAddress *address,
             GError **error)
{
  guint16 port = eb_sink_get_port (eb_wire_channel_get_sink (connection->channel));

  return check_address (self, connection, address, error)
         && eb_wire_connection_connect (connection, self->epoll_fd, address, port, error);
}

/* Tries the sink's addresses in turn; the last one's error is the one that is told. */
static void
connect_next (EbWireConnector *self, EbWireConnection *connection)
{
  eb_wire_pool_set_state (self->pool, connection, EB_WIRE_CONNECTING);
  while (connection->addresses != NULL)
    {
      g_autoptr (GInetAddress) address = connection->addresses->data;

      connection->addresses = g_list_delete_link (connection->addresses, connection->addresses);
      g_clear_error (&connection->error);
      if (try_address (self, connection, address, &connection->error))
        return;
    }
  self->failed (connection, g_steal_pointer (&connection->error), self->user_data);
}

/* Both are valid unless the lookup was cancelled. */
typedef struct
{
  EbWireConnector *connector;   /* (unowned) */
  EbWireConnection *connection; /* (unowned) */
} Lookup;

static void
resolved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Lookup *lookup = user_data;
  EbWireConnector *self = lookup->connector;
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
      self->failed (connection, error, self->user_data);
      return;
    }
  connection->addresses = addresses;
  connect_next (self, connection);
}

static void
resolve (EbWireConnector *self, EbWireConnection *connection, const char *host)
{
  Lookup *lookup = g_new (Lookup, 1);

  lookup->connector = self;
  lookup->connection = connection;
  connection->lookup = g_cancellable_new ();
  eb_wire_pool_set_state (self->pool, connection, EB_WIRE_RESOLVING);
  g_resolver_lookup_by_name_async (self->resolver, host, connection->lookup, resolved_cb, lookup);
}

/**
 * eb_wire_connector_start:
 * @connection: one that is waiting
 *
 * Connects it to its channel's sink. eb_wire_connector_stop() is to be called when it stands.
 */
void
eb_wire_connector_start (EbWireConnector *self, EbWireConnection *connection)
{
  EbSink *sink = eb_wire_channel_get_sink (connection->channel);
  GInetAddress *literal = eb_sink_dup_literal (sink);

  eb_deadlines_set (self->deadlines, &connection->connecting, self->settings->connect_timeout);
  if (literal == NULL)
    {
      resolve (self, connection, eb_sink_get_host (sink));
      return;
    }
  connection->addresses = g_list_prepend (NULL, literal);
  connect_next (self, connection);
}

/**
 * eb_wire_connector_go_on:
 * @error: (transfer full): why the address that was tried last is of no use
 *
 * Tries the next one.
 */
void
eb_wire_connector_go_on (EbWireConnector *self, EbWireConnection *connection, GError *error)
{
  g_clear_error (&connection->error);
  connection->error = error;
  connect_next (self, connection);
}

/**
 * eb_wire_connector_stop:
 *
 * It has nothing to do with @connection any more.
 */
void
eb_wire_connector_stop (EbWireConnector *self, EbWireConnection *connection)
{
  eb_deadlines_clear (self->deadlines, &connection->connecting);
}
