/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "core/eb-dbus.h"
#include "dbus-fixture.h"

static void
test_register (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) registered = call (&f->client, "RegisterAndKeepAlive", "('127.0.0.1:9',)");
  g_autoptr (GVariant) again = call (&f->client, "RegisterAndKeepAlive", "('127.0.0.1:9',)");
  g_autoptr (GVariant) list = call (&f->client, "ListSubscribers", "()");
  g_autoptr (GVariant) gone = NULL;
  g_autofree char *shown = g_variant_print (list, FALSE);

  g_assert_cmpstr (shown, ==, "([('127.0.0.1:9', 1700000000)],)");
  WAIT_FOR (f->other.added->len > 0);
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 1);

  gone = call (&f->other, "Deregister", "('127.0.0.1:9',)");
  WAIT_FOR (f->client.removed->len > 0);
  g_assert_cmpuint (f->client.added->len, ==, 1); /* renewing adds nobody */
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 0);
}

static void
test_bad_addresses (Fixture *f, gconstpointer data)
{
  call_fails (&f->client, "RegisterAndKeepAlive", "('',)", "Invalid", "");
  call_fails (&f->client, "RegisterAndKeepAlive", "('127.1:80',)", "Invalid", "127.1");
  call_fails (&f->client, "RegisterAndKeepAlive", "('a b:80',)", "Invalid", "");
  call_fails (&f->client, "RegisterAndKeepAlive", "('169.254.169.254',)", "Forbidden",
              "169.254.169.254");
  call_fails (&f->client, "Deregister", "('a b',)", "Invalid", "");
  g_assert_cmpuint (get_count (&f->client, "Subscriptions"), ==, 0);
}

static void
test_expiry (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) registered = call (&f->client, "RegisterAndKeepAlive", "('127.0.0.1:9',)");
  const char *reason;

  fixture_advance (f, 120 * G_TIME_SPAN_SECOND);
  WAIT_FOR (f->client.removed->len > 0);
  g_variant_get (g_ptr_array_index (f->client.removed, 0), "(&s&s)", NULL, &reason);
  g_assert_cmpstr (reason, ==, "expired");
}

static void
test_publish (Fixture *f, gconstpointer data)
{
  g_autofree char *subscription = subscribe (&f->other, "(@as [], @a{sv} {})");
  g_autoptr (GVariant) sent = call (&f->client, "SendMessage", "([byte 0x61, 0, 0xff],)");
  g_autoptr (GVariant) text = call (&f->client, "SendText", "('héllo',)");
  g_autoptr (GVariant) receipt =
      call (&f->client, "Publish", "('com.example.x', @ay [], {'id': <'7'>, 'source': <'/s'>})");
  g_autoptr (GVariant) attributes = NULL;
  const char *id, *type, *source, *content_type;
  guint64 sequence;

  g_variant_get (receipt, "(&st)", &id, &sequence);
  g_assert_cmpstr (id, ==, "7");
  g_assert_cmpuint (sequence, ==, 3);

  WAIT_FOR (f->other.events->len == 3);
  g_assert_cmpuint (f->client.events->len, ==, 0);
  g_variant_get (g_ptr_array_index (f->other.events, 2), "(t&s&s&s@ay@a{sv})", &sequence, &id,
                 &type, &source, NULL, NULL);
  g_assert_cmpuint (sequence, ==, 3);
  g_assert_cmpstr (id, ==, "7");
  g_assert_cmpstr (type, ==, "com.example.x");
  g_assert_cmpstr (source, ==, "/s");
  g_variant_get (g_ptr_array_index (f->other.events, 1), "(t&s&s&s@ay@a{sv})", NULL, NULL, &type,
                 &source, NULL, NULL);
  g_assert_cmpstr (type, ==, "org.example.EventBus.message");
  g_assert_cmpstr (source, ==, "/eventbus");
  g_assert_cmpstr (event_text (&f->other, 1), ==, "héllo");
  attributes = event_attributes (&f->other, 1);
  g_assert_true (g_variant_lookup (attributes, "datacontenttype", "&s", &content_type));
  g_assert_cmpstr (content_type, ==, "text/plain; charset=utf-8");
}

static void
test_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *subscription = subscribe (&f->other, "(@as [], @a{sv} {})");
  g_autoptr (GVariant) sent = call (&f->client, "SendMessage", "([byte 0x61, 0, 0xff, 0],)");
  g_autoptr (GVariant) received = NULL;
  gsize size;
  const guint8 *bytes;

  WAIT_FOR (f->other.events->len == 1);
  received = g_variant_get_child_value (g_ptr_array_index (f->other.events, 0), 4);
  bytes = g_variant_get_fixed_array (received, &size, 1);
  g_assert_cmpmem (bytes, size, "a\0\xff\0", 4);
}

static void
test_attributes (Fixture *f, gconstpointer data)
{
  g_autofree char *subscription = subscribe (&f->other, "(@as [], @a{sv} {})");
  g_autoptr (GVariant) attributes = NULL;
  g_autofree char *shown = NULL;

  publish (&f->client, "t", "x", NULL);
  publish (&f->client, "t", "x",
           "{'subject': <'s'>, 'flag': <true>, 'number': <-5>, 'large': <uint64 5>, 'bytes': "
           "<[byte 1, 2]>, 'datacontenttype': <'text/x'>, 'time': <'2020-01-01T00:00:00Z'>}");
  WAIT_FOR (f->other.events->len == 2);
  attributes = event_attributes (&f->other, 1);
  shown = g_variant_print (attributes, FALSE);
  g_assert_nonnull (strstr (shown, "'bytes': <'AQI='>"));
  g_assert_nonnull (strstr (shown, "'flag': <true>"));
  g_assert_nonnull (strstr (shown, "'number': <-5>"));
  g_assert_nonnull (strstr (shown, "'large': <5>"));
  g_assert_nonnull (strstr (shown, "'subject': <'s'>"));
  g_assert_nonnull (strstr (shown, "'time': <'2020-01-01T00:00:00Z'>"));
  g_assert_nonnull (strstr (shown, "'datacontenttype': <'text/x'>"));
  g_assert_nonnull (strstr (shown, "'previous': <uint64 1>"));
}

