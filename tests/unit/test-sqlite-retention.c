/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <sqlite3.h>

#include "core/eb-error.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-log.h"
#include "support/eb-test-wait.h"

/* What the store in SQLite takes away, by age and by size, and what it leaves. */

static void
reopen (EbStoreFixture *fixture)
{
  eb_store_fixture_close (fixture);
  eb_store_fixture_open (fixture);
}

/* Waits for the store's thread, which has done all that was due when it answers. */
static void
wait_for_thread (EbStoreFixture *fixture)
{
  g_autoptr (GArray) receipts =
      eb_store_fixture_append_all (fixture, (const char *const[]){ NULL });

  g_assert_cmpuint (receipts->len, ==, 0);
}

static guint64
get_first (EbStoreFixture *fixture)
{
  EbExtent extent;

  wait_for_thread (fixture);
  wait_for_thread (fixture); /* what came after the answer to the first one is done, too */
  eb_log_get_extent (fixture->log, &extent);
  return extent.first;
}

static void
test_retention_age (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = eb_store_fixture_load (fixture, &epoch);
  g_autoptr (GPtrArray) exceptions = NULL;
  g_autoptr (EbPage) page = NULL;

  eb_sqlite_store_configure (fixture->store, EB_DURABILITY_FULL, G_MAXSIZE, G_TIME_SPAN_HOUR);
  eb_store_fixture_put (fixture, epoch, "a:1", 0);
  for (guint i = 1; i <= 600; i++)
    eb_store_fixture_append (fixture, "old");
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_DEAD, "a:1", 600), NULL));
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_MINUTE);
  eb_store_fixture_append (fixture, "young");
  eb_store_fixture_append (fixture, "youngest");
  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new (EB_CHANGE_DEAD, "a:1", 601), NULL));
  g_assert_cmpuint (get_first (fixture), ==, 1);

  eb_fake_clock_advance (fixture->clock, 20 * G_TIME_SPAN_MINUTE);
  g_assert_cmpuint (get_first (fixture), ==, 601);
  page = eb_store_fixture_read (fixture, 3, 100000);
  g_assert_cmpuint (page->lost_up_to, ==, 600);
  g_assert_cmpuint (page->events->len, ==, 2);
  exceptions = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ALL, 0, 10, NULL);
  g_assert_cmpuint (exceptions->len, ==, 1);

  /* Without traffic too, until nothing is left; and no sequence is used again. */
  eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_DAY);
  g_assert_cmpuint (get_first (fixture), ==, 603);
  g_clear_pointer (&page, eb_page_unref);
  page = eb_store_fixture_read (fixture, 3, 100000);
  g_assert_cmpuint (page->lost_up_to, ==, 602);
  g_assert_cmpuint (page->events->len, ==, 0);
  g_clear_pointer (&exceptions, g_ptr_array_unref);
  exceptions = eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ALL, 0, 10, NULL);
  g_assert_cmpuint (exceptions->len, ==, 0);
  reopen (fixture);
  g_assert_cmpuint (get_first (fixture), ==, 603);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "next"), ==, 603);
  g_assert_cmpuint (get_first (fixture), ==, 603);
}

typedef struct
{
  EbLog *log;
  guint64 first;
} Awaited;

static gboolean
begins_at (gpointer data)
{
  const Awaited *awaited = data;
  EbExtent extent;

  eb_log_get_extent (awaited->log, &extent);
  return extent.first == awaited->first;
}

static gboolean
look_again_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Without a word to the store, which would make it look. */
static void
wait_for_first (EbStoreFixture *fixture, guint64 first)
{
  Awaited awaited = { fixture->log, first };
  guint look_id = g_timeout_add (1, look_again_cb, NULL);

  eb_test_wait_for (begins_at, &awaited);
  g_source_remove (look_id);
}

