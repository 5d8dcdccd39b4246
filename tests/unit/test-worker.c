/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-outbox.h"
#include "support/eb-delivery-fixture.h"
#include "support/eb-test-wait.h"

/* Delivery without a network: workers, queues, lag. */

typedef EbDeliveryFixture Fixture;

static EbSubscription *
add (Fixture *fixture, const char *address, const char *const *types, guint64 after)
{
  const EbSubscriptionSpec spec = { .types = types };

  return eb_delivery_fixture_add (fixture, &spec, address, &(EbStart){ .after = after });
}

/* And no more; others may go on keeping theirs. */
static void
wait_for_arrivals (Fixture *fixture, const char *uri, guint n)
{
  eb_fake_sinks_wait (fixture->sinks, uri, n);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, uri), ==, n);
}

static void
assert_sequence (Fixture *fixture, const char *uri, guint n, guint64 first, guint64 previous)
{
  for (guint i = 0; i < n; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (fixture->sinks, uri, i);

      g_assert_cmpuint (arrival.sequence, ==, first + i);
      g_assert_cmpuint (arrival.previous, ==, i == 0 ? previous : first + i - 1);
      g_assert_cmpuint (arrival.attempt, ==, 1);
    }
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) a = add (fixture, "a:1", NULL, 0);
  g_autoptr (EbSubscription) b = add (fixture, "b:1", NULL, 0);

  eb_delivery_fixture_publish (fixture, "t", 300);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://a:1/event"), ==, 300);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://b:1/event"), ==, 300);
  assert_sequence (fixture, "http://a:1/event", 300, 1, 0);
  assert_sequence (fixture, "http://b:1/event", 300, 1, 0);
  g_assert_cmpuint (eb_fake_sinks_max_under_way (fixture->sinks, "http://a:1/event"), ==, 1);
}

static void
test_matching (Fixture *fixture, gconstpointer data)
{
  const char *const types[] = { "a.*", NULL };
  g_autoptr (EbSubscription) some = add (fixture, "some:1", types, 0);
  EbFakeArrival second;

  eb_delivery_fixture_publish (fixture, "a.b", 1);
  eb_delivery_fixture_publish (fixture, "b.a", 5);
  eb_delivery_fixture_publish (fixture, "a.c", 1);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://some:1/event"), ==, 2);
  second = eb_fake_sinks_get (fixture->sinks, "http://some:1/event", 1);
  g_assert_cmpuint (second.sequence, ==, 7);
  g_assert_cmpuint (second.previous, ==, 1);
}

static void
test_start (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) late = NULL;
  g_autoptr (EbSubscription) replaying = NULL;

  eb_delivery_fixture_publish (fixture, "t", 10);
  late = add (fixture, "late:1", NULL, 10);
  replaying = add (fixture, "replaying:1", NULL, 4);
  eb_delivery_fixture_publish (fixture, "t", 5);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://late:1/event"), ==, 5);
  assert_sequence (fixture, "http://late:1/event", 5, 11, 0);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://replaying:1/event"), ==, 11);
  assert_sequence (fixture, "http://replaying:1/event", 11, 5, 0);
}

/* A sink that takes nothing costs its queue, and nobody else waits for it. When it goes on it gets
 * everything, far more than the queue holds. */
static void
test_lagging (Fixture *fixture, gconstpointer data)
{
  const guint n = 3 * EB_QUEUE_MAX_LENGTH + 17;
  g_autoptr (EbSubscription) slow = add (fixture, "slow:1", NULL, 0);
  g_autoptr (EbSubscription) fast = add (fixture, "fast:1", NULL, 0);

  eb_fake_sinks_set (fixture->sinks, "http://slow:1/event", EB_FAKE_KEEP);
  for (guint i = 0; i < n; i += 10)
    eb_delivery_fixture_publish (fixture, "t", MIN (10, n - i));
  wait_for_arrivals (fixture, "http://fast:1/event", n);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://slow:1/event"), ==, 1);

  eb_fake_sinks_release (fixture->sinks, "http://slow:1/event");
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://slow:1/event"), ==, n);
  assert_sequence (fixture, "http://slow:1/event", n, 1, 0);

  /* And it is with the others again. */
  eb_delivery_fixture_publish (fixture, "t", 1);
  wait_for_arrivals (fixture, "http://slow:1/event", n + 1);
}

static void
test_loss (Fixture *fixture, gconstpointer data)
{
  const guint n = 2 * EB_QUEUE_MAX_LENGTH;
  g_autoptr (EbSubscription) slow = add (fixture, "slow:1", NULL, 0);
  g_autoptr (EbSubscription) fast = add (fixture, "fast:1", NULL, 0);
  EbFakeArrival arrival;
  EbExtent extent;
  guint count;

  eb_fake_sinks_set (fixture->sinks, "http://slow:1/event", EB_FAKE_KEEP);
  eb_delivery_fixture_publish (fixture, "t", 1);
  wait_for_arrivals (fixture, "http://slow:1/event", 1);
  eb_delivery_fixture_publish (fixture, "t", n - 1);
  wait_for_arrivals (fixture, "http://fast:1/event", n);
  eb_fake_log_keep_last (EB_FAKE_LOG (fixture->log));
  eb_delivery_fixture_publish (fixture, "t", 1);
  wait_for_arrivals (fixture, "http://fast:1/event", n + 1);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, n + 1);

  eb_fake_sinks_release (fixture->sinks, "http://slow:1/event");
  g_assert_true (eb_delivery_fixture_drain (fixture));

  /* What its queue had taken, at most, and what is left of the log; the gap can be seen. */
  count = eb_fake_sinks_count (fixture->sinks, "http://slow:1/event");
  g_assert_cmpuint (count, >=, 2);
  g_assert_cmpuint (count, <=, EB_QUEUE_MAX_LENGTH + 2);
  assert_sequence (fixture, "http://slow:1/event", count - 1, 1, 0);
  arrival = eb_fake_sinks_get (fixture->sinks, "http://slow:1/event", count - 1);
  g_assert_cmpuint (arrival.sequence, ==, n + 1);
  g_assert_cmpuint (arrival.previous, ==, n);
}

