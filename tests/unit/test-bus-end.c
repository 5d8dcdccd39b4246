/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* How a subscription ends that somebody wants to end: not before the ledger has forgotten it,
 * whatever comes in between. */

typedef EbBusFixture Fixture;

#define A     "http://a:1/event"
#define B     "http://b:1/event"
#define LEASE (120 * SECOND)

static EbSubscription *
create_resumable (const char *id)
{
  g_autoptr (EbSubscription) like = eb_bus_fixture_create (id, "a:1", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec;

  options->resume = TRUE;
  eb_subscription_fill_spec (like, &spec);
  spec.options = options;
  return eb_subscription_new (&spec, NULL);
}

static void
put_resumable (Fixture *fixture, const char *id)
{
  g_autoptr (EbSubscription) subscription = create_resumable (id);
  g_autoptr (EbSubscriptionInfo) info =
      eb_bus_fixture_put (fixture, subscription, EB_PUT_REPLACE, NULL, NULL);

  g_assert_nonnull (info);
}

/* Returns: whether no worker has still to say where one stood whose lease has ended */
static gboolean
have_let_go (gpointer data)
{
  EbExpiredEntry *entry = eb_expired_first (((Fixture *) data)->bus->expired);

  return entry == NULL || !entry->detaching;
}

static void
expire (Fixture *fixture)
{
  eb_fake_clock_advance (fixture->clock, LEASE);
  eb_bus_fixture_run ();
  eb_test_wait_for (have_let_go, fixture);
}

static gboolean
finish_delete (Fixture *fixture, GAsyncResult **result, GError **error)
{
  return eb_bus_delete_finish (fixture->bus, eb_test_wait_for_result (result), error);
}

static gboolean
try_delete (Fixture *fixture, const char *id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  eb_bus_delete_async (fixture->bus, id, eb_test_result_cb, &result);
  return finish_delete (fixture, &result, error);
}

static void
assert_not_found (gboolean success, GError *error)
{
  g_assert_false (success);
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
  g_error_free (error);
}

static void
assert_there (Fixture *fixture, const char *id)
{
  g_autoptr (EbSubscriptionInfo) info = eb_bus_fixture_look (fixture, id);

  g_assert_nonnull (info);
}

/* A refused one changes nothing, and may be asked for again. */
static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;
  g_autoptr (GError) late = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_NO_SPACE);
  g_assert_false (try_delete (fixture, "s", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NO_SPACE);
  assert_there (fixture, "s");
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, A, 1);
  g_assert_false (try_delete (fixture, "s", &again));
  g_assert_error (again, EB_ERROR, EB_ERROR_NO_SPACE);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 ");

  eb_fake_ledger_accept (fixture->fake);
  g_assert_true (try_delete (fixture, "s", NULL));
  g_assert_null (eb_bus_fixture_look (fixture, "s"));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(unsubscribed) ");
  g_assert_false (try_delete (fixture, "s", &late));
  g_assert_error (late, EB_ERROR, EB_ERROR_NOT_FOUND);
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

/* What is delivered, given up and reported while the ledger thinks about it leaves nothing to
 * whoever has the id next. */
static void
test_delivered_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) deleted = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_ANSWER_500);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  eb_bus_fixture_publish (fixture, "t", 2);
  eb_bus_fixture_wait (fixture, A, 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  assert_there (fixture, "s");
  g_assert_null (deleted);
  eb_fake_ledger_release (fixture->fake);
  g_assert_true (finish_delete (fixture, &deleted, NULL));
  eb_bus_fixture_publish (fixture, "t", 1);
  g_assert_true (eb_bus_fixture_drain (fixture));
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 2);

  g_clear_object (&deleted); /* it holds the bus */
  eb_bus_fixture_put_sink (fixture, "s", "b:1", NULL);
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, B, 1);
  eb_bus_fixture_assert_arrival (fixture, B, 0, 4, 1);
}

