/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus.h"
#include "core/eb-error.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-transport.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbFakeSinks *sinks;
  EbWorkerPool *workers;
  EbLedger *ledger;
  EbBus *bus;
  GString *told; /* of the signals, in order */
} Fixture;

static void
added_cb (EbBus *bus, const char *label, Fixture *fixture)
{
  g_string_append_printf (fixture->told, "+%s ", label);
}

static void
removed_cb (EbBus *bus, const char *label, const char *reason, Fixture *fixture)
{
  g_string_append_printf (fixture->told, "-%s(%s) ", label, reason);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (EbLog) log = NULL;
  EbBusLimits limits;

  fixture->clock = eb_fake_clock_new ();
  fixture->sinks = eb_fake_sinks_new ();
  fixture->told = g_string_new (NULL);
  log = eb_memory_log_new (EB_CLOCK (fixture->clock));
  fixture->ledger = eb_memory_ledger_new (log);
  fixture->workers = eb_worker_pool_new (1, EB_CLOCK (fixture->clock), log, settings,
                                         eb_fake_transport_create, fixture->sinks);
  fixture->bus = eb_bus_new (EB_CLOCK (fixture->clock), log, fixture->ledger, fixture->workers);
  limits = *eb_bus_get_limits (fixture->bus);
  limits.max_subscriptions = 3;
  limits.max_event_size = 10;
  eb_bus_configure (fixture->bus, &limits, policy);
  g_signal_connect (fixture->bus, "subscriber-added", G_CALLBACK (added_cb), fixture);
  g_signal_connect (fixture->bus, "subscriber-removed", G_CALLBACK (removed_cb), fixture);
  eb_bus_start_async (fixture->bus, eb_test_result_cb, &result);
  g_assert_true (eb_bus_start_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_worker_pool_stop (fixture->workers);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_finalize_object (fixture->bus);
  g_assert_finalize_object (fixture->workers);
  g_object_unref (fixture->ledger);
  g_object_unref (fixture->clock);
  eb_fake_sinks_free (fixture->sinks);
  g_string_free (fixture->told, TRUE);
}

static gboolean
do_register (Fixture *fixture, const char *address, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_register_async (fixture->bus, address, eb_test_result_cb, &result);
  return eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&result), error);
}

static gboolean
do_deregister (Fixture *fixture, const char *address, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_deregister_async (fixture->bus, address, eb_test_result_cb, &result);
  return eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&result), error);
}

static gboolean
publish (Fixture *fixture, const char *text, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GBytes) data = g_bytes_new (text, strlen (text));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  g_ptr_array_add (drafts, eb_draft_new (data));
  eb_bus_publish_async (fixture->bus, drafts, eb_test_result_cb, &result);
  receipts = eb_bus_publish_finish (fixture->bus, eb_test_wait_for_result (&result), error);
  return receipts != NULL;
}

static guint
count_in_ledger (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) entries = NULL;
  guint64 epoch;

  eb_ledger_load_async (fixture->ledger, NULL, eb_test_result_cb, &result);
  entries =
      eb_ledger_load_finish (fixture->ledger, eb_test_wait_for_result (&result), &epoch, NULL);
  return entries->len;
}

static gboolean
has_arrived (gpointer data)
{
  return eb_fake_sinks_count (((Fixture *) data)->sinks, "http://a:1/event") > 0;
}

static void
test_registration (Fixture *fixture, gconstpointer data)
{
  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (publish (fixture, "x", NULL));
  eb_test_wait_for (has_arrived, fixture);
  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (do_deregister (fixture, "a:1", NULL));
  g_assert_true (do_deregister (fixture, "a:1", NULL));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(deregistered) ");
  g_assert_cmpuint (count_in_ledger (fixture), ==, 0);
}

static void
test_ledger (Fixture *fixture, gconstpointer data)
{
  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (do_register (fixture, "b:1", NULL));
  g_assert_cmpuint (count_in_ledger (fixture), ==, 2);
}

/* Another daemon has begun a later epoch: nothing is acked that the ledger has not. */
static void
test_fenced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  EbBusStats stats;

  count_in_ledger (fixture);
  g_assert_false (do_register (fixture, "a:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_FENCED);
  eb_bus_get_stats (fixture->bus, &stats);
  g_assert_cmpuint (stats.subscriptions, ==, 0);
}

/* What follows is acked as soon as the first is, and not before. */
static void
test_twice_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;

  count_in_ledger (fixture);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &first);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &second);
  g_assert_false (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&first), NULL));
  g_assert_false (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&second), NULL));
}

static void
test_leases (Fixture *fixture, gconstpointer data)
{
  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (do_register (fixture, "b:1", NULL));
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  g_assert_true (do_register (fixture, "b:1", NULL));
  eb_fake_clock_advance (fixture->clock, 20 * SECOND);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +b:1 -a:1(expired) ");
}

static void
test_refusals (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) invalid = NULL;
  g_autoptr (GError) forbidden = NULL;
  g_autoptr (GError) limit = NULL;
  g_autoptr (GError) large = NULL;

  g_assert_false (do_register (fixture, "127.1", &invalid));
  g_assert_error (invalid, EB_ERROR, EB_ERROR_INVALID);
  g_assert_false (do_register (fixture, "169.254.169.254", &forbidden));
  g_assert_error (forbidden, EB_ERROR, EB_ERROR_FORBIDDEN);
  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (do_register (fixture, "b:1", NULL));
  g_assert_true (do_register (fixture, "c:1", NULL));
  g_assert_false (do_register (fixture, "d:1", &limit));
  g_assert_error (limit, EB_ERROR, EB_ERROR_LIMIT);
  g_assert_true (do_register (fixture, "c:1", NULL));
  g_assert_true (publish (fixture, "0123456789", NULL));
  g_assert_false (publish (fixture, "0123456789a", &large));
  g_assert_error (large, EB_ERROR, EB_ERROR_TOO_LARGE);
}

static void
test_drain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) closed = NULL;
  g_autoptr (GError) closed_too = NULL;

  g_assert_true (do_register (fixture, "a:1", NULL));
  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_KEEP);
  g_assert_true (publish (fixture, "x", NULL));
  eb_test_wait_for (has_arrived, fixture);
  eb_bus_drain_async (fixture->bus, 4 * SECOND, eb_test_result_cb, &result);
  g_assert_false (publish (fixture, "y", &closed));
  g_assert_error (closed, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_false (do_register (fixture, "b:1", &closed_too));
  g_assert_error (closed_too, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_null (result);
  eb_fake_clock_advance (fixture->clock, 4 * SECOND);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL;
  const EbSubscriber *first;

  g_assert_true (do_register (fixture, "b:1/p", NULL));
  g_assert_true (do_register (fixture, "a:1", NULL));
  list = eb_bus_list_subscribers (fixture->bus);
  g_assert_cmpuint (list->len, ==, 2);
  first = g_ptr_array_index (list, 0);
  g_assert_cmpstr (first->label, ==, "a:1");
  g_assert_cmpint (first->renewed_us, ==, eb_clock_get_real (EB_CLOCK (fixture->clock)));
}

#define ADD(path, func) g_test_add ("/bus/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a ledger that refuses is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("registration", test_registration);
  ADD ("ledger", test_ledger);
  ADD ("fenced", test_fenced);
  ADD ("twice-at-once", test_twice_at_once);
  ADD ("leases", test_leases);
  ADD ("refusals", test_refusals);
  ADD ("drain", test_drain);
  ADD ("list", test_list);

  return g_test_run ();
}
