/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* The use case that sends a subscription back to a place in the log. */

typedef EbBusFixture Fixture;

#define A "http://a:1/event"

static gboolean
replay (Fixture *fixture, const EbReplayFrom *from, guint64 *after, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_replay_async (fixture->bus, "s", from, eb_test_result_cb, &result);
  return eb_bus_replay_finish (fixture->bus, eb_test_wait_for_result (&result), after, error);
}

static void
replay_after (Fixture *fixture, guint64 sequence)
{
  guint64 after = G_MAXUINT64;

  g_assert_true (replay (fixture, &(EbReplayFrom){ .after = sequence }, &after, NULL));
  g_assert_cmpuint (after, ==, sequence);
}

/* From arrival @index on, what is after @after arrives, once and in order. */
static void
assert_run (Fixture *fixture, guint index, guint64 after, guint64 last)
{
  g_assert_true (eb_bus_fixture_drain (fixture));
  for (guint64 sequence = after + 1; sequence <= last; sequence++)
    eb_bus_fixture_assert_arrival (fixture, A, index++, sequence, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, index);
}

static void
test_sequence (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;
  g_autoptr (GError) error = NULL;
  guint64 after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 10);
  assert_run (fixture, 0, 0, 10);
  replay_after (fixture, 4);
  assert_run (fixture, 10, 4, 10);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 10).previous, ==, 4);
  replay_after (fixture, 0);
  assert_run (fixture, 16, 0, 10);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 16).previous, ==, 0);
  replay_after (fixture, 10);
  assert_run (fixture, 26, 10, 10);
  g_assert_false (replay (fixture, &(EbReplayFrom){ .after = 11 }, &after, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpuint (info->cursor, ==, 10);
}

/* It gets events from before it was made, too, and sees which of its own was before them. */
static void
test_types (Fixture *fixture, gconstpointer data)
{
  const char *const types[] = { "a", NULL };

  eb_bus_fixture_publish (fixture, "a", 1);
  eb_bus_fixture_publish (fixture, "b", 3);
  eb_bus_fixture_publish (fixture, "a", 1);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", types);
  replay_after (fixture, 3);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_bus_fixture_assert_arrival (fixture, A, 0, 5, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 0).previous, ==, 1);
}

static void
test_time (Fixture *fixture, gconstpointer data)
{
  gint64 start_us = eb_clock_get_real (EB_CLOCK (fixture->clock));
  guint64 after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  for (guint i = 0; i < 10; i++)
    {
      eb_bus_fixture_publish (fixture, "t", 3); /* 3 i + 1 and on, i seconds after the start */
      eb_fake_clock_advance (fixture->clock, SECOND);
    }
  assert_run (fixture, 0, 0, 30);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  for (gint i = 10; i >= -1; i--)
    {
      const EbReplayFrom at = { .by_time = TRUE, .real_us = start_us + i * SECOND };
      const EbReplayFrom later = { .by_time = TRUE, .real_us = start_us + i * SECOND + 1 };

      g_assert_true (replay (fixture, &later, &after, NULL));
      g_assert_cmpuint (after, ==, 3 * CLAMP (i + 1, 0, 10));
      g_assert_true (replay (fixture, &at, &after, NULL));
      g_assert_cmpuint (after, ==, 3 * CLAMP (i, 0, 10));
    }
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  assert_run (fixture, 30, 0, 30);
}

/* What was not delivered yet is not passed over. */
static void
test_forward (Fixture *fixture, gconstpointer data)
{
  gint64 start_us = eb_clock_get_real (EB_CLOCK (fixture->clock));
  const EbReplayFrom tomorrow = { .by_time = TRUE, .real_us = start_us + G_TIME_SPAN_DAY };
  guint64 after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 2);
  assert_run (fixture, 0, 0, 2);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  eb_bus_fixture_publish (fixture, "t", 5);
  g_assert_true (replay (fixture, &(EbReplayFrom){ .after = 5 }, &after, NULL));
  g_assert_cmpuint (after, ==, 2);
  g_assert_true (replay (fixture, &tomorrow, &after, NULL));
  g_assert_cmpuint (after, ==, 2);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  assert_run (fixture, 2, 2, 7);
}

/* However far back it was. */
static void
test_previous (Fixture *fixture, gconstpointer data)
{
  const char *const types[] = { "a", NULL };

  eb_bus_fixture_put_sink (fixture, "s", "a:1", types);
  eb_bus_fixture_publish (fixture, "a", 1);
  for (guint i = 0; i < 20; i++)
    eb_bus_fixture_publish (fixture, "b", 100);
  eb_bus_fixture_publish (fixture, "a", 1);
  eb_bus_fixture_wait (fixture, A, 2);
  replay_after (fixture, 2001);
  eb_bus_fixture_wait (fixture, A, 3);
  eb_bus_fixture_assert_arrival (fixture, A, 2, 2002, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 2).previous, ==, 1);
}

/* While events come: after each replay all that is after its place arrives, in order, and nothing
 * is passed over. */
static void
test_under_load (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL);
  guint n_arrivals = 0;
  guint64 head = 0, expected = 0, after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  for (guint i = 0; i < 10; i++)
    {
      eb_bus_fixture_publish (fixture, "t", 300);
      head += 300;
      g_assert_true (replay (fixture, &(EbReplayFrom){ .after = head / 2 }, &after, NULL));
      g_assert_cmpuint (after, <=, head / 2);
      g_hash_table_add (places, GUINT_TO_POINTER (after));
    }
  g_assert_true (eb_bus_fixture_drain (fixture));
  n_arrivals = eb_fake_sinks_count (fixture->sinks, A);
  for (guint i = 0; i < n_arrivals; i++)
    {
      guint64 sequence = eb_fake_sinks_get (fixture->sinks, A, i).sequence;

      if (sequence != expected + 1)
        g_assert_true (g_hash_table_contains (places, GUINT_TO_POINTER (sequence - 1)));
      g_assert_cmpuint (sequence, <=, expected + 1);
      expected = sequence;
    }
  g_assert_cmpuint (expected, ==, head);
}

