/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-log-follower.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-wait.h"

#define REST (50 * G_TIME_SPAN_MILLISECOND)

static const EbStoreKind kind = EB_STORE_MEMORY;

typedef struct
{
  EbStoreFixture store;
  EbAgenda *agenda;
  EbLogFollower *follower;
  gboolean listens;
  guint64 taken; /* the last event */
} Fixture;

static void
due_cb (EbDue *due, gpointer user_data)
{
  g_assert_true (eb_log_follower_handle_due (((Fixture *) user_data)->follower, due));
}

static guint64
take_tail (EbPage *page, gpointer user_data)
{
  Fixture *fixture = user_data;

  for (guint i = 0; i < page->events->len; i++)
    fixture->taken = eb_event_get_sequence (page->events->pdata[i]);
  return fixture->taken;
}

static gboolean
listens (gpointer user_data)
{
  return ((Fixture *) user_data)->listens;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const EbLogFollowerOwner owner = { fixture, take_tail, listens, NULL };
  EbClock *clock;

  eb_store_fixture_set_up (&fixture->store, &kind);
  clock = EB_CLOCK (fixture->store.clock);
  fixture->agenda = eb_agenda_new (clock, NULL, due_cb, fixture);
  fixture->follower = eb_log_follower_new (fixture->store.log, clock, fixture->agenda, &owner);
  fixture->listens = GPOINTER_TO_INT (data);
  eb_log_follower_start (fixture->follower, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_log_follower_cancel (fixture->follower);
  eb_log_follower_wait (fixture->follower, NULL);
  eb_log_follower_free (fixture->follower);
  eb_agenda_free (fixture->agenda);
  eb_store_fixture_tear_down (&fixture->store, &kind);
}

static void
assert_takes (Fixture *fixture, guint64 sequence)
{
  eb_test_run ();
  g_assert_cmpuint (fixture->taken, ==, sequence);
}

static void
publish (Fixture *fixture, guint n)
{
  while (n-- > 0)
    eb_store_fixture_append (&fixture->store, "x");
}

static void
test_listening (Fixture *fixture, gconstpointer data)
{
  for (guint i = 1; i <= 3; i++)
    {
      publish (fixture, 1);
      assert_takes (fixture, i);
    }
}

/* It has been woken for the first, and then looks now and then. */
static void
test_resting (Fixture *fixture, gconstpointer data)
{
  publish (fixture, 1);
  assert_takes (fixture, 1);
  publish (fixture, 2);
  assert_takes (fixture, 1);
  eb_fake_clock_advance (fixture->store.clock, REST - 1);
  assert_takes (fixture, 1);
  eb_fake_clock_advance (fixture->store.clock, 1);
  assert_takes (fixture, 3);
}

static void
test_woken (Fixture *fixture, gconstpointer data)
{
  publish (fixture, 1);
  assert_takes (fixture, 1);
  publish (fixture, 1);
  fixture->listens = TRUE;
  eb_log_follower_wake (fixture->follower);
  assert_takes (fixture, 2);
  publish (fixture, 1);
  assert_takes (fixture, 3);
  eb_log_follower_wake (fixture->follower); /* nothing to do: it reads */
  publish (fixture, 1);
  assert_takes (fixture, 4);
}

#define ADD(path, listens, func)                                                                   \
  g_test_add ("/log-follower/" path, Fixture, GINT_TO_POINTER (listens), set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("listening", TRUE, test_listening);
  ADD ("resting", FALSE, test_resting);
  ADD ("woken", FALSE, test_woken);

  return g_test_run ();
}
