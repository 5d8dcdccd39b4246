/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "core/eb-error.h"
#include "support/eb-store-fixture.h"
#include "support/eb-test-wait.h"

/* What is particular to the store in SQLite: what it remembers, what it refuses to open, damage,
 * bounds. */

/* What is logged while a test expects it: counts the messages that contain @text. */
typedef struct
{
  GMutex lock;      /* guards all below */
  const char *text; /* (nullable): NULL while nothing is expected */
  guint n_logged;
} LogWatch;

static LogWatch log_watch;

static GLogWriterOutput
watch_log_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  LogWatch *watch = user_data;
  g_autofree char *message = g_log_writer_format_fields (level, fields, n_fields, FALSE);
  gboolean is_expected;

  g_mutex_lock (&watch->lock);
  is_expected = watch->text != NULL && strstr (message, watch->text) != NULL;
  watch->n_logged += is_expected;
  g_mutex_unlock (&watch->lock);
  return is_expected ? G_LOG_WRITER_HANDLED : g_log_writer_default (level, fields, n_fields, NULL);
}

static void
expect_log (const char *text)
{
  g_mutex_lock (&log_watch.lock);
  log_watch.text = text;
  log_watch.n_logged = 0;
  g_mutex_unlock (&log_watch.lock);
}

static void
assert_logged_once (void)
{
  g_mutex_lock (&log_watch.lock);
  g_assert_cmpuint (log_watch.n_logged, ==, 1);
  log_watch.text = NULL;
  g_mutex_unlock (&log_watch.lock);
}

static void
reopen (EbStoreFixture *fixture)
{
  eb_store_fixture_close (fixture);
  eb_store_fixture_open (fixture);
}

/* Does to the database what nobody should. */
static void
execute (EbStoreFixture *fixture, const char *sql)
{
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open (fixture->path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
}

static void
assert_refused (EbStoreFixture *fixture, const char *path, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (eb_sqlite_store_new (EB_CLOCK (fixture->clock), path, NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, why));
}

static void
assert_kinds (EbEvent *event)
{
  static const EbAttribute expected[] = {
    { "count", "3", EB_ATTRIBUTE_INTEGER },
    { "flag", "false", EB_ATTRIBUTE_BOOLEAN },
    { "subject", "eu/1", EB_ATTRIBUTE_STRING },
    { "zone", "", EB_ATTRIBUTE_STRING },
  };
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);

  g_assert_cmpuint (n_attributes, ==, G_N_ELEMENTS (expected));
  for (gsize i = 0; i < n_attributes; i++)
    {
      g_assert_cmpstr (attributes[i].name, ==, expected[i].name);
      g_assert_cmpstr (attributes[i].value, ==, expected[i].value);
      g_assert_cmpint (attributes[i].kind, ==, expected[i].kind);
    }
}

static void
test_implied_json (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (EbPage) page = NULL;

  g_ptr_array_add (drafts, eb_store_fixture_new_draft ("1"));
  g_ptr_array_add (drafts, eb_store_fixture_new_draft ("2"));
  ((EbDraft *) drafts->pdata[0])->is_json = TRUE;
  receipts = eb_store_fixture_append_drafts (fixture, drafts);
  reopen (fixture);
  page = eb_store_fixture_read (fixture, 0, 1000);
  g_assert_cmpuint (page->events->len, ==, 2);
  g_assert_null (eb_event_get_content_type (page->events->pdata[0]));
  g_assert_cmpstr (eb_event_get_media_type (page->events->pdata[0]), ==, "application/json");
  g_assert_null (eb_event_get_media_type (page->events->pdata[1]));
}

