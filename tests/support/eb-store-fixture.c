/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-store-fixture.h"

#include <string.h>

#include <glib/gstdio.h>

#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-test-wait.h"

/* A log and a ledger of one kind or the other, and what tests do with them: each function waits for
 * what it asked. */

/**
 * eb_store_fixture_set_up:
 * @kind: a `const EbStoreKind *`
 */
void
eb_store_fixture_set_up (EbStoreFixture *fixture, gconstpointer kind)
{
  g_autoptr (GError) error = NULL;

  fixture->clock = eb_fake_clock_new ();
  if (*(const EbStoreKind *) kind == EB_STORE_SQLITE)
    {
      fixture->folder = g_dir_make_tmp ("eb-test-store-XXXXXX", &error);
      g_assert_no_error (error);
      fixture->path = g_build_filename (fixture->folder, "state", "events.db", NULL);
      eb_store_fixture_open (fixture);
      return;
    }
  fixture->log = eb_memory_log_new (EB_CLOCK (fixture->clock));
  fixture->ledger = eb_memory_ledger_new (fixture->log);
}

/**
 * eb_store_fixture_open:
 *
 * Opens the SQLite store, as a daemon that starts does.
 */
void
eb_store_fixture_open (EbStoreFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->store =
      eb_sqlite_store_new (EB_CLOCK (fixture->clock), fixture->path, fixture->vfs, &error);
  g_assert_no_error (error);
  fixture->log = g_object_ref (EB_LOG (fixture->store));
  fixture->ledger = g_object_ref (EB_LEDGER (fixture->store));
}

/**
 * eb_store_fixture_close:
 *
 * Closes the store, as a daemon that ends does.
 */
void
eb_store_fixture_close (EbStoreFixture *fixture)
{
  if (fixture->store == NULL)
    return;
  eb_sqlite_store_close (fixture->store);
  eb_test_run ();
  g_clear_object (&fixture->log);
  g_clear_object (&fixture->ledger);
  g_assert_finalize_object (g_steal_pointer (&fixture->store));
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        remove_folder (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}

void
eb_store_fixture_tear_down (EbStoreFixture *fixture, gconstpointer kind)
{
  eb_store_fixture_close (fixture);
  if (fixture->ledger != NULL)
    g_assert_finalize_object (g_steal_pointer (&fixture->ledger));
  if (fixture->log != NULL)
    g_assert_finalize_object (g_steal_pointer (&fixture->log));
  if (fixture->folder != NULL)
    remove_folder (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->path);
  g_object_unref (fixture->clock);
}

EbDraft *
eb_store_fixture_new_draft (const char *text)
{
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  EbDraft *draft = eb_draft_new (data);

  g_assert_true (eb_draft_complete (draft, NULL));
  return draft;
}

/* Returns: (transfer full): a draft whose publisher says which event it is */
EbDraft *
eb_store_fixture_new_named_draft (const char *source, const char *id, const char *text)
{
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  EbDraft *draft = eb_draft_new (data);

  g_assert_true (eb_draft_set (draft, "source", source, NULL));
  g_assert_true (eb_draft_set (draft, "id", id, NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  return draft;
}

/* Returns: (element-type EbReceipt): one for each of @drafts */
GArray *
eb_store_fixture_append_drafts (EbStoreFixture *fixture, GPtrArray *drafts)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GArray *receipts;

  eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &result);
  g_assert_null (result); /* never from within the call */
  receipts = eb_log_append_finish (fixture->log, eb_test_wait_for_result (&result), &error);
  g_assert_no_error (error);
  return receipts;
}

/* Returns: (element-type EbReceipt): one for each of @texts */
GArray *
eb_store_fixture_append_all (EbStoreFixture *fixture, const char *const *texts)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);

  for (; *texts != NULL; texts++)
    g_ptr_array_add (drafts, eb_store_fixture_new_draft (*texts));
  return eb_store_fixture_append_drafts (fixture, drafts);
}

