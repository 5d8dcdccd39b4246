/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

#define ID   "a:1"
#define SINK "http://a:1/event"

typedef EbBusFixture Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  eb_bus_fixture_set_up (fixture, data);
  g_assert_true (eb_bus_fixture_register (fixture, ID, NULL));
}

static void
publish (Fixture *fixture, guint n)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  for (guint i = 1; i <= n; i++)
    {
      EbDraft *draft = eb_draft_new (data);
      g_autofree char *id = g_strdup_printf ("event-%u", i);

      g_assert_true (eb_draft_set (draft, "id", id, NULL));
      g_ptr_array_add (drafts, draft);
    }
  eb_bus_publish_async (fixture->bus, drafts, eb_test_result_cb, &result);
  receipts = eb_bus_publish_finish (fixture->bus, eb_test_wait_for_result (&result), NULL);
  g_assert_nonnull (receipts);
}

/* As a worker would tell it, but at once in the ledger. */
static void
give_up (Fixture *fixture, guint64 from, guint64 to)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  g_autoptr (GAsyncResult) result = NULL;

  for (guint64 sequence = from; sequence <= to; sequence++)
    {
      EbChange *change = eb_change_new (EB_CHANGE_DEAD, ID, sequence);

      change->exception.attempts = 10;
      change->exception.last_status = 500;
      change->exception.reason = g_strdup ("answered 500");
      g_ptr_array_add (changes, change);
    }
  eb_ledger_apply_async (EB_LEDGER (fixture->fake), 1, changes, NULL, eb_test_result_cb, &result);
  g_assert_true (
      eb_ledger_apply_finish (EB_LEDGER (fixture->fake), eb_test_wait_for_result (&result), NULL));
}

static GPtrArray *
list (Fixture *fixture, guint64 after, guint limit, guint64 *next, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_list_dead_letters_async (fixture->bus, ID, after, limit, eb_test_result_cb, &result);
  return eb_bus_list_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&result), next,
                                          error);
}

static GPtrArray *
list_exceptions (Fixture *fixture, EbExceptionKinds kinds)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_ledger_list_exceptions_async (EB_LEDGER (fixture->fake), ID, kinds, 0, G_MAXINT, NULL,
                                   eb_test_result_cb, &result);
  return eb_ledger_list_exceptions_finish (EB_LEDGER (fixture->fake),
                                           eb_test_wait_for_result (&result), NULL);
}

static GArray *
sequences_new (const guint64 *sequences, guint n)
{
  return g_array_append_vals (g_array_new (FALSE, FALSE, sizeof (guint64)), sequences, n);
}

static gboolean
redrive (Fixture *fixture, GArray *sequences, guint64 after, EbRedriven *redriven, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_redrive_async (fixture->bus, ID, sequences, after, eb_test_result_cb, &result);
  return eb_bus_redrive_finish (fixture->bus, eb_test_wait_for_result (&result), redriven, error);
}

static gboolean
drop (Fixture *fixture, GArray *sequences, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_drop_dead_letters_async (fixture->bus, ID, sequences, eb_test_result_cb, &result);
  return eb_bus_drop_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&result), error);
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) first = NULL;
  g_autoptr (GPtrArray) rest = NULL;
  const EbDeadLetter *letter;
  guint64 next;

  publish (fixture, 5);
  give_up (fixture, 2, 4);
  first = list (fixture, 0, 2, &next, NULL);
  g_assert_cmpuint (first->len, ==, 2);
  g_assert_cmpuint (next, ==, 3);
  letter = g_ptr_array_index (first, 1);
  g_assert_cmpstr (letter->event_id, ==, "event-3");
  g_assert_cmpuint (letter->exception->sequence, ==, 3);
  g_assert_cmpuint (letter->exception->attempts, ==, 10);
  g_assert_cmpstr (letter->exception->reason, ==, "answered 500");
  rest = list (fixture, next, 2, &next, NULL);
  g_assert_cmpuint (rest->len, ==, 1);
  g_assert_cmpuint (next, ==, 0);
}

static gboolean
has_one_letter (gpointer data)
{
  g_autoptr (GPtrArray) letters = list_exceptions (data, EB_EXCEPTIONS_ALL);

  return letters->len == 1;
}

