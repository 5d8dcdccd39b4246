/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "core/eb-error.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

/* The contract of the log and of the ledger, which every implementation passes, and what is
 * particular to one. */

typedef struct
{
  EbFakeClock *clock;
  EbLog *log;
  EbLedger *ledger;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->clock = eb_fake_clock_new ();
  fixture->log = eb_memory_log_new (EB_CLOCK (fixture->clock));
  fixture->ledger = eb_memory_ledger_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->log);
  g_assert_finalize_object (fixture->ledger);
  g_object_unref (fixture->clock);
}

static EbDraft *
new_draft (const char *text)
{
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  EbDraft *draft = eb_draft_new (data);

  g_assert_true (eb_draft_complete (draft, NULL));
  return draft;
}

/* Returns: (element-type EbReceipt): one for each of @texts */
static GArray *
append_all (Fixture *fixture, const char *const *texts)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GArray *receipts;

  for (; *texts != NULL; texts++)
    g_ptr_array_add (drafts, new_draft (*texts));
  eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &result);
  g_assert_null (result); /* never from within the call */
  receipts = eb_log_append_finish (fixture->log, eb_test_wait_for_result (&result), &error);
  g_assert_no_error (error);
  return receipts;
}

static guint64
append (Fixture *fixture, const char *text)
{
  g_autoptr (GArray) receipts = append_all (fixture, (const char *const[]){ text, NULL });

  return g_array_index (receipts, EbReceipt, 0).sequence;
}

static EbPage *
read_page (Fixture *fixture, guint64 after, gsize max_bytes)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  EbPage *page;

  eb_log_read_async (fixture->log, after, max_bytes, EB_LOG_NO_WAIT, NULL, eb_test_result_cb,
                     &result);
  page = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&result), &error);
  g_assert_no_error (error);
  return page;
}

static void
assert_event (EbPage *page, guint index, guint64 sequence, const char *text)
{
  EbEvent *event = g_ptr_array_index (page->events, index);
  GBytes *data = eb_event_get_data (event);

  g_assert_cmpuint (eb_event_get_sequence (event), ==, sequence);
  g_assert_cmpmem (g_bytes_get_data (data, NULL), g_bytes_get_size (data), text, strlen (text));
}

static void
test_empty (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = read_page (fixture, 0, 1000);
  EbExtent extent;

  g_assert_cmpuint (page->events->len, ==, 0);
  g_assert_cmpuint (page->lost_up_to, ==, 0);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 1);
  g_assert_cmpuint (extent.head, ==, 0);
  g_assert_true (g_uuid_string_is_valid (extent.log_id));
}

static void
test_append (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (EbPage) page = NULL;
  EbExtent extent;

  g_assert_cmpuint (append (fixture, "one"), ==, 1);
  receipts = append_all (fixture, (const char *const[]){ "two", "three", "", NULL });
  g_assert_cmpuint (receipts->len, ==, 3);
  g_assert_cmpuint (g_array_index (receipts, EbReceipt, 2).sequence, ==, 4);
  g_assert_false (g_array_index (receipts, EbReceipt, 2).duplicate);

  page = read_page (fixture, 1, 1000000);
  g_assert_cmpuint (page->events->len, ==, 3);
  assert_event (page, 0, 2, "two");
  assert_event (page, 1, 3, "three");
  assert_event (page, 2, 4, "");
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 1);
  g_assert_cmpuint (extent.head, ==, 4);
}

static void
test_append_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) receipts = append_all (fixture, (const char *const[]){ NULL });

  g_assert_cmpuint (receipts->len, ==, 0);
  g_assert_cmpuint (append (fixture, "one"), ==, 1);
}

static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;

  for (guint i = 1; i <= 1000; i++)
    {
      g_autofree char *text = g_strdup_printf ("event %u", i);

      g_assert_cmpuint (append (fixture, text), ==, i);
    }
  page = read_page (fixture, 0, G_MAXSIZE);
  g_assert_cmpuint (page->events->len, ==, 1000);
  assert_event (page, 0, 1, "event 1");
  assert_event (page, 999, 1000, "event 1000");
}

static void
test_page_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) one = NULL;
  g_autoptr (EbPage) two = NULL;
  gsize charge;

  append (fixture, "one");
  append (fixture, "two");
  append (fixture, "six");
  one = read_page (fixture, 0, 1);
  g_assert_cmpuint (one->events->len, ==, 1); /* the first comes whatever its size */
  charge = eb_event_get_charge (g_ptr_array_index (one->events, 0));
  g_assert_cmpuint (charge, >=, 3);
  two = read_page (fixture, 0, 2 * charge);
  g_assert_cmpuint (two->events->len, ==, 2);
}