/**
 * eb_store_fixture_try:
 * @text: (nullable): of an event; NULL to take part in a transaction and leave nothing behind
 *
 * Appends, which may fail.
 */
gboolean
eb_store_fixture_try (EbStoreFixture *fixture, const char *text, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  if (text != NULL)
    g_ptr_array_add (drafts, eb_store_fixture_new_draft (text));
  eb_log_append_async (fixture->log, drafts, NULL, eb_test_result_cb, &result);
  receipts = eb_log_append_finish (fixture->log, eb_test_wait_for_result (&result), error);
  return receipts != NULL;
}

/**
 * eb_store_fixture_recover:
 *
 * Lets time pass until the store works again, which takes a few seconds at most.
 */
void
eb_store_fixture_recover (EbStoreFixture *fixture)
{
  for (guint i = 0; i < 4; i++)
    {
      eb_fake_clock_advance (fixture->clock, G_TIME_SPAN_SECOND);
      if (eb_store_fixture_try (fixture, NULL, NULL))
        return;
    }
  g_assert_not_reached ();
}

guint64
eb_store_fixture_append (EbStoreFixture *fixture, const char *text)
{
  g_autoptr (GArray) receipts =
      eb_store_fixture_append_all (fixture, (const char *const[]){ text, NULL });

  return g_array_index (receipts, EbReceipt, 0).sequence;
}

EbPage *
eb_store_fixture_read (EbStoreFixture *fixture, guint64 after, gsize max_bytes)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  EbPage *page;

  eb_log_read_async (fixture->log, after, max_bytes, EB_LOG_NO_WAIT, NULL, eb_test_result_cb,
                     &result);
  page = eb_log_read_finish (fixture->log, eb_test_wait_for_result (&result), &error);
  g_assert_no_error (error);
  return page;
}

void
eb_store_fixture_assert_event (EbPage *page, guint index, guint64 sequence, const char *text)
{
  EbEvent *event = g_ptr_array_index (page->events, index);
  GBytes *data = eb_event_get_data (event);

  g_assert_cmpuint (eb_event_get_sequence (event), ==, sequence);
  g_assert_cmpmem (g_bytes_get_data (data, NULL), g_bytes_get_size (data), text, strlen (text));
}

EbSubscription *
eb_store_fixture_new_subscription (const char *address)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = { .id = address, .sink = sink, .concurrency = 1 };

  return eb_subscription_new (&spec, NULL);
}

GPtrArray *
eb_store_fixture_load (EbStoreFixture *fixture, guint64 *epoch)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *entries;

  eb_ledger_load_async (fixture->ledger, NULL, eb_test_result_cb, &result);
  entries =
      eb_ledger_load_finish (fixture->ledger, eb_test_wait_for_result (&result), epoch, &error);
  g_assert_no_error (error);
  return entries;
}

gboolean
eb_store_fixture_apply (EbStoreFixture *fixture, guint64 epoch, EbChange *change, GError **error)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  g_autoptr (GAsyncResult) result = NULL;

  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (fixture->ledger, epoch, changes, NULL, eb_test_result_cb, &result);
  return eb_ledger_apply_finish (fixture->ledger, eb_test_wait_for_result (&result), error);
}

void
eb_store_fixture_put (EbStoreFixture *fixture, guint64 epoch, const char *address, guint64 start)
{
  g_autoptr (EbSubscription) subscription = eb_store_fixture_new_subscription (address);

  g_assert_true (
      eb_store_fixture_apply (fixture, epoch, eb_change_new_put (subscription, start), NULL));
}

GPtrArray *
eb_store_fixture_list (EbStoreFixture *fixture,
                       const char *id,
                       EbExceptionKinds kinds,
                       guint64 after,
                       guint limit,
                       GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_ledger_list_exceptions_async (fixture->ledger, id, kinds, after, limit, NULL,
                                   eb_test_result_cb, &result);
  return eb_ledger_list_exceptions_finish (fixture->ledger, eb_test_wait_for_result (&result),
                                           error);
}