static void
test_failures (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) refusing = add (fixture, "refusing:1", NULL, 0);
  g_autoptr (EbSubscription) broken = add (fixture, "broken:1", NULL, 0);
  g_autoptr (EbSubscription) fine = add (fixture, "fine:1", NULL, 0);

  eb_fake_sinks_set (fixture->sinks, "http://refusing:1/event", EB_FAKE_UNREACHABLE);
  eb_fake_sinks_set (fixture->sinks, "http://broken:1/event", EB_FAKE_ANSWER_500);
  eb_delivery_fixture_publish (fixture, "t", 20);
  g_assert_true (eb_delivery_fixture_drain (fixture)); /* what must wait does not hold it up */
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://fine:1/event"), ==, 20);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://refusing:1/event"), ==, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://broken:1/event"), ==, 20);
  assert_sequence (fixture, "http://broken:1/event", 20, 1, 0);
  eb_test_run ();
  g_assert_cmpuint (fixture->report.delivered, ==, 20);
  g_assert_cmpuint (fixture->report.failed, ==, 20);
}

static void
test_remove (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) removed = add (fixture, "removed:1", NULL, 0);
  g_autoptr (GAsyncResult) result = NULL;

  eb_fake_sinks_set (fixture->sinks, "http://removed:1/event", EB_FAKE_KEEP);
  eb_delivery_fixture_publish (fixture, "t", 10);
  wait_for_arrivals (fixture, "http://removed:1/event", 1);
  eb_worker_pool_remove_async (fixture->pool, removed, eb_test_result_cb, &result);
  g_assert_true (
      eb_worker_pool_remove_finish (fixture->pool, eb_test_wait_for_result (&result), NULL));
  eb_fake_sinks_set (fixture->sinks, "http://removed:1/event", EB_FAKE_TAKE);
  eb_delivery_fixture_publish (fixture, "t", 10);
  g_assert_true (eb_delivery_fixture_drain (fixture)); /* nothing is owed to it any more */
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://removed:1/event"), ==, 1);
}

static gboolean
is_gone (gpointer data)
{
  return ((Fixture *) data)->gone->len > 0;
}

static void
test_gone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add (fixture, "left:1", NULL, 0);

  eb_fake_sinks_set (fixture->sinks, "http://left:1/event", EB_FAKE_GONE);
  eb_delivery_fixture_publish (fixture, "t", 10);
  eb_test_wait_for (is_gone, fixture);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  g_assert_cmpstr (fixture->gone->str, ==, "fake: gone;");
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, "http://left:1/event"), ==, 1);
}

static void
remove_cb (EbWorkerPool *pool,
           EbSubscription *subscription,
           const char *reason,
           gint64 sent_us,
           gpointer result)
{
  eb_worker_pool_remove_async (pool, subscription, eb_test_result_cb, result);
}

/* The pool hears of it while it stops, and what its owner does then must end too. */
static void
test_gone_at_stop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add (fixture, "left:1", NULL, 0);
  g_autoptr (GAsyncResult) result = NULL;

  g_signal_connect (fixture->pool, "gone", G_CALLBACK (remove_cb), &result);
  eb_fake_sinks_set (fixture->sinks, "http://left:1/event", EB_FAKE_GONE);
  eb_delivery_fixture_publish (fixture, "t", 1);
  while (eb_fake_sinks_count (fixture->sinks, "http://left:1/event") == 0)
    g_thread_yield (); /* without a turn of the context, which would tell it */
  eb_worker_pool_stop (fixture->pool);
  g_assert_cmpstr (fixture->gone->str, ==, "fake: gone;");
  g_assert_true (
      eb_worker_pool_remove_finish (fixture->pool, eb_test_wait_for_result (&result), NULL));
}

static void
test_stop_while_draining (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add (fixture, "stuck:1", NULL, 0);
  g_autoptr (GAsyncResult) result = NULL;

  eb_fake_sinks_set (fixture->sinks, "http://stuck:1/event", EB_FAKE_KEEP);
  eb_delivery_fixture_publish (fixture, "t", 1);
  wait_for_arrivals (fixture, "http://stuck:1/event", 1);
  eb_worker_pool_drain_async (fixture->pool, 1, eb_test_result_cb, &result);
  eb_worker_pool_stop (fixture->pool);
  g_assert_false (eb_worker_pool_drain_finish (fixture->pool, eb_test_wait_for_result (&result)));
}

/* A read that is under way comes back when the worker was told to stop; nothing of it is left. */
static void
test_stop_while_reading (Fixture *fixture, gconstpointer data)
{
  eb_fake_log_delay_answers (EB_FAKE_LOG (fixture->log));
  eb_worker_pool_stop (fixture->pool);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/worker/" path, Fixture, NULL, eb_delivery_fixture_set_up, func,                    \
              eb_delivery_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("order", test_order);
  ADD ("matching", test_matching);
  ADD ("start", test_start);
  ADD ("lagging", test_lagging);
  ADD ("loss", test_loss);
  ADD ("failures", test_failures);
  ADD ("remove", test_remove);
  ADD ("gone", test_gone);
  ADD ("gone-at-stop", test_gone_at_stop);
  ADD ("stop-while-draining", test_stop_while_draining);
  ADD ("stop-while-reading", test_stop_while_reading);

  return g_test_run ();
}
