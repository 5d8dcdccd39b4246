/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* The use cases around subscriptions: put, look, pause, rotate, ping. */

typedef EbBusFixture Fixture;

#define A "http://a:1/event"
#define B "http://b:1/event"

static void
test_put (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) first = eb_bus_fixture_create ("s", "a:1", NULL);
  g_autoptr (EbSubscription) second = eb_bus_fixture_create ("s", "b:1", NULL);
  g_autoptr (EbSubscriptionInfo) created = NULL;
  g_autoptr (EbSubscriptionInfo) replaced = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_new = FALSE;

  created = eb_bus_fixture_put (fixture, first, EB_PUT_CREATE, &is_new, NULL);
  g_assert_true (is_new);
  g_assert_cmpstr (created->state, ==, "active");
  g_assert_cmpint (created->expires_us, ==,
                   eb_clock_get_real (EB_CLOCK (fixture->clock)) + 120 * SECOND);
  g_assert_null (eb_bus_fixture_put (fixture, second, EB_PUT_CREATE, NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_EXISTS);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, A, 1);

  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  replaced = eb_bus_fixture_put (fixture, second, EB_PUT_REPLACE, &is_new, NULL);
  g_assert_false (is_new);
  g_assert_cmpint (replaced->expires_us, ==,
                   eb_clock_get_real (EB_CLOCK (fixture->clock)) + 120 * SECOND);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, B, 1);
  eb_bus_fixture_assert_arrival (fixture, B, 0, 2, 1);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(replaced) +b:1 ");
}

/* While events come and go, each arrives once, at the old sink or at the new one, and in order. */
static void
test_replace_under_load (Fixture *fixture, gconstpointer data)
{
  guint n_a = 0, n_b = 0;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  for (guint i = 0; i < 20; i++)
    {
      eb_bus_fixture_publish (fixture, "t", 50);
      eb_bus_fixture_put_sink (fixture, "s", i % 2 == 0 ? "b:1" : "a:1", NULL);
    }
  g_assert_true (eb_bus_fixture_drain (fixture));
  for (guint64 sequence = 1; sequence <= 1000; sequence++)
    {
      if (n_a < eb_fake_sinks_count (fixture->sinks, A)
          && eb_fake_sinks_get (fixture->sinks, A, n_a).sequence == sequence)
        eb_bus_fixture_assert_arrival (fixture, A, n_a++, sequence, 1);
      else
        eb_bus_fixture_assert_arrival (fixture, B, n_b++, sequence, 1);
    }
  g_assert_cmpuint (n_a, ==, eb_fake_sinks_count (fixture->sinks, A));
  g_assert_cmpuint (n_b, ==, eb_fake_sinks_count (fixture->sinks, B));
}

static void
put_concurrent (Fixture *fixture, const char *address)
{
  g_autoptr (EbSubscription) like = eb_bus_fixture_create ("s", address, NULL);
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (like, &spec);
  spec.concurrency = 3;
  spec.replaces = NULL;
  subscription = eb_subscription_new (&spec, NULL);
  info = eb_bus_fixture_put (fixture, subscription, EB_PUT_REPLACE, NULL, NULL);
  g_assert_nonnull (info);
}

/* What is under way ends at the old sink, and nothing is sent to either before. */
static void
test_replace_waits (Fixture *fixture, gconstpointer data)
{
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  put_concurrent (fixture, "a:1");
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_bus_fixture_wait (fixture, A, 2);
  put_concurrent (fixture, "b:1");
  eb_bus_fixture_publish (fixture, "t", 1);
  put_concurrent (fixture, "b:1"); /* by then its worker has the event */
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 2);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, B), ==, 0);
  eb_fake_sinks_release (fixture->sinks, A);
  eb_bus_fixture_wait (fixture, B, 1);
  eb_bus_fixture_assert_arrival (fixture, B, 0, 3, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, B, 0).previous, ==, 2);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 2);
}

