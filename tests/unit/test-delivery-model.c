/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-model.h"
#include "support/eb-test-wait.h"

/* Sinks fail at random, the daemon is killed at random, and time passes; the model says whether all
 * is well. The seed is printed, and `--seed` repeats it. */

#define N_STEPS               120
#define MAX_SUBSCRIPTIONS     12
#define SECOND                G_TIME_SPAN_SECOND
#define N_REDRIVEN_AT_MOST    20
#define LONGEST_CONVALESCENCE 300 /* turns of a minute: far more than every schedule */

typedef EbDeliveryModel Fixture;
typedef EbDeliveryModelSubscriber Subscriber;

static void
publish (Fixture *fixture)
{
  guint type = (guint) g_test_rand_int_range (0, EB_DELIVERY_MODEL_N_TYPES);
  guint n = (guint) g_test_rand_int_range (1, 30);

  eb_delivery_model_publish (fixture, type, n);
}

static void
make_fail (Fixture *fixture)
{
  static const EbFakeBehaviour behaviours[] = {
    EB_FAKE_TAKE,
    EB_FAKE_TAKE,
    EB_FAKE_TAKE,
    EB_FAKE_UNREACHABLE,
    EB_FAKE_UNREACHABLE,
    EB_FAKE_BREAK,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_503,
    EB_FAKE_ANSWER_500,
    EB_FAKE_ANSWER_429_FOR_30_S,
  };
  const Subscriber *subscriber = g_ptr_array_index (
      fixture->subscribers, g_test_rand_int_range (0, (gint32) fixture->subscribers->len));
  guint n = (guint) g_test_rand_int_range (1, 40);

  for (guint i = 0; i < n; i++)
    eb_fake_sinks_script (fixture->delivery.sinks, subscriber->uri,
                          &behaviours[g_test_rand_int_range (0, G_N_ELEMENTS (behaviours))], 1);
}

static void
subscribe (Fixture *fixture)
{
  static const char *const types[] = { "a.b", NULL };
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  guint n = fixture->subscribers->len;
  g_autofree char *address = g_strdup_printf ("s%u:1", n);
  EbSubscriptionSpec spec = {
    .types = n % 2 == 1 ? types : NULL,
    .order = n % 3 == 2 ? EB_ORDER_STRICT : EB_ORDER_RELAXED,
    .concurrency = n % 3 == 2 ? 1 : 1 + n % 4,
    .options = options,
  };
  EbExtent extent;

  if (n == MAX_SUBSCRIPTIONS)
    return;
  options->mode = n % 4 >= 2 ? EB_MODE_BATCH : EB_MODE_BINARY;
  eb_log_get_extent (fixture->delivery.log, &extent);
  eb_delivery_model_add (fixture, eb_delivery_fixture_create (&spec, address),
                         g_test_rand_bit ()
                             ? extent.head
                             : (guint64) g_test_rand_int_range (0, (gint32) extent.head + 1));
}

static void
redrive (Fixture *fixture)
{
  Subscriber *subscriber = g_ptr_array_index (
      fixture->subscribers, g_test_rand_int_range (0, (gint32) fixture->subscribers->len));
  g_autoptr (GPtrArray) exceptions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  GHashTableIter iter;
  const guint64 *sequence;

  g_hash_table_iter_init (&iter, subscriber->dead);
  while (g_hash_table_iter_next (&iter, (gpointer *) &sequence, NULL)
         && exceptions->len < N_REDRIVEN_AT_MOST)
    {
      EbException *exception = g_new0 (EbException, 1);
      EbChange *change = eb_change_new (
          EB_CHANGE_ASIDE, eb_subscription_get_id (subscriber->subscription), *sequence);

      exception->sequence = *sequence;
      exception->previous = eb_delivery_model_find_previous (fixture, subscriber, *sequence);
      change->exception = *exception;
      eb_delivery_model_apply (fixture, change);
      g_ptr_array_add (exceptions, exception);
      g_hash_table_iter_remove (&iter);
    }
  eb_worker_pool_redrive (fixture->delivery.pool, subscriber->subscription, exceptions);
}

static void
take_step (Fixture *fixture)
{
  int what = g_test_rand_int_range (0, 20);

  if (what < 7)
    publish (fixture);
  else if (what < 12)
    eb_fake_clock_advance (fixture->delivery.clock, g_test_rand_int_range (0, 10 * SECOND));
  else if (what < 14)
    make_fail (fixture);
  else if (what < 16)
    subscribe (fixture);
  else if (what < 17)
    redrive (fixture);
  else if (what < 18)
    eb_delivery_model_restart (fixture, g_test_rand_bit ());
  else
    eb_delivery_fixture_collect (&fixture->delivery);
  eb_test_run ();
}

/* Whatever happened, everything ends at last, and then no subscription needs a cursor. */
static void
test_model (Fixture *fixture, gconstpointer data)
{
  guint n_turns = 0;

  subscribe (fixture);
  for (guint i = 0; i < N_STEPS; i++)
    take_step (fixture);
  publish (fixture);
  while (!eb_delivery_model_is_over (fixture) && n_turns++ < LONGEST_CONVALESCENCE)
    {
      eb_delivery_fixture_advance (&fixture->delivery, 60 * SECOND);
      eb_delivery_fixture_collect (&fixture->delivery);
    }
  g_assert_true (eb_delivery_model_is_over (fixture));
  eb_delivery_model_check (fixture);
  eb_delivery_model_check_batches (fixture);
}

