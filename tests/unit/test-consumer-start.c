/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-failing-sink.h"

/* What a consumer does with exceptions that were before it: those that waited, or were dead, when
 * the daemon ended, and those that are redriven. */

typedef EbDeliveryFixture Fixture;

static EbException *
exception_new (Fixture *fixture, guint64 sequence, guint attempts, GTimeSpan due_in)
{
  EbException *exception = g_new0 (EbException, 1);
  gint64 now_us = eb_clock_get_real (EB_CLOCK (fixture->clock));

  exception->sequence = sequence;
  exception->previous = sequence - 1;
  exception->attempts = attempts;
  exception->failures = attempts;
  exception->first_us = now_us - G_TIME_SPAN_HOUR;
  exception->last_us = now_us - 10 * SECOND;
  exception->due_us = now_us + due_in;
  return exception;
}

static GPtrArray *
exceptions_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
}

/* Dead letters that are given another chance are next, in their order, as if never tried. */
static void
test_redrive (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) exceptions = exceptions_new ();
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_failing_sink_set_retry (fixture, NULL, 0);
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 12);
  eb_delivery_fixture_publish (fixture, "t", 13);
  eb_delivery_fixture_wait (fixture, SINK, 13);
  index = 13;
  for (guint64 sequence = 1; sequence <= 12; sequence++)
    g_ptr_array_add (exceptions, exception_new (fixture, sequence, 1, -1));
  eb_worker_pool_redrive (fixture->pool, subscription, exceptions);
  eb_delivery_fixture_wait (fixture, SINK, 25);
  for (guint64 sequence = 1; sequence <= 12; sequence++)
    eb_delivery_fixture_assert_next (fixture, SINK, &index, sequence, 1);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.dead, ==, 12);
  g_assert_cmpuint (fixture->report.delivered, ==, 13);
}

/* After a restart: what waits is passed over by the log, and comes in its own time. */
static void
test_start_relaxed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 3, .previous = 3, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 6);
  g_ptr_array_add (aside, exception_new (fixture, 2, 4, 5 * SECOND));
  g_ptr_array_add (aside, exception_new (fixture, 3, 2, G_TIME_SPAN_DAY)); /* the clock stepped */
  g_ptr_array_add (aside, exception_new (fixture, 5, 1, 7 * SECOND));
  ((EbException *) aside->pdata[1])->last_us += G_TIME_SPAN_DAY;
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  ASSERT_ARRIVALS (&index, { 4, 1 }, { 6, 1 });
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 1).previous, ==, 5);
  eb_delivery_fixture_advance (fixture, 5 * SECOND);
  ASSERT_ARRIVALS (&index, { 2, 5 });
  eb_delivery_fixture_advance (fixture, 2 * SECOND);
  ASSERT_ARRIVALS (&index, { 5, 2 });
  eb_delivery_fixture_advance (fixture, 3 * SECOND); /* as long as it was to wait at most */
  ASSERT_ARRIVALS (&index, { 3, 3 });
  eb_failing_sink_assert_steps (fixture, "ended 2;ended 5;ended 3;");
}

/* The retry schedule goes on where it was, whatever the number of the attempt. */
static void
test_start_schedule (Fixture *fixture, gconstpointer data)
{
  static const GTimeSpan retry[] = { 1 * SECOND };
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 2, .previous = 2, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;

  eb_failing_sink_set_retry (fixture, retry, G_N_ELEMENTS (retry));
  eb_delivery_fixture_publish (fixture, "t", 2);
  g_ptr_array_add (aside, exception_new (fixture, 1, 5, -2));
  g_ptr_array_add (aside, exception_new (fixture, 2, 5, -1));
  ((EbException *) aside->pdata[0])->failures = 0;
  ((EbException *) aside->pdata[1])->failures = 1;
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 2);
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  eb_delivery_fixture_wait (fixture, SINK, 2);
  eb_failing_sink_assert_steps_include (fixture, "aside 1;");
  eb_failing_sink_assert_steps_include (fixture, "dead 2;");
}

/* What was given up while an event before it was under way is not delivered again. */
static void
test_start_dead (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  g_autoptr (GPtrArray) letters = exceptions_new ();
  EbStart start = { .after = 2, .previous = 2, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 9);
  for (guint64 sequence = 1; sequence <= 9; sequence++)
    {
      EbException *exception = exception_new (fixture, sequence, 9, 0);

      exception->dead = TRUE;
      if (sequence != 3 && sequence != 6)
        g_ptr_array_add (aside, exception);
      else
        eb_exception_free (exception);
    }
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  ASSERT_ARRIVALS (&index, { 3, 1 }, { 6, 1 });
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 1).previous, ==, 5);
  eb_failing_sink_assert_steps (fixture, "");

  g_ptr_array_add (letters, exception_new (fixture, 5, 9, 0));
  eb_worker_pool_redrive (fixture->pool, subscription, letters);
  ASSERT_ARRIVALS (&index, { 5, 1 });
  eb_failing_sink_assert_steps (fixture, "ended 5;");
}

