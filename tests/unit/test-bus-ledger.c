/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* What the ledger gives back after a restart, is told, and refuses. */

typedef EbBusFixture Fixture;

/* As a worker that says how far @subscription got. */
static void
report (Fixture *fixture, EbSubscription *subscription, guint64 cursor)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_step_free);
  EbReport report = { .dead = 1, .lost = 2, .steps = steps };
  EbStep *step = g_new (EbStep, 1);

  step->subscription = eb_subscription_ref (subscription);
  step->change = eb_change_new (EB_CHANGE_CURSOR, eb_subscription_get_id (subscription), cursor);
  g_ptr_array_add (steps, step);
  g_signal_emit_by_name (fixture->workers, "report", &report);
}

static void
subscribe (Fixture *fixture, EbSubscription *subscription)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_subscribe_async (fixture->bus, subscription, EB_START_NOW, eb_test_result_cb, &result);
  g_assert_true (eb_bus_subscribe_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
}

static void
test_ledger (Fixture *fixture, gconstpointer data)
{
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "b:1", NULL));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 2);
}

static void
fenced_cb (EbBus *bus, const char *reason, guint *n_fenced)
{
  (*n_fenced)++;
}

/* Another daemon has begun a later epoch: nothing is acked that the ledger has not. */
static void
test_fenced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint n_fenced = 0;
  EbBusStats stats;

  g_signal_connect (fixture->bus, "fenced", G_CALLBACK (fenced_cb), &n_fenced);
  eb_bus_fixture_count_stored (fixture);
  g_assert_false (eb_bus_fixture_register (fixture, "a:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_FENCED);
  g_assert_cmpuint (n_fenced, >=, 1);
  g_signal_handlers_disconnect_by_data (fixture->bus, &n_fenced);
  eb_bus_get_stats (fixture->bus, &stats);
  g_assert_cmpuint (stats.subscriptions, ==, 0);
}

/* What follows is acked as soon as the first is, and not before. */
static void
test_twice_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;

  eb_bus_fixture_count_stored (fixture);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &first);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &second);
  g_assert_false (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&first), NULL));
  g_assert_false (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&second), NULL));
}

/* The first bus sent the first event, and the second one begins with the second. */
static gboolean
has_second (gpointer data)
{
  EbFakeSinks *sinks = ((Fixture *) data)->sinks;
  guint n = eb_fake_sinks_count (sinks, "http://a:1/event");

  return n >= 2 && eb_fake_sinks_get (sinks, "http://a:1/event", n - 1).sequence == 2;
}

/* Subscriptions go on, each with its lease in full. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create ("a:1", "a:1", NULL);

  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_KEEP);
  subscribe (fixture, subscription);
  eb_bus_fixture_publish (fixture, "t", 2);
  report (fixture, subscription, 1);
  eb_bus_fixture_run ();
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);

  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_TAKE);
  eb_bus_fixture_restart (fixture);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +a:1 ");
  eb_test_wait_for (has_second, fixture);
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  eb_bus_fixture_run ();
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +a:1 ");
}

static guint64
get_cursor (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = eb_bus_fixture_load (fixture);

  g_assert_cmpuint (entries->len, ==, 1);
  return ((EbLedgerEntry *) g_ptr_array_index (entries, 0))->cursor;
}

/* Whoever has the id by now has nothing to do with it. */
static void
test_stale_report (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) first = eb_bus_fixture_create ("a:1", "a:1", NULL);
  g_autoptr (EbSubscription) second = eb_bus_fixture_create ("a:1", "a:1", NULL);

  subscribe (fixture, first);
  g_assert_true (eb_bus_fixture_deregister (fixture, "a:1", NULL));
  subscribe (fixture, second);
  report (fixture, first, 7);
  eb_bus_fixture_run ();
  g_assert_cmpuint (get_cursor (fixture), ==, 0);
}

static void
test_counts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create ("a:1", "a:1", NULL);
  EbBusStats stats;

  subscribe (fixture, subscription);
  report (fixture, subscription, 1);
  eb_bus_get_stats (fixture->bus, &stats);
  g_assert_cmpuint (stats.dead, ==, 1);
  g_assert_cmpuint (stats.lost, ==, 2);
  g_assert_cmpuint (stats.subscriptions, ==, 1);
}

/* The daemon may go when the ledger knows what was delivered, and not before. */
static void
test_drain_writes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create ("a:1", "a:1", NULL);
  g_autoptr (GAsyncResult) result = NULL;

  subscribe (fixture, subscription);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_BUSY);
  report (fixture, subscription, 5);
  eb_bus_drain_async (fixture->bus, EB_DRAIN_DELIVER, 4 * SECOND, eb_test_result_cb, &result);
  eb_bus_fixture_run ();
  g_assert_null (result);
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
  g_assert_cmpuint (get_cursor (fixture), ==, 5);
}

static void
test_drain_ends_all_the_same (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create ("a:1", "a:1", NULL);
  g_autoptr (GAsyncResult) result = NULL;

  subscribe (fixture, subscription);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  report (fixture, subscription, 5);
  eb_bus_drain_async (fixture->bus, EB_DRAIN_DELIVER, 4 * SECOND, eb_test_result_cb, &result);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_null (result);
      eb_bus_fixture_run ();
      eb_fake_clock_advance (fixture->clock, SECOND);
    }
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
}

/* A deregistration that the ledger refused changes nothing, and may be asked for again. */
static void
test_unforgotten (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;

  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  g_assert_true (eb_bus_fixture_register (fixture, "b:1", NULL));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  g_assert_false (eb_bus_fixture_deregister (fixture, "a:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_false (eb_bus_fixture_deregister (fixture, "a:1", &again));
  g_assert_error (again, EB_ERROR, EB_ERROR_IO);
  eb_fake_ledger_accept (fixture->fake);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +b:1 ");
  eb_bus_fixture_publish (fixture, "x.y", 1);
  eb_bus_fixture_wait (fixture, "http://a:1/event", 1);
  g_assert_true (eb_bus_fixture_deregister (fixture, "a:1", NULL));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

/* Nobody asks again for what has expired. */
static void
test_expired_unforgotten (Fixture *fixture, gconstpointer data)
{
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_fake_clock_advance (fixture->clock, 120 * SECOND);
  eb_bus_fixture_run ();
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_fixture_run ();
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-ledger/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                     \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a ledger that refuses is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("ledger", test_ledger);
  ADD ("fenced", test_fenced);
  ADD ("twice-at-once", test_twice_at_once);
  ADD ("restart", test_restart);
  ADD ("stale-report", test_stale_report);
  ADD ("counts", test_counts);
  ADD ("drain-writes", test_drain_writes);
  ADD ("drain-ends-all-the-same", test_drain_ends_all_the_same);
  ADD ("unforgotten", test_unforgotten);
  ADD ("expired-unforgotten", test_expired_unforgotten);

  return g_test_run ();
}
