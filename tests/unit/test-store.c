/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-wait.h"

/* The contract of the log and of the ledger, which every implementation passes. */

static void
test_empty (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = eb_store_fixture_read (fixture, 0, 1000);
  EbExtent extent;

  g_assert_cmpuint (page->events->len, ==, 0);
  g_assert_cmpuint (page->lost_up_to, ==, 0);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 1);
  g_assert_cmpuint (extent.head, ==, 0);
  g_assert_true (g_uuid_string_is_valid (extent.log_id));
}

static void
test_append (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (EbPage) page = NULL;
  EbExtent extent;

  g_assert_cmpuint (eb_store_fixture_append (fixture, "one"), ==, 1);
  receipts =
      eb_store_fixture_append_all (fixture, (const char *const[]){ "two", "three", "", NULL });
  g_assert_cmpuint (receipts->len, ==, 3);
  g_assert_cmpuint (g_array_index (receipts, EbReceipt, 2).sequence, ==, 4);
  g_assert_false (g_array_index (receipts, EbReceipt, 2).duplicate);

  page = eb_store_fixture_read (fixture, 1, 1000000);
  g_assert_cmpuint (page->events->len, ==, 3);
  eb_store_fixture_assert_event (page, 0, 2, "two");
  eb_store_fixture_assert_event (page, 1, 3, "three");
  eb_store_fixture_assert_event (page, 2, 4, "");
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 1);
  g_assert_cmpuint (extent.head, ==, 4);
}

static void
test_append_nothing (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) receipts =
      eb_store_fixture_append_all (fixture, (const char *const[]){ NULL });

  g_assert_cmpuint (receipts->len, ==, 0);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "one"), ==, 1);
}

static void
test_many (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;

  for (guint i = 1; i <= 1000; i++)
    {
      g_autofree char *text = g_strdup_printf ("event %u", i);

      g_assert_cmpuint (eb_store_fixture_append (fixture, text), ==, i);
    }
  page = eb_store_fixture_read (fixture, 0, G_MAXSIZE);
  g_assert_cmpuint (page->events->len, ==, 1000);
  eb_store_fixture_assert_event (page, 0, 1, "event 1");
  eb_store_fixture_assert_event (page, 999, 1000, "event 1000");
}

static void
test_page_size (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) one = NULL;
  g_autoptr (EbPage) two = NULL;
  gsize charge;

  eb_store_fixture_append (fixture, "one");
  eb_store_fixture_append (fixture, "two");
  eb_store_fixture_append (fixture, "six");
  one = eb_store_fixture_read (fixture, 0, 1);
  g_assert_cmpuint (one->events->len, ==, 1); /* the first comes whatever its size */
  charge = eb_event_get_charge (g_ptr_array_index (one->events, 0));
  g_assert_cmpuint (charge, >=, 3);
  two = eb_store_fixture_read (fixture, 0, 2 * charge);
  g_assert_cmpuint (two->events->len, ==, 2);
}

static void
test_tail (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (EbPage) page = NULL;
  g_autoptr (EbPage) same = NULL;

  eb_store_fixture_append (fixture, "one");
  eb_log_read_async (fixture->log, 1, 1000, EB_LOG_WAIT, NULL, eb_test_result_cb, &first);
  eb_log_read_async (fixture->log, 1, 1000, EB_LOG_WAIT, NULL, eb_test_result_cb, &second);
  eb_test_run ();
  g_assert_null (first);

  eb_store_fixture_append (fixture, "two");
  page = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&first), NULL);
  same = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&second), NULL);
  g_assert_cmpuint (page->events->len, ==, 1);
  eb_store_fixture_assert_event (page, 0, 2, "two");
  eb_store_fixture_assert_event (same, 0, 2, "two");
}

static void
test_cancel (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  eb_log_read_async (fixture->log, 0, 1000, EB_LOG_WAIT, cancellable, eb_test_result_cb, &result);
  g_cancellable_cancel (cancellable);
  g_assert_null (eb_log_read_finish (fixture->log, eb_test_wait_for_result (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "one"), ==, 1);
}

/* The ledger */

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
test_subscriptions (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) before = eb_store_fixture_load (fixture, &epoch);
  g_autoptr (GPtrArray) between = NULL;
  g_autoptr (GPtrArray) after = NULL;

  g_assert_cmpuint (before->len, ==, 0);
  eb_store_fixture_put (fixture, epoch, "a:1", 10);
  eb_store_fixture_put (fixture, epoch, "b:1", 20);
  eb_store_fixture_put (fixture, epoch, "a:1", 15); /* once more changes nothing */
  between = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (between->len, ==, 2);
  g_assert_cmpuint (get_cursor (between, "a:1"), ==, 10);

  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_REMOVE, "a:1", 0), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_REMOVE, "a:1", 0), NULL));
  after = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (after->len, ==, 1);
  g_assert_cmpuint (get_cursor (after, "b:1"), ==, 20);
}