/* What waits in the queue and is not wanted any more goes, as if it had never matched. */
static void
test_replace_types (Fixture *fixture, gconstpointer data)
{
  const char *const only_b[] = { "b", NULL };

  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "a", 3);
  eb_bus_fixture_publish (fixture, "b", 1);
  eb_bus_fixture_publish (fixture, "a", 2);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", only_b);
  eb_fake_sinks_release (fixture->sinks, A);
  eb_bus_fixture_publish (fixture, "b", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 3);
  eb_bus_fixture_assert_arrival (fixture, A, 1, 4, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 1).previous, ==, 1);
  eb_bus_fixture_assert_arrival (fixture, A, 2, 7, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, A, 2).previous, ==, 4);
}

/* Nor does what is back from aside, and waits for nothing but that it may be sent. */
static void
test_replace_types_paused (Fixture *fixture, gconstpointer data)
{
  const EbFakeBehaviour busy = EB_FAKE_ANSWER_500;
  const char *const only_b[] = { "b", NULL };

  eb_fake_sinks_script (fixture->sinks, A, &busy, 1);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "a", 1);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  g_assert_true (eb_bus_fixture_drain (fixture)); /* its worker has heard */
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  for (guint i = 0; i < 5; i++)
    g_assert_true (eb_bus_fixture_drain (fixture)); /* by then its event was read */
  eb_bus_fixture_put_sink (fixture, "s", "a:1", only_b);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  eb_bus_fixture_publish (fixture, "b", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_wait (fixture, A, 2);
  eb_bus_fixture_assert_arrival (fixture, A, 1, 2, 1);
}

static void
put_strict (Fixture *fixture, const char *address)
{
  g_autoptr (EbSubscription) like = eb_bus_fixture_create ("s", address, NULL);
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (like, &spec);
  spec.order = EB_ORDER_STRICT;
  spec.replaces = NULL;
  subscription = eb_subscription_new (&spec, NULL);
  info = eb_bus_fixture_put (fixture, subscription, EB_PUT_REPLACE, NULL, NULL);
  g_assert_cmpstr (info->state, ==, "held");
}

/* From now on nothing passes what has not ended, what others have passed before included. */
static void
test_replace_order (Fixture *fixture, gconstpointer data)
{
  const EbFakeBehaviour busy = EB_FAKE_ANSWER_500;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_sinks_script (fixture->sinks, A, &busy, 1);
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_bus_fixture_wait (fixture, A, 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  put_strict (fixture, "a:1");
  eb_bus_fixture_publish (fixture, "t", 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 2);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_wait (fixture, A, 5);
  eb_bus_fixture_assert_arrival (fixture, A, 2, 1, 2);
  eb_bus_fixture_assert_arrival (fixture, A, 3, 3, 1);
  eb_bus_fixture_assert_arrival (fixture, A, 4, 4, 1);
}

static void
test_replace_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) other = eb_bus_fixture_create ("s", "b:1", NULL);
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  g_assert_null (eb_bus_fixture_put (fixture, other, EB_PUT_REPLACE, NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_IO);
  eb_fake_ledger_accept (fixture->fake);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, A, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, B), ==, 0);
}

/* The old sink is gone, which its worker has seen and nobody was told: that ends nobody who has
 * another sink by then, and loses nothing. */
static void
test_replace_gone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) old = eb_bus_fixture_create ("s", "a:1", NULL);
  g_autoptr (EbSubscription) anew = NULL;
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("b:1", NULL);
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (old, &spec);
  spec.sink = sink;
  anew = eb_subscription_new (&spec, NULL);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_ANSWER_410);
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_worker_pool_add (fixture->workers, old, &(EbStart){ .has_cursor = TRUE });
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 1);
  eb_worker_pool_replace (fixture->workers, anew);
  eb_bus_fixture_wait (fixture, B, 2);
  eb_bus_fixture_assert_arrival (fixture, B, 0, 1, 1);
  eb_bus_fixture_assert_arrival (fixture, B, 1, 2, 1);
}

