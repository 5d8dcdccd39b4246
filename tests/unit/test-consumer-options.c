/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-failing-sink.h"

/* What a consumer does with its subscription's rate and retry schedule. The clock stands still
 * unless a test says otherwise. */

typedef EbDeliveryFixture Fixture;

static EbSubscription *
add (Fixture *fixture, guint rate, const guint *retry, guint n_retry, EbOrder order)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .order = order, .options = options };

  options->rate = rate;
  if (retry != NULL)
    {
      options->retry = g_array_new (FALSE, FALSE, sizeof *retry);
      g_array_append_vals (options->retry, retry, n_retry);
    }
  return eb_delivery_fixture_add (fixture, &spec, "sink:1", NULL);
}

static void
test_rate (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add (fixture, 4, NULL, 0, EB_ORDER_RELAXED);
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 3);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, SECOND / 4 - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 2, 1 });
  eb_delivery_fixture_advance (fixture, SECOND / 4);
  ASSERT_ARRIVALS (&index, { 3, 1 });
  /* Nothing was saved up. */
  eb_delivery_fixture_advance (fixture, 10 * SECOND);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 4, 1 });
  eb_delivery_fixture_advance (fixture, SECOND / 4);
  ASSERT_ARRIVALS (&index, { 5, 1 });
}

/* A retry is a delivery, too. */
static void
test_rate_of_retries (Fixture *fixture, gconstpointer data)
{
  static const guint retry[] = { 1 };
  g_autoptr (EbSubscription) subscription =
      add (fixture, 1, retry, G_N_ELEMENTS (retry), EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_publish (fixture, "t", 1);
  /* When its retry is due, another one has just been sent. */
  eb_delivery_fixture_advance (fixture, SECOND);
  eb_delivery_fixture_wait (fixture, SINK, 2);
  eb_delivery_fixture_advance (fixture, SECOND - 1);
  eb_delivery_fixture_wait (fixture, SINK, 2);
  eb_delivery_fixture_advance (fixture, 1);
  eb_delivery_fixture_wait (fixture, SINK, 3);
  eb_delivery_fixture_advance (fixture, SECOND);
  eb_delivery_fixture_wait (fixture, SINK, 4);
  eb_failing_sink_assert_steps (fixture, "aside 1;ended 1;");
}

static void
test_retry (Fixture *fixture, gconstpointer data)
{
  static const guint retry[] = { 7 };
  g_autoptr (EbSubscription) subscription =
      add (fixture, 0, retry, G_N_ELEMENTS (retry), EB_ORDER_STRICT);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 2);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, SHORTEST (7 * SECOND));
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, LONGEST (7 * SECOND) - SHORTEST (7 * SECOND));
  ASSERT_ARRIVALS (&index, { 1, 2 }, { 2, 1 });
  eb_failing_sink_assert_steps (fixture, "aside 1;dead 1;");
}

static void
test_no_retry (Fixture *fixture, gconstpointer data)
{
  static const guint none = 0;
  g_autoptr (EbSubscription) subscription = add (fixture, 0, &none, 0, EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_BREAK, 1);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 });
  eb_failing_sink_assert_steps (fixture, "dead 1;");
}

#define ADD(path, func)                                                                            \
  g_test_add ("/consumer-options/" path, Fixture, NULL, eb_delivery_fixture_set_up, func,          \
              eb_delivery_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("rate", test_rate);
  ADD ("rate-of-retries", test_rate_of_retries);
  ADD ("retry", test_retry);
  ADD ("no-retry", test_no_retry);

  return g_test_run ();
}
