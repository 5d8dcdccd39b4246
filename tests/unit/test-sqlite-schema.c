/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "core/eb-error.h"
#include "store/eb-sqlite-schema.h"
#include "store/eb-sqlite-transaction.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"
#include "support/eb-store-model.h"

/* How a store's file gets from one format to the next: with all that is in it, or not at all. */

#define N_EVENTS 40

/* Sanitizers make each kill slow, and look at the same code every time. */
#ifdef __SANITIZE_ADDRESS__
#  define STEP 9
#else
#  define STEP 1
#endif

/* More formats than there will ever be; only the last step is taken. */
#define MAX_STEPS 100

/* Changes every row of a table that has many, and the schema. */
static const char good_step[] = "ALTER TABLE event ADD COLUMN note TEXT;"
                                "CREATE TABLE note (sequence INTEGER PRIMARY KEY) STRICT;"
                                "INSERT INTO note SELECT sequence FROM event;"
                                "UPDATE event SET note = 'noted'";

static const char bad_step[] = "ALTER TABLE event ADD COLUMN note TEXT;"
                               "DELETE FROM event;"
                               "UPDATE subscription SET body = '';"
                               "INSERT INTO nowhere VALUES (1)";

typedef struct
{
  EbStoreFixture store;
  gint64 format; /* of the file that this program makes */
  char *before;  /* (owned): what is in it */
} Fixture;

static const EbStoreKind sqlite = EB_STORE_SQLITE;

static int
take_row_cb (void *user_data, int n_columns, char **values, char **names)
{
  for (int i = 0; i < n_columns; i++)
    g_string_append_printf (user_data, "%s|", values[i]);
  g_string_append_c (user_data, '\n');
  return 0;
}

/* Returns: (transfer full): the rows */
static char *
query (const char *path, const char *sql)
{
  g_autoptr (GString) rows = g_string_new (NULL);
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, take_row_cb, rows, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
  return g_string_free (g_steal_pointer (&rows), FALSE);
}

/* What a store has, whatever a later format adds to it. */
static char *
dump (const char *path)
{
  return query (path,
                "SELECT sequence, accepted, id, source, type, content_type, hex(attributes),"
                " hex(data), checksum FROM event ORDER BY sequence;"
                "SELECT id, body, start, cursor, previous FROM subscription ORDER BY id;"
                "SELECT subscription, sequence, previous, dead, attempts, last_status, reason,"
                " first, last, due FROM exception ORDER BY subscription, sequence;"
                "SELECT log_id, floor, epoch, fence FROM state;"
                "SELECT seq FROM sqlite_sequence");
}

static gint64
get_format (const char *path)
{
  g_autofree char *format = query (path, "PRAGMA user_version");

  return g_ascii_strtoll (format, NULL, 10);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (1000, 'x');
  g_autoptr (GPtrArray) entries = NULL;
  guint64 epoch;

  eb_store_fixture_set_up (&fixture->store, &sqlite);
  entries = eb_store_fixture_load (&fixture->store, &epoch);
  eb_store_fixture_put (&fixture->store, epoch, "a:1", 0);
  eb_store_fixture_put (&fixture->store, epoch, "b:1", 3);
  for (guint i = 0; i < N_EVENTS; i++)
    eb_store_fixture_append (&fixture->store, text);
  g_assert_true (eb_store_fixture_apply (&fixture->store, epoch,
                                         eb_change_new (EB_CHANGE_DEAD, "a:1", 2), NULL));
  g_assert_true (eb_store_fixture_apply (&fixture->store, epoch,
                                         eb_change_new (EB_CHANGE_CURSOR, "a:1", 5), NULL));
  eb_store_fixture_close (&fixture->store);
  fixture->format = get_format (fixture->store.path);
  fixture->before = dump (fixture->store.path);
  g_assert_cmpint (fixture->format, <, MAX_STEPS);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_store_fixture_tear_down (&fixture->store, &sqlite);
  g_free (fixture->before);
}

/* As a later program would start, whose newest step is @step. */
static gboolean
migrate (Fixture *fixture, const char *path, const char *vfs, const char *step, GError **error)
{
  const char *steps[MAX_STEPS] = { NULL };
  g_autoptr (EbSqliteDatabase) database =
      eb_sqlite_database_open (path, vfs, EB_SQLITE_READ_WRITE, error);

  steps[fixture->format] = step;
  return database != NULL
         && eb_sqlite_schema_migrate (database, steps, (guint) fixture->format + 1, error);
}

static void
assert_migrated (Fixture *fixture, const char *path)
{
  g_autofree char *after = dump (path);
  g_autofree char *notes = query (path, "SELECT count(*) FROM note");
  g_autofree char *noted = query (path, "SELECT count(*) FROM event WHERE note = 'noted'");

  g_assert_cmpint (get_format (path), ==, fixture->format + 1);
  g_assert_cmpstr (after, ==, fixture->before);
  g_assert_cmpint (atoi (notes), ==, N_EVENTS);
  g_assert_cmpint (atoi (noted), ==, N_EVENTS);
}

