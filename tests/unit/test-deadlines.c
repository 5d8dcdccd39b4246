/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-deadlines.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbDeadlines *deadlines;
  GPtrArray *passed; /* (element-type EbDeadline) in the order in which they passed */
  EbDeadline *again; /* to be set again when it passes */
} Fixture;

static void
passed_cb (EbDeadline *deadline, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_false (eb_deadline_is_set (deadline));
  g_ptr_array_add (fixture->passed, deadline);
  if (deadline == fixture->again)
    eb_deadlines_set (fixture->deadlines, deadline, 5 * SECOND);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->clock = eb_fake_clock_new ();
  fixture->deadlines = eb_deadlines_new (EB_CLOCK (fixture->clock), NULL, passed_cb, fixture);
  fixture->passed = g_ptr_array_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_deadlines_free (fixture->deadlines);
  g_object_unref (fixture->clock);
  g_ptr_array_unref (fixture->passed);
}

/* Returns: how many turns of the main loop had something to do */
static guint
advance (Fixture *fixture, GTimeSpan by)
{
  eb_fake_clock_advance (fixture->clock, by);
  return eb_test_run ();
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  EbDeadline long_one = { 0 }, short_one = { 0 }, middle_one = { 0 };

  eb_deadlines_set (fixture->deadlines, &long_one, 30 * SECOND);
  eb_deadlines_set (fixture->deadlines, &short_one, 10 * SECOND);
  eb_deadlines_set (fixture->deadlines, &middle_one, 20 * SECOND);

  advance (fixture, 10 * SECOND - 1);
  g_assert_cmpuint (fixture->passed->len, ==, 0);
  advance (fixture, 1);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  g_assert_true (fixture->passed->pdata[0] == &short_one);
  advance (fixture, 100 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 3);
  g_assert_true (fixture->passed->pdata[1] == &middle_one);
  g_assert_true (fixture->passed->pdata[2] == &long_one);
}

static void
test_set_again (Fixture *fixture, gconstpointer data)
{
  EbDeadline renewed = { 0 }, left_alone = { 0 };

  eb_deadlines_set (fixture->deadlines, &renewed, 10 * SECOND);
  eb_deadlines_set (fixture->deadlines, &left_alone, 10 * SECOND);
  advance (fixture, 6 * SECOND);
  eb_deadlines_set (fixture->deadlines, &renewed, 10 * SECOND);

  advance (fixture, 4 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  g_assert_true (fixture->passed->pdata[0] == &left_alone);
  advance (fixture, 6 * SECOND - 1);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  advance (fixture, 1);
  g_assert_cmpuint (fixture->passed->len, ==, 2);
}

static void
test_clear (Fixture *fixture, gconstpointer data)
{
  EbDeadline deadline = { 0 };

  eb_deadlines_set (fixture->deadlines, &deadline, SECOND);
  g_assert_true (eb_deadline_is_set (&deadline));
  eb_deadlines_clear (fixture->deadlines, &deadline);
  eb_deadlines_clear (fixture->deadlines, &deadline);
  g_assert_false (eb_deadline_is_set (&deadline));
  advance (fixture, 2 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 0);

  /* The class is gone by now; its length can come again. */
  eb_deadlines_set (fixture->deadlines, &deadline, SECOND);
  advance (fixture, SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
}

static void
test_change_of_length (Fixture *fixture, gconstpointer data)
{
  EbDeadline deadline = { 0 };

  eb_deadlines_set (fixture->deadlines, &deadline, 100 * SECOND);
  eb_deadlines_set (fixture->deadlines, &deadline, 1 * SECOND);
  advance (fixture, 1 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  advance (fixture, 200 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
}

static void
test_set_from_callback (Fixture *fixture, gconstpointer data)
{
  EbDeadline deadline = { 0 };

  fixture->again = &deadline;
  eb_deadlines_set (fixture->deadlines, &deadline, 5 * SECOND);
  advance (fixture, 5 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  g_assert_true (eb_deadline_is_set (&deadline));
  advance (fixture, 5 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 2);
  fixture->again = NULL;
  eb_deadlines_clear (fixture->deadlines, &deadline);
}

/* A turn in which nothing passes must not depend on how many are set, and renewing must not wake
 * the loop each time. */
static void
test_cost (Fixture *fixture, gconstpointer data)
{
  const guint n = 10000;
  g_autofree EbDeadline *deadlines = g_new0 (EbDeadline, n);
  guint n_turns = 0;

  for (guint i = 0; i < n; i++)
    eb_deadlines_set (fixture->deadlines, &deadlines[i], 120 * SECOND);
  for (guint round = 0; round < 10; round++)
    {
      n_turns += advance (fixture, 40 * SECOND);
      for (guint i = 0; i < n; i++)
        eb_deadlines_set (fixture->deadlines, &deadlines[i], 120 * SECOND);
    }
  g_assert_cmpuint (fixture->passed->len, ==, 0);
  g_assert_cmpuint (n_turns, <=, 10);

  advance (fixture, 120 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, n);
  g_assert_true (fixture->passed->pdata[0] == &deadlines[0]);
  g_assert_true (fixture->passed->pdata[n - 1] == &deadlines[n - 1]);
}

#define ADD(path, func) g_test_add ("/deadlines/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("order", test_order);
  ADD ("set-again", test_set_again);
  ADD ("clear", test_clear);
  ADD ("change-of-length", test_change_of_length);
  ADD ("set-from-callback", test_set_from_callback);
  ADD ("cost", test_cost);

  return g_test_run ();
}