/* A publisher must not tell subscribers another place in the log. */
static void
test_own_attributes (Fixture *f, gconstpointer data)
{
  g_autofree char *subscription = subscribe (&f->other, "(@as [], @a{sv} {})");
  g_autoptr (GVariant) attributes = NULL;
  guint64 previous;

  publish (&f->client, "t", "x", "{'sequence': <'7'>, 'previous': <'7'>}");
  WAIT_FOR (f->other.events->len == 1);
  attributes = event_attributes (&f->other, 0);
  g_assert_false (g_variant_lookup (attributes, "sequence", "@*", NULL));
  g_assert_true (g_variant_lookup (attributes, "previous", "t", &previous));
  g_assert_cmpuint (previous, ==, 0);
}

static void
test_bad_events (Fixture *f, gconstpointer data)
{
#define PUBLISH(attributes) "('t', 'x', " attributes ")"
  call_fails (&f->client, "PublishText", "('', 'x', @a{sv} {})", "Invalid", "type");
  call_fails (&f->client, "PublishText", PUBLISH ("{'Bad': <'x'>}"), "Invalid", "Bad");
  call_fails (&f->client, "PublishText", PUBLISH ("{'type': <'x'>}"), "Invalid", "type");
  call_fails (&f->client, "PublishText", PUBLISH ("{'data': <'x'>}"), "Invalid", "data");
  call_fails (&f->client, "PublishText", PUBLISH ("{'ext': <(1, 2)>}"), "Invalid", "ext");
  call_fails (&f->client, "PublishText", PUBLISH ("{'ext': <3.5>}"), "Invalid", "ext");
  call_fails (&f->client, "PublishText", PUBLISH ("{'ext': <int64 3000000000>}"), "Invalid", "ext");
  call_fails (&f->client, "PublishText", PUBLISH ("{'time': <'noon'>}"), "Invalid", "time");
  call_fails (&f->client, "PublishText", PUBLISH ("{'specversion': <'0.3'>}"), "Invalid",
              "specversion");
  call_fails (&f->client, "PublishText", PUBLISH ("{'subject': <''>}"), "Invalid", "subject");
#undef PUBLISH
  g_assert_cmpuint (get_count (&f->client, "Published"), ==, 0);
}

static void
test_too_large (Fixture *f, gconstpointer data)
{
  g_autofree char *large = g_strnfill (1024 * 1024 + 1, 'x');
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      call_variant (&f->client, "SendText", g_variant_new ("(s)", large), &error);
  g_autofree char *name = NULL;

  g_assert_null (reply);
  name = g_dbus_error_get_remote_error (error);
  g_assert_cmpstr (name, ==, EB_DBUS_INTERFACE ".Error.TooLarge");
}

static void
test_counts (Fixture *f, gconstpointer data)
{
  publish (&f->client, "t", "one", NULL);
  publish (&f->client, "t", "two", NULL);
  g_assert_cmpuint (get_count (&f->client, "Published"), ==, 2);
  g_assert_cmpuint (get_count (&f->client, "Head"), ==, 2);
  g_assert_cmpuint (get_count (&f->client, "Failed"), ==, 0);
  g_assert_cmpuint (get_count (&f->client, "FailedAttempts"), ==, 0);
  g_assert_cmpuint (get_count (&f->client, "Lost"), ==, 0);
}

static void
test_closed (Fixture *f, gconstpointer data)
{
  eb_dbus_service_stop (f->service);
  call_fails (&f->client, "SendText", "('x',)", "Closed", "shutting down");
}

/* What gdbus introspect shows. */
static void
test_introspection (Fixture *f, gconstpointer data)
{
  g_autofree char *xml = NULL;
  g_autoptr (GDBusNodeInfo) node = NULL;
  GDBusInterfaceInfo *interface;

  g_assert_true (g_file_get_contents (g_getenv ("EVENTBUS_XML"), &xml, NULL, NULL));
  node = g_dbus_node_info_new_for_xml (xml, NULL);
  interface = g_dbus_node_info_lookup_interface (node, EB_DBUS_INTERFACE);
  for (GDBusMethodInfo **method = interface->methods; *method != NULL; method++)
    {
      g_assert_nonnull (
          g_dbus_annotation_info_lookup ((*method)->annotations, "org.freedesktop.DBus.DocString"));
      for (GDBusArgInfo **arg = (*method)->in_args; *arg != NULL; arg++)
        g_assert_nonnull ((*arg)->name);
    }
  for (GDBusPropertyInfo **property = interface->properties; *property != NULL; property++)
    g_assert_nonnull (
        g_dbus_annotation_info_lookup ((*property)->annotations, "org.freedesktop.DBus.DocString"));
}

#define ADD(path, func)                                                                            \
  g_test_add ("/dbus/calls/" path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: peers that fail are warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("register", test_register);
  ADD ("bad-addresses", test_bad_addresses);
  ADD ("expiry", test_expiry);
  ADD ("publish", test_publish);
  ADD ("bytes", test_bytes);
  ADD ("attributes", test_attributes);
  ADD ("own-attributes", test_own_attributes);
  ADD ("bad-events", test_bad_events);
  ADD ("too-large", test_too_large);
  ADD ("counts", test_counts);
  ADD ("closed", test_closed);
  ADD ("introspection", test_introspection);

  return run_dbus_tests ();
}
