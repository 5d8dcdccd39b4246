/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-progress-writer.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-ledger.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbFakeLedger *ledger;
  EbProgressWriter *writer;
  EbSubscription *subscription;
  guint64 epoch;
  guint n_fenced;
} Fixture;

/* What was logged. */
typedef struct
{
  guint n_warnings;
  guint n_messages;
} Told;

static GLogWriterOutput
log_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  Told *told = user_data;

  told->n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
  told->n_messages += (level & G_LOG_LEVEL_MESSAGE) != 0;
  return g_log_writer_default (level, fields, n_fields, NULL);
}

static void
fenced_cb (EbProgressWriter *writer, const char *reason, Fixture *fixture)
{
  g_assert_cmpstr (reason, !=, NULL);
  fixture->n_fenced++;
}

static void
apply (Fixture *fixture, EbChange *change)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  g_autoptr (GAsyncResult) result = NULL;

  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (EB_LEDGER (fixture->ledger), fixture->epoch, changes, NULL,
                         eb_test_result_cb, &result);
  g_assert_true (eb_ledger_apply_finish (EB_LEDGER (fixture->ledger),
                                         eb_test_wait_for_result (&result), NULL));
}

static EbLedgerEntry *
load (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) entries = NULL;

  eb_ledger_load_async (EB_LEDGER (fixture->ledger), NULL, eb_test_result_cb, &result);
  entries = eb_ledger_load_finish (EB_LEDGER (fixture->ledger), eb_test_wait_for_result (&result),
                                   &fixture->epoch, NULL);
  return entries->len > 0 ? g_ptr_array_steal_index (entries, 0) : NULL;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  EbSubscriptionSpec spec = { .id = "a:1", .sink = sink, .concurrency = 1 };
  g_autoptr (EbLog) log = NULL;
  g_autoptr (EbLedger) memory = NULL;

  fixture->clock = eb_fake_clock_new ();
  log = eb_memory_log_new (EB_CLOCK (fixture->clock));
  memory = eb_memory_ledger_new (log);
  fixture->ledger = eb_fake_ledger_new (memory);
  fixture->subscription = eb_subscription_new (&spec, NULL);
  g_assert_null (load (fixture));
  apply (fixture, eb_change_new_put (fixture->subscription, 0));
  fixture->writer = eb_progress_writer_new (EB_CLOCK (fixture->clock), EB_LEDGER (fixture->ledger));
  g_signal_connect (fixture->writer, "fenced", G_CALLBACK (fenced_cb), fixture);
  eb_progress_writer_start (fixture->writer, fixture->epoch);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->writer);
  g_assert_finalize_object (fixture->ledger);
  eb_subscription_unref (fixture->subscription);
  g_object_unref (fixture->clock);
}

static void
report (Fixture *fixture, guint64 cursor)
{
  g_autoptr (EbChange) change = eb_change_new (EB_CHANGE_CURSOR, "a:1", cursor);

  eb_progress_add (eb_progress_writer_get_progress (fixture->writer), fixture->subscription,
                   change);
  eb_progress_writer_write (fixture->writer);
}

static void
assert_cursor (Fixture *fixture, guint64 cursor)
{
  EbLedgerEntry *entry = load (fixture);

  g_assert_cmpuint (entry->cursor, ==, cursor);
  eb_ledger_entry_free (entry);
}

static void
test_writes (Fixture *fixture, gconstpointer data)
{
  report (fixture, 1);
  report (fixture, 2);
  report (fixture, 3);
  eb_test_run ();
  /* The PUT, the first, and what came while that was out. */
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->ledger), ==, 3);
  assert_cursor (fixture, 3);
}

static void
test_tries_again (Fixture *fixture, gconstpointer data)
{
  const Told *told = data;

  eb_fake_ledger_refuse (fixture->ledger, EB_ERROR_NO_SPACE);
  report (fixture, 1);
  eb_test_run ();
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->ledger), ==, 2);
  report (fixture, 2);
  eb_test_run ();
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->ledger), ==, 2);
  for (guint i = 0; i < 3; i++)
    {
      eb_fake_clock_advance (fixture->clock, SECOND);
      eb_test_run ();
    }
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->ledger), ==, 5);
  g_assert_cmpuint (told->n_warnings, ==, 1); /* for the whole outage */

  eb_fake_ledger_accept (fixture->ledger);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_test_run ();
  g_assert_cmpuint (told->n_messages, ==, 1);
  assert_cursor (fixture, 2);
}

static void
test_fenced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) flushed = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  assert_cursor (fixture, 0); /* begins a later epoch */
  report (fixture, 1);
  eb_test_run ();
  report (fixture, 2);
  eb_test_run ();
  g_assert_cmpuint (fixture->n_fenced, ==, 1);
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->ledger), ==, 2);
  eb_progress_writer_flush_async (fixture->writer, cancellable, eb_test_result_cb, &flushed);
  g_assert_true (
      eb_progress_writer_flush_finish (fixture->writer, eb_test_wait_for_result (&flushed), NULL));
}

static void
test_flush (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) flushed = NULL;
  g_autoptr (GAsyncResult) again = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  report (fixture, 1);
  report (fixture, 2);
  eb_progress_writer_flush_async (fixture->writer, cancellable, eb_test_result_cb, &flushed);
  g_assert_true (
      eb_progress_writer_flush_finish (fixture->writer, eb_test_wait_for_result (&flushed), NULL));
  g_assert_null (eb_progress_take (eb_progress_writer_get_progress (fixture->writer)));

  eb_fake_ledger_refuse (fixture->ledger, EB_ERROR_IO);
  report (fixture, 3);
  eb_progress_writer_flush_async (fixture->writer, cancellable, eb_test_result_cb, &again);
  eb_test_run ();
  g_assert_null (again);
  g_cancellable_cancel (cancellable);
  g_assert_false (
      eb_progress_writer_flush_finish (fixture->writer, eb_test_wait_for_result (&again), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_cursor (fixture, 2);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/progress-writer/" path, Fixture, &told, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  Told told = { 0 };

  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a ledger that refuses is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (log_cb, &told, NULL);

  ADD ("writes", test_writes);
  ADD ("tries-again", test_tries_again);
  ADD ("fenced", test_fenced);
  ADD ("flush", test_flush);

  return g_test_run ();
}