/* Whoever asks meanwhile hears that it has ended; or asks again, when the ledger has refused. */
static void
test_twice (Fixture *fixture, gconstpointer data)
{
  for (guint refused = 0; refused < 2; refused++)
    {
      g_autoptr (GAsyncResult) first = NULL;
      g_autoptr (GAsyncResult) second = NULL;
      g_autoptr (GError) error = NULL;
      const int code = refused ? EB_ERROR_IO : EB_ERROR_NOT_FOUND;
      guint n_calls;

      eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
      n_calls = eb_fake_ledger_get_n_calls (fixture->fake);
      if (refused)
        eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &first);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &second);
      g_assert_cmpint (finish_delete (fixture, &first, NULL), ==, !refused);
      g_assert_false (finish_delete (fixture, &second, &error));
      g_assert_error (error, EB_ERROR, code);
      g_assert_cmpuint (eb_fake_ledger_get_n_calls (fixture->fake), ==, n_calls + 1 + refused);
    }
}

/* What takes the id meanwhile takes it after that: it is new, or takes the place of the one that
 * could not be removed. */
static void
test_put_meanwhile (Fixture *fixture, gconstpointer data)
{
  for (guint refused = 0; refused < 2; refused++)
    {
      g_autoptr (EbSubscription) other = eb_bus_fixture_create ("s", "b:1", NULL);
      g_autoptr (GAsyncResult) deleted = NULL;
      g_autoptr (GAsyncResult) put = NULL;
      g_autoptr (EbSubscriptionInfo) info = NULL;
      gboolean is_new;

      eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
      eb_fake_ledger_hold (fixture->fake);
      if (refused)
        eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
      eb_bus_put_async (fixture->bus, other, EB_PUT_REPLACE, EB_START_NOW, eb_test_result_cb, &put);
      eb_bus_fixture_run ();
      g_assert_null (put);
      eb_fake_ledger_accept (fixture->fake);
      eb_fake_ledger_release (fixture->fake);
      g_assert_cmpint (finish_delete (fixture, &deleted, NULL), ==, !refused);
      info = eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (&put), &is_new, NULL);
      g_assert_nonnull (info);
      g_assert_cmpint (is_new, ==, !refused);
    }
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, B, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 0);
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

/* The removal comes after a replacement that the ledger has been told of. */
static void
test_put_before (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) other = eb_bus_fixture_create ("s", "b:1", NULL);
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_put_async (fixture->bus, other, EB_PUT_REPLACE, EB_START_NOW, eb_test_result_cb, &put);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  info = eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (&put), NULL, NULL);
  g_assert_nonnull (info);
  g_assert_true (finish_delete (fixture, &deleted, NULL));
  g_assert_null (eb_bus_fixture_look (fixture, "s"));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

static void
test_register_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) registered = NULL;
  g_autoptr (GAsyncResult) deregistered = NULL;
  g_autoptr (GAsyncResult) again = NULL;

  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &registered);
  eb_bus_deregister_async (fixture->bus, "a:1", eb_test_result_cb, &deregistered);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &again);
  eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&registered), NULL);
  g_assert_true (
      eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&deregistered), NULL));
  g_assert_true (eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&again), NULL));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(deregistered) +a:1 ");
  g_clear_object (&registered); /* they hold the bus */
  g_clear_object (&deregistered);
  g_clear_object (&again);
  eb_bus_fixture_restart (fixture);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, A, 1);
}

/* It keeps alive only what stays. */
static void
test_keep_alive_meanwhile (Fixture *fixture, gconstpointer data)
{
  for (guint refused = 0; refused < 2; refused++)
    {
      g_autoptr (GAsyncResult) deleted = NULL;
      g_autoptr (GAsyncResult) kept = NULL;
      g_autoptr (GError) error = NULL;
      gboolean success;

      eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
      if (refused)
        eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
      eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &kept);
      g_assert_cmpint (finish_delete (fixture, &deleted, NULL), ==, !refused);
      success = eb_bus_keep_alive_finish (fixture->bus, eb_test_wait_for_result (&kept), &error);
      g_assert_cmpint (success, ==, refused);
      if (!refused)
        g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
    }
}

