/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* Changes of one subscription that come at once: each has its turn, in the order in which they
 * came, and is judged by what there is then. */

typedef EbBusFixture Fixture;

#define A     "http://a:1/event"
#define B     "http://b:1/event"
#define LEASE (120 * SECOND)

/* As many as may wait. */
#define MANY 256

static void
ask_put (Fixture *fixture, const char *id, const char *address, EbPutMode mode, GAsyncResult **put)
{
  g_autoptr (EbSubscription) subscription = eb_bus_fixture_create (id, address, NULL);

  eb_bus_put_async (fixture->bus, subscription, mode, EB_START_NOW, eb_test_result_cb, put);
}

static EbSubscriptionInfo *
finish_put (Fixture *fixture, GAsyncResult **put, gboolean *is_new, GError **error)
{
  return eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (put), is_new, error);
}

static void
assert_put (Fixture *fixture, GAsyncResult **put, gboolean new)
{
  gboolean is_new = !new;
  g_autoptr (EbSubscriptionInfo) info = finish_put (fixture, put, &is_new, NULL);

  g_assert_nonnull (info);
  g_assert_cmpint (is_new, ==, new);
}

static void
assert_put_fails (Fixture *fixture, GAsyncResult **put, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (finish_put (fixture, put, NULL, &error));
  g_assert_error (error, EB_ERROR, code);
}

static void
test_puts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GAsyncResult) posted = NULL;
  g_autoptr (GAsyncResult) last = NULL;

  eb_fake_ledger_hold (fixture->fake);
  ask_put (fixture, "s", "a:1", EB_PUT_REPLACE, &first);
  ask_put (fixture, "s", "a:1", EB_PUT_REPLACE, &second);
  ask_put (fixture, "s", "b:1", EB_PUT_CREATE, &posted);
  ask_put (fixture, "s", "b:1", EB_PUT_REPLACE, &last);
  eb_bus_fixture_run ();
  eb_fake_ledger_release (fixture->fake);
  assert_put (fixture, &first, TRUE);
  assert_put (fixture, &second, FALSE);
  assert_put_fails (fixture, &posted, EB_ERROR_EXISTS);
  assert_put (fixture, &last, FALSE);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(replaced) +b:1 ");
  eb_bus_fixture_publish (fixture, "t", 1);
  eb_bus_fixture_wait (fixture, B, 1);
  g_assert_cmpuint (eb_fake_sinks_count (fixture->sinks, A), ==, 0);
}

/* The next one does not get what the ledger has refused to take. */
static void
test_put_refused (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;

  eb_fake_ledger_hold (fixture->fake);
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_IO);
  ask_put (fixture, "s", "a:1", EB_PUT_REPLACE, &first);
  ask_put (fixture, "s", "b:1", EB_PUT_REPLACE, &second);
  eb_bus_fixture_run ();
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_ledger_release (fixture->fake);
  assert_put_fails (fixture, &first, EB_ERROR_IO);
  assert_put (fixture, &second, TRUE);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(not stored) +b:1 ");
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

static void
assert_kept_alive (Fixture *fixture, GAsyncResult **kept)
{
  g_assert_true (eb_bus_keep_alive_finish (fixture->bus, eb_test_wait_for_result (kept), NULL));
}

/* Every kind of change, and none is refused. */
static void
test_kinds (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GAsyncResult) rotated = NULL;
  g_autoptr (GAsyncResult) kept = NULL;
  g_autoptr (GAsyncResult) resumed = NULL;
  g_autoptr (GAsyncResult) replayed = NULL;
  g_autoptr (GAsyncResult) redriven = NULL;
  g_autoptr (GAsyncResult) dropped = NULL;
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GAsyncResult) late = NULL;
  g_autoptr (GAsyncResult) again = NULL;
  g_autofree char *secret = NULL;
  g_autoptr (GError) error = NULL;
  EbRedriven letters;
  guint64 after;

  ask_put (fixture, "s", "a:1", EB_PUT_REPLACE, &put);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &paused);
  eb_bus_rotate_secret_async (fixture->bus, "s", NULL, eb_test_result_cb, &rotated);
  eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &kept);
  eb_bus_pause_async (fixture->bus, "s", FALSE, eb_test_result_cb, &resumed);
  eb_bus_replay_async (fixture->bus, "s", &(EbReplayFrom){ 0 }, eb_test_result_cb, &replayed);
  eb_bus_redrive_async (fixture->bus, "s", NULL, 0, eb_test_result_cb, &redriven);
  eb_bus_drop_dead_letters_async (fixture->bus, "s", NULL, eb_test_result_cb, &dropped);
  eb_bus_delete_async (fixture->bus, "s", eb_test_result_cb, &deleted);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &late);
  ask_put (fixture, "s", "b:1", EB_PUT_CREATE, &again);
  assert_put (fixture, &put, TRUE);
  g_assert_true (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), NULL));
  secret = eb_bus_rotate_secret_finish (fixture->bus, eb_test_wait_for_result (&rotated), NULL);
  g_assert_nonnull (secret);
  assert_kept_alive (fixture, &kept);
  g_assert_true (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&resumed), NULL));
  g_assert_true (
      eb_bus_replay_finish (fixture->bus, eb_test_wait_for_result (&replayed), &after, NULL));
  g_assert_true (
      eb_bus_redrive_finish (fixture->bus, eb_test_wait_for_result (&redriven), &letters, NULL));
  g_assert_true (
      eb_bus_drop_dead_letters_finish (fixture->bus, eb_test_wait_for_result (&dropped), NULL));
  g_assert_true (eb_bus_delete_finish (fixture->bus, eb_test_wait_for_result (&deleted), NULL));
  g_assert_false (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&late), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_NOT_FOUND);
  assert_put (fixture, &again, TRUE);
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(unsubscribed) +b:1 ");
}

