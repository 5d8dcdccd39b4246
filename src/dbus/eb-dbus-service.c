/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-service.h"

#include "core/eb-dbus.h"
#include "dbus/eb-dbus-object.h"
#include "dbus/eb-dbus-subscriptions.h"

/* The D-Bus front end: the exported object, and the signals that go to everybody. Who owns the
 * connection owns its well-known name as well. Lives in the main thread. */
struct _EbDbusService
{
  GObject parent_instance;

  GDBusConnection *connection; /* (owned) */
  EbDbusObject *object;        /* (owned) */
};

G_DEFINE_FINAL_TYPE (EbDbusService, eb_dbus_service, G_TYPE_OBJECT)

static void
subscriber_added_cb (EbBus *bus, const char *label, gpointer user_data)
{
  EbDbusService *self = user_data;

  eb_dbus_event_bus_emit_subscriber_added (EB_DBUS_EVENT_BUS (self->object), label);
}

static void
subscriber_removed_cb (EbBus *bus, const char *label, const char *reason, gpointer user_data)
{
  EbDbusService *self = user_data;

  eb_dbus_event_bus_emit_subscriber_removed (EB_DBUS_EVENT_BUS (self->object), label, reason);
}

/**
 * eb_dbus_service_new:
 * @bus: what calls are passed on to
 * @connection: to the bus where it serves
 *
 * Returns: (transfer full): a service that takes no calls yet
 */
EbDbusService *
eb_dbus_service_new (EbBus *bus, GDBusConnection *connection)
{
  EbDbusService *self = g_object_new (EB_TYPE_DBUS_SERVICE, NULL);
  g_autoptr (EbDbusSubscriptions) subscriptions = eb_dbus_subscriptions_new (bus, connection);

  self->connection = g_object_ref (connection);
  self->object = eb_dbus_object_new (bus, subscriptions);
  g_signal_connect_object (bus, "subscriber-added", G_CALLBACK (subscriber_added_cb), self, 0);
  g_signal_connect_object (bus, "subscriber-removed", G_CALLBACK (subscriber_removed_cb), self, 0);
  return self;
}

/**
 * eb_dbus_service_start:
 *
 * Exports the object. Do so before owning the name, or the first call of a caller that waited for
 * the name finds nothing.
 *
 * Returns: FALSE with a #GIOErrorEnum if something else is exported there already
 */
gboolean
eb_dbus_service_start (EbDbusService *self, GError **error)
{
  return g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->object),
                                           self->connection, EB_DBUS_PATH, error);
}

/**
 * eb_dbus_service_stop:
 *
 * Takes no more calls: they are answered with an error. Those under way are finished, subscribers
 * still get their events, and the properties can be read, until the service is disposed of.
 */
void
eb_dbus_service_stop (EbDbusService *self)
{
  eb_dbus_object_close (self->object);
}

static void
eb_dbus_service_dispose (GObject *object)
{
  EbDbusService *self = EB_DBUS_SERVICE (object);

  if (self->object != NULL
      && g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self->object))
             != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->object));
  g_clear_object (&self->object);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (eb_dbus_service_parent_class)->dispose (object);
}

static void
eb_dbus_service_class_init (EbDbusServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = eb_dbus_service_dispose;
}

static void
eb_dbus_service_init (EbDbusService *self)
{
}