/* The ledger would be told of something that it has just forgotten. */
static void
test_changed_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GAsyncResult) replayed = NULL;
  g_autoptr (GAsyncResult) dropped = NULL;
  GError *error = NULL;
  gboolean success;
  guint64 after;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &paused);
  eb_bus_replay_async (fixture->bus, "s", &(EbReplayFrom){ 0 }, eb_test_result_cb, &replayed);
  eb_bus_drop_dead_letters_async (fixture->bus, "s", NULL, eb_test_result_cb, &dropped);
  success =
      eb_bus_replay_finish (fixture->bus, eb_test_wait_for_result (&replayed), &after, &error);
  assert_not_found (success, g_steal_pointer (&error));
  success =
      eb_bus_drop_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&dropped), &error);
  assert_not_found (success, g_steal_pointer (&error));
  g_assert_true (finish_delete (fixture, &deleted, NULL));
  success = eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), &error);
  assert_not_found (success, g_steal_pointer (&error));
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

/* What ends by itself meanwhile has ended, and the ledger forgets it when it can. */
static void
test_expired_meanwhile (Fixture *fixture, gconstpointer data)
{
  for (guint refused = 0; refused < 2; refused++)
    {
      g_autoptr (GAsyncResult) deleted = NULL;

      g_string_truncate (fixture->told, 0);
      eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
      eb_fake_ledger_hold (fixture->fake);
      if (refused)
        eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
      eb_fake_clock_advance (fixture->clock, LEASE);
      eb_bus_fixture_run ();
      g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(expired) ");
      eb_fake_ledger_release (fixture->fake);
      g_assert_cmpint (finish_delete (fixture, &deleted, NULL), ==, !refused);
      g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(expired) ");
    }
  eb_bus_fixture_run (); /* until it has been refused once more */
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_fixture_run ();
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

/* Who would come back does so unless it was removed. */
static void
test_expired_may_come_back (Fixture *fixture, gconstpointer data)
{
  for (guint refused = 0; refused < 2; refused++)
    {
      g_autoptr (GAsyncResult) deleted = NULL;
      guint n_before = eb_fake_sinks_count (fixture->sinks, A);

      put_resumable (fixture, "s");
      if (refused)
        eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
      eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
      expire (fixture);
      g_assert_cmpint (finish_delete (fixture, &deleted, NULL), ==, !refused);
      g_assert_null (eb_bus_fixture_look (fixture, "s"));
      eb_fake_ledger_accept (fixture->fake);
      eb_bus_fixture_publish (fixture, "t", 1);
      g_assert_true (eb_bus_fixture_drain (fixture));
      put_resumable (fixture, "s");
      g_assert_true (eb_bus_fixture_drain (fixture));
      g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, n_before + refused);
      g_assert_true (try_delete (fixture, "s", NULL));
    }
}

/* Its state is there until the ledger has forgotten it. */
static void
test_expired_refused (Fixture *fixture, gconstpointer data)
{
  put_resumable (fixture, "s");
  expire (fixture);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  g_assert_false (try_delete (fixture, "s", NULL));
  eb_fake_ledger_accept (fixture->fake);
  eb_bus_fixture_publish (fixture, "t", 1);
  put_resumable (fixture, "s");
  eb_bus_fixture_wait (fixture, A, 1);
}

static gboolean
has_told_end (gpointer data)
{
  return strstr (((Fixture *) data)->told->str, "Gone") != NULL;
}