static void
test_cursors (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = eb_store_fixture_load (fixture, &epoch);

  eb_store_fixture_put (fixture, epoch, "keeps-up:1", 10);
  eb_store_fixture_put (fixture, epoch, "behind:1", 10);
  eb_store_fixture_put (fixture, epoch, "late:1", 90);
  g_assert_true (eb_store_fixture_apply (fixture, epoch,
                                         eb_change_new (EB_CHANGE_CURSOR, "behind:1", 12), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_FLOOR, NULL, 80), NULL));
  g_assert_true (eb_store_fixture_apply (fixture, epoch,
                                         eb_change_new (EB_CHANGE_CURSOR, "unknown:1", 1), NULL));

  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "keeps-up:1"), ==, 80);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 12);
  g_assert_cmpuint (get_cursor (entries, "late:1"), ==, 90);

  g_assert_true (eb_store_fixture_apply (
      fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "behind:1", EB_CURSOR_FLOOR), NULL));
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 80);

  /* A cursor of its own may be 0: nothing has ended yet. And one that begins below the floor has
   * not passed it. */
  g_assert_true (eb_store_fixture_apply (fixture, epoch,
                                         eb_change_new (EB_CHANGE_CURSOR, "behind:1", 0), NULL));
  eb_store_fixture_put (fixture, epoch, "replaying:1", 30);
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (get_cursor (entries, "behind:1"), ==, 0);
  g_assert_cmpuint (get_cursor (entries, "replaying:1"), ==, 30);
}

static EbChange *
new_exception (EbChangeKind kind, guint64 sequence, guint attempts)
{
  EbChange *change = eb_change_new (kind, "a:1", sequence);

  change->exception.attempts = attempts;
  change->exception.batch = sequence + 2;
  change->exception.reason = g_strdup ("answered 500");
  return change;
}

/* Of one that waits and one that is dead. */
static void
assert_known_at_start (const EbLedgerEntry *entry, guint n)
{
  const EbException *first = entry->aside->pdata[0];

  g_assert_cmpuint (entry->aside->len, ==, n);
  g_assert_false (first->dead);
  if (n == 2)
    g_assert_true (((const EbException *) entry->aside->pdata[1])->dead);
}

static void
test_exceptions (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = eb_store_fixture_load (fixture, &epoch);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) next = NULL;
  g_autoptr (GPtrArray) aside = NULL;
  g_autoptr (GPtrArray) dead = NULL;
  g_autoptr (GError) error = NULL;
  const EbException *exception;

  eb_store_fixture_put (fixture, epoch, "a:1", 0);
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 7, 1), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 5, 1), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 9, 1), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_DEAD, 7, 9), NULL));
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_ENDED, "a:1", 9), NULL));

  all = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ALL, 0, 100, &error);
  g_assert_cmpuint (all->len, ==, 2);
  exception = g_ptr_array_index (all, 0);
  g_assert_cmpuint (exception->sequence, ==, 5);
  g_assert_cmpuint (exception->batch, ==, 7);
  g_assert_false (exception->dead);
  exception = g_ptr_array_index (all, 1);
  g_assert_cmpuint (exception->sequence, ==, 7);
  g_assert_true (exception->dead);
  g_assert_cmpuint (exception->attempts, ==, 9);
  g_assert_cmpstr (exception->reason, ==, "answered 500");

  next = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ALL, 5, 1, &error);
  g_assert_cmpuint (next->len, ==, 1);
  aside = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ASIDE, 0, 100, &error);
  g_assert_cmpuint (aside->len, ==, 1);
  exception = g_ptr_array_index (aside, 0);
  g_assert_cmpuint (exception->sequence, ==, 5);
  dead = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_DEAD, 0, 1, &error);
  g_assert_cmpuint (dead->len, ==, 1);
  exception = g_ptr_array_index (dead, 0);
  g_assert_cmpuint (exception->sequence, ==, 7);
  /* The log brings what comes after the cursor again, so a start must know which of that is dead.
   */
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = eb_store_fixture_load (fixture, &epoch);
  assert_known_at_start (entries->pdata[0], 2);
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_CURSOR, "a:1", 7), NULL));
  g_ptr_array_unref (g_steal_pointer (&entries));
  entries = eb_store_fixture_load (fixture, &epoch);
  assert_known_at_start (entries->pdata[0], 1);

  g_assert_null (eb_store_fixture_list (fixture, "unknown:1", EB_EXCEPTIONS_ALL, 0, 1, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
}

/* Of two daemons on one ledger, the later one writes. */
static void
test_fencing (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 first, second;
  g_autoptr (GPtrArray) before = eb_store_fixture_load (fixture, &first);
  g_autoptr (GPtrArray) then = eb_store_fixture_load (fixture, &second);
  g_autoptr (GPtrArray) after = NULL;
  g_autoptr (EbSubscription) subscription = eb_store_fixture_new_subscription ("a:1");
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (second, >, first);
  g_assert_false (
      eb_store_fixture_apply (fixture, first, eb_change_new_put (subscription, 0), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_FENCED);
  after = eb_store_fixture_load (fixture, &second);
  g_assert_cmpuint (after->len, ==, 0);
}

static const EbStoreKind memory = EB_STORE_MEMORY, sqlite = EB_STORE_SQLITE;

#define ADD(path, func)                                                                            \
  g_test_add ("/store/memory/" path, EbStoreFixture, &memory, eb_store_fixture_set_up, func,       \
              eb_store_fixture_tear_down);                                                         \
  g_test_add ("/store/sqlite/" path, EbStoreFixture, &sqlite, eb_store_fixture_set_up, func,       \
              eb_store_fixture_tear_down)

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
  ADD ("ledger/subscriptions", test_subscriptions);
  ADD ("ledger/cursors", test_cursors);
  ADD ("ledger/exceptions", test_exceptions);
  ADD ("ledger/fencing", test_fencing);

  return g_test_run ();
}
