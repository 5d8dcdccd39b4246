/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus-fixture.h"

static guint64
get_sequence (Client *client, guint index)
{
  guint64 sequence;

  g_variant_get_child (g_ptr_array_index (client->events, index), 0, "t", &sequence);
  return sequence;
}

/* Whatever was sent before the reply to a call has arrived with it: signals and replies come in
 * order. */
static void
settle (Fixture *f, Client *client)
{
  get_count (client, "Head");
}

/* Asked of the bus itself, so that what changes it also wakes who waits for it. */
static guint
count_subscriptions (Fixture *f)
{
  EbBusStats stats;

  eb_bus_get_stats (f->bus, &stats);
  return stats.subscriptions;
}

static void
test_types (Fixture *f, gconstpointer data)
{
  g_autofree char *some = subscribe (&f->client, "(['a.*', 'b.>'], @a{sv} {})");
  g_autofree char *all = subscribe (&f->other, "(@as [], @a{sv} {})");

  publish (&f->client, "a.x", "1", NULL);
  publish (&f->client, "a.x.y", "2", NULL);
  publish (&f->client, "b.x.y", "3", NULL);
  publish (&f->client, "c", "4", NULL);
  WAIT_FOR (f->other.events->len == 4);
  WAIT_FOR (f->client.events->len >= 2);
  settle (f, &f->client);
  g_assert_cmpuint (f->client.events->len, ==, 2);
  g_assert_cmpuint (get_sequence (&f->client, 0), ==, 1);
  g_assert_cmpuint (get_sequence (&f->client, 1), ==, 3);
}

static void
publish_draft (Fixture *f, EbDraft *draft)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);

  g_ptr_array_add (drafts, draft);
  eb_bus_publish_async (f->bus, drafts, NULL, NULL);
}

/* What HTTP lets a content type be, a string of D-Bus cannot. */
static void
test_content_type (Fixture *f, gconstpointer data)
{
  g_autofree char *all = subscribe (&f->client, "(@as [], @a{sv} {})");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GVariant) attributes = NULL;
  EbDraft *draft = eb_draft_new (bytes);
  const char *content_type;

  g_assert_true (eb_draft_set_content_type (draft, "a/b;\tx=\xe9", NULL));
  publish_draft (f, draft);
  WAIT_FOR (f->client.events->len == 1);
  attributes = event_attributes (&f->client, 0);
  g_assert_true (g_variant_lookup (attributes, "datacontenttype", "&s", &content_type));
  g_assert_cmpstr (content_type, ==, "a/b;\tx=\uFFFD");
}

/* That it goes without saying in the JSON format, nobody knows here. */
static void
test_implied_content_type (Fixture *f, gconstpointer data)
{
  g_autofree char *all = subscribe (&f->client, "(@as [], @a{sv} {})");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("1", 1);
  g_autoptr (GVariant) attributes = NULL;
  EbDraft *draft = eb_draft_new (bytes);
  const char *content_type;

  draft->is_json = TRUE;
  publish_draft (f, draft);
  WAIT_FOR (f->client.events->len == 1);
  attributes = event_attributes (&f->client, 0);
  g_assert_true (g_variant_lookup (attributes, "datacontenttype", "&s", &content_type));
  g_assert_cmpstr (content_type, ==, "application/json");
}

static void
test_filters (Fixture *f, gconstpointer data)
{
  g_autofree char *eu = subscribe (
      &f->client, "(@as [], {'filters': <[{'prefix': <{'subject': 'eu/'}>}, {'not': <{'exact': "
                  "<{'subject': 'eu/fr'}>}>}]>})");

  publish (&f->client, "t", "1", "{'subject': <'eu/de'>}");
  publish (&f->client, "t", "2", "{'subject': <'eu/fr'>}");
  publish (&f->client, "t", "3", "{'subject': <'us/ny'>}");
  publish (&f->client, "t", "4", NULL);
  publish (&f->client, "t", "5", "{'subject': <'eu/it'>}");
  WAIT_FOR (f->client.events->len == 2);
  g_assert_cmpuint (get_sequence (&f->client, 0), ==, 1);
  g_assert_cmpuint (get_sequence (&f->client, 1), ==, 5);
}

static void
test_after (Fixture *f, gconstpointer data)
{
  g_autofree char *replay = NULL;

  publish (&f->client, "t", "1", NULL);
  publish (&f->client, "t", "2", NULL);
  publish (&f->client, "t", "3", NULL);
  replay = subscribe (&f->other, "(@as [], {'after': <uint64 1>})");
  WAIT_FOR (f->other.events->len == 2);
  g_assert_cmpuint (get_sequence (&f->other, 0), ==, 2);
  publish (&f->client, "t", "4", NULL);
  WAIT_FOR (f->other.events->len == 3);
  g_assert_cmpuint (get_sequence (&f->other, 2), ==, 4);
}

static void
test_bad_options (Fixture *f, gconstpointer data)
{
#define SUBSCRIBE(options) "(@as [], " options ")"
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'lease': <5>}"), "Invalid", "lease");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'after': <'x'>}"), "Invalid", "after");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'after': <-1>}"), "Invalid", "after");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'after': <uint64 7>}"), "Invalid", "after");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'filters': <'x'>}"), "Invalid", "filters");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'filters': <[{'sql': <'x'>}]>}"), "Invalid",
              "sql");
  call_fails (&f->client, "Subscribe", SUBSCRIBE ("{'filters': <[{'exact': <@a{ss} {}>}]>}"),
              "Invalid", "");
  call_fails (&f->client, "Subscribe", "(['a..b'], @a{sv} {})", "Invalid", "a..b");
  call_fails (&f->client, "Subscribe", "(['>.a'], @a{sv} {})", "Invalid", ">.a");
