/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-bus-name.h"

#include "core/eb-dbus.h"
#include "core/eb-error.h"

/* The daemon's connection to a bus, and its name there. A daemon whose name was taken away cannot
 * be reached any more, so losing it is told once, as the signal "lost". */
struct _EbBusName
{
  GObject parent_instance;

  EbBusType type;
  GDBusConnection *connection; /* (owned) (nullable) */
  guint owner_id;              /* of g_bus_own_name; 0 before */
  GTask *owning;               /* (owned) (nullable) until the name is ours, or is not to be had */
};

enum
{
  LOST,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbBusName, eb_bus_name, G_TYPE_OBJECT)

/* An empty address is how a session says that it has none. */
static gboolean
has_session_bus (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  g_autofree char *socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  return address != NULL ? *address != '\0' : g_file_test (socket, G_FILE_TEST_EXISTS);
}

/**
 * eb_bus_name_is_wanted:
 *
 * Returns: whether @type means a bus, here and now
 */
gboolean
eb_bus_name_is_wanted (EbBusType type)
{
  return type == EB_BUS_TYPE_AUTO ? has_session_bus () : type != EB_BUS_TYPE_NONE;
}

static const char *
describe_bus (EbBusName *self)
{
  return self->type == EB_BUS_TYPE_SYSTEM ? "system bus" : "session bus";
}

static GBusType
get_bus_type (EbBusName *self)
{
  return self->type == EB_BUS_TYPE_SYSTEM ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION;
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBusName *self = g_task_get_source_object (task);
  GError *error = NULL;

  self->connection = g_bus_get_finish (result, &error);
  if (self->connection == NULL)
    {
      g_autofree char *address = g_dbus_address_get_for_bus_sync (get_bus_type (self), NULL, NULL);

      g_prefix_error (&error,
                      "Cannot reach the %s at %s (--bus=none does without): ", describe_bus (self),
                      address != NULL ? address : "no address");
      g_task_return_error (task, error);
      return;
    }
  /* We say why we end, and end in order. */
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  g_task_return_pointer (task, g_object_ref (self->connection), g_object_unref);
}

void
eb_bus_name_connect_async (EbBusName *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_name_connect_async);
  g_bus_get (get_bus_type (self), NULL, connected_cb, task);
}

/**
 * eb_bus_name_connect_finish:
 *
 * Returns: (transfer full): the connection
 */
GDBusConnection *
eb_bus_name_connect_finish (EbBusName *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
acquired_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  EbBusName *self = user_data;

  if (self->owning != NULL)
    g_task_return_boolean (self->owning, TRUE);
  g_clear_object (&self->owning);
}

static void
lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  EbBusName *self = user_data;

  if (self->owning == NULL)
    {
      g_autofree char *reason =
          g_strdup_printf (connection != NULL ? "Another process has taken %s over on the %s"
                                              : "The connection that owned %s was closed by the %s",
                           name, describe_bus (self));

      g_signal_emit (self, signals[LOST], 0, reason);
      return;
    }
  g_task_return_new_error (self->owning, EB_ERROR, EB_ERROR_FORBIDDEN,
                           "Cannot own the name %s on the %s: another process has it, or the "
                           "bus's policy forbids it (--bus=none does without)",
                           name, describe_bus (self));
  g_clear_object (&self->owning);
}

/**
 * eb_bus_name_own_async:
 *
 * Once connected. Done when the name is ours.
 */
void
eb_bus_name_own_async (EbBusName *self, GAsyncReadyCallback callback, gpointer user_data)
{
  self->owning = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->owning, eb_bus_name_own_async);
  self->owner_id = g_bus_own_name_on_connection (self->connection, EB_DBUS_NAME,
                                                 G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, acquired_cb,
                                                 lost_cb, self, NULL);
}

gboolean
eb_bus_name_own_finish (EbBusName *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
eb_bus_name_finalize (GObject *object)
{
  EbBusName *self = EB_BUS_NAME (object);

  g_clear_handle_id (&self->owner_id, g_bus_unown_name);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (eb_bus_name_parent_class)->finalize (object);
}

static void
eb_bus_name_class_init (EbBusNameClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_bus_name_finalize;

  /**
   * EbBusName::lost:
   * @reason: for people
   */
  signals[LOST] = g_signal_new ("lost", EB_TYPE_BUS_NAME, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
eb_bus_name_init (EbBusName *self)
{
}

/**
 * eb_bus_name_new:
 * @type: one that eb_bus_name_is_wanted() is TRUE for
 *
 * Returns: (transfer full): not connected yet
 */
EbBusName *
eb_bus_name_new (EbBusType type)
{
  EbBusName *self = g_object_new (EB_TYPE_BUS_NAME, NULL);

  self->type = type;
  return self;
}