static void
test_step (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (migrate (fixture, fixture->store.path, NULL, good_step, &error));
  g_assert_no_error (error);
  assert_migrated (fixture, fixture->store.path);

  /* Once. */
  g_assert_true (migrate (fixture, fixture->store.path, NULL, good_step, &error));
  assert_migrated (fixture, fixture->store.path);
}

static void
test_new_file (Fixture *fixture, gconstpointer data)
{
  static const char *const steps[] = { "CREATE TABLE a (b)", "INSERT INTO a VALUES (1)",
                                       "INSERT INTO a SELECT b + 1 FROM a" };
  g_autofree char *path = g_build_filename (fixture->store.folder, "new.db", NULL);
  g_autoptr (EbSqliteDatabase) database = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *rows = NULL;

  database = eb_sqlite_database_open (path, NULL, EB_SQLITE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_true (eb_sqlite_schema_migrate (database, steps, 1, &error));
  g_assert_true (eb_sqlite_schema_migrate (database, steps, G_N_ELEMENTS (steps), &error));
  rows = query (path, "SELECT b FROM a ORDER BY b; PRAGMA user_version");
  g_assert_cmpstr (rows, ==, "1|\n2|\n3|\n");
  g_assert_false (eb_sqlite_schema_migrate (database, steps, 2, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
}

static void
test_step_fails (Fixture *fixture, gconstpointer data)
{
  static const char schema[] = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
  g_autofree char *schema_before = query (fixture->store.path, schema);
  g_autofree char *schema_after = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (migrate (fixture, fixture->store.path, NULL, bad_step, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "Cannot bring the store to format"));
  g_assert_nonnull (strstr (error->message, fixture->store.path));

  g_assert_cmpint (get_format (fixture->store.path), ==, fixture->format);
  schema_after = query (fixture->store.path, schema);
  g_assert_cmpstr (schema_after, ==, schema_before);
  after = dump (fixture->store.path);
  g_assert_cmpstr (after, ==, fixture->before);
  eb_store_fixture_open (&fixture->store);
  g_assert_cmpuint (eb_store_fixture_append (&fixture->store, "next"), ==, N_EVENTS + 1);
}

static char *
copy_store (Fixture *fixture, guint number)
{
  g_autofree char *name = g_strdup_printf ("%u.db", number);
  char *path = g_build_filename (fixture->store.folder, name, NULL);
  g_autofree char *contents = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (fixture->store.path, &contents, &size, NULL));
  g_assert_true (g_file_set_contents (path, contents, (gssize) size, NULL));
  return path;
}

/* The one that is killed, and the one that starts after it.
 *
 * Returns: whether the end came too late for the first */
static gboolean
kill_one (Fixture *fixture, EbShimVfs *shim, guint n_calls, EbShimLoss loss)
{
  g_autofree char *path = copy_store (fixture, n_calls);
  g_autofree char *after = NULL;
  g_autofree char *damage = NULL;
  gboolean has_migrated, is_too_late;

  eb_shim_vfs_fail_after (shim, n_calls, EB_SHIM_CUT);
  has_migrated = migrate (fixture, path, eb_shim_vfs_get_name (shim), good_step, NULL);
  is_too_late = !eb_shim_vfs_has_failed (shim);
  eb_shim_vfs_restore (shim, loss);

  damage = eb_store_model_find_damage (path);
  g_assert_cmpstr (damage, ==, NULL);
  after = dump (path);
  g_assert_cmpstr (after, ==, fixture->before);
  g_assert_true (!has_migrated || get_format (path) == fixture->format + 1);

  g_assert_true (migrate (fixture, path, NULL, good_step, NULL));
  assert_migrated (fixture, path);
  g_unlink (path);
  return is_too_late;
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbShimVfs) shim = eb_shim_vfs_new ((guint32) g_test_rand_int ());
  guint n_calls = 0;

  while (!kill_one (fixture, shim, n_calls, *(const EbShimLoss *) data))
    n_calls += STEP;
  g_test_message ("killed within %u calls", n_calls);
  g_assert_cmpuint (n_calls, >, 10);
}

static void
test_no_log_id (Fixture *fixture, gconstpointer data)
{
  g_autofree char *rows = query (fixture->store.path, "DELETE FROM state");
  g_autoptr (EbSqliteDatabase) database =
      eb_sqlite_database_open (fixture->store.path, NULL, EB_SQLITE_READ_ONLY, NULL);
  g_autoptr (GError) error = NULL;
  char log_id[37];

  g_assert_false (eb_sqlite_state_read_log_id (database, log_id, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_nonnull (strstr (error->message, fixture->store.path));
}

static const EbShimLoss nothing = EB_SHIM_LOSE_NOTHING, unsynced = EB_SHIM_LOSE_UNSYNCED;

#define ADD(path, data, func)                                                                      \
  g_test_add ("/sqlite-schema/" path, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("step", NULL, test_step);
  ADD ("new-file", NULL, test_new_file);
  ADD ("step-fails", NULL, test_step_fails);
  ADD ("killed", &nothing, test_killed);
  ADD ("power-cut", &unsynced, test_killed);
  ADD ("no-log-id", NULL, test_no_log_id);

  return g_test_run ();
}
