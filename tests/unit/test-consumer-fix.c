/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-failing-sink.h"
#include "support/eb-test-wait.h"

/* What travels together where a ledger must know it first. */

typedef struct
{
  EbDeliveryFixture delivery;
  GString *asked;    /* what the ledger was to be told */
  GArray *open;      /* (element-type EbBatchRange): of that, what it does not know yet */
  gboolean confirms; /* it knows at once */
  EbSubscription *subscription;
} Fixture;

static EbSubscription *
create (EbMode mode, EbOrder order)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .order = order, .options = options };

  options->mode = mode;
  return eb_delivery_fixture_create (&spec, "sink:1");
}

static void
confirm (Fixture *fixture)
{
  for (guint i = 0; i < fixture->open->len; i++)
    eb_worker_pool_confirm_batch (fixture->delivery.pool, fixture->subscription,
                                  &g_array_index (fixture->open, EbBatchRange, i));
  g_array_set_size (fixture->open, 0);
}

static void
fix_cb (EbWorkerPool *pool, EbSubscription *subscription, const EbBatchRange *batch, Fixture *self)
{
  g_string_append_printf (self->asked, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ";", batch->first,
                          batch->last);
  g_array_append_val (self->open, *batch);
  if (self->confirms)
    confirm (self);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  eb_delivery_fixture_set_up (&fixture->delivery, NULL);
  fixture->asked = g_string_new (NULL);
  fixture->open = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));
  fixture->confirms = TRUE;
  fixture->subscription = create (EB_MODE_BATCH, EB_ORDER_RELAXED);
  g_signal_connect (fixture->delivery.pool, "fix", G_CALLBACK (fix_cb), fixture);
  eb_worker_pool_fix_batches (fixture->delivery.pool);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  eb_delivery_fixture_tear_down (&fixture->delivery, NULL);
  g_string_free (fixture->asked, TRUE);
  g_array_unref (fixture->open);
  eb_subscription_unref (fixture->subscription);
}

static void
publish (Fixture *fixture, guint n)
{
  eb_delivery_fixture_publish (&fixture->delivery, "t", n);
}

static void
add (Fixture *fixture, const EbStart *start)
{
  eb_worker_pool_add (fixture->delivery.pool, fixture->subscription, start);
}

/* With what is in the log. */
static void
add_behind (Fixture *fixture, guint n)
{
  publish (fixture, n);
  g_assert_true (eb_delivery_fixture_drain (&fixture->delivery));
  add (fixture, &(EbStart){ 0 });
}

/* As a ledger has kept it: batches of these first and last events. */
static void
add_with (Fixture *fixture, guint64 after, const guint64 (*batches)[2], guint n, GPtrArray *aside)
{
  g_autoptr (GArray) ranges = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));
  EbStart start = { after, after, .has_cursor = TRUE, .aside = aside, .batches = ranges };

  for (guint i = 0; i < n; i++)
    {
      EbBatchRange range = { batches[i][0], batches[i][1] };

      g_array_append_val (ranges, range);
    }
  add (fixture, &start);
}

static gboolean
has_asked (gpointer data)
{
  return ((const Fixture *) data)->open->len > 0;
}

/* Returns once the workers have done all that follows from what was done before. */
static void
synchronize (Fixture *fixture)
{
  g_autoptr (GPtrArray) asked = g_ptr_array_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) found = NULL;

  g_ptr_array_add (asked, fixture->subscription);
  eb_worker_pool_inspect_async (fixture->delivery.pool, asked, eb_test_result_cb, &result);
  found = eb_worker_pool_inspect_finish (fixture->delivery.pool, eb_test_wait_for_result (&result));
}

/* Each request with its first and last event, and its attempt. */
static char *
describe_requests (Fixture *fixture)
{
  guint n = eb_fake_sinks_count (fixture->delivery.sinks, SINK);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n;)
    {
      EbFakeArrival first = eb_fake_sinks_get (fixture->delivery.sinks, SINK, i), last = first;

      for (; i < n && eb_fake_sinks_get (fixture->delivery.sinks, SINK, i).request == first.request;
           i++)
        last = eb_fake_sinks_get (fixture->delivery.sinks, SINK, i);
      g_string_append_printf (text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%u;",
                              first.sequence, last.sequence, first.attempt);
    }
  return g_string_free (text, FALSE);
}

