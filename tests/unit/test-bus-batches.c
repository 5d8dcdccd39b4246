/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "support/eb-bus-fixture.h"
#include "support/eb-test-wait.h"

/* A batch is the same at every attempt, whatever becomes of the daemon or of its ledger. */

typedef EbBusFixture Fixture;

#define SINK "http://s:1/event"

static void
set_up (Fixture *fixture, gconstpointer data)
{
  eb_bus_fixture_set_up (fixture, NULL);
  eb_fake_ledger_set_durable (fixture->fake);
  eb_bus_fixture_restart (fixture);
}

static void
script (Fixture *fixture, EbFakeBehaviour behaviour)
{
  eb_fake_sinks_script (fixture->sinks, SINK, &behaviour, 1);
}

/* One that takes batches, and gets all there is in the log. */
static void
put (Fixture *fixture)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address ("s:1", NULL);
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = {
    .id = "s", .sink = sink, .lease = 120 * SECOND, .concurrency = 1, .options = options
  };
  g_autoptr (EbSubscription) subscription = NULL;
  g_autoptr (EbSubscriptionInfo) info = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_true (eb_bus_fixture_drain (fixture)); /* it begins behind the tail: with a page */
  options->mode = EB_MODE_BATCH;
  options->resume = TRUE;
  subscription = eb_subscription_new (&spec, NULL);
  eb_bus_put_async (fixture->bus, subscription, EB_PUT_REPLACE, 0, eb_test_result_cb, &result);
  info = eb_bus_put_finish (fixture->bus, eb_test_wait_for_result (&result), NULL, NULL);
  g_assert_nonnull (info);
}

static guint
count (Fixture *fixture)
{
  return eb_fake_sinks_count (fixture->sinks, SINK);
}

/* Fenced before it ends, it writes nothing of what it has on its tongue. */
static void
kill_bus (Fixture *fixture)
{
  g_assert_cmpuint (eb_bus_fixture_count_stored (fixture), ==, 1);
  eb_bus_fixture_restart (fixture);
}

/* The requests from the arrival at @index on: of each its first and last event, and its attempt. */
static void
assert_requests (Fixture *fixture, guint index, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  while (index < count (fixture))
    {
      EbFakeArrival first = eb_fake_sinks_get (fixture->sinks, SINK, index), last = first;

      while (index < count (fixture)
             && eb_fake_sinks_get (fixture->sinks, SINK, index).request == first.request)
        last = eb_fake_sinks_get (fixture->sinks, SINK, index++);
      g_string_append_printf (text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%u;",
                              first.sequence, last.sequence, first.attempt);
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  guint n = GPOINTER_TO_UINT (data);
  g_autofree char *expected = g_strdup_printf ("1-%u/1;%u-%u/1;", n, n + 1, n + 2);

  script (fixture, EB_FAKE_KEEP);
  eb_bus_fixture_publish (fixture, "t", n);
  put (fixture);
  eb_bus_fixture_wait (fixture, SINK, n);
  eb_bus_fixture_publish (fixture, "t", 2);
  kill_bus (fixture);
  eb_bus_fixture_wait (fixture, SINK, n + n + 2);
  assert_requests (fixture, n, expected);
}

typedef struct
{
  EbFakeLedger *ledger;
  guint n;
} Calls;

static gboolean
was_asked (gpointer data)
{
  const Calls *calls = data;

  return eb_fake_ledger_get_n_calls (calls->ledger) > calls->n;
}

/* It is not sent as long as it could not be put together again; and counts no attempt for that. */
static void
test_refused (Fixture *fixture, gconstpointer data)
{
  guint n_calls;

  put (fixture);
  eb_bus_fixture_run ();
  eb_fake_ledger_refuse (fixture->fake, EB_ERROR_NO_SPACE);
  n_calls = eb_fake_ledger_get_n_calls (fixture->fake);
  eb_bus_fixture_publish (fixture, "t", 1);
  for (guint i = 0; i < 3; i++)
    {
      eb_test_wait_for (was_asked, &(Calls){ fixture->fake, n_calls });
      n_calls = eb_fake_ledger_get_n_calls (fixture->fake);
      eb_bus_fixture_run ();
      eb_fake_clock_advance (fixture->clock, SECOND);
    }
  g_assert_cmpuint (count (fixture), ==, 0);
  eb_fake_ledger_accept (fixture->fake);
  eb_fake_clock_advance (fixture->clock, SECOND);
  eb_bus_fixture_wait (fixture, SINK, 1);
  assert_requests (fixture, 0, "1-1/1;");
}

static gboolean
has_expired (gpointer data)
{
  EbExpiredEntry *entry = eb_expired_lookup (((Fixture *) data)->bus->expired, "s");

  return entry != NULL && !entry->detaching;
}

/* Killed, and nobody there any more: whoever comes back after the lease gets it as it was. */
static void
test_resumed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscriptionInfo) info = NULL;

  script (fixture, EB_FAKE_KEEP);
  eb_bus_fixture_publish (fixture, "t", 3);
  put (fixture);
  eb_bus_fixture_wait (fixture, SINK, 3);
  eb_bus_fixture_publish (fixture, "t", 2);
  script (fixture, EB_FAKE_UNREACHABLE);
  kill_bus (fixture);
  eb_bus_fixture_wait (fixture, SINK, 6);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_fixture_put_paused (fixture, "s", TRUE); /* it does not probe meanwhile */
  info = eb_bus_fixture_look (fixture, "s");      /* as its worker knows by then */
  eb_fake_clock_advance (fixture->clock, 121 * SECOND);
  eb_test_wait_for (has_expired, fixture);
  put (fixture);
  eb_bus_fixture_wait (fixture, SINK, 11);
  assert_requests (fixture, 3, "1-3/1;1-3/1;4-5/1;");
}

/* What it goes back over forms anew. */
static void
test_replayed (Fixture *fixture, gconstpointer data)
{
  const EbReplayFrom from = { .after = 0 };
  g_autoptr (GAsyncResult) result = NULL;
  guint64 after;

  eb_bus_fixture_publish (fixture, "t", 3);
  put (fixture);
  eb_bus_fixture_wait (fixture, SINK, 3);
  eb_bus_fixture_publish (fixture, "t", 2);
  g_assert_true (eb_bus_fixture_drain (fixture));
  eb_bus_replay_async (fixture->bus, "s", &from, eb_test_result_cb, &result);
  g_assert_true (
      eb_bus_replay_finish (fixture->bus, eb_test_wait_for_result (&result), &after, NULL));
  g_assert_cmpuint (after, ==, 0);
  eb_bus_fixture_wait (fixture, SINK, 10);
  assert_requests (fixture, 5, "1-5/1;");
}

#define ADD_WITH(path, data, func)                                                                 \
  g_test_add ("/bus-batches/" path, Fixture, GUINT_TO_POINTER (data), set_up, func,                \
              eb_bus_fixture_tear_down)
#define ADD(path, func) ADD_WITH (path, 0, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD_WITH ("killed/several", 3, test_killed);
  ADD_WITH ("killed/one", 1, test_killed);
  ADD ("refused", test_refused);
  ADD ("resumed", test_resumed);
  ADD ("replayed", test_replayed);

  return g_test_run ();
}
