/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus-fixture.h"

#include <string.h>

#include "core/eb-dbus.h"
#include "delivery/eb-dbus-transport.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-test-wait.h"

/* Far above what any test takes, so that a slow machine does not fail one. */
#define DEADLINE_S 60

/**
 * run_dbus_tests:
 *
 * Runs the tests beside a bus of their own.
 */
int
run_dbus_tests (void)
{
  g_autoptr (GTestDBus) dbus = g_test_dbus_new (G_TEST_DBUS_NONE);
  int status;

  g_test_dbus_up (dbus);
  status = g_test_run ();
  g_test_dbus_stop (dbus);
  return status;
}

static GDBusConnection *
connect_to_bus (void)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection =
      g_dbus_connection_new_for_address_sync (g_getenv ("DBUS_SESSION_BUS_ADDRESS"),
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                  | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
signal_cb (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *signal,
           GVariant *parameters,
           gpointer user_data)
{
  Client *self = user_data;
  GPtrArray *list = NULL;

  if (g_str_equal (signal, "Event"))
    list = self->events;
  else if (g_str_equal (signal, "SubscriptionEnded"))
    list = self->ended;
  else if (g_str_equal (signal, "SubscriberAdded"))
    list = self->added;
  else if (g_str_equal (signal, "SubscriberRemoved"))
    list = self->removed;
  else
    g_error ("Unexpected signal %s", signal);

  g_assert_cmpstr (path, ==, EB_DBUS_PATH);
  g_ptr_array_add (list, g_variant_ref (parameters));
}

void
client_open (Client *self)
{
  GDestroyNotify unref = (GDestroyNotify) g_variant_unref;

  self->events = g_ptr_array_new_with_free_func (unref);
  self->ended = g_ptr_array_new_with_free_func (unref);
  self->added = g_ptr_array_new_with_free_func (unref);
  self->removed = g_ptr_array_new_with_free_func (unref);
  self->connection = connect_to_bus ();
  self->signals = g_dbus_connection_signal_subscribe (
      self->connection, EB_DBUS_NAME, EB_DBUS_INTERFACE, NULL, NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
      signal_cb, self, NULL);
}

void
client_close (Client *self)
{
  if (self->connection == NULL)
    return;
  /* A signal that has come already must find nobody: the lists go next. */
  g_dbus_connection_signal_unsubscribe (self->connection, self->signals);
  g_dbus_connection_close_sync (self->connection, NULL, NULL);
  g_clear_object (&self->connection);
  client_clear (self);
  g_clear_pointer (&self->events, g_ptr_array_unref);
  g_clear_pointer (&self->ended, g_ptr_array_unref);
  g_clear_pointer (&self->added, g_ptr_array_unref);
  g_clear_pointer (&self->removed, g_ptr_array_unref);
}

void
client_clear (Client *self)
{
  g_ptr_array_set_size (self->events, 0);
  g_ptr_array_set_size (self->ended, 0);
  g_ptr_array_set_size (self->added, 0);
  g_ptr_array_set_size (self->removed, 0);
}

static void
result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

GVariant *
call_variant (Client *self, const char *method, GVariant *parameters, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_dbus_connection_call (self->connection, EB_DBUS_NAME, EB_DBUS_PATH, EB_DBUS_INTERFACE, method,
                          parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, result_cb,
                          &result);
  WAIT_FOR (result != NULL);
  return g_dbus_connection_call_finish (self->connection, result, error);
}

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *variant = g_variant_parse (NULL, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return variant;
}

/* @parameters: a tuple in GVariant's text format, as gdbus call takes it */
GVariant *
call (Client *self, const char *method, const char *parameters)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) parsed = parse (parameters);
  GVariant *reply = call_variant (self, method, parsed, &error);

  g_assert_no_error (error);
  return reply;
}

void
call_fails (
    Client *self, const char *method, const char *parameters, const char *name, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) parsed = parse (parameters);
  g_autoptr (GVariant) reply = call_variant (self, method, parsed, &error);
  g_autofree char *remote = NULL;
  g_autofree char *full_name = g_strconcat (EB_DBUS_INTERFACE ".Error.", name, NULL);

  g_test_message ("%s%s: %s", method, parameters, error != NULL ? error->message : "no error");
  g_assert_null (reply);
  remote = g_dbus_error_get_remote_error (error);
  g_assert_cmpstr (remote, ==, full_name);
  g_assert_nonnull (strstr (error->message, message));
}

char *
subscribe (Client *self, const char *parameters)
{
  g_autoptr (GVariant) reply = call (self, "Subscribe", parameters);
  char *id;

  g_variant_get (reply, "(s)", &id);
  return id;
}