static void
test_reopen (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GArray) receipts = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (EbPage) before = NULL;
  g_autoptr (EbPage) after = NULL;
  EbEvent *a, *b;
  EbExtent first, second;
  EbDraft *draft = eb_store_fixture_new_draft ("one");

  g_ptr_array_add (drafts, draft);
  g_assert_true (eb_draft_set (draft, "datacontenttype", "text/plain", NULL));
  g_assert_true (eb_draft_set (draft, "subject", "eu/1", NULL));
  g_assert_true (eb_draft_set (draft, "zone", "", NULL));
  g_assert_true (eb_draft_set_typed (draft, "flag", EB_ATTRIBUTE_BOOLEAN, "false", NULL));
  g_assert_true (eb_draft_set_typed (draft, "count", EB_ATTRIBUTE_INTEGER, "3", NULL));
  eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &result);
  receipts = eb_log_append_finish (fixture->log, eb_test_wait_for_result (&result), NULL);
  g_assert_cmpuint (receipts->len, ==, 1);
  before = eb_store_fixture_read (fixture, 0, 1000);
  eb_log_get_extent (fixture->log, &first);

  g_clear_object (&result);
  reopen (fixture);
  eb_log_get_extent (fixture->log, &second);
  g_assert_cmpstr (first.log_id, ==, second.log_id);
  g_assert_cmpuint (second.first, ==, 1);
  g_assert_cmpuint (second.head, ==, 1);
  after = eb_store_fixture_read (fixture, 0, 1000);
  eb_store_fixture_assert_event (after, 0, 1, "one");
  a = before->events->pdata[0];
  b = after->events->pdata[0];
  g_assert_cmpstr (eb_event_get_id (a), ==, eb_event_get_id (b));
  g_assert_cmpstr (eb_event_get_source (a), ==, eb_event_get_source (b));
  g_assert_cmpstr (eb_event_get_event_type (a), ==, eb_event_get_event_type (b));
  g_assert_cmpstr (eb_event_get_content_type (b), ==, "text/plain");
  g_assert_cmpstr (eb_event_get_attribute (b, "subject"), ==, "eu/1");
  g_assert_cmpstr (eb_event_get_attribute (b, "zone"), ==, "");
  assert_kinds (b);
  g_assert_cmpint (eb_event_get_accepted (a), ==, eb_event_get_accepted (b));
  g_assert_cmpuint (eb_store_fixture_append (fixture, "two"), ==, 2);
}

static void
test_emptied (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;
  EbExtent extent;

  eb_store_fixture_append (fixture, "one");
  eb_store_fixture_append (fixture, "two");
  eb_store_fixture_close (fixture);
  execute (fixture, "DELETE FROM event");
  eb_store_fixture_open (fixture);

  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.first, ==, 3);
  g_assert_cmpuint (extent.head, ==, 2);
  page = eb_store_fixture_read (fixture, 0, 1000);
  g_assert_cmpuint (page->lost_up_to, ==, 2);
  g_assert_cmpuint (eb_store_fixture_append (fixture, "three"), ==, 3);
}

static EbChange *
new_exception (EbChangeKind kind, guint64 sequence)
{
  EbChange *change = eb_change_new (kind, "a:1", sequence);

  change->exception.previous = sequence - 1;
  change->exception.attempts = 3;
  change->exception.failures = 2;
  change->exception.last_status = 500;
  change->exception.reason = g_strdup ("answered 500");
  change->exception.first_us = 1;
  change->exception.last_us = 2;
  change->exception.due_us = kind == EB_CHANGE_ASIDE ? 3 : 0;
  return change;
}

