/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-daemon.h"

#include <glib-unix.h>
#include <stdio.h>

#include "app/eb-bus-name.h"
#include "app/eb-descriptors.h"
#include "app/eb-service-manager.h"
#include "app/eb-storage.h"
#include "bus/eb-bus.h"
#include "core/eb-error.h"
#include "dbus/eb-dbus-service.h"
#include "delivery/eb-dbus-transport.h"
#include "delivery/eb-resolver.h"
#include "delivery/eb-soup-transport.h"
#include "delivery/eb-wire-transport.h"
#include "http/eb-http-server.h"

/* A service manager that stops us has no patience; what is not delivered by then is broken off. */
#define DRAIN_LIMIT (4 * G_TIME_SPAN_SECOND)
#define STOP_LIMIT  (4500 * G_TIME_SPAN_MILLISECOND) /* clients that do not read included */

/* The composition root: builds the object graph, starts it from the inside out, ends it from the
 * outside in. It is the only place that names the concrete classes. */
struct _EbDaemon
{
  GObject parent_instance;

  EbOptions *options;             /* (unowned) outlives us; rereads the configuration */
  EbConfiguration *configuration; /* (owned) in force */
  EbTransportChoice transport;    /* as it was at the start; workers read it */

  GMainLoop *loop; /* (owned) */
  GError *error;   /* (owned) (nullable) why it ends, if not because it was asked to */
  gboolean stopping;
  GPtrArray *sources; /* (owned) (element-type GSource) of UNIX signals, and the last timer */

  EbClock *clock;              /* (owned) */
  GResolver *resolver;         /* (owned) */
  EbStorage *storage;          /* (owned) */
  EbWorkerPool *workers;       /* (owned) */
  EbBus *bus;                  /* (owned) */
  EbHttpServer *http;          /* (owned) */
  EbBusName *name;             /* (owned) (nullable) without a bus */
  GDBusConnection *connection; /* (owned) (nullable) without a bus; workers read it */
  EbDbusService *dbus;         /* (owned) (nullable) without a bus */
};

G_DEFINE_FINAL_TYPE (EbDaemon, eb_daemon, G_TYPE_OBJECT)

/* Takes @error. */
static void
fail (EbDaemon *self, GError *error)
{
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
  g_main_loop_quit (self->loop);
}

/* Takes @source. */
static void
add_source (EbDaemon *self, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, NULL);
  g_ptr_array_add (self->sources, source);
}

/* Configuration */

static EbDeliverySettings *
create_delivery_settings (EbDaemon *self, const EbConfiguration *configuration, GError **error)
{
  g_autoptr (GPtrArray) listeners =
      self->http != NULL ? eb_http_server_dup_addresses (self->http) : NULL;
  g_autoptr (EbAddressPolicy) policy =
      eb_address_policy_new ((const char *const *) configuration->allow,
                             (const char *const *) configuration->deny, listeners, error);
  EbDeliverySettings *settings;

  if (policy == NULL)
    return NULL;
  settings = eb_delivery_settings_new (policy);
  settings->timeout = configuration->timeout;
  settings->connect_timeout = configuration->connect_timeout;
  settings->max_connections = eb_descriptors_share (configuration).sinks;
  settings->ca_file = g_strdup (configuration->ca_file);
  if (configuration->origin != NULL)
    {
      g_free (settings->origin);
      settings->origin = g_strdup (configuration->origin);
    }
  eb_delivery_settings_set_retry (settings,
                                  (const GTimeSpan *) (gpointer) configuration->retry->data,
                                  configuration->retry->len);
  return settings;
}

/* All or nothing. */
static gboolean
apply_configuration (EbDaemon *self, const EbConfiguration *configuration, GError **error)
{
  g_autoptr (EbDeliverySettings) settings = create_delivery_settings (self, configuration, error);
  const EbBusLimits limits = { configuration->lease, configuration->max_subscriptions,
                               configuration->max_event_size };
  const EbHttpLimits http_limits = { eb_descriptors_share (configuration).clients,
                                     configuration->header_timeout, configuration->body_timeout,
                                     configuration->idle_timeout };

  if (settings == NULL)
    return FALSE;
  eb_storage_configure (self->storage, configuration);
  eb_worker_pool_configure (self->workers, settings);
  eb_bus_configure (self->bus, &limits, settings->policy);
  eb_http_server_configure (self->http, &http_limits, (const char *const *) configuration->hosts,
                            (const char *const *) configuration->cors_origins);
  return TRUE;
}