static void
assert_requests (Fixture *fixture, guint n_arrivals, const char *expected)
{
  g_autofree char *text = NULL;

  eb_delivery_fixture_wait (&fixture->delivery, SINK, n_arrivals);
  text = describe_requests (fixture);
  g_assert_cmpstr (text, ==, expected);
}

static gboolean
keeps_batch (gpointer data)
{
  return eb_fake_sinks_count (((const Fixture *) data)->delivery.sinks, SINK) > 0;
}

/* Nothing is sent before the ledger knows, and what comes meanwhile does not join it. */
static void
test_wait (Fixture *fixture, gconstpointer data)
{
  fixture->confirms = FALSE;
  add_behind (fixture, 3);
  eb_test_wait_for (has_asked, fixture);
  publish (fixture, 2);
  synchronize (fixture);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->delivery.sinks, SINK), ==, 0);
  confirm (fixture);
  eb_test_wait_for (has_asked, fixture);
  synchronize (fixture);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->delivery.sinks, SINK), ==, 3);
  confirm (fixture);
  assert_requests (fixture, 5, "1-3/1;4-5/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "1-3;4-5;");
}

/* What is full is told while the sink is busy; what can still grow when it is ready. */
static void
test_ahead (Fixture *fixture, gconstpointer data)
{
  eb_failing_sink_script (&fixture->delivery, EB_FAKE_KEEP, 1);
  add_behind (fixture, 250);
  eb_test_wait_for (keeps_batch, fixture);
  synchronize (fixture);
  g_assert_cmpstr (fixture->asked->str, ==, "1-100;101-200;");
  publish (fixture, 10);
  synchronize (fixture);
  g_assert_cmpstr (fixture->asked->str, ==, "1-100;101-200;");
  eb_fake_sinks_release (fixture->delivery.sinks, SINK);
  assert_requests (fixture, 260, "1-100/1;101-200/1;201-260/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "1-100;101-200;201-260;");
}

/* Whoever takes them one by one waits for nobody. */
static void
test_binary (Fixture *fixture, gconstpointer data)
{
  eb_subscription_unref (fixture->subscription);
  fixture->subscription = create (EB_MODE_BINARY, EB_ORDER_RELAXED);
  add_behind (fixture, 2);
  assert_requests (fixture, 2, "1-1/1;2-2/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "");
}

/* What the ledger knew before is sent as it was. */
static void
test_loaded (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 1 }, { 2, 4 }, { 5, 5 }, { 8, 9 } };

  publish (fixture, 11);
  add_with (fixture, 1, batches, G_N_ELEMENTS (batches), NULL);
  assert_requests (fixture, 10, "2-4/1;5-5/1;6-7/1;8-9/1;10-11/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "6-7;10-11;");
}

/* It waits until the log has brought all of it. */
static void
test_incomplete (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 3 } };

  publish (fixture, 2);
  add_with (fixture, 0, batches, G_N_ELEMENTS (batches), NULL);
  synchronize (fixture);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->delivery.sinks, SINK), ==, 0);
  publish (fixture, 2);
  assert_requests (fixture, 4, "1-3/1;4-4/1;");
}

/* If more matches by now than may travel together, it begins with what may. */
static void
test_overfull (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 150 } };

  publish (fixture, 160);
  add_with (fixture, 0, batches, G_N_ELEMENTS (batches), NULL);
  assert_requests (fixture, 160, "1-100/1;101-160/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "1-100;101-160;");
}

/* What retention has taken is missing from it. */
static void
test_lost (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 3 }, { 4, 7 } };

  publish (fixture, 7);
  eb_fake_log_keep_last (EB_FAKE_LOG (fixture->delivery.log));
  add_with (fixture, 0, batches, G_N_ELEMENTS (batches), NULL);
  assert_requests (fixture, 1, "7-7/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "");
}