static void
test_ledger (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch, next;
  g_autoptr (GPtrArray) before = eb_store_fixture_load (fixture, &epoch);
  g_autoptr (GPtrArray) entries = NULL;
  EbChange *cursor = eb_change_new (EB_CHANGE_CURSOR, "a:1", 8);
  const EbLedgerEntry *entry;
  const EbException *exception;

  eb_store_fixture_put (fixture, epoch, "a:1", 5);
  cursor->exception.previous = 7;
  g_assert_true (eb_store_fixture_apply (fixture, epoch, cursor, NULL));
  g_assert_true (eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_ASIDE, 6), NULL));
  g_assert_true (eb_store_fixture_apply (fixture, epoch, new_exception (EB_CHANGE_DEAD, 7), NULL));

  reopen (fixture);
  entries = eb_store_fixture_load (fixture, &next);
  g_assert_cmpuint (next, >, epoch);
  g_assert_cmpuint (entries->len, ==, 1);
  entry = entries->pdata[0];
  g_assert_cmpuint (entry->start, ==, 5);
  g_assert_cmpuint (entry->cursor, ==, 8);
  g_assert_true (entry->has_cursor);
  g_assert_cmpuint (entry->previous, ==, 7);
  g_assert_cmpuint (entry->aside->len, ==, 1);
  exception = entry->aside->pdata[0];
  g_assert_cmpuint (exception->sequence, ==, 6);
  g_assert_cmpuint (exception->previous, ==, 5);
  g_assert_cmpuint (exception->attempts, ==, 3);
  g_assert_cmpuint (exception->failures, ==, 2);
  g_assert_cmpuint (exception->last_status, ==, 500);
  g_assert_cmpstr (exception->reason, ==, "answered 500");
  g_assert_cmpint (exception->due_us, ==, 3);
}

static void
test_bad_subscription (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 epoch;
  g_autoptr (GPtrArray) before = eb_store_fixture_load (fixture, &epoch);
  g_autoptr (GPtrArray) entries = NULL;

  eb_store_fixture_put (fixture, epoch, "a:1", 0);
  eb_store_fixture_put (fixture, epoch, "b:1", 0);
  eb_store_fixture_close (fixture);
  execute (fixture, "UPDATE subscription SET body = '{}' WHERE id = 'a:1'");
  eb_store_fixture_open (fixture);

  expect_log ("is passed over");
  entries = eb_store_fixture_load (fixture, &epoch);
  assert_logged_once ();
  g_assert_cmpuint (entries->len, ==, 1);
}

static void
test_newer (EbStoreFixture *fixture, gconstpointer data)
{
  eb_store_fixture_close (fixture);
  execute (fixture, "PRAGMA user_version = 99");
  assert_refused (fixture, fixture->path, "newer eventbusd (format 99");
  execute (fixture, "PRAGMA user_version = 4");
  eb_store_fixture_open (fixture);
}

static void
test_foreign (EbStoreFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_build_filename (fixture->folder, "text", NULL);
  g_autofree char *other = g_build_filename (fixture->folder, "other", NULL);
  g_autofree char *path = g_steal_pointer (&fixture->path);

  eb_store_fixture_close (fixture);
  g_assert_true (g_file_set_contents (text,
                                      "Not a database at all, but a text of some length, "
                                      "longer than the head of a database, which has "
                                      "a hundred bytes.\n",
                                      -1, NULL));
  assert_refused (fixture, text, "not a database");

  fixture->path = g_steal_pointer (&other);
  execute (fixture, "CREATE TABLE theirs (a)");
  assert_refused (fixture, fixture->path, "another program");
  execute (fixture, "INSERT INTO theirs VALUES (1)"); /* which is as it was */
}

