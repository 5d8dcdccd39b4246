/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

#include <string.h>

/* What becomes of a subscription whose attempts fail for days. */

typedef EbBusFixture Fixture;

#define A   "http://a:1/event"
#define DAY G_TIME_SPAN_DAY

static void
put (Fixture *fixture, GTimeSpan lease)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  EbSubscriptionSpec spec = { .id = "s", .sink = sink, .lease = lease, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autoptr (EbSubscriptionInfo) info =
      eb_bus_fixture_put (fixture, subscription, EB_PUT_REPLACE, NULL, NULL);

  g_assert_nonnull (info);
}

static void
keep_alive (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &result);
  g_assert_true (eb_bus_keep_alive_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
}

/* So many attempts have been made in all, and what follows from them has happened. */
static void
settle (Fixture *fixture, guint n_arrivals)
{
  eb_bus_fixture_wait (fixture, A, n_arrivals);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_run ();
}

static void
assert_state (Fixture *fixture, const char *state)
{
  g_autoptr (EbSubscriptionInfo) info = eb_bus_fixture_look (fixture, "s");

  g_assert_cmpstr (info->state, ==, state);
}

/* Nobody is there for its first event. */
static void
begin_failing (Fixture *fixture, GTimeSpan lease)
{
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_UNREACHABLE);
  put (fixture, lease);
  eb_bus_fixture_publish (fixture, "t", 1);
  settle (fixture, 1);
}

/* Two attempts. */
static void
disable (Fixture *fixture)
{
  begin_failing (fixture, 0);
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX);
  settle (fixture, 2);
  assert_state (fixture, "disabled");
}

/* Whatever is wrong, a moment before it is time nothing happens; then nothing is sent any more, and
 * events are kept until it is resumed. */
static void
test_disable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) soon = NULL;
  g_autoptr (EbSubscriptionInfo) disabled = NULL;

  eb_fake_sinks_set (fixture->sinks, A, (EbFakeBehaviour) GPOINTER_TO_INT (data));
  put (fixture, 0);
  eb_bus_fixture_publish (fixture, "t", 1);
  settle (fixture, 1);
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX - DAY);
  settle (fixture, 2);
  soon = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (soon->state, !=, "disabled");
  eb_fake_clock_advance (fixture->clock, DAY);
  settle (fixture, 3);
  disabled = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (disabled->state, ==, "disabled");
  g_assert_nonnull (strstr (disabled->last_error, "every attempt since "));
  g_assert_nonnull (strstr (disabled->last_error, ", the last one: "));

  eb_fake_sinks_heal (fixture->sinks, A);
  eb_bus_fixture_publish (fixture, "t", 3);
  eb_fake_clock_advance (fixture->clock, DAY);
  settle (fixture, 3);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  settle (fixture, 7);
  assert_state (fixture, "active");
}

/* It starts anew with a success, however late. */
static void
test_success (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 0);
  eb_fake_clock_advance (fixture->clock, 4 * DAY);
  settle (fixture, 2);
  eb_fake_sinks_heal (fixture->sinks, A);
  eb_fake_clock_advance (fixture->clock, SECOND * 60);
  settle (fixture, 3);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_UNREACHABLE);
  eb_bus_fixture_publish (fixture, "t", 1);
  settle (fixture, 4);
  eb_fake_clock_advance (fixture->clock, 4 * DAY);
  settle (fixture, 5);
  assert_state (fixture, "unreachable");
}

/* A sink that fails now and then costs the ledger nothing, one that always does a write an hour. */
static void
test_writes (Fixture *fixture, gconstpointer data)
{
  guint n_calls;

  begin_failing (fixture, 0);
  n_calls = eb_fake_ledger_get_n_calls (fixture->fake);
  for (guint i = 0; i < 59; i++)
    {
      eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_MINUTE);
      settle (fixture, 2 + i);
    }
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->fake), ==, n_calls);
  for (guint i = 0; i < 60; i++)
    {
      eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_MINUTE);
      settle (fixture, 61 + i);
    }
  g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->fake), ==, n_calls + 1);
}

static void
test_survives (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;

  disable (fixture);
  eb_bus_fixture_restart (fixture);
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (info->state, ==, "disabled");
  g_assert_nonnull (strstr (info->last_error, "every attempt since "));
  eb_fake_sinks_heal (fixture->sinks, A);
  eb_fake_clock_advance (fixture->clock, DAY);
  settle (fixture, 2);
  put (fixture, 0);
  settle (fixture, 3);
  assert_state (fixture, "active");
  eb_bus_fixture_restart (fixture);
  assert_state (fixture, "active");
}

/* However often it is restarted; but what nobody saw does not count, whatever the clock says. */
static void
test_restarts (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 0);
  for (guint i = 0; i < 2; i++)
    {
      eb_fake_clock_advance (fixture->clock, 2 * DAY);
      settle (fixture, 2 * i + 2);
      eb_bus_fixture_restart (fixture);
      eb_fake_clock_step_real (fixture->clock, DAY / 2);
      settle (fixture, 2 * i + 3);
      assert_state (fixture, "unreachable");
    }
  eb_fake_clock_advance (fixture->clock, DAY - 1);
  settle (fixture, 6);
  assert_state (fixture, "unreachable");
  eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_MINUTE);
  settle (fixture, 7);
  assert_state (fixture, "disabled");
}