typedef struct
{
  EbFakeSinks *sinks;
  guint n;
} Arrivals;

static gboolean
have_arrived (gpointer data)
{
  const Arrivals *arrivals = data;

  return eb_fake_sinks_count (arrivals->sinks, A) >= arrivals->n;
}

/* It lags, and a page that it has asked for comes when it is somewhere else by then. */
static void
test_late_page (Fixture *fixture, gconstpointer data)
{
  guint64 expected = 0;

  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 1000);
  eb_bus_fixture_publish (fixture, "t", 1000);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_fake_log_delay_answers (EB_FAKE_LOG (fixture->log));
  eb_fake_sinks_release (fixture->sinks, A);
  eb_test_wait_for (have_arrived, &(Arrivals){ fixture->sinks, 510 });
  replay_after (fixture, 5);
  g_assert_true (eb_bus_fixture_drain (fixture));
  for (guint i = 0; i < eb_fake_sinks_count (fixture->sinks, A); i++)
    {
      guint64 sequence = eb_fake_sinks_get (fixture->sinks, A, i).sequence;

      g_assert_true (sequence == expected + 1 || sequence == 6);
      expected = sequence;
    }
  g_assert_cmpuint (expected, ==, 2000);
}

/* What waits aside after the place comes as if never tried; what waits before it goes on. */
static void
test_aside (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_500, EB_FAKE_TAKE, EB_FAKE_ANSWER_500 };

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 3);
  g_assert_true (eb_bus_fixture_drain (fixture));
  replay_after (fixture, 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_assert_arrival (fixture, A, 3, 3, 1);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_wait (fixture, A, 5);
  eb_bus_fixture_assert_arrival (fixture, A, 4, 1, 2);
}

/* What the ledger was not told yet of exceptions before the place, it is told with the replay. */
static void
test_untold (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_500, EB_FAKE_ANSWER_500 };

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_bus_fixture_publish (fixture, "t", 3);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_run ();
  eb_fake_ledger_accept (fixture->fake);
  replay_after (fixture, 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_assert_arrival (fixture, A, 3, 3, 1);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_wait (fixture, A, 6);
}

/* Nor does a crash lose exceptions that the worker had not told anybody of. */
static void
test_unreported (Fixture *fixture, gconstpointer data)
{
  const EbFakeBehaviour failure = EB_FAKE_ANSWER_500;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_bus_fixture_publish (fixture, "t", 1);
  assert_run (fixture, 0, 0, 1);
  eb_bus_fixture_run (); /* from now on no progress is written before time passes */
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_sinks_script (fixture->sinks, A, &failure, 1);
  eb_bus_fixture_publish (fixture, "t", 3);
  eb_test_wait_for (have_arrived, &(Arrivals){ fixture->sinks, 4 });
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  replay_after (fixture, 3);
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_assert_arrival (fixture, A, 4, 4, 1);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_wait (fixture, A, 6);
  eb_bus_fixture_assert_arrival (fixture, A, 5, 2, 2);
}

/* What is under way is broken off, and its answer is nobody's. */
static void
test_broken_off (Fixture *fixture, gconstpointer data)
{
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_TAKE);
  replay_after (fixture, 0);
  assert_run (fixture, 1, 0, 2);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint64 after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 5);
  assert_run (fixture, 0, 0, 5);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  g_assert_false (replay (fixture, &(EbReplayFrom){ 0 }, &after, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  eb_fake_ledger_accept (fixture->fake);
  eb_bus_fixture_publish (fixture, "t", 1);
  assert_run (fixture, 5, 5, 6);
}

/* The daemon is killed after the answer, with nothing delivered yet: it goes on all the same. */
static void
test_survives (Fixture *fixture, gconstpointer data)
{
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 10);
  assert_run (fixture, 0, 0, 10);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  replay_after (fixture, 7);
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  assert_run (fixture, 10, 7, 10);
}

/* It ends at each moment of a replay. */
static void
test_end_meanwhile (Fixture *fixture, gconstpointer data)
{
  for (guint n_steps = 0; n_steps < 6; n_steps++)
    {
      g_autoptr (GAsyncResult) replayed = NULL;
      g_autoptr (GAsyncResult) ended = NULL;
      guint64 after;

      eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
      eb_bus_fixture_publish (fixture, "t", 2);
      eb_bus_replay_async (fixture->bus, "s", &(EbReplayFrom){ 0 }, eb_test_result_cb, &replayed);
      for (guint i = 0; i < n_steps; i++)
        g_main_context_iteration (NULL, FALSE);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &ended);
      g_assert_true (eb_bus_delete_finish (fixture->bus, eb_test_wait_for_result (&ended), NULL));
      eb_bus_replay_finish (fixture->bus, eb_test_wait_for_result (&replayed), &after, NULL);
      g_assert_null (eb_bus_fixture_look (fixture, "s"));
    }
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-replay/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                     \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("sequence", test_sequence);
  ADD ("types", test_types);
  ADD ("time", test_time);
  ADD ("forward", test_forward);
  ADD ("previous", test_previous);
  ADD ("under-load", test_under_load);
  ADD ("late-page", test_late_page);
  ADD ("aside", test_aside);
  ADD ("untold", test_untold);
  ADD ("unreported", test_unreported);
  ADD ("broken-off", test_broken_off);
  ADD ("refused", test_refused);
  ADD ("survives", test_survives);
  ADD ("end-meanwhile", test_end_meanwhile);

  return g_test_run ();
}
