/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-aside.h"
#include "support/eb-failing-sink.h"
#include "support/eb-test-wait.h"

/* What a consumer does when its sink fails: waiting aside, holding the line, giving up, coming
 * back. The clock stands still unless a test says otherwise. */

typedef EbDeliveryFixture Fixture;

static const EbException *
find_step (Fixture *fixture, EbChangeKind kind)
{
  for (guint i = 0; i < fixture->report.steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (fixture->report.steps, i);

      if (step->change->kind == kind)
        return &step->change->exception;
    }
  g_assert_not_reached ();
}

static guint
count_steps (Fixture *fixture, EbChangeKind kind)
{
  guint n = 0;

  for (guint i = 0; i < fixture->report.steps->len; i++)
    n += ((const EbStep *) g_ptr_array_index (fixture->report.steps, i))->change->kind == kind;
  return n;
}

/* In relaxed order a failed event stands aside, and comes back before newer ones. */
static void
test_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  gint64 now_us = eb_clock_get_real (EB_CLOCK (fixture->clock));
  const EbException *aside;
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_TAKE, 1);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_publish (fixture, "t", 3);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 }, { 3, 1 });
  eb_failing_sink_assert_steps (fixture, "aside 2;");
  aside = find_step (fixture, EB_CHANGE_ASIDE);
  g_assert_cmpuint (aside->previous, ==, 1);
  g_assert_cmpuint (aside->attempts, ==, 1);
  g_assert_cmpuint (aside->last_status, ==, 500);
  g_assert_cmpstr (aside->reason, ==, "answered 500 Internal Server Error");
  g_assert_cmpint (aside->first_us, ==, now_us);
  g_assert_cmpint (aside->last_us, ==, now_us);
  g_assert_cmpint (aside->due_us, >=, now_us + SHORTEST (SECOND));
  g_assert_cmpint (aside->due_us, <=, now_us + LONGEST (SECOND));

  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_ARRIVALS (&index, { 2, 2 });
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 3).previous, ==, 1);
  eb_failing_sink_assert_steps (fixture, "aside 2;ended 2;");
  g_assert_cmpuint (fixture->report.delivered, ==, 3);
  g_assert_cmpuint (fixture->report.failed, ==, 1);
}

/* It is next in line: it does not wait for what was queued before its time came. */
static void
test_next_in_line (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_BREAK, 1);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_429_FOR_30_S, 1);
  eb_delivery_fixture_publish (fixture, "t", 4);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 });
  eb_failing_sink_script (fixture, EB_FAKE_KEEP, 1);
  eb_delivery_fixture_advance (fixture, 30 * SECOND);
  /* Its event is fetched when the hold ends, and the line goes on meanwhile. */
  while (eb_fake_sinks_count (fixture->sinks, SINK) < 3)
    g_thread_yield ();
  eb_fake_sinks_release (fixture->sinks, SINK);
  ASSERT_ARRIVALS (&index, { 2, 2 }, { 1, 2 }, { 3, 1 }, { 4, 1 });
}

static void
test_death (Fixture *fixture, gconstpointer data)
{
  static const GTimeSpan retry[] = { 1 * SECOND, 10 * SECOND };
  g_autoptr (EbSubscription) subscription = NULL;
  gint64 start_us = eb_clock_get_real (EB_CLOCK (fixture->clock));
  const EbException *dead;
  guint index = 0;

  eb_failing_sink_set_retry (fixture, retry, G_N_ELEMENTS (retry));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  eb_failing_sink_script (fixture, EB_FAKE_BREAK, 2);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_publish (fixture, "t", 1);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, LONGEST (1 * SECOND));
  ASSERT_ARRIVALS (&index, { 1, 2 });
  eb_delivery_fixture_advance (fixture, SHORTEST (10 * SECOND));
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, LONGEST (10 * SECOND) - SHORTEST (10 * SECOND));
  ASSERT_ARRIVALS (&index, { 1, 3 });
  eb_failing_sink_assert_steps (fixture, "aside 1;aside 1;dead 1;");

  dead = find_step (fixture, EB_CHANGE_DEAD);
  g_assert_true (dead->dead);
  g_assert_cmpuint (dead->attempts, ==, 3);
  g_assert_cmpuint (dead->last_status, ==, 500);
  g_assert_cmpstr (dead->reason, ==, "answered 500 Internal Server Error");
  g_assert_cmpint (dead->first_us, ==, start_us);
  g_assert_cmpint (dead->last_us, ==, start_us + LONGEST (1 * SECOND) + LONGEST (10 * SECOND));
  g_assert_cmpint (dead->due_us, ==, 0);
  g_assert_cmpuint (fixture->report.dead, ==, 1);
  g_assert_cmpuint (fixture->report.failed, ==, 3);

  eb_delivery_fixture_advance (fixture, G_TIME_SPAN_DAY);
  eb_failing_sink_assert_quiet (fixture, index);
}

