/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-store-fixture.h"

/* The contract of every ledger on where a subscription is that goes back, or that is gone and may
 * come back. */

#define ID "a:1"

typedef struct
{
  EbStoreFixture store;
  guint64 epoch;
} Fixture;

static void
apply (Fixture *fixture, EbChange *change)
{
  g_assert_true (eb_store_fixture_apply (&fixture->store, fixture->epoch, change, NULL));
}

static GPtrArray *
load (Fixture *fixture)
{
  return eb_store_fixture_load (&fixture->store, &fixture->epoch);
}

static void
assert_position (const EbLedgerEntry *entry, guint64 cursor, guint64 previous, gint64 expired_us)
{
  g_assert_true (entry->has_cursor);
  g_assert_cmpuint (entry->cursor, ==, cursor);
  g_assert_cmpuint (entry->previous, ==, previous);
  g_assert_cmpint (entry->expired_us, ==, expired_us);
}

/* Of those that wait, and of the dead ones. */
static void
assert_exceptions (Fixture *fixture, guint n_aside, guint n_dead)
{
  g_autoptr (GPtrArray) aside =
      eb_store_fixture_list (&fixture->store, ID, EB_EXCEPTIONS_ASIDE, 0, 100, NULL);
  g_autoptr (GPtrArray) dead =
      eb_store_fixture_list (&fixture->store, ID, EB_EXCEPTIONS_DEAD, 0, 100, NULL);
  g_autoptr (GPtrArray) all =
      eb_store_fixture_list (&fixture->store, ID, EB_EXCEPTIONS_ALL, 0, 100, NULL);

  g_assert_cmpuint (aside->len, ==, n_aside);
  g_assert_cmpuint (dead->len, ==, n_dead);
  g_assert_cmpuint (all->len, ==, n_aside + n_dead);
}

/* It began at 10, is at 40, and the floor is there too; 20 and 30 are dead, 25 and 35 wait. */
static void
set_up (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GPtrArray) entries = NULL;

  eb_store_fixture_set_up (&fixture->store, kind);
  entries = load (fixture);
  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 10);
  eb_store_fixture_put (&fixture->store, fixture->epoch, "other:1", 10);
  apply (fixture, eb_change_new (EB_CHANGE_DEAD, ID, 20));
  apply (fixture, eb_change_new (EB_CHANGE_DEAD, ID, 30));
  apply (fixture, eb_change_new (EB_CHANGE_ASIDE, ID, 25));
  apply (fixture, eb_change_new (EB_CHANGE_ASIDE, ID, 35));
  apply (fixture, eb_change_new (EB_CHANGE_ASIDE, "other:1", 35));
  apply (fixture, eb_change_new_position (EB_CHANGE_CURSOR, ID, 40, 39, 0));
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 40));
}

static void
tear_down (Fixture *fixture, gconstpointer kind)
{
  eb_store_fixture_tear_down (&fixture->store, kind);
}

static const EbLedgerEntry *
find (GPtrArray *entries, const char *id)
{
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = entries->pdata[i];

      if (g_str_equal (eb_subscription_get_id (entry->subscription), id))
        return entry;
    }
  g_assert_not_reached ();
}

static void
test_rewind (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  for (guint i = 0; i < 2; i++) /* once more changes nothing */
    {
      apply (fixture, eb_change_new_position (EB_CHANGE_REWIND, ID, 25, 22, 0));
      g_clear_pointer (&entries, g_ptr_array_unref);
      entries = load (fixture);
      assert_position (find (entries, ID), 25, 22, 0);
      g_assert_cmpuint (find (entries, ID)->start, ==, 10);
      assert_exceptions (fixture, 1, 1);
      g_assert_cmpuint (find (entries, "other:1")->aside->len, ==, 1);
    }
  apply (fixture, eb_change_new_position (EB_CHANGE_REWIND, "unknown:1", 1, 0, 0));
}

/* Behind where it began, and ahead of where it is. */
static void
test_rewind_anywhere (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) back = NULL;
  g_autoptr (GPtrArray) ahead = NULL;

  apply (fixture, eb_change_new_position (EB_CHANGE_REWIND, ID, 0, 0, 0));
  back = load (fixture);
  assert_position (find (back, ID), 0, 0, 0);
  g_assert_cmpuint (find (back, ID)->start, ==, 0);
  assert_exceptions (fixture, 0, 0);

  apply (fixture, eb_change_new_position (EB_CHANGE_REWIND, ID, 90, 88, 0));
  ahead = load (fixture);
  assert_position (find (ahead, ID), 90, 88, 0);
}

static void
test_expired (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) back = NULL;

  apply (fixture, eb_change_new (EB_CHANGE_CURSOR, ID, EB_CURSOR_FLOOR));
  for (guint i = 0; i < 2; i++)
    apply (fixture, eb_change_new_position (EB_CHANGE_EXPIRED, ID, 42, 41, 1234567));
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 80));
  entries = load (fixture);
  assert_position (find (entries, ID), 42, 41, 1234567);
  assert_exceptions (fixture, 2, 2);
  g_assert_cmpint (find (entries, "other:1")->expired_us, ==, 0);

  /* It comes back, to where it was. */
  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 80);
  back = load (fixture);
  assert_position (find (back, ID), 42, 41, 0);
  assert_exceptions (fixture, 2, 2);
}

/* Whoever does not know where it is leaves that to the ledger, which does. */
static void
test_expired_with_the_floor (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  apply (fixture,
         eb_change_new_position (EB_CHANGE_EXPIRED, "other:1", EB_CURSOR_FLOOR, 39, 1234567));
  apply (fixture, eb_change_new_position (EB_CHANGE_EXPIRED, ID, EB_CURSOR_FLOOR, 39, 1234567));
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 80));
  entries = load (fixture);
  assert_position (find (entries, "other:1"), 40, 39, 1234567);
  assert_position (find (entries, ID), 40, 39, 1234567);
}

static void
test_expired_and_removed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) again = NULL;

  apply (fixture, eb_change_new_position (EB_CHANGE_EXPIRED, ID, 42, 41, 1234567));
  apply (fixture, eb_change_new (EB_CHANGE_REMOVE, ID, 0));
  apply (fixture, eb_change_new_position (EB_CHANGE_EXPIRED, ID, 42, 41, 1234567));
  entries = load (fixture);
  g_assert_cmpuint (entries->len, ==, 1);

  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 39);
  again = load (fixture);
  assert_position (find (again, ID), 39, 0, 0);
  assert_exceptions (fixture, 0, 0);
}

static const EbStoreKind memory = EB_STORE_MEMORY, sqlite = EB_STORE_SQLITE;

#define ADD(path, func)                                                                            \
  g_test_add ("/store-positions/memory/" path, Fixture, &memory, set_up, func, tear_down);         \
  g_test_add ("/store-positions/sqlite/" path, Fixture, &sqlite, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("rewind", test_rewind);
  ADD ("rewind-anywhere", test_rewind_anywhere);
  ADD ("expired", test_expired);
  ADD ("expired-with-the-floor", test_expired_with_the_floor);
  ADD ("expired-and-removed", test_expired_and_removed);

  return g_test_run ();
}
