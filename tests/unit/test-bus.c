/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus.h"
#include "core/eb-error.h"
#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-ledger.h"
#include "support/eb-fake-transport.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  EbFakeClock *clock;
  EbFakeSinks *sinks;
  EbWorkerPool *workers;
  EbLog *log;
  EbFakeLedger *fake; /* the ledger */
  EbLedger *ledger;   /* the same */
  EbBus *bus;
  GString *told; /* of the signals, in order */
  guint n_fenced;
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
fenced_cb (EbBus *bus, const char *reason, Fixture *fixture)
{
  fixture->n_fenced++;
}

/* A bus on the fixture's log and ledger, as after a restart. */
static void
start_bus (Fixture *fixture)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);
  g_autoptr (GAsyncResult) result = NULL;
  const EbBusLimits limits = { 120 * SECOND, 3, 10 };

  fixture->workers = eb_worker_pool_new (1, EB_CLOCK (fixture->clock), fixture->log, settings,
                                         eb_fake_transport_create, fixture->sinks);
  fixture->bus =
      eb_bus_new (EB_CLOCK (fixture->clock), fixture->log, fixture->ledger, fixture->workers);
  eb_bus_configure (fixture->bus, &limits, policy);
  g_signal_connect (fixture->bus, "subscriber-added", G_CALLBACK (added_cb), fixture);
  g_signal_connect (fixture->bus, "subscriber-removed", G_CALLBACK (removed_cb), fixture);
  g_signal_connect (fixture->bus, "fenced", G_CALLBACK (fenced_cb), fixture);
  eb_bus_start_async (fixture->bus, eb_test_result_cb, &result);
  g_assert_true (eb_bus_start_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
}

static void
stop_bus (Fixture *fixture)
{
  eb_worker_pool_stop (fixture->workers);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_finalize_object (fixture->bus);
  g_assert_finalize_object (fixture->workers);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbLedger) memory = NULL;

  fixture->clock = eb_fake_clock_new ();
  fixture->sinks = eb_fake_sinks_new ();
  fixture->told = g_string_new (NULL);
  fixture->log = eb_memory_log_new (EB_CLOCK (fixture->clock));
  memory = eb_memory_ledger_new (fixture->log);
  fixture->fake = eb_fake_ledger_new (memory);
  fixture->ledger = EB_LEDGER (fixture->fake);
  start_bus (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  stop_bus (fixture);
  g_object_unref (fixture->fake);
  g_object_unref (fixture->log);
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

static GPtrArray *
load (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;
  guint64 epoch;

  eb_ledger_load_async (fixture->ledger, NULL, eb_test_result_cb, &result);
  return eb_ledger_load_finish (fixture->ledger, eb_test_wait_for_result (&result), &epoch, NULL);
}

static guint
count_in_ledger (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = load (fixture);

  return entries->len;
}

static void
run (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

/* As a worker that says how far @subscription got. */
static void
report (Fixture *fixture, EbSubscription *subscription, guint64 cursor, guint64 floor)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_step_free);
  EbReport report = { .dead = 1, .lost = 2, .floor = floor, .steps = steps };
  EbStep *step = g_new (EbStep, 1);

  step->subscription = eb_subscription_ref (subscription);
  step->change = eb_change_new (EB_CHANGE_CURSOR, eb_subscription_get_id (subscription), cursor);
  g_ptr_array_add (steps, step);
  g_signal_emit_by_name (fixture->workers, "report", &report);
}

static EbSubscription *
create_subscription (const char *address)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec spec = {
    .id = address, .sink = sink, .lease = 120 * SECOND, .concurrency = 1
  };

  return eb_subscription_new (&spec, NULL);
}

static gboolean
do_subscribe (Fixture *fixture, EbSubscription *subscription)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_subscribe_async (fixture->bus, subscription, EB_START_NOW, eb_test_result_cb, &result);
  return eb_bus_subscribe_finish (fixture->bus, eb_test_wait_for_result (&result), NULL);
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
  g_assert_cmpuint (fixture->n_fenced, >=, 1);
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

static guint64
get_cursor (Fixture *fixture)
{
  g_autoptr (GPtrArray) entries = load (fixture);

  g_assert_cmpuint (entries->len, ==, 1);
  return ((EbLedgerEntry *) g_ptr_array_index (entries, 0))->cursor;
}

/* The first bus sent the first event, and the second one begins with the second. */
static gboolean
has_second (gpointer data)
{
  EbFakeSinks *sinks = ((Fixture *) data)->sinks;
  guint n = eb_fake_sinks_count (sinks, "http://a:1/event");

  return n >= 2 && eb_fake_sinks_get (sinks, "http://a:1/event", n - 1).sequence == 2;
}

