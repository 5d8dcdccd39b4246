/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-store-fixture.h"

/* The contract of every ledger on what batches consist of. */

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

static void
fix (Fixture *fixture, guint64 first, guint64 last)
{
  apply (fixture, eb_change_new_fixed (ID, first, last));
}

static char *
describe (const EbLedgerEntry *entry)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < entry->batches->len; i++)
    {
      const EbBatchRange *batch = &g_array_index (entry->batches, EbBatchRange, i);

      g_string_append_printf (text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " ", batch->first,
                              batch->last);
    }
  return g_string_free (text, FALSE);
}

/* Of the subscription; another one never has any. */
static void
assert_batches (Fixture *fixture, const char *expected)
{
  g_autoptr (GPtrArray) entries = eb_store_fixture_load (&fixture->store, &fixture->epoch);

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = entries->pdata[i];
      g_autofree char *batches = describe (entry);

      g_assert_cmpstr (batches, ==,
                       g_str_equal (eb_subscription_get_id (entry->subscription), ID) ? expected
                                                                                      : "");
    }
}

/* It began at 10, where the floor is, too. */
static void
set_up (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GPtrArray) entries = NULL;

  eb_store_fixture_set_up (&fixture->store, kind);
  entries = eb_store_fixture_load (&fixture->store, &fixture->epoch);
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 10));
  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 10);
  eb_store_fixture_put (&fixture->store, fixture->epoch, "other:1", 10);
}

static void
tear_down (Fixture *fixture, gconstpointer kind)
{
  eb_store_fixture_tear_down (&fixture->store, kind);
}

static void
test_fix (Fixture *fixture, gconstpointer data)
{
  assert_batches (fixture, "");
  fix (fixture, 21, 30);
  fix (fixture, 11, 20);
  fix (fixture, 31, 31);
  assert_batches (fixture, "11-20 21-30 31-31 ");
  fix (fixture, 21, 30); /* once more changes nothing */
  assert_batches (fixture, "11-20 21-30 31-31 ");
  apply (fixture, eb_change_new_fixed ("unknown:1", 11, 20));
  assert_batches (fixture, "11-20 21-30 31-31 ");
}

/* What an event is in is what was said last. */
static void
test_overlap (Fixture *fixture, gconstpointer data)
{
  fix (fixture, 11, 20);
  fix (fixture, 21, 30);
  fix (fixture, 31, 40);
  fix (fixture, 15, 25);
  assert_batches (fixture, "15-25 31-40 ");
  fix (fixture, 15, 24);
  assert_batches (fixture, "15-24 31-40 ");
  fix (fixture, 12, 40);
  assert_batches (fixture, "12-40 ");
  fix (fixture, 20, 21);
  assert_batches (fixture, "20-21 ");
}

/* Those that end at its place, or before, are over. */
static void
test_passed (Fixture *fixture, gconstpointer data)
{
  fix (fixture, 11, 20);
  fix (fixture, 21, 30);
  fix (fixture, 31, 40);
  apply (fixture, eb_change_new_position (EB_CHANGE_CURSOR, ID, 20, 20, 0));
  assert_batches (fixture, "21-30 31-40 ");
  apply (fixture, eb_change_new_position (EB_CHANGE_CURSOR, ID, 25, 25, 0));
  assert_batches (fixture, "21-30 31-40 ");
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 35));
  assert_batches (fixture, "21-30 31-40 ");
  apply (fixture, eb_change_new (EB_CHANGE_CURSOR, ID, EB_CURSOR_FLOOR));
  assert_batches (fixture, "31-40 ");
  fix (fixture, 41, 50);
  apply (fixture, eb_change_new (EB_CHANGE_FLOOR, NULL, 40));
  assert_batches (fixture, "41-50 ");
  fix (fixture, 51, 60);
  assert_batches (fixture, "41-50 51-60 ");
}

/* Whoever comes back goes on with them; but what it goes back over it gets anew. */
static void
test_positions (Fixture *fixture, gconstpointer data)
{
  fix (fixture, 11, 20);
  fix (fixture, 21, 30);
  apply (fixture, eb_change_new_position (EB_CHANGE_EXPIRED, ID, 20, 20, 1234567));
  assert_batches (fixture, "21-30 ");
  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 10);
  assert_batches (fixture, "21-30 ");
  apply (fixture, eb_change_new_position (EB_CHANGE_REWIND, ID, 15, 15, 0));
  assert_batches (fixture, "");
}

static void
test_removed (Fixture *fixture, gconstpointer data)
{
  fix (fixture, 11, 20);
  apply (fixture, eb_change_new (EB_CHANGE_REMOVE, ID, 0));
  fix (fixture, 21, 30);
  eb_store_fixture_put (&fixture->store, fixture->epoch, ID, 10);
  assert_batches (fixture, "");
}

/* Whoever outlives the process must say so, and do it. */
static void
test_durable (Fixture *fixture, gconstpointer kind)
{
  gboolean durable = *(const EbStoreKind *) kind == EB_STORE_SQLITE;

  g_assert_cmpint (eb_ledger_is_durable (fixture->store.ledger), ==, durable);
  if (!durable)
    return;
  fix (fixture, 11, 20);
  eb_store_fixture_close (&fixture->store);
  eb_store_fixture_open (&fixture->store);
  assert_batches (fixture, "11-20 ");
}

static const EbStoreKind memory = EB_STORE_MEMORY, sqlite = EB_STORE_SQLITE;

#define ADD(path, func)                                                                            \
  g_test_add ("/store-batches/memory/" path, Fixture, &memory, set_up, func, tear_down);           \
  g_test_add ("/store-batches/sqlite/" path, Fixture, &sqlite, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("fix", test_fix);
  ADD ("overlap", test_overlap);
  ADD ("passed", test_passed);
  ADD ("positions", test_positions);
  ADD ("removed", test_removed);
  ADD ("durable", test_durable);

  return g_test_run ();
}
