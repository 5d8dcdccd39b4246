/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* What a bus that ends still delivers, and what it leaves to the next one. */

typedef EbBusFixture Fixture;

#define A     "http://a:1/event"
#define LIMIT (4 * SECOND)

/* Time in which deliveries start though the bus ends, with EB_DRAIN_LEAVE. */
#define STARTING (1 * SECOND)

static void
drain (Fixture *fixture, EbDrain kind, GAsyncResult **result)
{
  eb_bus_drain_async (fixture->bus, kind, LIMIT, eb_test_result_cb, result);
}

static void
assert_drained (Fixture *fixture, GAsyncResult **result)
{
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (result));
}

/* Until every worker has seen that. */
static void
let_pass (Fixture *fixture, GTimeSpan time)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;

  eb_fake_clock_advance (fixture->clock, time);
  eb_bus_fixture_run ();
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_nonnull (info);
}

static void
put_and_publish (Fixture *fixture, guint n)
{
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", n);
  eb_bus_fixture_wait (fixture, A, 1);
}

/* What can be delivered at once is. */
static void
test_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;

  put_and_publish (fixture, 3);
  drain (fixture, EB_DRAIN_LEAVE, &result);
  eb_fake_sinks_release (fixture->sinks, A);
  assert_drained (fixture, &result);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 3);
}

static void
check_leave (Fixture *fixture, guint n)
{
  g_autoptr (GAsyncResult) result = NULL;

  put_and_publish (fixture, n);
  drain (fixture, EB_DRAIN_LEAVE, &result);
  let_pass (fixture, STARTING);
  g_assert_null (result);
  eb_fake_sinks_release (fixture->sinks, A);
  assert_drained (fixture, &result);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 1);

  g_clear_object (&result); /* it holds the bus */
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_wait (fixture, A, n);
  eb_bus_fixture_assert_arrival (fixture, A, 1, 2, 1);
  eb_bus_fixture_assert_arrival (fixture, A, n - 1, n, 1);
}

/* What is under way ends, and nothing is sent twice or broken off. */
static void
test_leave (Fixture *fixture, gconstpointer data)
{
  check_leave (fixture, 3);
}

static void
test_leave_lagging (Fixture *fixture, gconstpointer data)
{
  check_leave (fixture, 1500); /* more than a queue holds */
}

/* What failed and what must wait is left as well. */
static void
test_leave_failed (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_500, EB_FAKE_KEEP };
  g_autoptr (GAsyncResult) result = NULL;

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 3);
  eb_bus_fixture_wait (fixture, A, 2);
  drain (fixture, EB_DRAIN_LEAVE, &result);
  let_pass (fixture, STARTING);
  let_pass (fixture, SECOND); /* it would be tried again by now */
  eb_fake_sinks_release (fixture->sinks, A);
  assert_drained (fixture, &result);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 2);
  g_clear_object (&result);
  eb_bus_fixture_restart (fixture);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_wait (fixture, A, 4);
}

/* What is not answered is broken off in the end. */
static void
test_limit (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;

  put_and_publish (fixture, 3);
  drain (fixture, EB_DRAIN_LEAVE, &result);
  let_pass (fixture, STARTING);
  let_pass (fixture, SECOND);
  g_assert_null (result);
  eb_fake_clock_advance (fixture->clock, LIMIT);
  assert_drained (fixture, &result);
}

/* What goes with the log is delivered for as long as there is time. */
static void
test_deliver (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;

  put_and_publish (fixture, 3);
  drain (fixture, EB_DRAIN_DELIVER, &result);
  let_pass (fixture, STARTING);
  let_pass (fixture, SECOND);
  g_assert_null (result);
  eb_fake_sinks_release (fixture->sinks, A);
  assert_drained (fixture, &result);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 3);
}

/* A peer has nobody who would tell it later. */
static void
test_peer (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("b:1", NULL);
  EbSubscriptionSpec spec = { .id = "p", .sink = sink, .ephemeral = TRUE, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autoptr (GAsyncResult) result = NULL;

  eb_fake_sinks_set (fixture->sinks, "http://b:1/event", EB_FAKE_KEEP);
  eb_bus_subscribe_async (fixture->bus, subscription, EB_START_NOW, NULL, NULL);
  put_and_publish (fixture, 3);
  drain (fixture, EB_DRAIN_LEAVE, &result);
  let_pass (fixture, STARTING);
  eb_fake_sinks_release (fixture->sinks, "http://b:1/event");
  eb_bus_fixture_wait (fixture, "http://b:1/event", 3);
  eb_fake_sinks_release (fixture->sinks, A);
  assert_drained (fixture, &result);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 1);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-drain/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                      \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("at-once", test_at_once);
  ADD ("leave", test_leave);
  ADD ("leave-lagging", test_leave_lagging);
  ADD ("leave-failed", test_leave_failed);
  ADD ("limit", test_limit);
  ADD ("deliver", test_deliver);
  ADD ("peer", test_peer);

  return g_test_run ();
}
