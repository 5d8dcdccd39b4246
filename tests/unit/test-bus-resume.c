/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* Subscriptions whose lease ends, and that come back. */

typedef EbBusFixture Fixture;

#define A      "http://a:1/event"
#define LEASE  (120 * SECOND)
#define N_HELD 3000
#define SECRET "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

/* Returns: what eb_bus_put_finish() says */
static EbSubscriptionInfo *
try_put (Fixture *fixture, const char *id, const char *secret, GError **error)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = {
    .id = id, .sink = sink, .lease = LEASE, .concurrency = 1, .options = options
  };
  g_autoptr (EbSubscription) subscription = NULL;
  EbSubscriptionInfo *info;
  gboolean created;

  options->resume = TRUE;
  eb_delivery_options_set_secret (options, secret);
  subscription = eb_subscription_new (&spec, NULL);
  info = eb_bus_fixture_put (fixture, subscription, EB_PUT_CREATE, &created, error);
  g_assert_true (info == NULL || created);
  return info;
}

static void
put (Fixture *fixture, const char *id)
{
  g_autoptr (EbSubscriptionInfo) info = try_put (fixture, id, NULL, NULL);

  g_assert_nonnull (info);
}

/* Returns: whether its worker has said where it stood */
static gboolean
has_let_go (gpointer data)
{
  EbExpiredEntry *entry = eb_expired_lookup (((Fixture *) data)->bus->expired, "s");

  return entry == NULL || !entry->detaching;
}

static gboolean
has_told_progress (gpointer data)
{
  return eb_progress_is_empty (eb_progress_writer_get_progress (((Fixture *) data)->bus->progress));
}

static void
expire (Fixture *fixture)
{
  eb_fake_clock_advance (fixture->clock, LEASE);
  eb_bus_fixture_run ();
  eb_test_wait_for (has_let_go, fixture);
}

/* What comes due with the end of its lease is not sent. */
static void
expire_paused (Fixture *fixture)
{
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  g_assert_true (eb_bus_fixture_drain (fixture)); /* its worker has heard */
  expire (fixture);
}

static void
assert_run (Fixture *fixture, guint index, guint64 first, guint64 last)
{
  g_assert_true (eb_bus_fixture_drain (fixture));
  for (guint64 sequence = first; sequence <= last; sequence++)
    eb_bus_fixture_assert_arrival (fixture, A, index++, sequence, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, index);
}

static void
test_goes_on (Fixture *fixture, gconstpointer data)
{
  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 2);
  assert_run (fixture, 0, 1, 2);
  expire (fixture);
  g_assert_null (eb_bus_fixture_look (fixture, "s"));
  eb_bus_fixture_publish (fixture, "t", 3);
  assert_run (fixture, 2, 3, 2);
  put (fixture, "s");
  assert_run (fixture, 2, 3, 5);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 2).previous, ==, 2);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(expired) +a:1 ");
}

/* Its worker has still to say where it stood. */
static void
test_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;
  const EbExpiredEntry *entry;

  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 2);
  assert_run (fixture, 0, 1, 2);
  eb_fake_clock_advance (fixture->clock, LEASE);
  while ((entry = eb_expired_first (fixture->bus->expired)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (entry->detaching);
  info = try_put (fixture, "s", NULL, NULL);
  g_assert_nonnull (info);
  eb_bus_fixture_publish (fixture, "t", 1);
  assert_run (fixture, 2, 3, 3);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 2).previous, ==, 2);
}

/* What waited for its retry goes on waiting, with its attempts; what was given up stays so. */
static void
test_aside (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_500 };

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  expire_paused (fixture);
  put (fixture, "s");
  eb_bus_fixture_wait (fixture, A, 3);
  eb_bus_fixture_assert_arrival (fixture, A, 2, 1, 2);
}

/* Between its expiry and its return the daemon ends. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 2);
  assert_run (fixture, 0, 1, 2);
  expire (fixture);
  eb_test_wait_for (has_told_progress, fixture);
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_bus_fixture_restart (fixture);
  g_assert_null (eb_bus_fixture_look (fixture, "s"));
  assert_run (fixture, 2, 3, 2);
  put (fixture, "s");
  assert_run (fixture, 2, 3, 4);
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_publish (fixture, "t", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (
      eb_fake_sinks_get (fixture->sinks, A, eb_fake_sinks_count (fixture->sinks, A) - 1).sequence,
      ==, 5);
}

/* The ledger is not told of the expiry before it is told of the return. */
static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 2);
  assert_run (fixture, 0, 1, 2);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  expire (fixture);
  eb_bus_fixture_publish (fixture, "t", 1);
  g_assert_null (try_put (fixture, "s", NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  eb_fake_ledger_accept (fixture->fake);
  put (fixture, "s");
  assert_run (fixture, 2, 3, 3);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_test_wait_for (has_told_progress, fixture);
  eb_bus_fixture_restart (fixture); /* it is not expired, whatever was told late */
  eb_bus_fixture_publish (fixture, "t", 1);
  assert_run (fixture, 3, 4, 4);
}

static void
test_secret (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) first = try_put (fixture, "s", SECRET, NULL);
  g_autoptr (EbSubscriptionInfo) again = NULL;
  const EbDeliveryOptions *options;

  expire (fixture);
  again = try_put (fixture, "s", NULL, NULL);
  options = eb_subscription_get_options (again->subscription);
  g_assert_cmpstr (((EbSecret *) options->secrets->pdata[0])->text, ==, SECRET);
}

