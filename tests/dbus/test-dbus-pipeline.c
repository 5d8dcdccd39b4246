/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-dbus.h"
#include "dbus-fixture.h"
#include "store/eb-memory-log.h"

/* A caller that does not wait for one answer before it calls again. */

/* As many as a sender may have under way. */
#define MAX_CALLS 1000

/* The test bus itself lets a connection wait for 128 replies only. */
#define MAX_REPLIES 120

/* A log whose appends wait until the test lets go of them. */
#define HELD_TYPE_LOG (held_log_get_type ())
G_DECLARE_FINAL_TYPE (HeldLog, held_log, HELD, LOG, GObject)

struct _HeldLog
{
  GObject parent_instance;

  EbLog *inner; /* (owned) */
  GQueue tasks; /* (element-type GTask) (owned) appends that wait; their data are the drafts */
};

static void held_log_iface_init (EbLogInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HeldLog,
                               held_log,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LOG, held_log_iface_init))

static void
held_append_async (EbLog *log,
                   GPtrArray *drafts,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GTask *task = g_task_new (log, cancellable, callback, user_data);

  g_task_set_task_data (task, g_ptr_array_ref (drafts), (GDestroyNotify) g_ptr_array_unref);
  g_queue_push_tail (&HELD_LOG (log)->tasks, task);
}

static void
held_read_async (EbLog *log,
                 guint64 after,
                 gsize max_bytes,
                 EbLogWait wait,
                 GCancellable *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer user_data)
{
  eb_log_read_async (HELD_LOG (log)->inner, after, max_bytes, wait, cancellable, callback,
                     user_data);
}

static void
held_get_extent (EbLog *log, EbExtent *extent)
{
  eb_log_get_extent (HELD_LOG (log)->inner, extent);
}

static void
held_log_iface_init (EbLogInterface *iface)
{
  iface->append_async = held_append_async;
  iface->read_async = held_read_async;
  iface->get_extent = held_get_extent;
}

static void
held_log_finalize (GObject *object)
{
  g_clear_object (&HELD_LOG (object)->inner);

  G_OBJECT_CLASS (held_log_parent_class)->finalize (object);
}

static void
held_log_class_init (HeldLogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = held_log_finalize;
}

static void
held_log_init (HeldLog *self)
{
  g_autoptr (EbFakeClock) clock = eb_fake_clock_new ();

  self->inner = eb_memory_log_new (EB_CLOCK (clock));
}

static EbLog *
held_log_new (void)
{
  return g_object_new (HELD_TYPE_LOG, NULL);
}

static void
appended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GArray *receipts = eb_log_append_finish (EB_LOG (source), result, &error);

  g_assert_no_error (error);
  g_task_return_pointer (task, receipts, (GDestroyNotify) g_array_unref);
}

static void
held_log_release (HeldLog *self)
{
  GTask *task;

  while ((task = g_queue_pop_head (&self->tasks)) != NULL)
    eb_log_append_async (self->inner, g_task_get_task_data (task), NULL, appended_cb, task);
}

static GVariant *
make_arguments (guint number)
{
  g_autofree char *text = g_strdup_printf ("%u", number);

  return g_variant_new ("(ss@a{sv})", "t", text, g_variant_new_parsed ("@a{sv} {}"));
}

/* Publishes the numbers from 0 on, and asks for no reply. */
static void
publish_many (Client *client, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GDBusMessage) message = g_dbus_message_new_method_call (
          EB_DBUS_NAME, EB_DBUS_PATH, EB_DBUS_INTERFACE, "PublishText");

      g_dbus_message_set_flags (message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
      g_dbus_message_set_body (message, make_arguments (i));
      g_assert_true (g_dbus_connection_send_message (client->connection, message,
                                                     G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL));
    }
}

static void
test_order (Fixture *f, gconstpointer data)
{
  g_autofree char *id = subscribe (&f->other, "(@as [], @a{sv} {})");

  for (guint round = 0; round < 2; round++)
    {
      publish_many (&f->client, 500);
      WAIT_FOR (f->other.events->len == 500);
      for (guint i = 0; i < 500; i++)
        g_assert_cmpuint (g_ascii_strtoull (event_text (&f->other, i), NULL, 10), ==, i);
      client_clear (&f->other);
    }
  g_assert_cmpuint (publish (&f->client, "t", "x", NULL), ==, 1001);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_ptr_array_add (user_data, g_object_ref (result));
}

static void
test_replies (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < MAX_REPLIES; i++)
    g_dbus_connection_call (f->client.connection, EB_DBUS_NAME, EB_DBUS_PATH, EB_DBUS_INTERFACE,
                            "PublishText", make_arguments (i), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                            NULL, answered_cb, results);
  WAIT_FOR (results->len == MAX_REPLIES);
  for (guint i = 0; i < MAX_REPLIES; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) reply = g_dbus_connection_call_finish (
          f->client.connection, g_ptr_array_index (results, i), &error);
      guint64 sequence;

      g_assert_no_error (error);
      g_variant_get (reply, "(&st)", NULL, &sequence);
      g_assert_cmpuint (sequence, ==, i + 1);
    }
}

static void
test_quota (Fixture *f, gconstpointer data)
{
  HeldLog *log = HELD_LOG (f->log);

  publish_many (&f->client, MAX_CALLS);
  WAIT_FOR (log->tasks.length == MAX_CALLS);
  call_fails (&f->client, "SendText", "('x',)", "Busy", "1000 calls under way");
  g_variant_unref (call (&f->other, "ListSubscribers", "()")); /* has a quota of its own */

  held_log_release (log);
  WAIT_FOR (get_count (&f->client, "Published") == MAX_CALLS);

  /* Nothing that was answered is counted any more. */
  publish_many (&f->client, MAX_CALLS);
  WAIT_FOR (log->tasks.length == MAX_CALLS);
  call_fails (&f->client, "SendText", "('x',)", "Busy", "1000 calls under way");
  held_log_release (log);
  WAIT_FOR (get_count (&f->client, "Published") == 2 * MAX_CALLS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  g_test_add ("/dbus/pipeline/order", Fixture, NULL, fixture_set_up, test_order, fixture_tear_down);
  g_test_add ("/dbus/pipeline/replies", Fixture, NULL, fixture_set_up, test_replies,
              fixture_tear_down);
  g_test_add ("/dbus/pipeline/quota", Fixture, held_log_new, fixture_set_up, test_quota,
              fixture_tear_down);

  return run_dbus_tests ();
}