static void
test_tail (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (EbPage) page = NULL;
  g_autoptr (EbPage) same = NULL;

  append (fixture, "one");
  eb_log_read_async (fixture->log, 1, 1000, EB_LOG_WAIT, NULL, eb_test_result_cb, &first);
  eb_log_read_async (fixture->log, 1, 1000, EB_LOG_WAIT, NULL, eb_test_result_cb, &second);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_null (first);

  append (fixture, "two");
  page = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&first), NULL);
  same = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&second), NULL);
  g_assert_cmpuint (page->events->len, ==, 1);
  assert_event (page, 0, 2, "two");
  assert_event (same, 0, 2, "two");
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  eb_log_read_async (fixture->log, 0, 1000, EB_LOG_WAIT, cancellable, eb_test_result_cb, &result);
  g_cancellable_cancel (cancellable);
  g_assert_null (eb_log_read_finish (fixture->log, eb_test_wait_for_result (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (append (fixture, "one"), ==, 1);
}

static void
test_retention_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) one = NULL;
  g_autoptr (EbPage) rest = NULL;
  g_autoptr (GArray) receipts = NULL;
  EbExtent extent;

  append (fixture, "one");
  one = read_page (fixture, 0, 1);
  eb_memory_log_configure (EB_MEMORY_LOG (fixture->log),
                           3 * eb_event_get_charge (g_ptr_array_index (one->events, 0)),
                           G_TIME_SPAN_DAY);
  receipts = append_all (fixture, (const char *const[]){ "two", "six", "ten", "1st", NULL });

  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 3);
  g_assert_cmpuint (extent.head, ==, 5);
  rest = read_page (fixture, 0, 100000);
  g_assert_cmpuint (rest->lost_up_to, ==, 2);
  g_assert_cmpuint (rest->events->len, ==, 3);
  assert_event (rest, 0, 3, "six");
  assert_event (one, 0, 1, "one"); /* who holds it has it still */
}

static void
test_retention_age (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;
  EbExtent extent;

  eb_memory_log_configure (EB_MEMORY_LOG (fixture->log), G_MAXSIZE, G_TIME_SPAN_MINUTE);
  append (fixture, "one");
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_SECOND);
  append (fixture, "two");
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_SECOND);
  page = read_page (fixture, 0, 1000);
  g_assert_cmpuint (page->lost_up_to, ==, 1);
  g_assert_cmpuint (page->events->len, ==, 1);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 2);
}

static void
test_log_id (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbLog) other = eb_memory_log_new (EB_CLOCK (fixture->clock));
  EbExtent mine, others;

  eb_log_get_extent (fixture->log, &mine);
  eb_log_get_extent (other, &others);
  g_assert_cmpstr (mine.log_id, !=, others.log_id);
}

/* The ledger */

static EbSubscription *
new_subscription (const char *address)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = { .id = address, .sink = sink, .concurrency = 1 };

  return eb_subscription_new (&spec, NULL);
}

static GPtrArray *
load (Fixture *fixture, guint64 *epoch)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *entries;

  eb_ledger_load_async (fixture->ledger, NULL, eb_test_result_cb, &result);
  entries =
      eb_ledger_load_finish (fixture->ledger, eb_test_wait_for_result (&result), epoch, &error);
  g_assert_no_error (error);
  return entries;
}

static gboolean
apply (Fixture *fixture, guint64 epoch, EbChange *change, GError **error)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  g_autoptr (GAsyncResult) result = NULL;

  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (fixture->ledger, epoch, changes, NULL, eb_test_result_cb, &result);
  return eb_ledger_apply_finish (fixture->ledger, eb_test_wait_for_result (&result), error);
}

static void
put (Fixture *fixture, guint64 epoch, const char *address, guint64 start)
{
  g_autoptr (EbSubscription) subscription = new_subscription (address);

  g_assert_true (apply (fixture, epoch, eb_change_new_put (subscription, start), NULL));
}

static guint64
get_cursor (GPtrArray *entries, const char *id)
{
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      if (g_str_equal (eb_subscription_get_id (entry->subscription), id))
        return entry->cursor;
    }
  g_assert_not_reached ();
}

static void
test_subscriptions (Fixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) before = load (fixture, &epoch);
  g_autoptr (GPtrArray) between = NULL;
  g_autoptr (GPtrArray) after = NULL;

  g_assert_cmpuint (before->len, ==, 0);
  put (fixture, epoch, "a:1", 10);
  put (fixture, epoch, "b:1", 20);
  put (fixture, epoch, "a:1", 15); /* once more changes nothing */
  between = load (fixture, &epoch);
  g_assert_cmpuint (between->len, ==, 2);
  g_assert_cmpuint (get_cursor (between, "a:1"), ==, 10);

  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_REMOVE, "a:1", 0), NULL));
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_REMOVE, "a:1", 0), NULL));
  after = load (fixture, &epoch);
  g_assert_cmpuint (after->len, ==, 1);
  g_assert_cmpuint (get_cursor (after, "b:1"), ==, 20);
}

