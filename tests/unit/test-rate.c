/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-rate.h"

#define SECOND G_TIME_SPAN_SECOND

/* Returns: how many are done within a second by one who does as many as may be, looks every
 *   @step_us, and found nothing to do before @start_us */
static guint
count_in_second (EbRate *rate, gint64 start_us, GTimeSpan step_us)
{
  guint n = 0;

  for (gint64 now_us = start_us; now_us < start_us + SECOND; now_us += step_us)
    while (eb_rate_get_due (rate) <= now_us && n < 1000000)
      {
        eb_rate_take (rate, now_us);
        n++;
      }
  return n;
}

static void
test_unlimited (void)
{
  EbRate rate = { 0 };

  g_assert_false (eb_rate_is_limited (&rate));
  g_assert_cmpint (eb_rate_get_due (&rate), <=, 0);
  eb_rate_take (&rate, 5 * SECOND);
  eb_rate_set (&rate, 0, SECOND);
  g_assert_false (eb_rate_is_limited (&rate));
}

static void
test_even (void)
{
  EbRate rate = { 0 };
  gint64 now_us = 100 * SECOND;

  eb_rate_set (&rate, 4, SECOND);
  g_assert_true (eb_rate_is_limited (&rate));
  g_assert_cmpint (eb_rate_get_due (&rate), <=, now_us);
  eb_rate_take (&rate, now_us);
  g_assert_cmpint (eb_rate_get_due (&rate), ==, now_us + SECOND / 4);
  /* Who comes late has not saved anything up. */
  now_us += 10 * SECOND;
  eb_rate_take (&rate, now_us);
  g_assert_cmpint (eb_rate_get_due (&rate), ==, now_us + SECOND / 4);
}

static void
test_count (void)
{
  static const struct
  {
    guint n;
    GTimeSpan step_us;
    guint at_most, at_least;
  } table[] = {
    { 1, 1000, 1, 1 },          { 3, 1000, 3, 3 },          { 100, 1000, 100, 99 },
    { 1000, 1000, 1010, 1000 }, { 7777, 1000, 7855, 7700 }, { 20000, 5000, 20200, 19800 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    for (gint64 second = 1; second < 4; second++)
      {
        EbRate rate = { 0 };
        guint n;

        eb_rate_set (&rate, table[i].n, SECOND);
        n = count_in_second (&rate, second * 1000 * SECOND, table[i].step_us);
        g_assert_cmpuint (n, <=, table[i].at_most);
        g_assert_cmpuint (n, >=, table[i].at_least);
      }
}

/* A slower rate counts from what was done under the faster one. */
static void
test_change (void)
{
  EbRate rate = { 0 };

  eb_rate_set (&rate, 10, SECOND);
  eb_rate_take (&rate, SECOND);
  eb_rate_set (&rate, 30, G_TIME_SPAN_MINUTE);
  g_assert_cmpint (eb_rate_get_due (&rate), ==, SECOND + SECOND / 10);
  eb_rate_take (&rate, SECOND + SECOND / 10);
  g_assert_cmpint (eb_rate_get_due (&rate), ==, SECOND + SECOND / 10 + 2 * SECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/rate/unlimited", test_unlimited);
  g_test_add_func ("/rate/even", test_even);
  g_test_add_func ("/rate/count", test_count);
  g_test_add_func ("/rate/change", test_change);

  return g_test_run ();
}
