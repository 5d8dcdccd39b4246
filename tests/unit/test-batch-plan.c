/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-batch-plan.h"

/* Which events travel together, before they do. */

static char *
describe (EbBatchPlan *plan)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));
  GString *text = g_string_new (NULL);

  eb_batch_plan_list (plan, ranges);
  for (guint i = 0; i < ranges->len; i++)
    {
      const EbBatchRange *range = &g_array_index (ranges, EbBatchRange, i);

      g_string_append_printf (text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " ", range->first,
                              range->last);
    }
  return g_string_free (text, FALSE);
}

static void
assert_plan (EbBatchPlan *plan, const char *expected)
{
  g_autofree char *text = describe (plan);

  g_assert_cmpstr (text, ==, expected);
}

/* Counts events of that size, and adds what is full. */
static void
count (EbBatchPlan *plan, guint64 first, guint64 last, gsize share)
{
  EbBatchRange full;

  for (guint64 sequence = first; sequence <= last; sequence++)
    if (eb_batch_plan_count (plan, sequence, share, &full))
      eb_batch_plan_add (plan, &full, FALSE);
}

static void
test_length (void)
{
  EbBatchPlan *plan = eb_batch_plan_new ();

  count (plan, 1, 99, 1);
  assert_plan (plan, "");
  count (plan, 100, 250, 1);
  assert_plan (plan, "1-100 101-200 ");
  eb_batch_plan_free (plan);
}

static void
test_bytes (void)
{
  EbBatchPlan *plan = eb_batch_plan_new ();

  count (plan, 1, 2, EB_BATCH_MAX_SHARES / 2);
  assert_plan (plan, "");
  count (plan, 3, 3, EB_BATCH_MAX_SHARES + 1);
  assert_plan (plan, "1-2 ");
  count (plan, 4, 4, 1);
  assert_plan (plan, "1-2 3-3 ");
  eb_batch_plan_free (plan);
}

/* What is planned already is not counted, nor what was sent apart. */
static void
test_add (void)
{
  EbBatchPlan *plan = eb_batch_plan_new ();

  eb_batch_plan_add (plan, &(EbBatchRange){ 20, 30 }, TRUE);
  eb_batch_plan_add (plan, &(EbBatchRange){ 1, 10 }, TRUE);
  assert_plan (plan, "1-10 20-30 ");
  count (plan, 1, 129, 1);
  assert_plan (plan, "1-10 20-30 ");
  eb_batch_plan_add (plan, &(EbBatchRange){ 31, 129 }, FALSE);
  count (plan, 130, 130, 1);
  assert_plan (plan, "1-10 20-30 31-129 ");
  count (plan, 131, 149, 1);
  eb_batch_plan_count_anew (plan);
  count (plan, 150, 249, 1);
  assert_plan (plan, "1-10 20-30 31-129 150-249 ");
  eb_batch_plan_free (plan);
}

static void
test_find (void)
{
  EbBatchPlan *plan = eb_batch_plan_new ();
  const EbPlannedBatch *found;

  g_assert_null (eb_batch_plan_find (plan, 1));
  g_assert_cmpuint (eb_batch_plan_get_end (plan), ==, G_MAXUINT64);
  eb_batch_plan_add (plan, &(EbBatchRange){ 5, 10 }, FALSE);
  eb_batch_plan_add (plan, &(EbBatchRange){ 11, 20 }, FALSE);
  g_assert_null (eb_batch_plan_find (plan, 4));
  g_assert_cmpuint (eb_batch_plan_get_end (plan), ==, 5);
  found = eb_batch_plan_find (plan, 7);
  g_assert_cmpuint (found->range.first, ==, 5);
  g_assert_false (found->fixed);
  eb_batch_plan_confirm (plan, &(EbBatchRange){ 5, 9 }); /* there is no such */
  g_assert_false (eb_batch_plan_find (plan, 7)->fixed);
  eb_batch_plan_confirm (plan, &(EbBatchRange){ 5, 10 });
  g_assert_true (eb_batch_plan_find (plan, 7)->fixed);
  g_assert_false (eb_batch_plan_find (plan, 20)->fixed);
  assert_plan (plan, "11-20 ");
  eb_batch_plan_drop_first (plan);
  g_assert_null (eb_batch_plan_find (plan, 20));
  eb_batch_plan_free (plan);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/batch-plan/length", test_length);
  g_test_add_func ("/batch-plan/bytes", test_bytes);
  g_test_add_func ("/batch-plan/add", test_add);
  g_test_add_func ("/batch-plan/find", test_find);

  return g_test_run ();
}
