/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-agenda.h"
#include "support/eb-fake-clock.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbAgenda *agenda;
  GPtrArray *passed; /* (element-type EbDue) in the order in which they passed */
  EbDue *again;      /* to be set again when it passes */
} Fixture;

static gint64
in (Fixture *fixture, GTimeSpan delay)
{
  return eb_clock_get_monotonic (EB_CLOCK (fixture->clock)) + delay;
}

static void
passed_cb (EbDue *due, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_false (eb_due_is_set (due));
  g_ptr_array_add (fixture->passed, due);
  if (due == fixture->again)
    eb_agenda_set (fixture->agenda, due, in (fixture, 5 * SECOND));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->clock = eb_fake_clock_new ();
  fixture->agenda = eb_agenda_new (EB_CLOCK (fixture->clock), NULL, passed_cb, fixture);
  fixture->passed = g_ptr_array_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_agenda_free (fixture->agenda);
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
test_move (Fixture *fixture, gconstpointer data)
{
  EbDue moved = { 0 }, other = { 0 };

  eb_agenda_set (fixture->agenda, &moved, in (fixture, 1 * SECOND));
  eb_agenda_set (fixture->agenda, &other, in (fixture, 2 * SECOND));
  eb_agenda_set (fixture->agenda, &moved, in (fixture, 3 * SECOND));
  advance (fixture, 2 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  g_assert_true (fixture->passed->pdata[0] == &other);

  eb_agenda_set (fixture->agenda, &other, in (fixture, -SECOND)); /* long passed */
  advance (fixture, 0);
  g_assert_cmpuint (fixture->passed->len, ==, 2);
  eb_agenda_clear (fixture->agenda, &moved);
  eb_agenda_clear (fixture->agenda, &moved);
  advance (fixture, 10 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 2);
}

static void
test_set_from_callback (Fixture *fixture, gconstpointer data)
{
  EbDue due = { 0 };

  fixture->again = &due;
  eb_agenda_set (fixture->agenda, &due, in (fixture, 5 * SECOND));
  advance (fixture, 5 * SECOND - 1);
  g_assert_cmpuint (fixture->passed->len, ==, 0);
  advance (fixture, 1);
  g_assert_cmpuint (fixture->passed->len, ==, 1);
  advance (fixture, 5 * SECOND);
  g_assert_cmpuint (fixture->passed->len, ==, 2);
  eb_agenda_clear (fixture->agenda, &due);
}

/* Whatever is set, moved and cleared, what is left passes in the order of its times. */
static void
test_random (Fixture *fixture, gconstpointer data)
{
  const guint n = 2000;
  g_autofree EbDue *dues = g_new0 (EbDue, n);
  guint n_set = 0;
  gint64 last_us = 0;

  for (guint i = 0; i < 5 * n; i++)
    {
      EbDue *due = &dues[g_test_rand_int_range (0, (gint32) n)];

      if (g_test_rand_int_range (0, 4) == 0)
        eb_agenda_clear (fixture->agenda, due);
      else
        eb_agenda_set (fixture->agenda, due, in (fixture, g_test_rand_int_range (0, 1000)));
    }
  for (guint i = 0; i < n; i++)
    n_set += eb_due_is_set (&dues[i]);

  g_assert_cmpuint (advance (fixture, 2 * SECOND), ==, 1);
  g_assert_cmpuint (fixture->passed->len, ==, n_set);
  for (guint i = 0; i < n_set; i++)
    {
      const EbDue *due = fixture->passed->pdata[i];

      g_assert_cmpint (due->due_us, >=, last_us);
      last_us = due->due_us;
    }
}

#define ADD(path, func) g_test_add ("/agenda/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("move", test_move);
  ADD ("set-from-callback", test_set_from_callback);
  ADD ("random", test_random);

  return g_test_run ();
}
