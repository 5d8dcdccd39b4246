/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <sqlite3.h>

#include "core/eb-error.h"
#include "store/eb-event-name.h"
#include "store/eb-memory-log.h"
#include "support/eb-shim-vfs.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-log.h"
#include "support/eb-test-wait.h"

/* The contract of every log on events that are published twice, and what is particular to each. */

#define WINDOW (10 * G_TIME_SPAN_MINUTE)

static GPtrArray *
new_drafts (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
}

static EbReceipt
append (EbStoreFixture *fixture, const char *source, const char *id)
{
  g_autoptr (GPtrArray) drafts = new_drafts ();
  g_autoptr (GArray) receipts = NULL;

  g_ptr_array_add (drafts, eb_store_fixture_new_named_draft (source, id, "named"));
  receipts = eb_store_fixture_append_drafts (fixture, drafts);
  return g_array_index (receipts, EbReceipt, 0);
}

static void
assert_receipt (EbReceipt receipt, guint64 sequence, gboolean duplicate)
{
  g_assert_cmpuint (receipt.sequence, ==, sequence);
  g_assert_cmpint (receipt.duplicate, ==, duplicate);
}

static guint64
get_head (EbStoreFixture *fixture)
{
  EbExtent extent;

  eb_log_get_extent (fixture->log, &extent);
  return extent.head;
}

static void
set_deduplication (EbStoreFixture *fixture, GTimeSpan window)
{
  if (fixture->store != NULL)
    eb_sqlite_store_set_deduplication (fixture->store, window);
  else
    eb_memory_log_set_deduplication (EB_MEMORY_LOG (fixture->log), window);
}

static void
configure (EbStoreFixture *fixture, gsize max_bytes, GTimeSpan max_age)
{
  if (fixture->store != NULL)
    eb_sqlite_store_configure (fixture->store, EB_DURABILITY_RELAXED, max_bytes, max_age);
  else
    eb_memory_log_configure (EB_MEMORY_LOG (fixture->log), max_bytes, max_age);
}

static void
test_repeat (EbStoreFixture *fixture, gconstpointer data)
{
  assert_receipt (append (fixture, "/a", "1"), 1, FALSE);
  assert_receipt (append (fixture, "/a", "2"), 2, FALSE);
  assert_receipt (append (fixture, "/b", "1"), 3, FALSE);
  assert_receipt (append (fixture, "/a", "1"), 1, TRUE);
  assert_receipt (append (fixture, "/a", "2"), 2, TRUE);
  assert_receipt (append (fixture, "/b", "1"), 3, TRUE);
  g_assert_cmpuint (get_head (fixture), ==, 3);
  /* One that ends where the other begins. */
  assert_receipt (append (fixture, "/a", "bc"), 4, FALSE);
  assert_receipt (append (fixture, "/ab", "c"), 5, FALSE);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "next"), ==, 6);
}

/* Who does not say which event it is means a new one. */
static void
test_unnamed (EbStoreFixture *fixture, gconstpointer data)
{
  for (guint i = 1; i <= 3; i++)
    {
      g_autoptr (GPtrArray) drafts = new_drafts ();
      EbDraft *draft = eb_store_fixture_new_named_draft ("/a", "1", "unnamed");
      g_autoptr (GArray) receipts = NULL;

      draft->named = FALSE;
      g_ptr_array_add (drafts, draft);
      receipts = eb_store_fixture_append_drafts (fixture, drafts);
      assert_receipt (g_array_index (receipts, EbReceipt, 0), i, FALSE);
    }
  assert_receipt (append (fixture, "/a", "1"), 4, FALSE);
}

static void
test_batch (EbStoreFixture *fixture, gconstpointer data)
{
  static const char *const ids[] = { "old", "new", "new", "newer", "old" };
  static const EbReceipt expected[] = {
    { 1, TRUE }, { 2, FALSE }, { 2, TRUE }, { 3, FALSE }, { 1, TRUE }
  };
  g_autoptr (GPtrArray) drafts = new_drafts ();
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (EbPage) page = NULL;

  append (fixture, "/a", "old");
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    g_ptr_array_add (drafts, eb_store_fixture_new_named_draft ("/a", ids[i], ids[i]));
  receipts = eb_store_fixture_append_drafts (fixture, drafts);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    assert_receipt (g_array_index (receipts, EbReceipt, i), expected[i].sequence,
                    expected[i].duplicate);
  page = eb_store_fixture_read (fixture, 1, 100000);
  g_assert_cmpuint (page->events->len, ==, 2);
  eb_store_fixture_assert_event (page, 0, 2, "new");
  eb_store_fixture_assert_event (page, 1, 3, "newer");
}

