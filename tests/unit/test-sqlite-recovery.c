/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <sqlite3.h>
#include <string.h>

#include "core/eb-error.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"

/* How the store in SQLite comes back from a failure, and who does not keep it from that. */

typedef struct
{
  EbStoreFixture store;
  EbShimVfs *shim; /* (owned) */
} Fixture;

static const EbStoreKind sqlite = EB_STORE_SQLITE;

/* That the store fails is expected. */
static GLogWriterOutput
drop_failure_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  g_autofree char *message = g_log_writer_format_fields (level, fields, n_fields, FALSE);

  if (strstr (message, "The store does not work") != NULL)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, user_data);
}

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

#define ADD(path, func)                                                                            \
  g_test_add ("/sqlite-recovery/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (drop_failure_cb, NULL, NULL);

  ADD ("somebody-reads", test_somebody_reads);

  return g_test_run ();
}