/* An idle bus says nothing. */
static void
test_idle (Fixture *fixture, gconstpointer data)
{
  guint n_reports;

  subscribe (fixture);
  publish (fixture);
  eb_delivery_fixture_collect (&fixture->delivery);
  n_reports = fixture->delivery.n_reports;
  for (guint i = 0; i < 10; i++)
    {
      eb_delivery_fixture_advance (&fixture->delivery, SECOND);
      eb_delivery_fixture_collect (&fixture->delivery);
    }
  g_assert_cmpuint (fixture->delivery.n_reports, ==, n_reports);
}

/* A sink that stands still, and thousands of events: one cursor, written once. */
static void
test_standing_still (Fixture *fixture, gconstpointer data)
{
  const EbFakeBehaviour behaviour = EB_FAKE_UNREACHABLE;

  subscribe (fixture);
  eb_fake_sinks_script (fixture->delivery.sinks, "http://s0:1/event", &behaviour, 1);
  for (guint i = 0; i < 50; i++)
    {
      publish (fixture);
      eb_delivery_fixture_collect (&fixture->delivery);
      eb_fake_clock_advance (fixture->delivery.clock, 1000);
    }
  g_assert_cmpuint (fixture->delivery.report.steps->len, ==, 1);
  g_assert_cmpuint (fixture->delivery.report.floor, ==, fixture->types->len);
}

/* And until everybody has passed all events. */
static void
wait_for_delivered (Fixture *fixture, guint64 n)
{
  while (fixture->delivery.report.delivered < n
         || fixture->delivery.report.floor < fixture->types->len)
    {
      eb_fake_clock_advance (fixture->delivery.clock, SECOND / 20);
      eb_test_run ();
    }
}

/* What takes long holds nobody back, and those that pass it do not come again after a kill. */
static void
test_slow (Fixture *fixture, gconstpointer data)
{
  static const char sink[] = "http://s:1/event";
  const EbFakeBehaviour keep = EB_FAKE_KEEP;
  EbSubscriptionSpec spec = { .concurrency = 2 };

  eb_delivery_model_add (fixture, eb_delivery_fixture_create (&spec, "s:1"), 0);
  eb_fake_sinks_script (fixture->delivery.sinks, sink, &keep, 1);
  eb_delivery_model_publish (fixture, 0, 8);
  wait_for_delivered (fixture, 7);
  eb_fake_clock_advance (fixture->delivery.clock, SECOND / 20);
  eb_delivery_model_publish (fixture, 0, 1);
  wait_for_delivered (fixture, 8);
  eb_delivery_model_restart (fixture, GPOINTER_TO_INT (data));
  eb_delivery_fixture_wait (&fixture->delivery, sink, 10);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->delivery.sinks, sink, 9).sequence, ==, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->delivery.sinks, sink, 9).attempt, ==, 2);
  eb_delivery_fixture_collect (&fixture->delivery);
  g_assert_true (eb_delivery_model_is_over (fixture));
}

/* Nor does what was sent back after that, and is held. */
static void
test_slow_then_held (Fixture *fixture, gconstpointer data)
{
  static const char sink[] = "http://s:1/event";
  const EbFakeBehaviour keep = EB_FAKE_KEEP_FOR_503;
  EbSubscriptionSpec spec = { .concurrency = 2 };

  eb_delivery_model_add (fixture, eb_delivery_fixture_create (&spec, "s:1"), 0);
  eb_fake_sinks_script (fixture->delivery.sinks, sink, &keep, 1);
  eb_delivery_model_publish (fixture, 0, 9);
  eb_fake_sinks_wait (fixture->delivery.sinks, sink, 9);
  eb_fake_sinks_release (fixture->delivery.sinks, sink);
  eb_delivery_fixture_collect (&fixture->delivery);
  eb_delivery_model_restart (fixture, TRUE);
  eb_delivery_fixture_wait (&fixture->delivery, sink, 9);
  eb_delivery_fixture_advance (&fixture->delivery, 2 * SECOND);
  eb_delivery_fixture_wait (&fixture->delivery, sink, 10);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->delivery.sinks, sink, 9).sequence, ==, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->delivery.sinks, sink, 9).attempt, ==, 2);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/delivery-model/" path, Fixture, NULL, eb_delivery_model_set_up, func,              \
              eb_delivery_model_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("idle", test_idle);
  ADD ("standing-still", test_standing_still);
  g_test_add ("/delivery-model/slow/stopped", Fixture, GINT_TO_POINTER (FALSE),
              eb_delivery_model_set_up, test_slow, eb_delivery_model_tear_down);
  g_test_add ("/delivery-model/slow/killed", Fixture, GINT_TO_POINTER (TRUE),
              eb_delivery_model_set_up, test_slow, eb_delivery_model_tear_down);
  ADD ("slow/held", test_slow_then_held);
  /* Each time something else happens. */
  ADD ("model/1", test_model);
  ADD ("model/2", test_model);

  return g_test_run ();
}