static gboolean
reload_cb (gpointer user_data)
{
  EbDaemon *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbConfiguration) configuration = eb_options_load (self->options, &error);
  g_autofree char *waiting = NULL;

  if (configuration != NULL)
    waiting = eb_configuration_keep_fixed (configuration, self->configuration);
  if (configuration == NULL || !apply_configuration (self, configuration, &error))
    {
      g_warning ("The configuration stays as it was: %s", error->message);
      return G_SOURCE_CONTINUE;
    }
  g_message ("Configuration reread%s%s", waiting != NULL ? "; waiting for the next start: " : "",
             waiting != NULL ? waiting : "");
  eb_configuration_free (self->configuration);
  self->configuration = g_steal_pointer (&configuration);
  return G_SOURCE_CONTINUE;
}

/* Building */

/* In a worker's thread, at any time: reads only what does not change once it is set, before the
 * first subscription. */
static EbTransport *
create_transport (EbSinkKind kind,
                  GMainContext *context,
                  EbDeliverySettings *settings,
                  gpointer user_data)
{
  EbDaemon *self = user_data;
  EbExtent extent;

  eb_log_get_extent (eb_storage_get_log (self->storage), &extent);
  if (kind == EB_SINK_PEER)
    return eb_dbus_transport_new (self->connection, self->clock, settings);
  if (kind == EB_SINK_HTTP && self->transport == EB_TRANSPORT_AUTO)
    return eb_wire_transport_new (self->clock, self->resolver, extent.log_id, settings);
  return eb_soup_transport_new (self->clock, extent.log_id, settings);
}

static void
fenced_cb (EbBus *bus, const char *reason, EbDaemon *self)
{
  fail (self, g_error_new (EB_ERROR, EB_ERROR_FENCED, "%s; only one may have it", reason));
}

static gboolean
build (EbDaemon *self, GError **error)
{
  g_autoptr (EbDeliverySettings) settings = NULL;
  EbLog *log;

  self->transport = self->configuration->transport;
  self->clock = eb_system_clock_new ();
  self->resolver = eb_resolver_new (self->clock, NULL, NULL);
  g_resolver_set_default (self->resolver); /* so that libsoup's sinks are looked up by it too */
  settings = create_delivery_settings (self, self->configuration, error);
  if (settings == NULL)
    return FALSE;
  self->storage = eb_storage_new (self->clock, self->configuration->store_path, error);
  if (self->storage == NULL)
    return FALSE;
  log = eb_storage_get_log (self->storage);
  self->workers = eb_worker_pool_new (self->configuration->workers, self->clock, log, settings,
                                      create_transport, self);
  self->bus = eb_bus_new (self->clock, log, eb_storage_get_ledger (self->storage), self->workers);
  g_signal_connect (self->bus, "fenced", G_CALLBACK (fenced_cb), self);
  self->http = eb_http_server_new (self->bus, self->clock, error);
  return self->http != NULL && apply_configuration (self, self->configuration, error);
}

/* Starting: the bus, then HTTP, then D-Bus, then the word. */

static void
announce (EbDaemon *self)
{
  g_auto (GStrv) uris = eb_http_server_dup_uris (self->http);
  g_autofree char *where = g_strjoinv (" ", uris);
  g_autofree char *line = g_strdup_printf ("eventbusd " PACKAGE_VERSION " ready: %s",
                                           *where != '\0' ? where : "D-Bus only");
  g_autofree char *state = g_strdup_printf ("READY=1\nSTATUS=Serving %s", where);

  g_print ("%s\n", line);
  fflush (stdout);
  eb_service_manager_notify (state);
}

static void
lost_cb (EbBusName *name, const char *reason, EbDaemon *self)
{
  if (!self->stopping)
    fail (self, g_error_new_literal (EB_ERROR, EB_ERROR_CLOSED, reason));
}

static void
owned_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbDaemon) self = user_data;
  GError *error = NULL;

  if (!eb_bus_name_own_finish (EB_BUS_NAME (source), result, &error))
    fail (self, error);
  else if (!self->stopping)
    announce (self);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbDaemon) self = user_data;
  GError *error = NULL;

  self->connection = eb_bus_name_connect_finish (EB_BUS_NAME (source), result, &error);
  if (self->stopping)
    {
      g_clear_error (&error);
      return;
    }
  if (self->connection != NULL)
    self->dbus = eb_dbus_service_new (self->bus, self->connection);
  if (self->dbus == NULL || !eb_dbus_service_start (self->dbus, &error))
    {
      fail (self, error);
      return;
    }
  g_signal_connect (self->name, "lost", G_CALLBACK (lost_cb), self);
  eb_bus_name_own_async (self->name, owned_cb, g_object_ref (self));
}

static gboolean
listen_on_passed (EbDaemon *self, GArray *fds, GError **error)
{
  for (guint i = 0; i < fds->len; i++)
    if (!eb_http_server_listen_fd (self->http, g_array_index (fds, int, i), error))
      return FALSE;
  return TRUE;
}

/* Sockets that the service manager opened take the place of those that are configured. */
static gboolean
listen_on_all (EbDaemon *self, GError **error)
{
  g_autoptr (GArray) fds = eb_service_manager_take_sockets ();

  if (fds->len > 0)
    return listen_on_passed (self, fds, error);
  for (char **spec = self->configuration->listen; *spec != NULL; spec++)
    if (!eb_http_server_listen (self->http, *spec, error))
      return FALSE;
  return TRUE;
}

