/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <sqlite3.h>
#include <string.h>

#include "core/eb-error.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-log.h"
#include "support/eb-test-wait.h"

/* How the store in SQLite comes back from a failure, and who does not keep it from that. */

typedef struct
{
  EbStoreFixture store;
  EbShimVfs *shim; /* (owned) */
} Fixture;

static const EbStoreKind sqlite = EB_STORE_SQLITE;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->shim = eb_shim_vfs_new (1);
  fixture->store.vfs = eb_shim_vfs_get_name (fixture->shim);
  eb_store_fixture_set_up (&fixture->store, &sqlite);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_store_fixture_tear_down (&fixture->store, &sqlite);
  eb_shim_vfs_free (fixture->shim);
}

/* Somebody who reads what there is now, and goes on with it. */
static sqlite3 *
begin_to_read (Fixture *fixture)
{
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (fixture->store.path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), ==,
                   SQLITE_OK);
  return handle;
}

static void
fail_to_append (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  eb_shim_vfs_fail_after (fixture->shim, 0, EB_SHIM_ENOSPC);
  g_assert_false (eb_store_fixture_try (&fixture->store, "refused", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
}

static void
test_somebody_reads (Fixture *fixture, gconstpointer data)
{
  sqlite3 *reader;
  g_autoptr (EbPage) page = NULL;

  eb_store_fixture_append (&fixture->store, "one");
  reader = begin_to_read (fixture);
  eb_store_fixture_append (&fixture->store, "two");
  fail_to_append (fixture);

  eb_store_fixture_recover (&fixture->store);
  g_assert_cmpuint (eb_store_fixture_append (&fixture->store, "three"), ==, 3);
  sqlite3_close (reader);

  eb_store_fixture_close (&fixture->store);
  eb_store_fixture_open (&fixture->store);
  page = eb_store_fixture_read (&fixture->store, 0, 100000);
  g_assert_cmpuint (page->events->len, ==, 3);
  eb_store_fixture_assert_event (page, 2, 3, "three");
}

typedef struct
{
  EbShimVfs *shim;
  GAsyncResult *result; /* (owned) (nullable) */
} Asked;

static gboolean
is_answered_or_cut (gpointer data)
{
  const Asked *asked = data;

  return asked->result != NULL || eb_shim_vfs_is_cut (asked->shim);
}

static gboolean
is_stored (Fixture *fixture, const char *text)
{
  g_autoptr (EbPage) page = eb_store_fixture_read (&fixture->store, 0, 100000);

  for (guint i = 0; i < page->events->len; i++)
    {
      GBytes *data = eb_event_get_data (page->events->pdata[i]);

      if (g_bytes_get_size (data) == strlen (text)
          && memcmp (g_bytes_get_data (data, NULL), text, strlen (text)) == 0)
        return TRUE;
    }
  return FALSE;
}

/* The disk goes away after @n_calls of a commit; then the process is killed.
 *
 * Returns: whether the publisher had no answer until then */
static gboolean
lose_disk (Fixture *fixture, guint n_calls, EbShimFault fault)
{
  g_autofree char *text = g_strdup_printf ("event %u", n_calls);
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (GObject) source = NULL;
  Asked asked = { fixture->shim, NULL };
  gboolean kept_waiting, refused;

  g_ptr_array_add (drafts, eb_store_fixture_new_draft (text));
  eb_shim_vfs_fail_after (fixture->shim, n_calls, fault);
  eb_log_append_async (fixture->store.log, drafts, NULL, eb_test_result_cb, &asked.result);
  eb_test_wait_for (is_answered_or_cut, &asked);
  /* Its transaction is over once another one is refused. */
  if (eb_shim_vfs_is_cut (fixture->shim))
    g_assert_false (eb_store_fixture_try (&fixture->store, "later", NULL));
  kept_waiting = asked.result == NULL;
  eb_shim_vfs_cut (fixture->shim);
  eb_sqlite_store_close (fixture->store.store);
  eb_test_wait_for_result (&asked.result);
  source = g_async_result_get_source_object (asked.result);
  receipts = eb_log_append_finish (EB_LOG (source), asked.result, NULL);
  refused = receipts == NULL && !kept_waiting;
  g_clear_object (&asked.result);
  g_clear_object (&source);

  eb_store_fixture_close (&fixture->store);
  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
  eb_store_fixture_open (&fixture->store);
  g_assert_true (!refused || !is_stored (fixture, text));
  g_assert_true (receipts == NULL || is_stored (fixture, text));
  return kept_waiting;
}

/* Whatever is lost of it, nobody was told something else. */
static void
test_disk_gone (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    lose_disk (fixture, i, EB_SHIM_CUT);
}

/* A commit that was written and not synced may come back, so nobody is told that it was refused
 * while nothing can be written over it. */
static void
test_disk_gone_unsynced (Fixture *fixture, gconstpointer data)
{
  eb_store_fixture_append (&fixture->store, "one"); /* syncs the log's head, too */
  g_assert_true (lose_disk (fixture, 0, EB_SHIM_CUT_AT_SYNC));
}

/* What is to be delivered is, also while nothing can be written. */
static void
test_start_without_space (Fixture *fixture, gconstpointer data)
{
  guint64 epoch, next;
  g_autoptr (GPtrArray) before = eb_store_fixture_load (&fixture->store, &epoch);
  g_autoptr (GPtrArray) after = NULL;

  eb_store_fixture_put (&fixture->store, epoch, "a:1", 0);
  eb_store_fixture_close (&fixture->store);
  eb_store_fixture_open (&fixture->store);
  eb_shim_vfs_fail_after (fixture->shim, 0, EB_SHIM_ENOSPC);
  after = eb_store_fixture_load (&fixture->store, &next);
  g_assert_cmpuint (after->len, ==, 1);
  g_assert_cmpuint (next, >, epoch);
  g_assert_false (eb_store_fixture_try (&fixture->store, "refused", NULL));

  eb_shim_vfs_restore (fixture->shim, EB_SHIM_LOSE_NOTHING);
  eb_store_fixture_recover (&fixture->store);
  eb_store_fixture_put (&fixture->store, next, "b:1", 0);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/sqlite-recovery/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eb_test_drop_store_failures ();

  ADD ("somebody-reads", test_somebody_reads);
  ADD ("disk-gone", test_disk_gone);
  ADD ("disk-gone-unsynced", test_disk_gone_unsynced);
  ADD ("start-without-space", test_start_without_space);

  return g_test_run ();
}