static void
test_gone_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) deleted = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_sinks_set (fixture->sinks, A, EB_FAKE_ANSWER_410);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_test_wait_for (has_told_end, fixture);
  eb_fake_ledger_release (fixture->fake);
  g_assert_true (finish_delete (fixture, &deleted, NULL));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(answered 410 Gone) ");
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

/* What was taken is answered, and what waited for it is refused. */
static void
test_drain_meanwhile (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) other = eb_bus_fixture_create ("s", "b:1", NULL);
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (GAsyncResult) drained = NULL;
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  eb_bus_put_async (fixture->bus, other, EB_PUT_REPLACE, EB_START_NOW, eb_test_result_cb, &put);
  eb_bus_drain_async (fixture->bus, EB_DRAIN_DELIVER, 4 * SECOND, eb_test_result_cb, &drained);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&drained));
  eb_fake_ledger_release (fixture->fake);
  g_assert_true (finish_delete (fixture, &deleted, NULL));
  g_assert_null (eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (&put), NULL, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_CLOSED);
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

/* Deregistering is for registrations alone, also after their lease has ended. */
static void
test_of_another_sink (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;

  put_resumable (fixture, "b:1");
  eb_bus_deregister_async (fixture->bus, "b:1", eb_test_result_cb, &first);
  g_assert_true (eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&first), NULL));
  assert_there (fixture, "b:1");
  expire (fixture);
  eb_bus_deregister_async (fixture->bus, "b:1", eb_test_result_cb, &second);
  g_assert_true (eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&second), NULL));
  eb_bus_fixture_publish (fixture, "t", 1);
  put_resumable (fixture, "b:1");
  eb_bus_fixture_wait (fixture, A, 1);
}

/* A peer's subscription is that peer's alone to end, and the ledger has nothing to do with it. */
static void
test_of_a_peer (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_peer (":1.7");
  EbSubscriptionSpec spec = { .id = "p", .sink = sink, .ephemeral = TRUE, .concurrency = 1 };
  g_autoptr (EbSubscription) subscription = eb_subscription_new (&spec, NULL);
  g_autoptr (GAsyncResult) subscribed = NULL;
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;

  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  eb_bus_subscribe_async (fixture->bus, subscription, EB_START_NOW, eb_test_result_cb, &subscribed);
  g_assert_true (
      eb_bus_subscribe_finish (fixture->bus, eb_test_wait_for_result (&subscribed), NULL));
  g_assert_false (try_delete (fixture, "p", NULL));
  eb_bus_unsubscribe_async (fixture->bus, "p", "gone", eb_test_result_cb, &first);
  g_assert_true (eb_bus_unsubscribe_finish (fixture->bus, eb_test_wait_for_result (&first), NULL));
  eb_bus_unsubscribe_async (fixture->bus, "p", "gone", eb_test_result_cb, &second);
  g_assert_false (
      eb_bus_unsubscribe_finish (fixture->bus, eb_test_wait_for_result (&second), NULL));
  eb_fake_ledger_accept (fixture->fake);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-end/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                        \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: a ledger that refuses is warned of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("refused", test_refused);
  ADD ("delivered-meanwhile", test_delivered_meanwhile);
  ADD ("twice", test_twice);
  ADD ("put-meanwhile", test_put_meanwhile);
  ADD ("put-before", test_put_before);
  ADD ("register-meanwhile", test_register_meanwhile);
  ADD ("keep-alive-meanwhile", test_keep_alive_meanwhile);
  ADD ("changed-meanwhile", test_changed_meanwhile);
  ADD ("expired-meanwhile", test_expired_meanwhile);
  ADD ("expired-may-come-back", test_expired_may_come_back);
  ADD ("expired-refused", test_expired_refused);
  ADD ("gone-meanwhile", test_gone_meanwhile);
  ADD ("drain-meanwhile", test_drain_meanwhile);
  ADD ("of-another-sink", test_of_another_sink);
  ADD ("of-a-peer", test_of_a_peer);

  return g_test_run ();
}
