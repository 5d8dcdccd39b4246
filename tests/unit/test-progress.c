/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-progress.h"

typedef struct
{
  EbProgress *progress;
  EbSubscription *a;
  EbSubscription *b;
} Fixture;

static EbSubscription *
create_subscription (const char *id)
{
  g_autofree char *uri = g_strdup_printf ("http://%s/event", id);
  g_autoptr (EbSink) sink = eb_sink_new_for_uri (uri, NULL);
  EbSubscriptionSpec spec = { .id = id, .sink = sink, .concurrency = 1 };

  return eb_subscription_new (&spec, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->progress = eb_progress_new ();
  fixture->a = create_subscription ("a");
  fixture->b = create_subscription ("b");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_progress_free (fixture->progress);
  eb_subscription_unref (fixture->a);
  eb_subscription_unref (fixture->b);
}

static void
add (Fixture *fixture, EbSubscription *subscription, EbChangeKind kind, guint64 sequence)
{
  g_autoptr (EbChange) change =
      eb_change_new (kind, eb_subscription_get_id (subscription), sequence);

  change->exception.reason = g_strdup ("why");
  eb_progress_add (fixture->progress, subscription, change);
}

static char *
describe (const EbChange *change)
{
  static const char *const kinds[] = { "put", "remove", "cursor", "aside", "dead", "ended" };

  if (change->kind == EB_CHANGE_FLOOR)
    return g_strdup_printf ("floor %" G_GUINT64_FORMAT, change->exception.sequence);
  if (change->kind == EB_CHANGE_REMOVE)
    return g_strdup_printf ("remove %s", change->id);
  if (change->exception.sequence == EB_CURSOR_FLOOR)
    return g_strdup_printf ("%s goes with the floor", change->id);
  return g_strdup_printf ("%s %s %" G_GUINT64_FORMAT, change->id, kinds[change->kind],
                          change->exception.sequence);
}

/* Everything that stands in the next batch, in its order. */
static char *
take (Fixture *fixture)
{
  g_autoptr (GPtrArray) batch = eb_progress_take (fixture->progress);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; batch != NULL && i < batch->len; i++)
    {
      g_autofree char *change = describe (g_ptr_array_index (batch, i));

      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", change);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

#define assert_takes(fixture, expected)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *taken = take (fixture);                                                       \
                                                                                                   \
    g_assert_cmpstr (taken, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
test_nothing (Fixture *fixture, gconstpointer data)
{
  assert_takes (fixture, "");
}

static void
test_newest_counts (Fixture *fixture, gconstpointer data)
{
  add (fixture, fixture->a, EB_CHANGE_ASIDE, 3);
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 3);
  add (fixture, fixture->a, EB_CHANGE_DEAD, 3);
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 9);
  eb_progress_raise_floor (fixture->progress, 7);
  eb_progress_raise_floor (fixture->progress, 5);
  assert_takes (fixture, "a dead 3, a cursor 9, floor 7");
  eb_progress_done (fixture->progress);
  eb_progress_raise_floor (fixture->progress, 7);
  assert_takes (fixture, "");
}

/* Killed after any prefix, nothing is lost, and nobody falls back to an older floor. */
static void
test_order (Fixture *fixture, gconstpointer data)
{
  add (fixture, fixture->a, EB_CHANGE_CURSOR, EB_CURSOR_FLOOR);
  eb_progress_raise_floor (fixture->progress, 10);
  add (fixture, fixture->b, EB_CHANGE_CURSOR, 8);
  add (fixture, fixture->b, EB_CHANGE_ASIDE, 8);
  assert_takes (fixture, "b aside 8, b cursor 8, floor 10, a goes with the floor");
}

static void
go_with_floor (Fixture *fixture, EbSubscription *subscription, guint64 cursor)
{
  g_autoptr (EbChange) change =
      eb_change_new (EB_CHANGE_CURSOR, eb_subscription_get_id (subscription), EB_CURSOR_FLOOR);

  change->first = cursor;
  eb_progress_add (fixture->progress, subscription, change);
}

/* Where its worker is ahead of the others, the floor is not there yet. */
static void
test_ahead (Fixture *fixture, gconstpointer data)
{
  go_with_floor (fixture, fixture->a, 12);
  go_with_floor (fixture, fixture->b, 10);
  eb_progress_raise_floor (fixture->progress, 10);
  assert_takes (fixture, "a cursor 12, floor 10, b goes with the floor");
  eb_progress_done (fixture->progress);
  g_assert_true (eb_progress_is_empty (fixture->progress));
  assert_takes (fixture, "");
  eb_progress_raise_floor (fixture->progress, 11);
  assert_takes (fixture, "floor 11");
  eb_progress_done (fixture->progress);
  eb_progress_raise_floor (fixture->progress, 12);
  assert_takes (fixture, "floor 12, a goes with the floor");
  eb_progress_done (fixture->progress);
  eb_progress_raise_floor (fixture->progress, 13);
  assert_takes (fixture, "floor 13");
}

/* Who waits for the floor and is told otherwise, or ends, does not go with it. */
static void
test_ahead_no_more (Fixture *fixture, gconstpointer data)
{
  go_with_floor (fixture, fixture->a, 12);
  assert_takes (fixture, "a cursor 12");
  eb_progress_done (fixture->progress);
  go_with_floor (fixture, fixture->b, 12);
  assert_takes (fixture, "b cursor 12");
  eb_progress_done (fixture->progress);
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 13);
  eb_progress_forget (fixture->progress, fixture->b);
  eb_progress_raise_floor (fixture->progress, 20);
  assert_takes (fixture, "a cursor 13, floor 20");
  eb_progress_done (fixture->progress);
  assert_takes (fixture, "");
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  add (fixture, fixture->a, EB_CHANGE_ASIDE, 1);
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 1);
  assert_takes (fixture, "a aside 1, a cursor 1");
  add (fixture, fixture->a, EB_CHANGE_ENDED, 1);
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 2);
  eb_progress_raise_floor (fixture->progress, 2);
  /* Refused, so it comes again; what is newer comes after it. */
  assert_takes (fixture, "a aside 1, a cursor 1");
  eb_progress_done (fixture->progress);
  assert_takes (fixture, "a ended 1, a cursor 2, floor 2");
  eb_progress_done (fixture->progress);
  assert_takes (fixture, "");
}