/* A repeat does not make it longer. */
static void
test_window (EbStoreFixture *fixture, gconstpointer data)
{
  append (fixture, "/a", "1");
  eb_fake_clock_advance (fixture->clock, WINDOW / 2);
  assert_receipt (append (fixture, "/a", "1"), 1, TRUE);
  eb_fake_clock_advance (fixture->clock, WINDOW / 2 - 1);
  assert_receipt (append (fixture, "/a", "1"), 1, TRUE);
  eb_fake_clock_advance (fixture->clock, 1);
  assert_receipt (append (fixture, "/a", "1"), 2, FALSE);
  assert_receipt (append (fixture, "/a", "1"), 2, TRUE);
}

static void
test_off (EbStoreFixture *fixture, gconstpointer data)
{
  append (fixture, "/a", "1");
  set_deduplication (fixture, 0);
  assert_receipt (append (fixture, "/a", "1"), 2, FALSE);
  assert_receipt (append (fixture, "/a", "1"), 3, FALSE);
  set_deduplication (fixture, G_TIME_SPAN_HOUR);
  append (fixture, "/a", "2");
  eb_fake_clock_advance (fixture->clock, 59 * G_TIME_SPAN_MINUTE);
  assert_receipt (append (fixture, "/a", "2"), 4, TRUE);
}

/* Its name is known still. */
static void
test_event_is_gone (EbStoreFixture *fixture, gconstpointer data)
{
  EbExtent extent;

  append (fixture, "/a", "1");
  configure (fixture, 64 * 1024 * 1024, G_TIME_SPAN_SECOND);
  eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_MINUTE);
  eb_store_fixture_append (fixture, "young");
  eb_store_fixture_append (fixture, "youngest"); /* answered after retention */
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, >=, 2);
  assert_receipt (append (fixture, "/a", "1"), 1, TRUE);
}

/* SQLite */