#undef SUBSCRIBE
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 0);
}

typedef struct
{
  gint n_answers; /* (atomic) */
  gint n_events;  /* (atomic) */
  gint n_early;   /* (atomic) events before the answer that they belong to */
} Order;

/* Runs in the connection's own thread. */
static GDBusMessage *
watch_order (GDBusConnection *connection,
             GDBusMessage *message,
             gboolean incoming,
             gpointer user_data)
{
  Order *order = user_data;

  if (!incoming || g_strcmp0 (g_dbus_message_get_sender (message), "org.freedesktop.DBus") == 0)
    return message;
  if (g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_METHOD_RETURN)
    g_atomic_int_inc (&order->n_answers);
  else if (g_strcmp0 (g_dbus_message_get_member (message), "Event") == 0)
    {
      g_atomic_int_inc (&order->n_events);
      if (g_atomic_int_get (&order->n_events) > g_atomic_int_get (&order->n_answers))
        g_atomic_int_inc (&order->n_early);
    }
  return message;
}

/* The answer comes before the first event, however soon that is. */
static void
test_answer_first (Fixture *f, gconstpointer data)
{
  Order *order = g_new0 (Order, 1); /* the connection's, whose thread may use it until it ends */

  publish (&f->client, "t", "1", NULL);
  g_dbus_connection_add_filter (f->other.connection, watch_order, order, g_free);
  for (guint i = 0; i < 50; i++)
    {
      g_free (subscribe (&f->other, "(@as [], {'after': <uint64 0>})"));
      WAIT_FOR (f->other.events->len == i + 1);
    }
  g_assert_cmpint (order->n_answers, ==, 50);
  g_assert_cmpint (order->n_early, ==, 0);
}

static void
test_unsubscribe (Fixture *f, gconstpointer data)
{
  g_autofree char *id = subscribe (&f->client, "(@as [], @a{sv} {})");
  g_autofree char *parameters = g_strdup_printf ("('%s',)", id);
  g_autoptr (GVariant) done = NULL;

  call_fails (&f->other, "Unsubscribe", parameters, "NotFound", id);
  call_fails (&f->other, "Unsubscribe", "('nobody',)", "NotFound", "nobody");
  done = call (&f->client, "Unsubscribe", parameters);
  publish (&f->other, "t", "1", NULL);
  settle (f, &f->client);
  g_assert_cmpuint (f->client.events->len, ==, 0);
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 0);
  call_fails (&f->client, "Unsubscribe", parameters, "NotFound", id);
}

static void
test_leaving (Fixture *f, gconstpointer data)
{
  g_autofree char *first = subscribe (&f->other, "(@as [], @a{sv} {})");
  g_autofree char *second = subscribe (&f->other, "(['a'], @a{sv} {})");
  g_autoptr (GVariant) registered = call (&f->other, "RegisterAndKeepAlive", "('127.0.0.1:9',)");
  g_autoptr (GVariant) list = NULL;
  g_autofree char *shown = NULL;

  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 3);
  client_close (&f->other);
  WAIT_FOR (count_subscriptions (f) == 1);
  g_assert_cmpuint (f->client.removed->len, ==, 0); /* nobody knew it as an address */
  list = call (&f->client, "ListSubscribers", "()");
  shown = g_variant_print (list, FALSE);
  g_assert_cmpstr (shown, ==, "([('127.0.0.1:9', 1700000000)],)");
}

static void
test_leaving_at_once (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      Client fleeting = { 0 };

      client_open (&fleeting);
      g_dbus_connection_call (fleeting.connection, "org.example.EventBus", "/org/example/EventBus",
                              "org.example.EventBus", "Subscribe",
                              g_variant_new_parsed ("(@as [], @a{sv} {})"), NULL,
                              G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
      g_dbus_connection_flush_sync (fleeting.connection, NULL, NULL);
      client_close (&fleeting);
    }
  settle (f, &f->client);
  WAIT_FOR (count_subscriptions (f) == 0);
}

static void
test_limit (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 100; i++)
    g_free (subscribe (&f->client, "(@as [], @a{sv} {})"));
  call_fails (&f->client, "Subscribe", "(@as [], @a{sv} {})", "Limit", "100");
  g_free (subscribe (&f->other, "(@as [], @a{sv} {})"));
}

#define ADD(path, func)                                                                            \
  g_test_add ("/dbus/subscribe/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: peers that fail are warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("types", test_types);
  ADD ("content-type", test_content_type);
  ADD ("implied-content-type", test_implied_content_type);
  ADD ("filters", test_filters);
  ADD ("after", test_after);
  ADD ("bad-options", test_bad_options);
  ADD ("answer-first", test_answer_first);
  ADD ("unsubscribe", test_unsubscribe);
  ADD ("leaving", test_leaving);
  ADD ("leaving-at-once", test_leaving_at_once);
  ADD ("limit", test_limit);

  return run_dbus_tests ();
}