/* What the ledger was told of a streak that is over is taken back. */
static void
test_forgotten (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 0);
  eb_fake_clock_advance (fixture->clock, 4 * DAY);
  settle (fixture, 2);
  eb_fake_sinks_heal (fixture->sinks, A);
  eb_fake_clock_advance (fixture->clock, 30 * SECOND);
  settle (fixture, 3);
  eb_bus_fixture_restart (fixture);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_UNREACHABLE);
  eb_bus_fixture_publish (fixture, "t", 1);
  settle (fixture, 4);
  eb_fake_clock_advance (fixture->clock, 2 * DAY);
  settle (fixture, 5);
  assert_state (fixture, "unreachable");
}

static void
test_leased (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 30 * DAY);
  eb_fake_clock_advance (fixture->clock, 20 * DAY);
  settle (fixture, 2);
  assert_state (fixture, "unreachable");
}

/* Whoever says that it is alive gets another try, and five days more. */
static void
test_keep_alive (Fixture *fixture, gconstpointer data)
{
  disable (fixture);
  keep_alive (fixture);
  settle (fixture, 3);
  assert_state (fixture, "unreachable");
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX - 1);
  settle (fixture, 4);
  assert_state (fixture, "unreachable");
  eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_MINUTE);
  settle (fixture, 5);
  assert_state (fixture, "disabled");
}

typedef struct
{
  Fixture *fixture;
  guint n;
} Questions;

static gboolean
were_asked (gpointer data)
{
  const Questions *questions = data;

  return eb_fake_sinks_count_questions (questions->fixture->sinks, A) >= questions->n;
}

/* So many questions were asked in all, and what follows from the answers has happened. */
static void
settle_questions (Fixture *fixture, guint n)
{
  eb_test_wait_for (were_asked, &(Questions){ fixture, n });
  settle (fixture, 0);
  g_assert_cmpuint (eb_fake_sinks_count_questions (fixture->sinks, A), ==, n);
}

static void
put_with_handshake (Fixture *fixture)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .id = "s", .sink = sink, .concurrency = 1, .options = options };
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;

  options->handshake = TRUE;
  subscription = eb_subscription_new (&spec, NULL);
  info = eb_bus_fixture_put (fixture, subscription, EB_PUT_REPLACE, NULL, NULL);
  g_assert_nonnull (info);
}

/* A sink that never agrees to what there is for it is no better. */
static void
test_no_consent (Fixture *fixture, gconstpointer data)
{
  put_with_handshake (fixture);
  settle_questions (fixture, 1);
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX);
  settle_questions (fixture, 2);
  assert_state (fixture, "held"); /* there was nothing for it */
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_fake_clock_advance (fixture->clock, DAY);
  settle_questions (fixture, 3);
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX);
  settle_questions (fixture, 4);
  assert_state (fixture, "disabled");
  eb_fake_clock_advance (fixture->clock, DAY);
  settle_questions (fixture, 4);
}

/* One resume is enough for both. */
static void
test_paused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;

  disable (fixture);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (info->state, ==, "paused");
  g_assert_nonnull (strstr (info->last_error, "every attempt since "));
  keep_alive (fixture);
  settle (fixture, 2);
  assert_state (fixture, "paused");
  eb_fake_sinks_heal (fixture->sinks, A);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  settle (fixture, 3);
  assert_state (fixture, "active");
}

/* It goes on being tried until the ledger takes it. */
static void
test_refused (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 0);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_fake_clock_advance (fixture->clock, EB_STREAK_MAX);
  settle (fixture, 2);
  assert_state (fixture, "unreachable");
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, 2 * G_TIME_SPAN_MINUTE);
  settle (fixture, 3);
  assert_state (fixture, "disabled");
}

/* What is put is expected to work: it is tried at once, even if it is as it was. */
static void
test_put (Fixture *fixture, gconstpointer data)
{
  begin_failing (fixture, 120 * SECOND);
  put (fixture, 120 * SECOND);
  settle (fixture, 2);
}

#define ADD_WITH(path, func, data)                                                                 \
  g_test_add ("/bus-disable/" path, Fixture, GINT_TO_POINTER (data), eb_bus_fixture_set_up, func,  \
              eb_bus_fixture_tear_down)
#define ADD(path, func) ADD_WITH (path, func, 0)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD_WITH ("unreachable", test_disable, EB_FAKE_UNREACHABLE);
  ADD_WITH ("busy", test_disable, EB_FAKE_ANSWER_503);
  ADD_WITH ("failing", test_disable, EB_FAKE_ANSWER_500);
  ADD ("success", test_success);
  ADD ("writes", test_writes);
  ADD ("survives", test_survives);
  ADD ("restarts", test_restarts);
  ADD ("forgotten", test_forgotten);
  ADD ("leased", test_leased);
  ADD ("keep-alive", test_keep_alive);
  ADD ("no-consent", test_no_consent);
  ADD ("paused", test_paused);
  ADD ("refused", test_refused);
  ADD ("put", test_put);

  return g_test_run ();
}