static gint64
query_integer (EbStoreFixture *fixture, const char *sql)
{
  sqlite3 *handle;
  sqlite3_stmt *statement;
  gint64 value;

  g_assert_cmpint (sqlite3_open (fixture->path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (handle, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  value = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (handle);
  return value;
}

static void
test_restart (EbStoreFixture *fixture, gconstpointer data)
{
  append (fixture, "/a", "1");
  append (fixture, "/a", "2");
  eb_store_fixture_close (fixture);
  eb_store_fixture_open (fixture);
  assert_receipt (append (fixture, "/a", "1"), 1, TRUE);
  eb_fake_clock_advance (fixture->clock, WINDOW);
  assert_receipt (append (fixture, "/a", "2"), 3, FALSE);
}

static GPtrArray *
new_numbered (guint first, guint n)
{
  GPtrArray *drafts = new_drafts ();

  for (guint i = first; i < first + n; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      g_ptr_array_add (drafts, eb_store_fixture_new_named_draft ("/a", id, ""));
    }
  return drafts;
}

static void
append_numbered (EbStoreFixture *fixture, guint first, guint n)
{
  g_autoptr (GPtrArray) drafts = new_numbered (first, n);
  g_autoptr (GArray) receipts = eb_store_fixture_append_drafts (fixture, drafts);

  g_assert_false (g_array_index (receipts, EbReceipt, n - 1).duplicate);
}

/* Two answers of the store's thread: what came after the first one is done, too. */
static gint64
count_names (EbStoreFixture *fixture)
{
  for (guint i = 0; i < 2; i++)
    g_assert_true (eb_store_fixture_try (fixture, NULL, NULL));
  return query_integer (fixture, "SELECT count(*) FROM name");
}

/* Those that do not count any more go, but for a few. */
static void
test_old_names_go (EbStoreFixture *fixture, gconstpointer data)
{
  append_numbered (fixture, 0, 3000);
  g_assert_cmpint (count_names (fixture), ==, 3000);
  eb_fake_clock_advance (fixture->clock, WINDOW / 2);
  append_numbered (fixture, 3000, 500);
  g_assert_cmpint (count_names (fixture), ==, 3500);
  eb_fake_clock_advance (fixture->clock, WINDOW / 2);
  eb_store_fixture_append (fixture, "next");
  g_assert_cmpint (count_names (fixture), <=, 500 + 1024);
  assert_receipt (append (fixture, "/a", "3000"), 3001, TRUE);
  assert_receipt (append (fixture, "/a", "2999"), 3502, FALSE);
}

/* The newest ones stay, however many there are. */
static void
test_names_are_bounded (EbStoreFixture *fixture, gconstpointer data)
{
  const gsize max_bytes = 1024 * 1024;
  guint limit = (guint) eb_event_name_get_limit (max_bytes);

  g_assert_cmpuint (limit, <, 5000);
  configure (fixture, max_bytes, G_TIME_SPAN_DAY);
  for (guint i = 0; i < 10; i++)
    append_numbered (fixture, i * 1000, 1000);
  assert_receipt (append (fixture, "/a", "9999"), 10000, TRUE);
  assert_receipt (append (fixture, "/a", "0"), 10001, FALSE);
  if (fixture->store != NULL)
    g_assert_cmpint (count_names (fixture), <=, limit + 1024);
}

/* Somebody allows less: names make room before events do. */
static void
test_names_go_first (EbStoreFixture *fixture, gconstpointer data)
{
  EbExtent extent;

  for (guint i = 0; i < 10; i++)
    append_numbered (fixture, i * 1000, 1000);
  configure (fixture, 1024 * 1024, G_TIME_SPAN_DAY);
  count_names (fixture);
  eb_log_get_extent (fixture->log, &extent);
  g_test_message ("%" G_GUINT64_FORMAT " events stay", extent.head - extent.first);
  g_assert_cmpuint (extent.head - extent.first, >, 8000);
}

/* Which of two in one transaction is the repeat, and that both fail with it. */
static void
test_failure (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbShimVfs) shim = eb_shim_vfs_new (1);
  g_autoptr (GPtrArray) drafts = new_drafts ();
  GAsyncResult *results[2] = { NULL };

  eb_store_fixture_close (fixture);
  fixture->vfs = eb_shim_vfs_get_name (shim);
  eb_store_fixture_open (fixture);
  append (fixture, "/a", "0");
  g_ptr_array_add (drafts, eb_store_fixture_new_named_draft ("/a", "1", "named"));

  eb_shim_vfs_fail_after (shim, 0, EB_SHIM_ENOSPC);
  for (guint i = 0; i < 2; i++)
    eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &results[i]);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (
          eb_log_append_finish (fixture->log, eb_test_wait_for_result (&results[i]), &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
      g_object_unref (results[i]);
    }
  eb_shim_vfs_restore (shim, EB_SHIM_LOSE_NOTHING);
  eb_store_fixture_recover (fixture);
  assert_receipt (append (fixture, "/a", "1"), 2, FALSE);
  assert_receipt (append (fixture, "/a", "0"), 1, TRUE);
  eb_store_fixture_close (fixture);
}

static const EbStoreKind memory = EB_STORE_MEMORY, sqlite = EB_STORE_SQLITE;

#define ADD_TO(store, path, func)                                                                  \
  g_test_add ("/store-duplicates/" G_STRINGIFY (store) "/" path, EbStoreFixture, &store,           \
              eb_store_fixture_set_up, func, eb_store_fixture_tear_down)
#define ADD(path, func)                                                                            \
  ADD_TO (memory, path, func);                                                                     \
  ADD_TO (sqlite, path, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  eb_test_drop_store_failures ();

  ADD ("repeat", test_repeat);
  ADD ("unnamed", test_unnamed);
  ADD ("batch", test_batch);
  ADD ("window", test_window);
  ADD ("off", test_off);
  ADD ("event-is-gone", test_event_is_gone);
  ADD ("names-are-bounded", test_names_are_bounded);
  ADD_TO (sqlite, "restart", test_restart);
  ADD_TO (sqlite, "old-names-go", test_old_names_go);
  ADD_TO (sqlite, "names-go-first", test_names_go_first);
  ADD_TO (sqlite, "failure", test_failure);

  return g_test_run ();
}