/* Subscriptions go on, each with its lease in full. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create_subscription ("a:1");

  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_KEEP);
  g_assert_true (do_subscribe (fixture, subscription));
  g_assert_true (publish (fixture, "1", NULL));
  g_assert_true (publish (fixture, "2", NULL));
  report (fixture, subscription, 1, 0);
  run ();
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  stop_bus (fixture);

  eb_fake_sinks_set (fixture->sinks, "http://a:1/event", EB_FAKE_TAKE);
  start_bus (fixture);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +a:1 ");
  eb_test_wait_for (has_second, fixture);
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  run ();
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 +a:1 ");
}

/* Whoever has the id by now has nothing to do with it. */
static void
test_stale_report (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) first = create_subscription ("a:1");
  g_autoptr (EbSubscription) second = create_subscription ("a:1");

  g_assert_true (do_subscribe (fixture, first));
  g_assert_true (do_deregister (fixture, "a:1", NULL));
  g_assert_true (do_subscribe (fixture, second));
  report (fixture, first, 7, 0);
  run ();
  g_assert_cmpuint (get_cursor (fixture), ==, 0);
}

static void
test_counts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create_subscription ("a:1");
  EbBusStats stats;

  g_assert_true (do_subscribe (fixture, subscription));
  report (fixture, subscription, 1, 0);
  eb_bus_get_stats (fixture->bus, &stats);
  g_assert_cmpuint (stats.dead, ==, 1);
  g_assert_cmpuint (stats.lost, ==, 2);
  g_assert_cmpuint (stats.subscriptions, ==, 1);
}

/* The daemon may go when the ledger knows what was delivered, and not before. */
static void
test_drain_writes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create_subscription ("a:1");
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_true (do_subscribe (fixture, subscription));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_BUSY);
  report (fixture, subscription, 5, 0);
  eb_bus_drain_async (fixture->bus, 4 * SECOND, eb_test_result_cb, &result);
  run ();
  g_assert_null (result);
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
  g_assert_cmpuint (get_cursor (fixture), ==, 5);
}

static void
test_drain_ends_all_the_same (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create_subscription ("a:1");
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_true (do_subscribe (fixture, subscription));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  report (fixture, subscription, 5, 0);
  eb_bus_drain_async (fixture->bus, 4 * SECOND, eb_test_result_cb, &result);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_null (result);
      run ();
      eb_fake_clock_advance (fixture->clock, SECOND);
    }
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&result));
}

/* A deregistration that the ledger refused was answered with an error; asking again is no lie, and
 * whoever takes the address next begins anew. */
static void
test_unforgotten (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;

  g_assert_true (do_register (fixture, "a:1", NULL));
  g_assert_true (do_register (fixture, "b:1", NULL));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  g_assert_false (do_deregister (fixture, "a:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  g_assert_false (do_deregister (fixture, "a:1", &again));
  g_assert_error (again, EB_ERROR, EB_ERROR_IO);
  eb_fake_ledger_accept (fixture->fake);
  g_assert_true (do_deregister (fixture, "a:1", NULL));
  g_assert_cmpuint (count_in_ledger (fixture), ==, 1);
}

/* Nobody asks again for what has expired. */
static void
test_expired_unforgotten (Fixture *fixture, gconstpointer data)
{
  g_assert_true (do_register (fixture, "a:1", NULL));
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_fake_clock_advance (fixture->clock, 120 * SECOND);
  run ();
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  run ();
  g_assert_cmpuint (count_in_ledger (fixture), ==, 0);
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

typedef struct
{
  Fixture *fixture;
  const char *what;
} Told;

static gboolean
has_told (gpointer data)
{
  const Told *told = data;

  return g_str_equal (told->fixture->told->str, told->what);
}

/* A sink answers 410, registers again at once, and is heard the other way round. */
static void
test_registering_again (Fixture *fixture, gconstpointer data)
{
  static const char uri[] = "http://a:1/event";

  g_assert_true (do_register (fixture, "a:1", NULL));
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_fake_sinks_set (fixture->sinks, uri, EB_FAKE_ANSWER_410);
  g_assert_true (publish (fixture, "one", NULL));
  while (eb_fake_sinks_count (fixture->sinks, uri) == 0)
    g_thread_yield (); /* without a turn of the context, which would tell that it is gone */
  eb_fake_clock_advance (fixture->clock, 1);
  g_assert_true (do_register (fixture, "a:1", NULL));
  eb_test_wait_for (has_told, &(Told){ fixture, "+a:1 -a:1(answered 410 Gone) +a:1 " });
  g_assert_cmpuint (count_in_ledger (fixture), ==, 1);

  /* But who has not is gone. */
  g_assert_true (publish (fixture, "two", NULL));
  eb_test_wait_for (has_told, &(Told){ fixture, "+a:1 -a:1(answered 410 Gone) +a:1 "
                                                "-a:1(answered 410 Gone) " });
}

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
  ADD ("registering-again", test_registering_again);
  ADD ("refusals", test_refusals);
  ADD ("drain", test_drain);
  ADD ("list", test_list);
  ADD ("restart", test_restart);
  ADD ("stale-report", test_stale_report);
  ADD ("counts", test_counts);
  ADD ("drain-writes", test_drain_writes);
  ADD ("drain-ends-all-the-same", test_drain_ends_all_the_same);
  ADD ("unforgotten", test_unforgotten);
  ADD ("expired-unforgotten", test_expired_unforgotten);

  return g_test_run ();
}