static void
test_second (EbStoreFixture *fixture, gconstpointer data)
{
  g_autofree char *alias = g_strconcat (fixture->path, "-alias", NULL);
  g_autoptr (GError) error = NULL;

  assert_refused (fixture, fixture->path, "another eventbusd");
  g_assert_cmpint (symlink (fixture->path, alias), ==, 0);
  g_assert_null (eb_sqlite_store_new (EB_CLOCK (fixture->clock), alias, NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_cmpint (g_unlink (alias), ==, 0);
  eb_store_fixture_append (fixture, "one");
  reopen (fixture);
}

static void
test_mode (EbStoreFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (fixture->path);
  GStatBuf of_file, of_folder;

  g_assert_cmpint (g_stat (fixture->path, &of_file), ==, 0);
  g_assert_cmpint (of_file.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_stat (folder, &of_folder), ==, 0);
  g_assert_cmpint (of_folder.st_mode & 0777, ==, 0700);
}

/* The one before it ends a page; a read from there on has lost it. */
static void
test_damage (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) before = NULL;
  g_autoptr (EbPage) rest = NULL;

  for (guint i = 1; i <= 5; i++)
    eb_store_fixture_append (fixture, "as it was");
  eb_store_fixture_close (fixture);
  execute (fixture, "UPDATE event SET data = CAST('changed  ' AS BLOB) WHERE sequence = 3");
  eb_store_fixture_open (fixture);

  expect_log ("event 3 is damaged");
  before = eb_store_fixture_read (fixture, 0, 100000);
  g_assert_cmpuint (before->events->len, ==, 2);
  g_assert_cmpuint (before->lost_up_to, ==, 0);
  rest = eb_store_fixture_read (fixture, 2, 100000);
  assert_logged_once ();
  g_assert_cmpuint (rest->lost_up_to, ==, 3);
  g_assert_cmpuint (rest->events->len, ==, 2);
  eb_store_fixture_assert_event (rest, 0, 4, "as it was");
}

static void
test_hole (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) before = NULL;
  g_autoptr (EbPage) rest = NULL;

  for (guint i = 1; i <= 5; i++)
    eb_store_fixture_append (fixture, "as it was");
  eb_store_fixture_close (fixture);
  execute (fixture, "DELETE FROM event WHERE sequence IN (2, 3)");
  eb_store_fixture_open (fixture);

  expect_log ("is damaged");
  before = eb_store_fixture_read (fixture, 0, 100000);
  g_assert_cmpuint (before->events->len, ==, 1);
  rest = eb_store_fixture_read (fixture, 1, 100000);
  assert_logged_once ();
  g_assert_cmpuint (rest->lost_up_to, ==, 3);
  g_assert_cmpuint (rest->events->len, ==, 2);
}

/* Reads behind the window: shared chunks answer whatever part is asked for. */
static void
test_behind (EbStoreFixture *fixture, gconstpointer data)
{
  guint64 after = 0;

  for (guint i = 1; i <= 300; i++)
    {
      g_autofree char *text = g_strdup_printf ("event %u", i);

      eb_store_fixture_append (fixture, text);
    }
  reopen (fixture);
  while (after < 300)
    {
      g_autoptr (EbPage) page = eb_store_fixture_read (fixture, after, 5000);
      g_autofree char *text = g_strdup_printf ("event %" G_GUINT64_FORMAT, after + 1);

      g_assert_cmpuint (page->events->len, >, 0);
      g_assert_cmpuint (page->events->len, <, 100);
      eb_store_fixture_assert_event (page, 0, after + 1, text);
      after += page->events->len;
    }
  g_assert_cmpuint (after, ==, 300);
}

/* Who wants one event gets it alone, and its neighbours are neither read nor kept. */
static void
test_single (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) first = NULL;
  g_autoptr (EbPage) second = NULL;
  g_autoptr (EbPage) all = NULL;
  g_autoptr (EbPage) kept = NULL;

  for (guint i = 1; i <= 5; i++)
    eb_store_fixture_append (fixture, "as it was");
  reopen (fixture);
  first = eb_store_fixture_read (fixture, 0, 1);
  g_assert_cmpuint (first->events->len, ==, 1);
  eb_store_fixture_assert_event (first, 0, 1, "as it was");

  execute (fixture, "DELETE FROM event WHERE sequence = 2");
  expect_log ("event 2 is damaged");
  second = eb_store_fixture_read (fixture, 1, 1);
  assert_logged_once ();
  g_assert_cmpuint (second->lost_up_to, ==, 2);
  g_assert_cmpuint (second->events->len, ==, 1);
  eb_store_fixture_assert_event (second, 0, 3, "as it was");

  /* What others have read serves him too. */
  all = eb_store_fixture_read (fixture, 2, 100000);
  g_assert_cmpuint (all->events->len, ==, 3);
  execute (fixture, "DELETE FROM event");
  kept = eb_store_fixture_read (fixture, 3, 1);
  g_assert_cmpuint (kept->lost_up_to, ==, 0);
  g_assert_cmpuint (kept->events->len, ==, 1);
  eb_store_fixture_assert_event (kept, 0, 4, "as it was");
}