/* The log dropped the event, and with it goes the letter. */
static void
test_gone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) letters = NULL;
  guint64 next;

  publish (fixture, 3);
  give_up (fixture, 1, 3);
  eb_fake_log_keep_last (EB_FAKE_LOG (fixture->log));
  letters = list (fixture, 0, 100, &next, NULL);
  g_assert_cmpuint (letters->len, ==, 1);
  g_assert_cmpuint (((EbDeadLetter *) g_ptr_array_index (letters, 0))->exception->sequence, ==, 3);
  eb_test_wait_for (has_one_letter, fixture);
}

static void
test_redrive (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) some = sequences_new ((guint64[]){ 3, 2, 3 }, 3);
  g_autoptr (GPtrArray) exceptions = NULL;
  EbRedriven redriven;

  publish (fixture, 4);
  give_up (fixture, 1, 4);
  g_assert_true (redrive (fixture, some, 0, &redriven, NULL));
  g_assert_cmpuint (redriven.n, ==, 2);
  g_assert_cmpuint (redriven.left, ==, 2);
  exceptions = list_exceptions (fixture, EB_EXCEPTIONS_DEAD);
  g_assert_cmpuint (exceptions->len, ==, 2);
  g_clear_pointer (&exceptions, g_ptr_array_unref);
  g_assert_true (redrive (fixture, NULL, 0, &redriven, NULL));
  g_assert_cmpuint (redriven.n, ==, 2);
  g_assert_cmpuint (redriven.left, ==, 0);
}

static gboolean
has_taken_all (gpointer data)
{
  Fixture *fixture = data;

  return eb_fake_sinks_count (fixture->sinks, SINK) == 2300;
}

/* All that was sent is delivered, and the ledger knows. */
static void
wait_for_deliveries (Fixture *fixture, guint n)
{
  guint n_aside;

  while (eb_fake_sinks_count (fixture->sinks, SINK) < n)
    g_thread_yield ();
  do
    {
      g_autoptr (GAsyncResult) drained = NULL;
      g_autoptr (GPtrArray) aside = NULL;

      eb_worker_pool_drain_async (fixture->workers, 2300, eb_test_result_cb, &drained);
      eb_worker_pool_drain_finish (fixture->workers, eb_test_wait_for_result (&drained));
      aside = list_exceptions (fixture, EB_EXCEPTIONS_ASIDE);
      n_aside = aside->len;
    }
  while (n_aside > 0);
}

static void
assert_redriven (Fixture *fixture, guint64 after, guint n, guint left, guint64 last)
{
  EbRedriven redriven;

  g_assert_true (redrive (fixture, NULL, after, &redriven, NULL));
  g_assert_cmpuint (redriven.n, ==, n);
  g_assert_cmpuint (redriven.left, ==, left);
  g_assert_cmpuint (redriven.last, ==, last);
}

/* No more than may wait in memory, until those are delivered. */
static void
test_redrive_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) some = sequences_new ((guint64[]){ 2001, 2300 }, 2);
  g_autoptr (GError) error = NULL;
  EbRedriven redriven;

  publish (fixture, 2300);
  eb_test_wait_for (has_taken_all, fixture);
  give_up (fixture, 1, 2300);
  eb_fake_sinks_set (fixture->sinks, SINK, EB_FAKE_KEEP);
  assert_redriven (fixture, 0, 1000, 1000, 1000);
  assert_redriven (fixture, 1000, 0, 1000, 1000);
  g_assert_false (redrive (fixture, some, 0, &redriven, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_BUSY);

  eb_fake_sinks_release (fixture->sinks, SINK);
  wait_for_deliveries (fixture, 3300);
  g_assert_true (redrive (fixture, some, 0, &redriven, NULL));
  g_assert_cmpuint (redriven.n, ==, 2);
  g_assert_cmpuint (redriven.left, ==, 1000);
  wait_for_deliveries (fixture, 3302);
  assert_redriven (fixture, 1000, 1000, 298, 2000);
  wait_for_deliveries (fixture, 4302);
  assert_redriven (fixture, 2000, 298, 0, 2299);
}