/* It is redriven before the log has brought it: it comes once. */
static void
test_redrive_ahead (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  g_autoptr (GPtrArray) letters = exceptions_new ();
  EbStart start = { .after = 1, .previous = 1, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  EbException *dead = exception_new (fixture, 3, 9, 0);
  guint index = 0;

  dead->dead = TRUE;
  g_ptr_array_add (aside, dead);
  g_ptr_array_add (letters, exception_new (fixture, 3, 9, 0));
  eb_delivery_fixture_publish (fixture, "t", 1);
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  eb_worker_pool_redrive (fixture->pool, subscription, letters);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 2, 1 }, { 3, 1 });
  eb_failing_sink_assert_steps (fixture, "ended 3;");
}

/* A sink that asked to be left alone is, and the event that it would not take keeps its place. */
static void
test_start_held (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 1, .previous = 1, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  EbException *held = exception_new (fixture, 2, 3, 7 * SECOND);
  guint index = 0;

  held->last_status = 503;
  g_ptr_array_add (aside, held);
  eb_delivery_fixture_publish (fixture, "t", 3);
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, 7 * SECOND - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 2, 4 }, { 3, 1 });
}

/* And in strict order it is at its place, with its attempts, and nothing passes it. */
static void
test_start_strict (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 3, .previous = 3, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 6);
  g_ptr_array_add (aside, exception_new (fixture, 4, 3, 5 * SECOND));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_STRICT, 1, &start);
  eb_delivery_fixture_advance (fixture, 5 * SECOND - 1);
  eb_failing_sink_assert_quiet (fixture, 0);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 4, 4 }, { 5, 1 }, { 6, 1 });
  eb_failing_sink_assert_steps (fixture, "ended 4;");
}

/* With as many aside as may be, the next one holds the line, as it did before; it and all that
 * waits come in their time, and nothing after it before. */
static void
test_start_full (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 1000, .previous = 1000, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 1002);
  for (guint64 sequence = 1; sequence <= 1000; sequence++)
    g_ptr_array_add (aside, exception_new (fixture, sequence, 1, 9 * SECOND));
  g_ptr_array_add (aside, exception_new (fixture, 1001, 3, 5 * SECOND));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &start);
  eb_delivery_fixture_advance (fixture, 5 * SECOND - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 1001, 4 });
  eb_delivery_fixture_advance (fixture, 4 * SECOND);
  eb_delivery_fixture_advance (fixture, 1000 * SECOND);
  eb_delivery_fixture_wait (fixture, SINK, 1003);
}

/* So does a whole batch of which some would not be too many. */
static void
test_start_full_batch (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) aside = exceptions_new ();
  EbStart start = { .after = 998, .previous = 998, .has_cursor = TRUE, .aside = aside };
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .order = EB_ORDER_RELAXED, .options = options };
  g_autoptr (EbSubscription) subscription = NULL;

  options->mode = EB_MODE_BATCH;
  eb_delivery_fixture_publish (fixture, "t", 1003);
  for (guint64 sequence = 1; sequence <= 1002; sequence++)
    {
      EbException *exception = exception_new (fixture, sequence, 1, 5 * SECOND);

      exception->batch = sequence > 998 ? 1002 : sequence <= 100 ? 100 : 0;
      g_ptr_array_add (aside, exception);
    }
  subscription = eb_delivery_fixture_add (fixture, &spec, "sink:1", &start);
  eb_failing_sink_assert_quiet (fixture, 0);
  eb_delivery_fixture_advance (fixture, 5 * SECOND);
  eb_delivery_fixture_wait (fixture, SINK, 1003);
  for (guint i = 0; i < 1003; i++)
    if (eb_fake_sinks_get (fixture->sinks, SINK, i).sequence == 999)
      for (guint j = 1; j < 4; j++)
        g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, i + j).request, ==,
                          eb_fake_sinks_get (fixture->sinks, SINK, i).request);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/consumer-start/" path, Fixture, NULL, eb_delivery_fixture_set_up, func,            \
              eb_delivery_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("redrive", test_redrive);
  ADD ("start-relaxed", test_start_relaxed);
  ADD ("start-schedule", test_start_schedule);
  ADD ("start-dead", test_start_dead);
  ADD ("redrive-ahead", test_redrive_ahead);
  ADD ("start-strict", test_start_strict);
  ADD ("start-held", test_start_held);
  ADD ("start-full", test_start_full);
  ADD ("start-full-batch", test_start_full_batch);

  return g_test_run ();
}