static void
test_accepted (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (EbPage) page = NULL;
  gint64 last_us = 0;

  eb_store_fixture_append (fixture, "one");
  eb_fake_clock_step_real (fixture->clock, -G_TIME_SPAN_HOUR);
  eb_store_fixture_append (fixture, "two");
  reopen (fixture);
  eb_store_fixture_append (fixture, "three");
  reopen (fixture);
  page = eb_store_fixture_read (fixture, 0, 10000);
  g_assert_cmpuint (page->events->len, ==, 3);
  for (guint i = 0; i < page->events->len; i++)
    {
      g_assert_cmpint (eb_event_get_accepted (page->events->pdata[i]), >=, last_us);
      last_us = eb_event_get_accepted (page->events->pdata[i]);
    }
}

static void
taken_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *counts = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) receipts = eb_log_append_finish (EB_LOG (source), result, &error);

  if (receipts == NULL)
    g_assert_error (error, EB_ERROR, EB_ERROR_BUSY);
  counts[receipts == NULL]++;
}

static gboolean
are_all_answered (gpointer data)
{
  guint *counts = data;

  return counts[0] + counts[1] == 40;
}

/* One batch alone always fits; too many do not, and are told so. */
static void
test_busy (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  guint counts[2] = { 0, 0 };
  EbExtent extent;

  for (guint i = 0; i < 11000; i++)
    g_ptr_array_add (drafts, eb_store_fixture_new_draft ("many"));
  for (guint i = 0; i < 40; i++)
    eb_log_append_async (fixture->log, drafts, NULL, taken_cb, counts);
  eb_test_wait_for (are_all_answered, counts);
  g_assert_cmpuint (counts[0], >, 0);
  g_assert_cmpuint (counts[1], >, 0);
  eb_log_get_extent (fixture->log, &extent);
  g_assert_cmpuint (extent.head, ==, counts[0] * 11000);
}

static void
test_closed (EbStoreFixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) tail = NULL;
  g_autoptr (GAsyncResult) late = NULL;
  g_autoptr (GAsyncResult) read = NULL;
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (drafts, eb_store_fixture_new_draft ("one"));
  eb_log_read_async (fixture->log, 0, 1000, EB_LOG_WAIT, NULL, eb_test_result_cb, &tail);
  eb_sqlite_store_close (fixture->store);
  g_assert_null (eb_log_read_finish (fixture->log, eb_test_wait_for_result (&tail), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_CLOSED);
  g_clear_error (&error);
  eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &late);
  g_assert_null (eb_log_append_finish (fixture->log, eb_test_wait_for_result (&late), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_CLOSED);
  g_clear_error (&error);
  eb_log_read_async (fixture->log, 0, 1000, EB_LOG_NO_WAIT, NULL, eb_test_result_cb, &read);
  g_assert_null (eb_log_read_finish (fixture->log, eb_test_wait_for_result (&read), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_null (eb_store_fixture_list (fixture, "a:1", EB_EXCEPTIONS_ALL, 0, 1, NULL));
}

static const EbStoreKind sqlite = EB_STORE_SQLITE;

#define ADD(path, func)                                                                            \
  g_test_add ("/sqlite-store/" path, EbStoreFixture, &sqlite, eb_store_fixture_set_up, func,       \
              eb_store_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (watch_log_cb, &log_watch, NULL);

  ADD ("reopen", test_reopen);
  ADD ("implied-json", test_implied_json);
  ADD ("emptied", test_emptied);
  ADD ("ledger", test_ledger);
  ADD ("bad-subscription", test_bad_subscription);
  ADD ("newer", test_newer);
  ADD ("foreign", test_foreign);
  ADD ("second", test_second);
  ADD ("mode", test_mode);
  ADD ("damage", test_damage);
  ADD ("hole", test_hole);
  ADD ("behind", test_behind);
  ADD ("single", test_single);
  ADD ("accepted", test_accepted);
  ADD ("busy", test_busy);
  ADD ("closed", test_closed);

  return g_test_run ();
}