guint64
publish (Client *self, const char *type, const char *text, const char *attributes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = call_variant (
      self, "PublishText",
      g_variant_new ("(ss@a{sv})", type, text,
                     g_variant_new_parsed (attributes != NULL ? attributes : "@a{sv} {}")),
      &error);
  guint64 sequence;

  g_assert_no_error (error);
  g_variant_get (reply, "(st)", NULL, &sequence);
  return sequence;
}

guint64
get_count (Client *self, const char *property)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) value = NULL;

  g_dbus_connection_call (
      self->connection, EB_DBUS_NAME, EB_DBUS_PATH, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", EB_DBUS_INTERFACE, property), G_VARIANT_TYPE ("(v)"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, result_cb, &result);
  WAIT_FOR (result != NULL);
  reply = g_dbus_connection_call_finish (self->connection, result, &error);
  g_assert_no_error (error);
  g_variant_get (reply, "(v)", &value);
  return g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32 (value)
                                                             : g_variant_get_uint64 (value);
}

/* The data of an event that was published as text. */
const char *
event_text (Client *self, guint index)
{
  g_autoptr (GVariant) data =
      g_variant_get_child_value (g_ptr_array_index (self->events, index), 4);
  gsize size;
  const char *bytes = g_variant_get_fixed_array (data, &size, 1);
  g_autofree char *text = size > 0 ? g_strndup (bytes, size) : g_strdup ("");

  return g_intern_string (text);
}

GVariant *
event_attributes (Client *self, guint index)
{
  return g_variant_get_child_value (g_ptr_array_index (self->events, index), 5);
}

static EbTransport *
create_transport (EbSinkKind kind,
                  GMainContext *context,
                  EbDeliverySettings *settings,
                  gpointer user_data)
{
  Fixture *self = user_data;

  if (kind != EB_SINK_PEER)
    return eb_fake_transport_create (kind, context, settings, self->sinks);
  return eb_dbus_transport_new (self->connection, EB_CLOCK (self->clock), settings);
}

static void
started_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (eb_bus_start_finish (EB_BUS (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

static void
start_bus (Fixture *self, EbLog *log)
{
  g_autoptr (EbLedger) ledger = eb_memory_ledger_new (log);
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  const EbBusLimits limits = { 120 * G_TIME_SPAN_SECOND, 10000, 1024 * 1024 };
  gboolean started = FALSE;

  self->workers =
      eb_worker_pool_new (2, EB_CLOCK (self->clock), log, settings, create_transport, self);
  self->bus = eb_bus_new (EB_CLOCK (self->clock), log, ledger, self->workers);
  eb_bus_configure (self->bus, &limits, policy);
  eb_bus_start_async (self->bus, started_cb, &started);
  WAIT_FOR (started);
}

static void
own_name (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new ("(su)", EB_DBUS_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
      NULL, &error);

  g_assert_no_error (error);
}

static gboolean
watchdog_cb (gpointer user_data)
{
  g_error ("What the test waits for has not come in %d seconds", DEADLINE_S);
  return G_SOURCE_REMOVE;
}

/* @log: (nullable): a function that makes the log, instead of a memory log */
void
fixture_set_up (Fixture *self, gconstpointer log)
{
  g_autoptr (GError) error = NULL;

  self->watchdog = g_timeout_source_new_seconds (DEADLINE_S);
  g_source_set_callback (self->watchdog, watchdog_cb, NULL, NULL);
  g_source_attach (self->watchdog, NULL);

  self->clock = eb_fake_clock_new ();
  self->sinks = eb_fake_sinks_new ();
  self->connection = connect_to_bus ();
  self->log =
      log != NULL ? ((EbLog * (*) (void) ) log) () : eb_memory_log_new (EB_CLOCK (self->clock));
  start_bus (self, self->log);
  self->service = eb_dbus_service_new (self->bus, self->connection);
  g_assert_true (eb_dbus_service_start (self->service, &error));
  own_name (self);
  client_open (&self->client);
  client_open (&self->other);
}

void
fixture_tear_down (Fixture *self, gconstpointer unused)
{
  client_close (&self->client);
  client_close (&self->other);
  eb_worker_pool_stop (self->workers);
  g_clear_object (&self->service);
  g_dbus_connection_close_sync (self->connection, NULL, NULL);
  /* What was under way still holds references. */
  eb_test_run ();
  g_clear_object (&self->bus);
  g_clear_object (&self->workers);
  g_clear_object (&self->log);
  g_clear_pointer (&self->sinks, eb_fake_sinks_free);
  g_clear_object (&self->connection);
  g_clear_object (&self->clock);
  g_source_destroy (self->watchdog);
  g_clear_pointer (&self->watchdog, g_source_unref);
}

void
fixture_advance (Fixture *self, GTimeSpan by)
{
  eb_fake_clock_advance (self->clock, by);
}
