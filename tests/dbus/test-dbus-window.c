/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-dbus.h"
#include "dbus-fixture.h"

/* A peer that has stopped reading: it gets a window's worth of events, and no more. */

/* Runs in the connection's own thread. */
static GDBusMessage *
swallow_pings (GDBusConnection *connection,
               GDBusMessage *message,
               gboolean incoming,
               gpointer user_data)
{
  gint *n_seen = user_data;

  if (incoming && g_strcmp0 (g_dbus_message_get_member (message), "Ping") == 0)
    {
      g_atomic_int_inc (n_seen);
      g_main_context_wakeup (NULL);
      g_object_unref (message);
      return NULL;
    }
  return message;
}

/* Returns: (atomic) (transfer none): pings that went unanswered; the connection's, whose thread
 * counts them until it ends */
static const gint *
deafen (Client *client)
{
  gint *n_seen = g_new0 (gint, 1);

  g_dbus_connection_add_filter (client->connection, swallow_pings, n_seen, g_free);
  return n_seen;
}

static void
publish_many (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    publish (&f->client, "t", "x", NULL);
}

static void
test_flow (Fixture *f, gconstpointer data)
{
  const guint n = 5 * EB_DBUS_WINDOW + 3;
  g_autofree char *id = subscribe (&f->other, "(@as [], @a{sv} {})");

  publish_many (f, n);
  WAIT_FOR (f->other.events->len == n);
}

static void
test_deaf (Fixture *f, gconstpointer data)
{
  const gint *n_seen = deafen (&f->other);
  g_autofree char *id = subscribe (&f->other, "(@as [], @a{sv} {})");
  const char *reason;

  publish_many (f, 3 * EB_DBUS_WINDOW);
  WAIT_FOR (g_atomic_int_get (n_seen) > 0 && f->other.events->len >= EB_DBUS_WINDOW);
  get_count (&f->other, "Head");
  g_assert_cmpuint (f->other.events->len, ==, EB_DBUS_WINDOW);
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 1);

  fixture_advance (f, 15 * G_TIME_SPAN_SECOND);
  WAIT_FOR (f->other.ended->len == 1);
  g_variant_get (g_ptr_array_index (f->other.ended, 0), "(&s&s)", NULL, &reason);
  g_assert_cmpstr (reason, ==, "the peer did not answer a ping in time");
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 0);
}

/* Little waits for it: it may sleep for as long as it likes. */
static void
test_sleeping (Fixture *f, gconstpointer data)
{
  g_autofree char *id = subscribe (&f->other, "(@as [], @a{sv} {})");

  deafen (&f->other);
  publish_many (f, EB_DBUS_WINDOW - 1);
  WAIT_FOR (f->other.events->len == EB_DBUS_WINDOW - 1);
  fixture_advance (f, G_TIME_SPAN_DAY);
  get_count (&f->other, "Head");
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 1);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/dbus/window/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: peers that fail are warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("flow", test_flow);
  ADD ("deaf", test_deaf);
  ADD ("sleeping", test_sleeping);

  return run_dbus_tests ();
}