static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) some = sequences_new ((guint64[]){ 1, 9 }, 2);
  g_autoptr (GArray) zero = sequences_new ((guint64[]){ 0 }, 1);
  g_autoptr (GPtrArray) letters = NULL;
  g_autoptr (GError) error = NULL;
  EbRedriven redriven;

  publish (fixture, 2);
  give_up (fixture, 1, 2);
  g_assert_false (redrive (fixture, some, 0, &redriven, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "9"));
  g_assert_false (drop (fixture, some, NULL));
  g_assert_false (drop (fixture, zero, NULL));
  letters = list_exceptions (fixture, EB_EXCEPTIONS_DEAD);
  g_assert_cmpuint (letters->len, ==, 2);
}

static void
test_drop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) some = sequences_new ((guint64[]){ 2 }, 1);
  g_autoptr (GPtrArray) letters = NULL;
  g_autoptr (GPtrArray) none = NULL;

  publish (fixture, 2500);
  give_up (fixture, 1, 2500);
  g_assert_true (drop (fixture, some, NULL));
  letters = list_exceptions (fixture, EB_EXCEPTIONS_DEAD);
  g_assert_cmpuint (letters->len, ==, 2499);
  g_assert_true (drop (fixture, NULL, NULL));
  none = list_exceptions (fixture, EB_EXCEPTIONS_DEAD);
  g_assert_cmpuint (none->len, ==, 0);
}

/* Two that found the same letter would deliver it twice. */
static void
test_one_at_a_time (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  EbRedriven redriven;

  publish (fixture, 1);
  give_up (fixture, 1, 1);
  eb_bus_redrive_async (fixture->bus, ID, NULL, 0, eb_test_result_cb, &first);
  assert_redriven (fixture, 0, 0, 0, 0);
  g_assert_true (
      eb_bus_redrive_finish (fixture->bus, eb_test_wait_for_result (&first), &redriven, NULL));
  g_assert_cmpuint (redriven.n, ==, 1);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) letters = NULL;
  g_autoptr (GError) error = NULL;
  EbRedriven redriven;

  publish (fixture, 1);
  give_up (fixture, 1, 1);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_NO_SPACE);
  g_assert_false (redrive (fixture, NULL, 0, &redriven, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
  letters = list_exceptions (fixture, EB_EXCEPTIONS_DEAD);
  g_assert_cmpuint (letters->len, ==, 1);
  eb_fake_ledger_accept (fixture->fake);
  g_assert_true (redrive (fixture, NULL, 0, &redriven, NULL));
}

static void
test_nobody (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) peer_result = NULL;
  g_autoptr (EbSink) sink = eb_sink_new_for_peer (":1.7");
  EbSubscriptionSpec spec = { .id = "peer", .sink = sink, .concurrency = 1, .ephemeral = TRUE };
  g_autoptr (EbSubscription) peer = eb_subscription_new (&spec, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) peer_error = NULL;
  guint64 next;

  eb_bus_list_dead_letters_async (fixture->bus, "b:1", 0, 1, eb_test_result_cb, &result);
  g_assert_null (eb_bus_list_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&result),
                                                  &next, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
  eb_bus_subscribe_async (fixture->bus, peer, EB_START_NOW, eb_test_result_cb, &peer_result);
  g_assert_true (
      eb_bus_subscribe_finish (fixture->bus, eb_test_wait_for_result (&peer_result), NULL));
  g_clear_object (&result);
  eb_bus_drop_dead_letters_async (fixture->bus, "peer", NULL, eb_test_result_cb, &result);
  g_assert_false (eb_bus_drop_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&result),
                                                   &peer_error));
  g_assert_error (peer_error, EB_ERROR, EB_ERROR_NOT_FOUND);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/dead-letters/" path, Fixture, NULL, set_up, func, eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: what retention takes away is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("list", test_list);
  ADD ("gone", test_gone);
  ADD ("redrive", test_redrive);
  ADD ("redrive-many", test_redrive_many);
  ADD ("unknown", test_unknown);
  ADD ("drop", test_drop);
  ADD ("one-at-a-time", test_one_at_a_time);
  ADD ("refused", test_refused);
  ADD ("nobody", test_nobody);

  return g_test_run ();
}