/* Nobody was there: nothing joins it, be it one event, and the ledger need not be told again. */
static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  eb_failing_sink_script (&fixture->delivery, EB_FAKE_UNREACHABLE, 1);
  add_behind (fixture, 1);
  assert_requests (fixture, 1, "1-1/1;");
  publish (fixture, 2);
  eb_delivery_fixture_advance (&fixture->delivery, LONGEST (SECOND));
  assert_requests (fixture, 4, "1-1/1;1-1/1;2-3/1;");
  g_assert_cmpstr (fixture->asked->str, ==, "1-1;2-3;");
}

/* What was told of its attempts counts for more. */
static void
test_aside (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 3 } };
  g_autoptr (GPtrArray) aside = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);

  publish (fixture, 4);
  for (guint64 sequence = 1; sequence <= 3; sequence++)
    {
      EbException *exception = g_new0 (EbException, 1);

      exception->sequence = sequence;
      exception->previous = sequence - 1;
      exception->batch = 3;
      exception->attempts = 1;
      exception->due_us = 2 * SECOND;
      g_ptr_array_add (aside, exception);
    }
  add_with (fixture, 0, batches, G_N_ELEMENTS (batches), aside);
  eb_delivery_fixture_advance (&fixture->delivery, 2 * SECOND);
  eb_delivery_fixture_wait (&fixture->delivery, SINK, 4);
  g_assert_cmpstr (fixture->asked->str, ==, "4-4;");
}

/* Another subscription could not tell what was in it, so the ledger is told of each event. */
static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  static const char *const types[] = { "u", NULL };
  EbSubscriptionSpec spec;

  eb_failing_sink_script (&fixture->delivery, EB_FAKE_KEEP, 1);
  add_behind (fixture, 2);
  eb_test_wait_for (keeps_batch, fixture);
  publish (fixture, 1);
  eb_subscription_fill_spec (fixture->subscription, &spec);
  spec.types = types;
  spec.replaces = fixture->subscription;
  {
    g_autoptr (EbSubscription) anew = eb_subscription_new (&spec, NULL);

    eb_worker_pool_replace (fixture->delivery.pool, anew);
  }
  synchronize (fixture);
  eb_fake_sinks_release (fixture->delivery.sinks, SINK);
  eb_failing_sink_assert_steps (&fixture->delivery, "aside 1;aside 2;ended 1;ended 2;");
  assert_requests (fixture, 2, "1-2/1;");
}

static char *
describe_batches (GArray *batches)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < batches->len; i++)
    {
      const EbBatchRange *batch = &g_array_index (batches, EbBatchRange, i);

      g_string_append_printf (text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ";", batch->first,
                              batch->last);
    }
  return g_string_free (text, FALSE);
}

/* Whoever takes over is told of those that may have been sent, and of all that come after. */
static void
test_detached (Fixture *fixture, gconstpointer data)
{
  const guint64 batches[][2] = { { 1, 1 }, { 2, 4 }, { 5, 6 } };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (EbStart) stood = NULL;
  g_autofree char *text = NULL;

  eb_failing_sink_script (&fixture->delivery, EB_FAKE_TAKE, 1);
  eb_failing_sink_script (&fixture->delivery, EB_FAKE_UNREACHABLE, 1);
  publish (fixture, 8);
  add_with (fixture, 0, batches, G_N_ELEMENTS (batches), NULL);
  assert_requests (fixture, 4, "1-1/1;2-4/1;");
  eb_worker_pool_detach_async (fixture->delivery.pool, fixture->subscription, eb_test_result_cb,
                               &result);
  stood = eb_worker_pool_detach_finish (fixture->delivery.pool, eb_test_wait_for_result (&result));
  g_assert_cmpuint (stood->after, ==, 1);
  text = describe_batches (stood->batches);
  g_assert_cmpstr (text, ==, "2-4;5-6;");
}

#define ADD(path, func) g_test_add ("/consumer-fix/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("wait", test_wait);
  ADD ("ahead", test_ahead);
  ADD ("binary", test_binary);
  ADD ("loaded", test_loaded);
  ADD ("incomplete", test_incomplete);
  ADD ("overfull", test_overfull);
  ADD ("lost", test_lost);
  ADD ("unreachable", test_unreachable);
  ADD ("aside", test_aside);
  ADD ("replaced", test_replaced);
  ADD ("detached", test_detached);

  return g_test_run ();
}