/* Its lease ends while the ledger takes its replacement: that is a new one. */
static void
test_replace_ended (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) other = eb_bus_fixture_create ("s", "b:1", NULL);
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  gboolean is_new = FALSE;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_put_async (fixture->bus, other, EB_PUT_REPLACE, EB_START_NOW, eb_test_result_cb, &put);
  eb_fake_clock_advance (fixture->clock, 120 * SECOND);
  eb_bus_fixture_run ();
  eb_fake_ledger_release (fixture->fake);
  info = eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (&put), &is_new, NULL);
  g_assert_nonnull (info);
  g_assert_true (is_new);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(expired) +b:1 ");
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, B, 1);
}

/* Its lease ends while the ledger takes its replacement: it has ended. */
static void
test_end_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &paused);
  eb_fake_clock_advance (fixture->clock, 120 * SECOND);
  eb_bus_fixture_run ();
  eb_fake_ledger_release (fixture->fake);
  g_assert_false (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
  g_assert_null (eb_bus_fixture_look (fixture, "s"));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

static void
test_pause (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  eb_bus_fixture_publish (fixture, "t", 1500); /* more than a queue holds */
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 0);
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (info->state, ==, "paused");
  g_assert_cmpuint (info->cursor, ==, 0);
  g_assert_cmpuint (info->lag, ==, 1500);

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL); /* that does not end a pause */
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 0);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  eb_bus_fixture_wait (fixture, A, 1500);
  for (guint i = 0; i < 1500; i++)
    eb_bus_fixture_assert_arrival (fixture, A, i, i + 1, 1);
}

/* Nothing is lost or repeated, and what is under way ends. */
static void
test_pause_under_load (Fixture *fixture, gconstpointer data)
{
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  for (guint i = 0; i < 20; i++)
    {
      eb_bus_fixture_publish (fixture, "t", 50);
      eb_bus_fixture_put_paused (fixture, "s", i % 2 == 0);
    }
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 1000);
  for (guint i = 0; i < 1000; i++)
    eb_bus_fixture_assert_arrival (fixture, A, i, i + 1, 1);
}

static void
test_pause_survives (Fixture *fixture, gconstpointer data)
{
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  eb_bus_fixture_publish (fixture, "t", 3);
  eb_bus_fixture_restart (fixture);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 0);
  eb_bus_fixture_put_paused (fixture, "s", FALSE);
  eb_bus_fixture_wait (fixture, A, 3);
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  static const char *const ids[] = { "d", "a", "e", "c", "b", NULL };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) last_result = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GPtrArray) last = NULL;
  gboolean more;

  for (guint i = 0; ids[i] != NULL; i++)
    eb_bus_fixture_put_sink (fixture, ids[i], "a:1", NULL);
  eb_bus_list_subscriptions_async (fixture->bus, "a", 1, eb_test_result_cb, &result);
  list = eb_bus_list_subscriptions_finish (fixture->bus, eb_test_wait_for_result (&result), &more,
                                           NULL);
  g_assert_true (more);
  g_assert_cmpuint (list->len, ==, 1);
  g_assert_cmpstr (eb_subscription_get_id (((EbSubscriptionInfo *) list->pdata[0])->subscription),
                   ==, "b");
  eb_bus_list_subscriptions_async (fixture->bus, "b", 3, eb_test_result_cb, &last_result);
  last = eb_bus_list_subscriptions_finish (fixture->bus, eb_test_wait_for_result (&last_result),
                                           &more, NULL);
  g_assert_false (more);
  g_assert_cmpuint (last->len, ==, 3);
  g_assert_cmpstr (eb_subscription_get_id (((EbSubscriptionInfo *) last->pdata[2])->subscription),
                   ==, "e");
}