static void
test_strict (Fixture *fixture, gconstpointer data)
{
  static const GTimeSpan retry[] = { 1 * SECOND };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_failing_sink_set_retry (fixture, retry, G_N_ELEMENTS (retry));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_STRICT, 1, NULL);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_failing_sink_script (fixture, EB_FAKE_TAKE, 1);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 2);
  eb_delivery_fixture_publish (fixture, "t", 3);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_advance (fixture, SHORTEST (SECOND));
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND) - SHORTEST (SECOND));
  ASSERT_ARRIVALS (&index, { 1, 2 }, { 2, 1 });
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_ARRIVALS (&index, { 2, 2 }, { 3, 1 });
  eb_failing_sink_assert_steps (fixture, "aside 1;ended 1;aside 2;dead 2;");
}

/* Nobody is there: the head probes, the attempt does not count, and a keep-alive is a reason. */
static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 3, NULL);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_UNREACHABLE, 5);
  eb_delivery_fixture_publish (fixture, "t", 4);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 }, { 3, 1 }); /* its concurrency */
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_ARRIVALS (&index, { 1, 1 }); /* one is enough to see */
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_failing_sink_assert_quiet (fixture, index); /* twice as long by now */
  eb_worker_pool_nudge (fixture->pool, subscription);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_worker_pool_nudge (fixture->pool, subscription);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.failed, ==, 0);
  g_assert_cmpuint (fixture->report.delivered, ==, 4);
}

static void
test_hold (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_429_FOR_30_S, 1);
  eb_delivery_fixture_publish (fixture, "t", 2);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_worker_pool_nudge (fixture->pool, subscription); /* it said how long; that is no reason */
  eb_delivery_fixture_advance (fixture, 30 * SECOND - 1);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, 1);
  ASSERT_ARRIVALS (&index, { 1, 2 }, { 2, 1 });
  eb_failing_sink_assert_steps (fixture, "aside 1;ended 1;");
}

/* A sink that is busy for longer than the schedule loses nothing by it. */
static void
test_busy_for_long (Fixture *fixture, gconstpointer data)
{
  static const GTimeSpan retry[] = { 1 * SECOND };
  g_autoptr (EbSubscription) subscription = NULL;
  guint index = 0;

  eb_failing_sink_set_retry (fixture, retry, G_N_ELEMENTS (retry));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_503, 5);
  eb_delivery_fixture_publish (fixture, "t", 1);
  for (guint i = 1; i <= 5; i++)
    {
      ASSERT_ARRIVALS (&index, { 1, i });
      eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
    }
  ASSERT_ARRIVALS (&index, { 1, 6 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, 1);
  g_assert_cmpuint (fixture->report.dead, ==, 0);
}

/* Nor are its retries used up by it, and what it fails at in between counts. */
static void
test_busy_then_failing (Fixture *fixture, gconstpointer data)
{
  static const GTimeSpan retry[] = { 1 * SECOND };
  g_autoptr (EbSubscription) subscription = NULL;
  const EbException *dead;
  guint index = 0;

  eb_failing_sink_set_retry (fixture, retry, G_N_ELEMENTS (retry));
  subscription = eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_503, 2);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_503, 1);
  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_publish (fixture, "t", 1);
  for (guint i = 1; i <= 4; i++)
    {
      ASSERT_ARRIVALS (&index, { 1, i });
      eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
    }
  ASSERT_ARRIVALS (&index, { 1, 5 });
  eb_failing_sink_assert_steps (fixture, "aside 1;aside 1;aside 1;aside 1;dead 1;");
  dead = find_step (fixture, EB_CHANGE_DEAD);
  g_assert_cmpuint (dead->attempts, ==, 5);
  g_assert_cmpuint (dead->failures, ==, 2);
}

