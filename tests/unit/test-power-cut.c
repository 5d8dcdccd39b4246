/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gstdio.h>

#include "support/eb-store-model.h"
#include "support/eb-test-log.h"

/* The power goes off at any moment, and what was acknowledged is there when it comes back. The
 * seed is printed; G_TEST's --seed repeats it. EB_POWER_CUTS says how often. */

#define DEFAULT_CUTS 60

/* Cuts in the life of one database, after which the next one is new. */
#define CUTS_EACH 8

/* Calls to the system within which the cut comes: a few hundred make a store, and a commit has a
 * dozen. */
#define MAX_CALLS 1500

typedef struct
{
  EbStoreFixture store;
  EbShimVfs *shim;
  EbStoreModel *model;
  GRand *random;
  EbDurability durability;
} Fixture;

static guint
count_cuts (void)
{
  const char *wanted = g_getenv ("EB_POWER_CUTS");

  return wanted != NULL ? (guint) g_ascii_strtoull (wanted, NULL, 10) : DEFAULT_CUTS;
}

static gboolean
try_open (Fixture *fixture)
{
  EbStoreFixture *store = &fixture->store;
  g_autoptr (GError) error = NULL;

  store->store = eb_sqlite_store_new (EB_CLOCK (store->clock), store->path,
                                      eb_shim_vfs_get_name (fixture->shim), &error);
  if (store->store == NULL)
    {
      g_assert_true (eb_shim_vfs_is_cut (fixture->shim));
      return FALSE;
    }
  eb_sqlite_store_configure (store->store, fixture->durability, G_MAXSIZE, G_TIME_SPAN_DAY);
  store->log = g_object_ref (EB_LOG (store->store));
  store->ledger = g_object_ref (EB_LEDGER (store->store));
  return TRUE;
}

static void
begin_database (Fixture *fixture, guint number)
{
  EbStoreFixture *store = &fixture->store;
  g_autofree char *name = g_strdup_printf ("%u", number);

  g_clear_pointer (&fixture->model, eb_store_model_free);
  g_free (store->path);
  store->path = g_build_filename (store->folder, name, "events.db", NULL);
  fixture->model = eb_store_model_new (store, fixture->shim, fixture->random);
}

static void
copy_file (const char *path, const char *suffix, const char *to)
{
  g_autofree char *from = g_strconcat (path, suffix, NULL);
  g_autofree char *target = g_strconcat (to, suffix, NULL);
  g_autofree char *contents = NULL;
  gsize size;

  g_unlink (target);
  if (g_file_get_contents (from, &contents, &size, NULL))
    g_assert_true (g_file_set_contents (target, contents, (gssize) size, NULL));
}

/* On a copy, as looking writes the log back. */
static char *
find_damage (Fixture *fixture)
{
  g_autofree char *copy = g_strconcat (fixture->store.path, "-copy", NULL);

  copy_file (fixture->store.path, "", copy);
  copy_file (fixture->store.path, "-wal", copy);
  return eb_store_model_find_damage (copy);
}

/* Returns: (nullable): what is wrong after the cut */
static char *
cut_once (Fixture *fixture)
{
  guint n_calls = (guint) g_rand_int_range (fixture->random, 0, MAX_CALLS);
  char *fault = NULL;

  eb_shim_vfs_fail_after (fixture->shim, n_calls, EB_SHIM_CUT);
  if (try_open (fixture))
    {
      /* Without failures of another kind it says nothing wrong before the cut. */
      while (!eb_shim_vfs_is_cut (fixture->shim))
        eb_store_model_step (fixture->model);
      /* A batch that nobody can tell the fate of is answered at the end only. */
      eb_store_fixture_close (&fixture->store);
      eb_store_model_settle (fixture->model);
    }
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_UNSYNCED);
  fault = find_damage (fixture);
  if (fault != NULL)
    return fault;

  g_assert_true (try_open (fixture));
  fault = eb_store_model_find_fault (fixture->model);
  eb_store_fixture_close (&fixture->store);
  return fault;
}

static void
set_up (Fixture *fixture, gconstpointer durability)
{
  guint32 seed = (guint32) g_test_rand_int ();

  fixture->durability = *(const EbDurability *) durability;
  fixture->store.clock = eb_fake_clock_new ();
  fixture->store.folder = g_dir_make_tmp ("eb-test-power-XXXXXX", NULL);
  fixture->random = g_rand_new_with_seed (seed);
  fixture->shim = eb_shim_vfs_new (seed);
  g_test_message ("seed %u", seed);
}

static void
tear_down (Fixture *fixture, gconstpointer durability)
{
  eb_store_fixture_tear_down (&fixture->store, NULL);
  g_clear_pointer (&fixture->model, eb_store_model_free);
  eb_shim_vfs_free (fixture->shim);
  g_rand_free (fixture->random);
}

static void
test_nothing_is_lost (Fixture *fixture, gconstpointer data)
{
  guint n_cuts = count_cuts ();

  for (guint i = 0; i < n_cuts; i++)
    {
      g_autofree char *fault = NULL;

      if (i % CUTS_EACH == 0)
        begin_database (fixture, i);
      fault = cut_once (fixture);
      if (fault != NULL)
        g_test_message ("cut %u: %s", i, fault);
      g_assert_cmpstr (fault, ==, NULL);
    }
  g_test_message ("%u cuts", n_cuts);
}

/* So the test above would see it. */
static void
test_relaxed_loses (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < DEFAULT_CUTS; i++)
    {
      g_autofree char *fault = NULL;

      begin_database (fixture, i);
      fault = cut_once (fixture);
      if (fault != NULL)
        {
          g_assert_true (g_str_has_suffix (fault, "is lost"));
          return;
        }
    }
  g_assert_not_reached ();
}

static const EbDurability full = EB_DURABILITY_FULL, relaxed = EB_DURABILITY_RELAXED;

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eb_test_drop_log ();

  g_test_add ("/power-cut/nothing-is-lost", Fixture, &full, set_up, test_nothing_is_lost,
              tear_down);
  g_test_add ("/power-cut/relaxed-loses", Fixture, &relaxed, set_up, test_relaxed_loses, tear_down);

  return g_test_run ();
}