/* A registration is a subscription like any other, both ways. */
static void
test_registration (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) renewed = NULL;
  g_autoptr (EbSubscription) anew = eb_bus_fixture_create ("a:1", "a:1", NULL);
  g_autoptr (EbSubscriptionInfo) replaced = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  gboolean is_new = TRUE;

  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &result);
  g_assert_true (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
  replaced = eb_bus_fixture_put (fixture, anew, EB_PUT_REPLACE, &is_new, NULL);
  g_assert_nonnull (replaced);
  g_assert_false (is_new);
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &renewed);
  g_assert_true (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&renewed), NULL));
  info = eb_bus_fixture_look (fixture, "a:1");
  g_assert_cmpint (info->expires_us, ==,
                   eb_clock_get_real (EB_CLOCK (fixture->clock)) + 120 * SECOND);
}

static void
test_keep_alive (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) late = NULL;
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_clock_advance (fixture->clock, 100 * SECOND);
  eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &result);
  g_assert_true (eb_bus_keep_alive_finish (fixture->bus, eb_test_wait_for_result (&result), NULL));
  eb_fake_clock_advance (fixture->clock, 119 * SECOND);
  eb_bus_fixture_put_paused (fixture, "s", TRUE); /* that is no sign of life */
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_fixture_run ();
  eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &late);
  g_assert_false (eb_bus_keep_alive_finish (fixture->bus, eb_test_wait_for_result (&late), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
}

static void
test_attempts (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_ANSWER_500, EB_FAKE_TAKE, EB_FAKE_BREAK };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) attempts = NULL;
  g_autoptr (EbSubscriptionInfo) failing = NULL;
  g_autoptr (EbSubscriptionInfo) well = NULL;

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 3);
  g_assert_true (eb_bus_fixture_drain (fixture));
  failing = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpstr (failing->last_error, ==, "fake: broken");
  g_assert_cmpuint (failing->cursor, ==, 3);
  eb_bus_fixture_publish (fixture, "t", 30);
  g_assert_true (eb_bus_fixture_drain (fixture));
  well = eb_bus_fixture_look (fixture, "s");
  g_assert_null (well->last_error);
  eb_bus_list_attempts_async (fixture->bus, "s", eb_test_result_cb, &result);
  attempts = eb_bus_list_attempts_finish (fixture->bus, eb_test_wait_for_result (&result), NULL);
  g_assert_cmpuint (attempts->len, ==, EB_ATTEMPTS_KEPT);
  for (guint i = 0; i < attempts->len; i++)
    {
      const EbAttemptRecord *record = attempts->pdata[i];

      g_assert_cmpuint (record->number, ==, 33 - i);
      g_assert_cmpuint (record->sequence, ==, 33 - i);
      g_assert_cmpuint (record->attempt, ==, 1);
      g_assert_cmpuint (record->status, ==, 200);
      g_assert_cmpint (record->started_us, ==, eb_clock_get_real (EB_CLOCK (fixture->clock)));
    }
}

static void
test_states (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) held = NULL;
  g_autoptr (EbSubscriptionInfo) unreachable = NULL;

  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_ANSWER_503);
  eb_fake_sinks_set (fixture->sinks, B, EB_FAKE_UNREACHABLE);
  eb_bus_fixture_put_sink (fixture, "a", "a:1", NULL);
  eb_bus_fixture_put_sink (fixture, "b", "b:1", NULL);
  eb_bus_fixture_publish (fixture, "t", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  held = eb_bus_fixture_look (fixture, "a");
  g_assert_cmpstr (held->state, ==, "held");
  g_assert_cmpuint (held->lag, ==, 1);
  unreachable = eb_bus_fixture_look (fixture, "b");
  g_assert_cmpstr (unreachable->state, ==, "unreachable");
  g_assert_cmpstr (unreachable->last_error, ==, "fake: unreachable");
}

static void
ping (Fixture *fixture, EbPing *answer)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_ping_async (fixture->bus, "s", eb_test_result_cb, &result);
  g_assert_true (
      eb_bus_ping_finish (fixture->bus, eb_test_wait_for_result (&result), answer, NULL));
}