/* Events go when they are due, also where nobody publishes any more. */
static void
test_retention_in_time (EbStoreFixture *fixture, gconstpointer data)
{
  eb_sqlite_store_configure (fixture->store, EB_DURABILITY_FULL, G_MAXSIZE,
                             10 * G_TIME_SPAN_SECOND);
  eb_store_fixture_append (fixture, "one");
  eb_fake_clock_advance (fixture->clock, 5 * G_TIME_SPAN_SECOND);
  eb_store_fixture_append (fixture, "two");
  g_assert_cmpuint (get_first (fixture), ==, 1);
  eb_fake_clock_advance (fixture->clock, 6 * G_TIME_SPAN_SECOND);
  wait_for_first (fixture, 2);
  wait_for_thread (fixture);
  wait_for_thread (fixture);
  eb_fake_clock_advance (fixture->clock, 5 * G_TIME_SPAN_SECOND);
  wait_for_first (fixture, 3);
}

static void
test_retention_size (EbStoreFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (4000, 'x');
  guint64 first, later;

  eb_sqlite_store_configure (fixture->store, EB_DURABILITY_RELAXED, 1024 * 1024, G_TIME_SPAN_DAY);
  for (guint i = 1; i <= 500; i++)
    eb_store_fixture_append (fixture, text);
  first = get_first (fixture);
  g_assert_cmpuint (first, >, 200);
  g_assert_cmpuint (first, <, 400);
  eb_sqlite_store_configure (fixture->store, EB_DURABILITY_FULL, 1, G_TIME_SPAN_DAY);
  later = get_first (fixture);
  g_assert_cmpuint (later, ==, 500); /* the newest stays whatever its size */
  g_assert_cmpuint (eb_store_fixture_append (fixture, "next"), ==, 501);
}

/* What the file says, not what the store remembers. */
static guint64
get_stored_first (EbStoreFixture *fixture)
{
  sqlite3 *handle;
  sqlite3_stmt *statement;
  guint64 first;

  wait_for_thread (fixture);
  g_assert_cmpint (sqlite3_open (fixture->path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (
      sqlite3_prepare_v2 (handle, "SELECT min(sequence) FROM event", -1, &statement, NULL), ==,
      SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  first = (guint64) sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (handle);
  return first;
}

/* What could not be deleted is, when that works again. */
static void
test_retention_failure (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbShimVfs) shim = eb_shim_vfs_new (1);
  g_autoptr (GError) error = NULL;

  eb_store_fixture_close (fixture);
  fixture->vfs = eb_shim_vfs_get_name (shim);
  eb_store_fixture_open (fixture);
  eb_sqlite_store_configure (fixture->store, EB_DURABILITY_FULL, G_MAXSIZE, G_TIME_SPAN_HOUR);
  for (guint i = 1; i <= 20; i++)
    eb_store_fixture_append (fixture, "old");
  eb_fake_clock_advance (fixture->clock, 50 * G_TIME_SPAN_MINUTE);
  for (guint i = 1; i <= 20; i++)
    eb_store_fixture_append (fixture, "young");
  g_assert_cmpuint (get_first (fixture), ==, 1);

  eb_shim_vfs_fail_after (shim, 0, EB_SHIM_ENOSPC);
  eb_fake_clock_advance (fixture->clock, 20 * G_TIME_SPAN_MINUTE);
  eb_store_fixture_try (fixture, NULL,
                        NULL); /* after which retention is due, if it was not before */
  g_assert_false (eb_store_fixture_try (fixture, NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
  g_assert_true (eb_shim_vfs_has_failed (shim));
  eb_shim_vfs_restore (shim, EB_SHIM_LOSE_NOTHING);
  eb_store_fixture_recover (fixture);
  wait_for_thread (fixture);

  g_assert_cmpuint (get_stored_first (fixture), ==, 21);
  eb_store_fixture_close (fixture);
}

static const EbStoreKind sqlite = EB_STORE_SQLITE;

#define ADD(path, func)                                                                            \
  g_test_add ("/sqlite-retention/" path, EbStoreFixture, &sqlite, eb_store_fixture_set_up, func,   \
              eb_store_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eb_test_drop_store_failures ();

  ADD ("age", test_retention_age);
  ADD ("in-time", test_retention_in_time);
  ADD ("size", test_retention_size);
  ADD ("failure", test_retention_failure);

  return g_test_run ();
}
