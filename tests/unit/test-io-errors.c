/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "support/eb-store-model.h"
#include "support/eb-test-log.h"
#include "support/eb-test-wait.h"

/* Each of the first hundreds of calls to the system fails once, by itself or with all that follow
 * until there is space again. Everything that is asked meanwhile gets a clear answer, the store
 * works again by itself, and what it has then is what it said. */

#define N_CALLS 400

/* Sanitizers make each of them twenty times as slow, and look at the same code every time. */
#ifdef __SANITIZE_ADDRESS__
#  define STEP 9
#else
#  define STEP 1
#endif

/* What is asked after the failure. */
#define N_MORE_STEPS 20

typedef struct
{
  EbStoreFixture store;
  EbShimVfs *shim;
  EbStoreModel *model;
  GRand *random;
  guint n_failed_opens;
  guint n_refused;
} Fixture;

static gboolean
try_open (Fixture *fixture, GError **error)
{
  EbStoreFixture *store = &fixture->store;

  store->store = eb_sqlite_store_new (EB_CLOCK (store->clock), store->path,
                                      eb_shim_vfs_get_name (fixture->shim), error);
  if (store->store == NULL)
    return FALSE;
  store->log = g_object_ref (EB_LOG (store->store));
  store->ledger = g_object_ref (EB_LEDGER (store->store));
  return TRUE;
}

/* A daemon that cannot open its store says why and ends; then somebody makes room.
 *
 * Returns: whether the failure is still to come, or was survived */
static gboolean
open_store (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  if (try_open (fixture, &error))
    return TRUE;
  g_assert_nonnull (strstr (error->message, "events.db"));
  g_assert_true (eb_shim_vfs_has_failed (fixture->shim));
  fixture->n_failed_opens++;
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
  g_assert_true (try_open (fixture, NULL));
  return FALSE;
}

static void
appended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GArray) receipts = eb_log_append_finish (EB_LOG (source), result, NULL);

  *(int *) user_data = receipts != NULL;
}

static gboolean
is_answered (gpointer data)
{
  return *(int *) data >= 0;
}

/* An append without drafts takes part in a transaction and leaves nothing behind. */
static void
wait_for_recovery (Fixture *fixture)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  int works = 0;

  while (!works)
    {
      works = -1;
      eb_fake_clock_advance (fixture->store.clock, G_TIME_SPAN_SECOND);
      eb_log_append_async (fixture->store.log, none, NULL, appended_cb, &works);
      eb_test_wait_for (is_answered, &works);
    }
}

static void
work (Fixture *fixture)
{
  while (!eb_shim_vfs_has_failed (fixture->shim))
    eb_store_model_step (fixture->model);
  for (guint i = 0; i < N_MORE_STEPS; i++)
    {
      eb_store_model_step (fixture->model);
      eb_fake_clock_advance (fixture->store.clock, G_TIME_SPAN_SECOND / 4);
    }
  eb_store_model_settle (fixture->model);
}

static void
assert_no_fault (Fixture *fixture, guint n_calls)
{
  g_autofree char *fault = eb_store_model_find_fault (fixture->model);

  if (fault != NULL)
    g_test_message ("call %u: %s", n_calls, fault);
  g_assert_cmpstr (fault, ==, NULL);
}

/* One process ends as it should, another one is killed: what was refused is not there then
 * either. */
static void
end_store (Fixture *fixture, guint n_calls)
{
  if (n_calls % 2 == 0)
    eb_shim_vfs_fail_after (fixture->shim, 0, EB_SHIM_CUT);
  eb_store_fixture_close (&fixture->store);
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
}

static void
begin_store (Fixture *fixture, guint n_calls)
{
  g_autofree char *name = g_strdup_printf ("%u", n_calls);

  g_free (fixture->store.path);
  fixture->store.path = g_build_filename (fixture->store.folder, name, "events.db", NULL);
  fixture->model = eb_store_model_new (&fixture->store, fixture->shim, fixture->random);
}

static void
fail_once (Fixture *fixture, guint n_calls, EbShimFault fault)
{
  g_autofree char *damage = NULL;

  begin_store (fixture, n_calls);
  eb_shim_vfs_fail_after (fixture->shim, n_calls, fault);
  if (open_store (fixture))
    work (fixture);
  fixture->n_refused += eb_store_model_get_n_refused (fixture->model);
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
  wait_for_recovery (fixture);
  eb_store_model_step (fixture->model);
  eb_store_model_settle (fixture->model);
  assert_no_fault (fixture, n_calls);

  end_store (fixture, n_calls);
  g_assert_true (try_open (fixture, NULL));
  assert_no_fault (fixture, n_calls);
  eb_store_fixture_close (&fixture->store);
  damage = eb_store_model_find_damage (fixture->store.path);
  g_assert_cmpstr (damage, ==, NULL);
  g_clear_pointer (&fixture->model, eb_store_model_free);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  guint32 seed = (guint32) g_test_rand_int ();

  fixture->store.clock = eb_fake_clock_new ();
  fixture->store.folder = g_dir_make_tmp ("eb-test-io-XXXXXX", NULL);
  fixture->random = g_rand_new_with_seed (seed);
  fixture->shim = eb_shim_vfs_new (seed);
  g_test_message ("seed %u", seed);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_store_fixture_tear_down (&fixture->store, NULL);
  eb_shim_vfs_free (fixture->shim);
  g_rand_free (fixture->random);
}

static void
test_fault (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CALLS; i += STEP)
    fail_once (fixture, i, *(const EbShimFault *) data);

  g_test_message ("%u stores could not be opened, %u times a publisher was refused",
                  fixture->n_failed_opens, fixture->n_refused);
  g_assert_cmpuint (fixture->n_failed_opens, >, 0);
  g_assert_cmpuint (fixture->n_refused, >, 0);
}

/* A commit of which only the last call failed is complete in the log, and refused. */
static void
test_killed (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < N_CALLS; i += STEP)
    {
      begin_store (fixture, i);
      eb_shim_vfs_fail_after (fixture->shim, i, EB_SHIM_EIO_ONCE);
      if (open_store (fixture))
        while (!eb_shim_vfs_has_failed (fixture->shim))
          eb_store_model_step (fixture->model);
      eb_store_model_settle (fixture->model);
      eb_shim_vfs_fail_after (fixture->shim, 0, EB_SHIM_CUT);
      eb_store_fixture_close (&fixture->store);
      eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);

      g_assert_true (try_open (fixture, NULL));
      assert_no_fault (fixture, i);
      eb_store_fixture_close (&fixture->store);
      g_clear_pointer (&fixture->model, eb_store_model_free);
    }
}

static const EbShimFault once = EB_SHIM_EIO_ONCE, no_space = EB_SHIM_ENOSPC;

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eb_test_drop_log ();

  g_test_add ("/io-errors/once", Fixture, &once, set_up, test_fault, tear_down);
  g_test_add ("/io-errors/killed", Fixture, &once, set_up, test_killed, tear_down);
  g_test_add ("/io-errors/no-space", Fixture, &no_space, set_up, test_fault, tear_down);

  return g_test_run ();
}