static void
test_ping (Fixture *fixture, gconstpointer data)
{
  static const EbFakeBehaviour script[] = { EB_FAKE_TAKE, EB_FAKE_ANSWER_500 };
  const char *const types[] = { "other", NULL };
  g_auto (EbPing) taken = { 0 };
  g_auto (EbPing) refused = { 0 };
  EbBusStats stats;

  eb_fake_sinks_script (fixture->sinks, A, script, G_N_ELEMENTS (script));
  eb_bus_fixture_put_sink (fixture, "s", "a:1", types);
  eb_bus_fixture_put_paused (fixture, "s", TRUE);
  ping (fixture, &taken);
  g_assert_cmpuint (taken.status, ==, 200);
  g_assert_null (taken.reason);
  ping (fixture, &refused);
  g_assert_cmpuint (refused.status, ==, 500);
  g_assert_nonnull (refused.reason);
  g_assert_cmpstr (eb_event_get_event_type (eb_fake_sinks_get (fixture->sinks, A, 0).event), ==,
                   EB_PING_EVENT_TYPE);
  eb_bus_get_stats (fixture->bus, &stats);
  g_assert_cmpuint (stats.head, ==, 0);
  g_assert_cmpuint (stats.delivered + stats.failed, ==, 0);
}

/* The daemon ends while a sink thinks about it. */
static void
test_ping_broken_off (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  EbPing answer;

  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_KEEP);
  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_ping_async (fixture->bus, "s", eb_test_result_cb, &result);
  eb_bus_fixture_wait (fixture, A, 1);
  eb_worker_pool_stop (fixture->workers);
  g_assert_false (
      eb_bus_ping_finish (fixture->bus, eb_test_wait_for_result (&result), &answer, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_CLOSED);
}

static char *
rotate (Fixture *fixture, const char *secret, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_rotate_secret_async (fixture->bus, "s", secret, eb_test_result_cb, &result);
  return eb_bus_rotate_secret_finish (fixture->bus, eb_test_wait_for_result (&result), error);
}

static GPtrArray *
get_secrets (const EbSubscriptionInfo *info)
{
  return eb_subscription_get_options (info->subscription)->secrets;
}

/* And a replacement that leaves secrets out keeps them. */
static void
test_rotate (Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  first = rotate (fixture, NULL, NULL);
  g_assert_true (eb_secret_check (first, NULL));
  second = rotate (fixture, "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", NULL);
  g_assert_cmpstr (second, ==, "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
  g_assert_null (rotate (fixture, "whsec_short", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  eb_bus_fixture_put_sink (fixture, "s", "b:1", NULL);
  info = eb_bus_fixture_look (fixture, "s");
  g_assert_cmpuint (get_secrets (info)->len, ==, 2);
  g_assert_cmpstr (((EbSecret *) get_secrets (info)->pdata[0])->text, ==, second);
  g_assert_cmpstr (((EbSecret *) get_secrets (info)->pdata[1])->text, ==, first);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-subscriptions/" path, Fixture, NULL, eb_bus_fixture_set_up, func,              \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("put", test_put);
  ADD ("replace-under-load", test_replace_under_load);
  ADD ("replace-waits", test_replace_waits);
  ADD ("replace-order", test_replace_order);
  ADD ("replace-types", test_replace_types);
  ADD ("replace-types-paused", test_replace_types_paused);
  ADD ("replace-refused", test_replace_refused);
  ADD ("replace-gone", test_replace_gone);
  ADD ("replace-ended", test_replace_ended);
  ADD ("end-meanwhile", test_end_meanwhile);
  ADD ("pause", test_pause);
  ADD ("pause-under-load", test_pause_under_load);
  ADD ("pause-survives", test_pause_survives);
  ADD ("list", test_list);
  ADD ("registration", test_registration);
  ADD ("keep-alive", test_keep_alive);
  ADD ("attempts", test_attempts);
  ADD ("states", test_states);
  ADD ("ping", test_ping);
  ADD ("ping-broken-off", test_ping_broken_off);
  ADD ("rotate", test_rotate);

  return g_test_run ();
}
