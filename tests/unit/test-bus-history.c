/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-history.h"
#include "core/eb-error.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-transport.h"
#include "support/eb-test-wait.h"

typedef struct
{
  EbFakeClock *clock;
  EbFakeSinks *sinks;
  EbWorkerPool *workers;
  EbLog *log;
  EbLedger *ledger;
  EbBus *bus;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (GAsyncResult) result = NULL;

  f->clock = eb_fake_clock_new ();
  f->sinks = eb_fake_sinks_new ();
  f->log = eb_memory_log_new (EB_CLOCK (f->clock));
  f->ledger = eb_memory_ledger_new (f->log);
  f->workers = eb_worker_pool_new (1, EB_CLOCK (f->clock), f->log, settings,
                                   eb_fake_transport_create, f->sinks);
  f->bus = eb_bus_new (EB_CLOCK (f->clock), f->log, f->ledger, f->workers);
  eb_bus_start_async (f->bus, eb_test_result_cb, &result);
  g_assert_true (eb_bus_start_finish (f->bus, eb_test_wait_for_result (&result), NULL));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  eb_worker_pool_stop (f->workers);
  eb_test_run ();
  g_assert_finalize_object (f->bus);
  g_assert_finalize_object (f->workers);
  g_object_unref (f->ledger);
  g_object_unref (f->log);
  g_object_unref (f->clock);
  eb_fake_sinks_free (f->sinks);
}

/* @n events of @size bytes at once */
static void
publish (Fixture *f, const char *type, guint n, gsize size)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GBytes) data = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  for (guint i = 0; i < n; i++)
    {
      EbDraft *draft = eb_draft_new (data);

      g_assert_true (eb_draft_set (draft, "type", type, NULL));
      g_ptr_array_add (drafts, draft);
    }
  eb_bus_publish_async (f->bus, drafts, eb_test_result_cb, &result);
  receipts = eb_bus_publish_finish (f->bus, eb_test_wait_for_result (&result), NULL);
  g_assert_cmpuint (receipts->len, ==, n);
}

static EbHistory *
do_read (Fixture *f, guint64 after, const char *const *types, guint limit)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  EbHistory *history;

  eb_bus_read_async (f->bus, after, types, limit, eb_test_result_cb, &result);
  history = eb_bus_read_finish (f->bus, eb_test_wait_for_result (&result), &error);
  g_assert_no_error (error);
  return history;
}

/* Reads one part, which must be as said. */
static void
assert_read (
    Fixture *f, guint64 after, const char *type, guint limit, const char *sequences, guint64 next)
{
  const char *const types[] = { type, NULL };
  g_autoptr (EbHistory) history = do_read (f, after, type != NULL ? types : NULL, limit);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; i < history->events->len; i++)
    g_string_append_printf (found, "%" G_GUINT64_FORMAT " ",
                            eb_event_get_sequence (history->events->pdata[i]));
  g_assert_cmpstr (found->str, ==, sequences);
  g_assert_cmpuint (history->next, ==, next);
}

static void
test_parts (Fixture *f, gconstpointer data)
{
  assert_read (f, 0, NULL, 10, "", 0);
  assert_read (f, 5, NULL, 10, "", 0);
  publish (f, "a.b", 2, 1);
  publish (f, "a.c", 1, 1);
  publish (f, "a.b", 1, 1);
  assert_read (f, 0, NULL, 10, "1 2 3 4 ", 0);
  assert_read (f, 0, NULL, 4, "1 2 3 4 ", 0);
  assert_read (f, 0, NULL, 3, "1 2 3 ", 3);
  assert_read (f, 3, NULL, 3, "4 ", 0);
  assert_read (f, 4, NULL, 3, "", 0);
  assert_read (f, G_MAXINT64, NULL, 3, "", 0);
  assert_read (f, 0, "a.b", 10, "1 2 4 ", 0);
  assert_read (f, 0, "a.b", 2, "1 2 ", 2);
  assert_read (f, 2, "a.b", 2, "4 ", 0);
  assert_read (f, 0, "x.>", 10, "", 0);
}

static void
test_pattern (Fixture *f, gconstpointer data)
{
  const char *const types[] = { "a.*", "b.>.c", NULL };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  eb_bus_read_async (f->bus, 0, types, 1, eb_test_result_cb, &result);
  g_assert_null (eb_bus_read_finish (f->bus, eb_test_wait_for_result (&result), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
}

/* What is found in one call has a bound. */
static void
test_large (Fixture *f, gconstpointer data)
{
  g_autoptr (EbHistory) history = NULL;

  publish (f, "a", 20, 500 * 1000);
  history = do_read (f, 0, NULL, 1000);
  g_assert_cmpuint (history->events->len, ==, 3);
  g_assert_cmpuint (history->next, ==, 3);
}

/* What is looked at in one call has one too, but everything is found in the end. */
static void
test_rare (Fixture *f, gconstpointer data)
{
  const char *const types[] = { "rare", NULL };
  guint64 after = 0;
  guint n_calls = 0;
  guint n_found = 0;

  publish (f, "a", 200, 100 * 1000);
  publish (f, "rare", 1, 1);
  do
    {
      g_autoptr (EbHistory) history = do_read (f, after, types, 1000);

      g_assert_true (history->next == 0 || history->next > after);
      after = history->next;
      n_found += history->events->len;
      n_calls++;
    }
  while (after > 0);
  g_assert_cmpuint (n_found, ==, 1);
  g_assert_cmpuint (n_calls, ==, 5);
}

static EbEvent *
get_event (Fixture *f, guint64 sequence, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_get_event_async (f->bus, sequence, eb_test_result_cb, &result);
  return eb_bus_get_event_finish (f->bus, eb_test_wait_for_result (&result), error);
}

static void
assert_not_found (Fixture *f, guint64 sequence)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (get_event (f, sequence, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
}

static void
test_event (Fixture *f, gconstpointer data)
{
  g_autoptr (EbEvent) event = NULL;

  assert_not_found (f, 1);
  publish (f, "a", 2, 1);
  event = get_event (f, 2, NULL);
  g_assert_cmpuint (eb_event_get_sequence (event), ==, 2);
  assert_not_found (f, 3);
  assert_not_found (f, G_MAXINT64);
}

static void
test_gone (Fixture *f, gconstpointer data)
{
  eb_memory_log_configure (EB_MEMORY_LOG (f->log), 1, G_TIME_SPAN_DAY);
  publish (f, "a", 1, 1);
  publish (f, "a", 1, 1);
  publish (f, "a", 1, 1);
  assert_not_found (f, 1);
  assert_read (f, 0, NULL, 10, "3 ", 0);
  assert_read (f, 1, "b", 10, "", 0);
}

#define ADD(name, func) g_test_add ("/bus-history/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("parts", test_parts);
  ADD ("pattern", test_pattern);
  ADD ("large", test_large);
  ADD ("rare", test_rare);
  ADD ("event", test_event);
  ADD ("gone", test_gone);

  return g_test_run ();
}
