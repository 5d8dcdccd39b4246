/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <sqlite3.h>

#include "support/eb-store-fixture.h"

/* Files that earlier versions left, as they were then: each is opened with all that is in it. */

/* Never to be changed, whatever the program makes of such a file today. */
static const char format_1[] =
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, accepted INTEGER NOT NULL,"
    "  id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, content_type TEXT,"
    "  attributes BLOB NOT NULL, data BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;"
    "CREATE TABLE subscription (id TEXT PRIMARY KEY, body TEXT NOT NULL, start INTEGER NOT NULL,"
    "  cursor INTEGER, previous INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE exception (subscription TEXT NOT NULL, sequence INTEGER NOT NULL,"
    "  previous INTEGER NOT NULL, dead INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL, last_status INTEGER NOT NULL, reason TEXT,"
    "  first INTEGER NOT NULL, last INTEGER NOT NULL, due INTEGER NOT NULL,"
    "  PRIMARY KEY (subscription, sequence)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX exception_sequence ON exception (sequence);"
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL,"
    "  floor INTEGER NOT NULL, epoch INTEGER NOT NULL, fence INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES (1, '5d2c1b1e-94b1-4f0b-8f2e-0d7c5a3f6a10', 2, 7, 0);"
    "INSERT INTO event VALUES (1, 1699996400000000, '1', '/a', 't', 'text/plain', x'', CAST ('one' "
    "AS BLOB),"
    "  862780340);"
    "INSERT INTO event VALUES (2, 1699996400000005, '2', '/a', 't', NULL, "
    "x'7375626a65637400657500',"
    "  CAST ('two' AS BLOB), 3426542964);"
    "INSERT INTO subscription VALUES"
    "  ('a:1', '{\"id\":\"a:1\",\"sink\":\"http://a:1/event\",\"types\":[\">\"],\"filters\":[],"
    "   \"config\":{\"lease\":120,\"order\":\"relaxed\",\"concurrency\":1}}', 0, 1, 0);"
    "INSERT INTO subscription VALUES"
    "  ('b:1', '{\"id\":\"b:1\",\"sink\":\"http://b:1/event\",\"types\":[\">\"],\"filters\":[],"
    "   \"config\":{\"lease\":120,\"order\":\"relaxed\",\"concurrency\":1}}', 0, NULL, 0);"
    "INSERT INTO exception VALUES ('b:1', 1, 0, 0, 1, 1, 500, 'answered 500', 1, 2, 3);"
    "INSERT INTO exception VALUES ('b:1', 2, 1, 1, 9, 9, 500, 'answered 500', 1, 2, 0);"
    "PRAGMA application_id=0x45764273;"
    "PRAGMA user_version=1;";

/* On top of it: an exception that waits with another one. */
static const char format_3[] =
    "ALTER TABLE subscription ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE name (sequence INTEGER PRIMARY KEY, accepted INTEGER NOT NULL,"
    "  digest BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX name_digest ON name (digest);"
    "CREATE INDEX exception_aside ON exception (subscription, sequence) WHERE dead = 0;"
    "ALTER TABLE exception ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;"
    "UPDATE exception SET batch = 2 WHERE sequence = 1;"
    "PRAGMA user_version=3;";

/* Each up to NULL is what was there then. */
static const char *const from_1[] = { format_1, NULL };
static const char *const from_3[] = { format_1, format_3, NULL };

static const EbStoreKind sqlite = EB_STORE_SQLITE;

/* A store of the format that @steps make instead of today's. */
static void
set_up (EbStoreFixture *fixture, gconstpointer steps)
{
  sqlite3 *handle;

  eb_store_fixture_set_up (fixture, &sqlite);
  eb_store_fixture_close (fixture);
  g_free (fixture->path);
  fixture->path = g_build_filename (fixture->folder, "earlier.db", NULL);
  g_assert_cmpint (sqlite3_open (fixture->path, &handle), ==, SQLITE_OK);
  for (const char *const *step = steps; *step != NULL; step++)
    g_assert_cmpint (sqlite3_exec (handle, *step, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);

  eb_store_fixture_open (fixture);
}

static void
tear_down (EbStoreFixture *fixture, gconstpointer steps)
{
  eb_store_fixture_tear_down (fixture, &sqlite);
}

static guint64
append_named (EbStoreFixture *fixture)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GArray) receipts = NULL;

  g_ptr_array_add (drafts, eb_store_fixture_new_named_draft ("/a", "3", "three"));
  receipts = eb_store_fixture_append_drafts (fixture, drafts);
  return g_array_index (receipts, EbReceipt, 0).sequence;
}

static void
assert_log (EbStoreFixture *fixture)
{
  g_autoptr (EbPage) page = eb_store_fixture_read (fixture, 0, 100000);
  EbExtent extent;

  g_assert_cmpuint (page->lost_up_to, ==, 0);
  g_assert_cmpuint (page->events->len, ==, 2);
  eb_store_fixture_assert_event (page, 0, 1, "one");
  eb_store_fixture_assert_event (page, 1, 2, "two");
  g_assert_cmpstr (eb_event_get_attribute (page->events->pdata[1], "subject"), ==, "eu");
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpstr (extent.log_id, ==, "5d2c1b1e-94b1-4f0b-8f2e-0d7c5a3f6a10");
}

static void
test_format (EbStoreFixture *fixture, gconstpointer steps)
{
  guint64 epoch;
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GPtrArray) aside = NULL;
  g_autoptr (GPtrArray) dead = NULL;

  assert_log (fixture);
  entries = eb_store_fixture_load (fixture, &epoch);
  g_assert_cmpuint (epoch, ==, 8);
  g_assert_cmpuint (entries->len, ==, 2);
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = entries->pdata[i];

      g_assert_cmpuint (entry->cursor, ==, entry->has_cursor ? 1 : 2);
      g_assert_cmpint (entry->expired_us, ==, 0);
      g_assert_cmpuint (entry->batches->len, ==, 0);
    }
  aside = eb_store_fixture_list (fixture, "b:1", EB_EXCEPTIONS_ASIDE, 0, 10, NULL);
  g_assert_cmpuint (aside->len, ==, 1);
  g_assert_cmpuint (((const EbException *) aside->pdata[0])->batch, ==, steps == from_3 ? 2 : 0);
  dead = eb_store_fixture_list (fixture, "b:1", EB_EXCEPTIONS_DEAD, 0, 10, NULL);
  g_assert_cmpuint (dead->len, ==, 1);

  g_assert_cmpuint (append_named (fixture), ==, 3);
  g_assert_cmpuint (append_named (fixture), ==, 3);
  g_assert_true (eb_store_fixture_apply (
      fixture, epoch, eb_change_new_position (EB_CHANGE_EXPIRED, "b:1", 2, 2, 1), NULL));
  g_assert_true (eb_store_fixture_apply (fixture, epoch, eb_change_new_fixed ("a:1", 2, 3), NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/sqlite-formats/1", EbStoreFixture, from_1, set_up, test_format, tear_down);
  g_test_add ("/sqlite-formats/3", EbStoreFixture, from_3, set_up, test_format, tear_down);

  return g_test_run ();
}