/* While a batch is out, the floor of the next report may not pass the cursors that came with it. */
static void
test_floor_waits (Fixture *fixture, gconstpointer data)
{
  for (guint i = 1; i <= 2500; i++)
    add (fixture, fixture->a, EB_CHANGE_DEAD, i);
  add (fixture, fixture->b, EB_CHANGE_CURSOR, 1);
  eb_progress_raise_floor (fixture->progress, 2500);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GPtrArray) batch = eb_progress_take (fixture->progress);

      g_assert_cmpuint (batch->len, ==, 1000);
      for (guint j = 0; j < batch->len; j++)
        g_assert_cmpint (((EbChange *) g_ptr_array_index (batch, j))->kind, ==, EB_CHANGE_DEAD);
      add (fixture, fixture->b, EB_CHANGE_CURSOR, 2 + i);
      eb_progress_raise_floor (fixture->progress, 2501 + i);
      eb_progress_done (fixture->progress);
    }
  {
    g_autoptr (GPtrArray) batch = eb_progress_take (fixture->progress);
    g_autofree char *cursor = describe (g_ptr_array_index (batch, 500));
    g_autofree char *floor = describe (g_ptr_array_index (batch, 501));

    g_assert_cmpuint (batch->len, ==, 502);
    g_assert_cmpstr (cursor, ==, "b cursor 1");
    g_assert_cmpstr (floor, ==, "floor 2500");
    eb_progress_done (fixture->progress);
  }
  assert_takes (fixture, "b cursor 3, floor 2502");
}

static void
test_forget (Fixture *fixture, gconstpointer data)
{
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 1);
  assert_takes (fixture, "a cursor 1");
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 2);
  eb_progress_forget (fixture->progress, fixture->a);
  /* What was out was refused, and its subscription has ended. */
  assert_takes (fixture, "");
  add (fixture, fixture->b, EB_CHANGE_CURSOR, 3);
  assert_takes (fixture, "b cursor 3");
}

static void
test_ended (Fixture *fixture, gconstpointer data)
{
  eb_progress_add_ended (fixture->progress, "x");
  add (fixture, fixture->a, EB_CHANGE_CURSOR, 1);
  assert_takes (fixture, "remove x");
  assert_takes (fixture, "remove x");
  eb_progress_done (fixture->progress);
  g_assert_false (eb_progress_take_ended (fixture->progress, "x"));
  eb_progress_add_ended (fixture->progress, "y");
  g_assert_true (eb_progress_take_ended (fixture->progress, "y"));
  assert_takes (fixture, "a cursor 1");
}

/* However long the ledger refuses, it is one cursor, and one change of each exception. */
static void
test_bounded (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) batch = NULL;

  add (fixture, fixture->a, EB_CHANGE_CURSOR, 1);
  assert_takes (fixture, "a cursor 1");
  for (guint i = 2; i < 2000; i++)
    {
      add (fixture, fixture->a, EB_CHANGE_CURSOR, i);
      add (fixture, fixture->a, i % 2 == 0 ? EB_CHANGE_ASIDE : EB_CHANGE_ENDED, i % 10);
      eb_progress_raise_floor (fixture->progress, i);
    }
  assert_takes (fixture, "a cursor 1");
  eb_progress_done (fixture->progress);
  batch = eb_progress_take (fixture->progress);
  g_assert_cmpuint (batch->len, ==, 12);
}

#define ADD(path, func) g_test_add ("/progress/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("nothing", test_nothing);
  ADD ("newest-counts", test_newest_counts);
  ADD ("order", test_order);
  ADD ("ahead", test_ahead);
  ADD ("ahead-no-more", test_ahead_no_more);
  ADD ("refused", test_refused);
  ADD ("floor-waits", test_floor_waits);
  ADD ("forget", test_forget);
  ADD ("ended", test_ended);
  ADD ("bounded", test_bounded);

  return g_test_run ();
}
