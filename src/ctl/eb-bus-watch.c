/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-bus-watch.h"

/* Notices at once when the bus goes: holds a connection to it on which nothing is said, and waits
 * for its end. A bus that stops ends it; so does one that has no patience with idle clients, which
 * nobody can tell from here. Whoever watches asks the bus then. */

struct _EbBusWatch
{
  GObject parent_instance;

  EbBusClient *client;       /* (owned) */
  GCancellable *cancellable; /* (owned) (nullable): NULL while it does not watch */
};

enum
{
  SIGNAL_ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbBusWatch, eb_bus_watch, G_TYPE_OBJECT)

/* One connection, from connecting to its end. */
typedef struct
{
  EbBusWatch *watch;         /* (owned) */
  GCancellable *cancellable; /* (owned) */
  GIOStream *connection;     /* (owned) (nullable) */
  char byte;                 /* that the bus should never send */
} Connection;

static void
connection_free (Connection *connection)
{
  g_clear_object (&connection->connection);
  g_object_unref (connection->cancellable);
  g_object_unref (connection->watch);
  g_free (connection);
}

static void
eb_bus_watch_dispose (GObject *object)
{
  EbBusWatch *self = EB_BUS_WATCH (object);

  eb_bus_watch_stop (self);
  g_clear_object (&self->client);
  G_OBJECT_CLASS (eb_bus_watch_parent_class)->dispose (object);
}

static void
eb_bus_watch_class_init (EbBusWatchClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = eb_bus_watch_dispose;

  /**
   * EbBusWatch::ended:
   *
   * The bus has ended the connection, or could not be reached. It watches no longer.
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
eb_bus_watch_init (EbBusWatch *self)
{
}

/**
 * eb_bus_watch_new:
 * @client: the bus to watch
 *
 * Makes a watch that has not started yet.
 *
 * Returns: (transfer full): the watch
 */
EbBusWatch *
eb_bus_watch_new (EbBusClient *client)
{
  EbBusWatch *self = g_object_new (EB_TYPE_BUS_WATCH, NULL);

  self->client = g_object_ref (client);
  return self;
}

static void
end (Connection *connection)
{
  g_autoptr (EbBusWatch) self = g_object_ref (connection->watch);
  gboolean was_stopped = g_cancellable_is_cancelled (connection->cancellable);

  connection_free (connection);
  if (was_stopped)
    return;
  g_clear_object (&self->cancellable);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* Whatever came, an end, an error, or a complaint: it is over. */
  g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  end (user_data);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Connection *connection = user_data;

  connection->connection = eb_bus_client_connect_finish (EB_BUS_CLIENT (source), result, NULL);
  if (connection->connection == NULL)
    end (connection);
  else
    g_input_stream_read_async (g_io_stream_get_input_stream (connection->connection),
                               &connection->byte, 1, G_PRIORITY_DEFAULT, connection->cancellable,
                               read_cb, connection);
}

/**
 * eb_bus_watch_start:
 * @self: a watch that is not on
 *
 * Watches the bus until it ends or is stopped.
 */
void
eb_bus_watch_start (EbBusWatch *self)
{
  Connection *connection = g_new0 (Connection, 1);

  g_return_if_fail (self->cancellable == NULL);

  self->cancellable = g_cancellable_new ();
  connection->watch = g_object_ref (self);
  connection->cancellable = g_object_ref (self->cancellable);
  eb_bus_client_connect_async (self->client, self->cancellable, connected_cb, connection);
}

/**
 * eb_bus_watch_stop:
 * @self: a watch
 *
 * Ends the connection, if there is one, without a signal.
 */
void
eb_bus_watch_stop (EbBusWatch *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

/**
 * eb_bus_watch_is_on:
 * @self: a watch
 *
 * Returns: whether it has been started, and neither has ended nor was stopped
 */
gboolean
eb_bus_watch_is_on (EbBusWatch *self)
{
  return self->cancellable != NULL;
}