/* More than may stand aside hold the line; when some have ended it goes on. */
static void
test_too_many_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, EB_MAX_ASIDE + 1);
  eb_delivery_fixture_publish (fixture, "t", EB_MAX_ASIDE + 5);
  eb_delivery_fixture_wait (fixture, SINK, EB_MAX_ASIDE + 1);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.failed, ==, EB_MAX_ASIDE + 1);
  g_assert_cmpuint (count_steps (fixture, EB_CHANGE_ASIDE), ==, EB_MAX_ASIDE + 1);

  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_delivery_fixture_wait (fixture, SINK, 2 * EB_MAX_ASIDE + 6);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, EB_MAX_ASIDE + 5);
}

/* Retention takes an event away that waits aside. */
static void
test_lost_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 2);
  eb_delivery_fixture_publish (fixture, "t", 3);
  ASSERT_ARRIVALS (&index, { 1, 1 }, { 2, 1 }, { 3, 1 });
  eb_fake_log_keep_last (EB_FAKE_LOG (fixture->log));
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  while (fixture->report.lost < 2)
    eb_delivery_fixture_collect (fixture);
  eb_failing_sink_assert_quiet (fixture, index);
  g_assert_cmpuint (fixture->report.lost, ==, 2);
  g_assert_cmpuint (fixture->report.delivered, ==, 1);
}

static void
test_gone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, NULL);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_410, 1);
  eb_delivery_fixture_publish (fixture, "t", 3);
  ASSERT_ARRIVALS (&index, { 1, 1 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpstr (fixture->gone->str, ==, "answered 410 Gone;");
}

static gboolean
has_failed_twice (gpointer data)
{
  return eb_fake_log_get_n_failed (data) >= 2;
}

/* The log cannot be read for a while: nobody hammers it, and nothing is lost. */
static void
test_outage (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  guint index = 0;

  eb_delivery_fixture_publish (fixture, "t", 2);
  eb_fake_log_set_failing (EB_FAKE_LOG (fixture->log), TRUE);
  subscription =
      eb_failing_sink_add (fixture, EB_ORDER_RELAXED, 1, &(EbStart){ .after = 1, .previous = 1 });
  /* The tails of both workers, if not all three reads. */
  eb_delivery_fixture_publish (fixture, "t", 1);
  eb_test_wait_for (has_failed_twice, fixture->log);
  g_assert_cmpuint (eb_fake_log_get_n_failed (EB_FAKE_LOG (fixture->log)), <=, 3);
  eb_fake_log_set_failing (EB_FAKE_LOG (fixture->log), FALSE);
  eb_worker_pool_drain_async (fixture->pool, 3, eb_test_result_cb, &result);
  while (result == NULL)
    {
      eb_fake_clock_advance (fixture->clock, SECOND); /* both workers wait, or will soon */
      g_main_context_iteration (NULL, FALSE);
    }
  ASSERT_ARRIVALS (&index, { 2, 1 }, { 3, 1 });
}

#define ADD(path, func)                                                                            \
  g_test_add ("/consumer-retry/" path, Fixture, NULL, eb_delivery_fixture_set_up, func,            \
              eb_delivery_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("aside", test_aside);
  ADD ("next-in-line", test_next_in_line);
  ADD ("death", test_death);
  ADD ("strict", test_strict);
  ADD ("unreachable", test_unreachable);
  ADD ("hold", test_hold);
  ADD ("busy-for-long", test_busy_for_long);
  ADD ("busy-then-failing", test_busy_then_failing);
  ADD ("too-many-aside", test_too_many_aside);
  ADD ("lost-aside", test_lost_aside);
  ADD ("gone", test_gone);
  ADD ("outage", test_outage);

  return g_test_run ();
}