static void
started_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbDaemon) self = user_data;
  GError *error = NULL;

  /* Applied again, because the listeners are no sinks, and are known only now. */
  if (!eb_bus_start_finish (EB_BUS (source), result, &error)
      || (!self->stopping && !listen_on_all (self, &error))
      || !apply_configuration (self, self->configuration, &error))
    {
      fail (self, error);
      return;
    }
  if (self->stopping)
    return;
  if (!eb_bus_name_is_wanted (self->configuration->bus))
    {
      announce (self);
      return;
    }
  self->name = eb_bus_name_new (self->configuration->bus);
  eb_bus_name_connect_async (self->name, connected_cb, g_object_ref (self));
}

/* Stopping: take nothing new, answer what was taken, deliver, end. */

static void
drained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbDaemon) self = user_data;

  eb_bus_drain_finish (EB_BUS (source), result);
  g_main_loop_quit (self->loop);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbDaemon) self = user_data;

  eb_http_server_drain_finish (EB_HTTP_SERVER (source), result);
  eb_bus_drain_async (self->bus,
                      eb_storage_is_durable (self->storage) ? EB_DRAIN_LEAVE : EB_DRAIN_DELIVER,
                      DRAIN_LIMIT, drained_cb, g_object_ref (self));
}

static gboolean
give_up_cb (gpointer user_data)
{
  EbDaemon *self = user_data;

  g_message ("Some clients or deliveries were still under way when the daemon ended");
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
drain (EbDaemon *self)
{
  eb_service_manager_notify ("STOPPING=1\nSTATUS=Delivering what is left");
  if (self->dbus != NULL)
    eb_dbus_service_stop (self->dbus);
  add_source (self, g_timeout_source_new (STOP_LIMIT / G_TIME_SPAN_MILLISECOND), give_up_cb);
  eb_http_server_drain_async (self->http, answered_cb, g_object_ref (self));
}

static gboolean
stop_cb (gpointer user_data)
{
  EbDaemon *self = user_data;

  if (self->stopping)
    {
      g_main_loop_quit (self->loop); /* asked twice: at once */
      return G_SOURCE_CONTINUE;
    }
  self->stopping = TRUE;
  drain (self);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_daemon_run:
 *
 * Runs until SIGTERM or SIGINT, rereading the configuration on SIGHUP.
 *
 * Returns: FALSE if it could not start, or could not go on
 */
gboolean
eb_daemon_run (EbDaemon *self, GError **error)
{
  eb_descriptors_raise_limit ();
  if (!build (self, error))
    return FALSE;
  add_source (self, g_unix_signal_source_new (SIGTERM), stop_cb);
  add_source (self, g_unix_signal_source_new (SIGINT), stop_cb);
  add_source (self, g_unix_signal_source_new (SIGHUP), reload_cb);
  eb_bus_start_async (self->bus, started_cb, g_object_ref (self));
  if (self->error == NULL)
    g_main_loop_run (self->loop);
  eb_worker_pool_stop (self->workers);
  eb_storage_close (self->storage);

  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

static void
signal_source_free (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
eb_daemon_finalize (GObject *object)
{
  EbDaemon *self = EB_DAEMON (object);

  g_ptr_array_unref (self->sources);
  g_clear_object (&self->dbus);
  if (self->name != NULL)
    g_signal_handlers_disconnect_by_data (self->name, self);
  g_clear_object (&self->name);
  g_clear_object (&self->http);
  if (self->bus != NULL)
    g_signal_handlers_disconnect_by_data (self->bus, self);
  g_clear_object (&self->bus);
  g_clear_object (&self->workers);
  g_clear_pointer (&self->storage, eb_storage_free);
  g_clear_object (&self->resolver);
  g_clear_object (&self->connection);
  g_clear_object (&self->clock);
  g_clear_error (&self->error);
  g_main_loop_unref (self->loop);
  eb_configuration_free (self->configuration);

  G_OBJECT_CLASS (eb_daemon_parent_class)->finalize (object);
}

static void
eb_daemon_class_init (EbDaemonClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_daemon_finalize;
}

static void
eb_daemon_init (EbDaemon *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->sources = g_ptr_array_new_with_free_func (signal_source_free);
}

/**
 * eb_daemon_new:
 * @options: outlives the daemon
 * @configuration: (transfer full): what @options loaded
 *
 * Returns: (transfer full): a daemon for eb_daemon_run()
 */
EbDaemon *
eb_daemon_new (EbOptions *options, EbConfiguration *configuration)
{
  EbDaemon *self = g_object_new (EB_TYPE_DAEMON, NULL);

  self->options = options;
  self->configuration = configuration;
  return self;
}