static void
test_cursors (Fixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = load (fixture, &epoch);

  put (fixture, epoch, "keeps-up:1", 10);
  put (fixture, epoch, "behind:1", 10);
  put (fixture, epoch, "late:1", 90);
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "behind:1", 12), NULL));
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_FLOOR, NULL, 80), NULL));
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "unknown:1", 1), NULL));

  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "keeps-up:1"), ==, 80);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 12);
  g_assert_cmpuint (get_cursor (entries, "late:1"), ==, 90);

  g_assert_true (
      apply (fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "behind:1", EB_CURSOR_FLOOR), NULL));
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 80);

  /* A cursor of its own may be 0: nothing has ended yet. And one that begins below the floor has
   * not passed it. */
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "behind:1", 0), NULL));
  put (fixture, epoch, "replaying:1", 30);
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 0);
  g_assert_cmpuint (get_cursor (entries, "replaying:1"), ==, 30);
}

static EbChange *
new_exception (EbChangeKind kind, guint64 sequence, guint attempts)
{
  EbChange *change = eb_change_new (kind, "a:1", sequence);

  change->exception.attempts = attempts;
  change->exception.reason = g_strdup ("answered 500");
  return change;
}

static GPtrArray *
list (Fixture *fixture,
      const char *id,
      EbExceptionKinds kinds,
      guint64 after,
      guint limit,
      GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_ledger_list_exceptions_async (fixture->ledger, id, kinds, after, limit, NULL,
                                   eb_test_result_cb, &result);
  return eb_ledger_list_exceptions_finish (fixture->ledger, eb_test_wait_for_result (&result),
                                           error);
}

static void
test_exceptions (Fixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = load (fixture, &epoch);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) next = NULL;
  g_autoptr (GPtrArray) dead = NULL;
  g_autoptr (GError) error = NULL;
  const EbException *exception;

  put (fixture, epoch, "a:1", 0);
  g_assert_true (apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 7, 1), NULL));
  g_assert_true (apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 5, 1), NULL));
  g_assert_true (apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 9, 1), NULL));
  g_assert_true (apply (fixture, epoch, new_exception (EB_CHANGE_DEAD, 7, 9), NULL));
  g_assert_true (apply (fixture, epoch, eb_change_new (EB_CHANGE_ENDED, "a:1", 9), NULL));

  all = list (fixture, "a:1", EB_EXCEPTIONS_ALL, 0, 100, &error);
  g_assert_cmpuint (all->len, ==, 2);
  exception = g_ptr_array_index (all, 0);
  g_assert_cmpuint (exception->sequence, ==, 5);
  g_assert_false (exception->dead);
  exception = g_ptr_array_index (all, 1);
  g_assert_cmpuint (exception->sequence, ==, 7);
  g_assert_true (exception->dead);
  g_assert_cmpuint (exception->attempts, ==, 9);
  g_assert_cmpstr (exception->reason, ==, "answered 500");

  next = list (fixture, "a:1", EB_EXCEPTIONS_ALL, 5, 1, &error);
  g_assert_cmpuint (next->len, ==, 1);
  dead = list (fixture, "a:1", EB_EXCEPTIONS_DEAD, 0, 1, &error);
  g_assert_cmpuint (dead->len, ==, 1);
  exception = g_ptr_array_index (dead, 0);
  g_assert_cmpuint (exception->sequence, ==, 7);
  g_assert_null (list (fixture, "unknown:1", EB_EXCEPTIONS_ALL, 0, 1, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
}

/* Of two daemons on one ledger, the later one writes. */
static void
test_fencing (Fixture *fixture, gconstpointer data)
{
  guint64 first, second;
  g_autoptr (GPtrArray) before = load (fixture, &first);
  g_autoptr (GPtrArray) then = load (fixture, &second);
  g_autoptr (GPtrArray) after = NULL;
  g_autoptr (EbSubscription) subscription = new_subscription ("a:1");
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (second, >, first);
  g_assert_false (apply (fixture, first, eb_change_new_put (subscription, 0), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_FENCED);
  after = load (fixture, &second);
  g_assert_cmpuint (after->len, ==, 0);
}

#define ADD(path, func) g_test_add ("/store/memory/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("log/empty", test_empty);
  ADD ("log/append", test_append);
  ADD ("log/append-nothing", test_append_nothing);
  ADD ("log/many", test_many);
  ADD ("log/page-size", test_page_size);
  ADD ("log/tail", test_tail);
  ADD ("log/cancel", test_cancel);
  ADD ("log/retention-size", test_retention_size);
  ADD ("log/retention-age", test_retention_age);
  ADD ("log/id", test_log_id);
  ADD ("ledger/subscriptions", test_subscriptions);
  ADD ("ledger/cursors", test_cursors);
  ADD ("ledger/exceptions", test_exceptions);
  ADD ("ledger/fencing", test_fencing);

  return g_test_run ();
}