/* The tutorial's clients and others want the same id. */
static void
test_registrations (Fixture *fixture, gconstpointer data)
{
  GAsyncResult *registered[3] = { NULL };
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (GAsyncResult) deregistered = NULL;

  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &registered[0]);
  ask_put (fixture, "a:1", "a:1", EB_PUT_REPLACE, &put);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &registered[1]);
  eb_bus_deregister_async (fixture->bus, "a:1", eb_test_result_cb, &deregistered);
  eb_bus_register_async (fixture->bus, "a:1", eb_test_result_cb, &registered[2]);
  assert_put (fixture, &put, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (registered); i++)
    {
      g_assert_true (
          eb_bus_register_finish (fixture->bus, eb_test_wait_for_result (&registered[i]), NULL));
      g_clear_object (&registered[i]);
    }
  g_assert_true (
      eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&deregistered), NULL));
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(deregistered) +a:1 ");
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
}

/* A sign of life counts from when it comes. */
static void
test_lease (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GAsyncResult) kept = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &paused);
  eb_fake_clock_advance (fixture->clock, LEASE - SECOND);
  eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &kept);
  eb_fake_clock_advance (fixture->clock, 2 * SECOND);
  eb_bus_fixture_run ();
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 ");
  eb_fake_ledger_release (fixture->fake);
  assert_kept_alive (fixture, &kept);
  g_assert_true (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), NULL));
}

/* What waits for one id is bounded, and other ids do not wait for that. */
static void
test_bound (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) other = NULL;
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GAsyncResult) refused = NULL;
  g_autofree GAsyncResult **kept = g_new0 (GAsyncResult *, MANY);
  g_autoptr (GError) error = NULL;

  eb_bus_fixture_put_sink (fixture, "s", "a:1", NULL);
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &paused);
  for (guint i = 0; i < MANY; i++)
    eb_bus_keep_alive_async (fixture->bus, "s", eb_test_result_cb, &kept[i]);
  eb_bus_pause_async (fixture->bus, "s", TRUE, eb_test_result_cb, &refused);
  g_assert_false (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&refused), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_BUSY);
  ask_put (fixture, "other", "b:1", EB_PUT_REPLACE, &other);
  eb_bus_fixture_run ();
  g_assert_null (kept[0]);
  eb_fake_ledger_release (fixture->fake);
  assert_put (fixture, &other, TRUE);
  for (guint i = 0; i < MANY; i++)
    {
      assert_kept_alive (fixture, &kept[i]);
      g_clear_object (&kept[i]);
    }
  g_assert_true (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), NULL));
}

/* What is under way is answered, and what waits for it is told at once. */
static void
test_drain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GAsyncResult) third = NULL;
  g_autoptr (GAsyncResult) drained = NULL;

  eb_fake_ledger_hold (fixture->fake);
  ask_put (fixture, "s", "a:1", EB_PUT_REPLACE, &first);
  ask_put (fixture, "s", "b:1", EB_PUT_REPLACE, &second);
  eb_bus_drain_async (fixture->bus, EB_DRAIN_DELIVER, 4 * SECOND, eb_test_result_cb, &drained);
  ask_put (fixture, "s", "b:1", EB_PUT_REPLACE, &third);
  assert_put_fails (fixture, &second, EB_ERROR_CLOSED);
  assert_put_fails (fixture, &third, EB_ERROR_CLOSED);
  eb_fake_ledger_release (fixture->fake);
  assert_put (fixture, &first, TRUE);
  eb_bus_drain_finish (fixture->bus, eb_test_wait_for_result (&drained));
}

/* Who was told that it is registered is so before those who wait: the last one wants it to end. */
static void
test_registered_again (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) paused = NULL;
  g_autoptr (GAsyncResult) deregistered = NULL;
  EbRegistry *registry = fixture->bus->registry;
  gint64 sent_us;

  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  sent_us = eb_registry_get_renewed (registry, "a:1");
  eb_fake_clock_advance (fixture->clock, SECOND);
  g_assert_true (eb_bus_fixture_register (fixture, "a:1", NULL));
  eb_fake_ledger_hold (fixture->fake);
  eb_bus_pause_async (fixture->bus, "a:1", TRUE, eb_test_result_cb, &paused);
  eb_bus_deregister_async (fixture->bus, "a:1", eb_test_result_cb, &deregistered);
  eb_bus_gone_cb (fixture->workers, eb_registry_lookup (registry, "a:1"), "gone", sent_us,
                  fixture->bus);
  eb_bus_fixture_run ();
  eb_fake_ledger_release (fixture->fake);
  g_assert_true (
      eb_bus_deregister_finish (fixture->bus, eb_test_wait_for_result (&deregistered), NULL));
  g_assert_false (eb_bus_pause_finish (fixture->bus, eb_test_wait_for_result (&paused), NULL));
  eb_bus_fixture_run ();
  g_assert_cmpstr (fixture->told->str, ==, "+a:1 -a:1(gone) +a:1 -a:1(deregistered) ");
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 0);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/bus-turns/" path, Fixture, NULL, eb_bus_fixture_set_up, func,                      \
              eb_bus_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("puts", test_puts);
  ADD ("put-refused", test_put_refused);
  ADD ("kinds", test_kinds);
  ADD ("registrations", test_registrations);
  ADD ("lease", test_lease);
  ADD ("bound", test_bound);
  ADD ("drain", test_drain);
  ADD ("registered-again", test_registered_again);

  return g_test_run ();
}