static void
put_batched (Fixture *fixture)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("a:1", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = {
    .id = "s", .sink = sink, .lease = LEASE, .concurrency = 50, .options = options
  };
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;

  options->resume = TRUE;
  options->mode = EB_MODE_BATCH;
  subscription = eb_subscription_new (&spec, NULL);
  info = eb_bus_fixture_put (fixture, subscription, EB_PUT_CREATE, NULL, NULL);
  g_assert_nonnull (info);
}

/* As many batches as may be under way, all of which the sink sends back: each comes once more. */
static void
test_many_held (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  put_batched (fixture);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  eb_bus_fixture_publish (fixture, "t", N_HELD);
  g_assert_true (eb_bus_fixture_drain (fixture)); /* its queue is full */
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP_FOR_503);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  eb_fake_sinks_wait (fixture->sinks, A, N_HELD);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  eb_fake_sinks_release (fixture->sinks, A);
  g_assert_true (eb_bus_fixture_drain (fixture));
  expire (fixture);
  put_batched (fixture);
  eb_bus_fixture_wait (fixture, A, 2 * N_HELD);
  g_assert_true (eb_bus_fixture_drain (fixture));
  for (guint i = N_HELD; i < 2 * N_HELD; i++)
    eb_bus_fixture_assert_arrival (fixture, A, i, i - N_HELD + 1, 2);
  eb_bus_fixture_run (); /* reports first */
  eb_test_wait_for (has_told_progress, fixture);
  entries = eb_bus_fixture_load (fixture);
  g_assert_cmpuint (((EbLedgerEntry *) entries->pdata[0])->aside->len, ==, 0);
}

/* What waited ends when who comes back does not want it any more. */
static void
test_other_types (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_503 };
  const char *const only_b[] = { "b", NULL };
  g_autoptr (GPtrArray) entries = NULL;

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  put (fixture, "s");
  eb_bus_fixture_publish (fixture, "a", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  expire_paused (fixture);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", only_b);
  eb_bus_fixture_publish (fixture, "b", 1);
  eb_bus_fixture_wait (fixture, A, 2);
  eb_bus_fixture_assert_arrival (fixture, A, 1, 2, 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_run (); /* reports first */
  eb_test_wait_for (has_told_progress, fixture);
  entries = eb_bus_fixture_load (fixture);
  g_assert_cmpuint (((EbLedgerEntry *) entries->pdata[0])->aside->len, ==, 0);
}

static void
do_register (Fixture *fixture)
{
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
}

/* If the ledger refuses that, nothing has changed. */
static void
test_register_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (fixture, "a:1");
  eb_fake_clock_advance (fixture->clock, LEASE);
  eb_bus_fixture_run ();
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_NO_SPACE);
  g_assert_false (eb_bus_fixture_register (fixture, "a:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
  eb_fake_ledger_accept (fixture->fake);
  put (fixture, "a:1");
  assert_run (fixture, 0, 1, 2);
}

/* It may come back; that its id looks like an address gives nobody a right to it. */
static void
test_register_anothers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (fixture, "b:1");
  eb_fake_clock_advance (fixture->clock, LEASE);
  eb_bus_fixture_run ();
  eb_bus_fixture_publish (fixture, "t", 2);
  g_assert_false (eb_bus_fixture_register (fixture, "b:1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_FORBIDDEN);
  put (fixture, "b:1");
  assert_run (fixture, 0, 1, 2);
}

/* Who comes with another wish for the id begins anew. */
static void
test_register (Fixture *fixture, gconstpointer data)
{
  put (fixture, "a:1");
  eb_fake_clock_advance (fixture->clock, LEASE);
  eb_bus_fixture_run ();
  eb_bus_fixture_publish (fixture, "t", 2);
  do_register (fixture);
  eb_bus_fixture_publish (fixture, "t", 1);
  assert_run (fixture, 0, 3, 3);
  eb_bus_fixture_restart (fixture);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

/* No more than there may be subscriptions, and not for ever. */
static void
test_bounds (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i <= 100; i++)
    {
      g_autofree char *id = g_strdup_printf ("s%u", i);

      put (fixture, id);
      if (i == 99)
        {
          expire (fixture);
          eb_test_wait_for (has_told_progress, fixture);
        }
    }
  put (fixture, "s");
  expire (fixture);
  eb_test_wait_for (has_told_progress, fixture);
  g_assert_cmpuint (eb_expired_get_size (fixture->bus->expired), ==, 100);
  g_assert_null (eb_expired_lookup (fixture->bus->expired, "s0"));
  eb_fake_clock_advance (fixture->clock, EB_EXPIRED_KEPT);
  eb_fake_clock_advance (fixture->clock, SECOND);
  put (fixture, "s");
  g_assert_cmpuint (eb_expired_get_size (fixture->bus->expired), ==, 0);
  eb_test_wait_for (has_told_progress, fixture);
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-resume/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                     \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("goes-on", test_goes_on);
  ADD ("at-once", test_at_once);
  ADD ("aside", test_aside);
  ADD ("many-held", test_many_held);
  ADD ("other-types", test_other_types);
  ADD ("restart", test_restart);
  ADD ("refused", test_refused);
  ADD ("secret", test_secret);
  ADD ("register", test_register);
  ADD ("register-refused", test_register_refused);
  ADD ("register-anothers", test_register_anothers);
  ADD ("bounds", test_bounds);

  return g_test_run ();
}
