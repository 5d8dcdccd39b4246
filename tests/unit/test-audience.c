/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-audience.h"
#include "delivery/eb-outbox.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-transport.h"

/* Who is offered what, and that those who are offered nothing are as far as the others. */

#define CONCURRENCY 100

typedef struct
{
  EbFakeSinks *sinks;
  EbDeliverySettings *settings;
  EbClock *clock;
  EbTransport *transport;
  GHashTable *parcels;
  EbConsumerOwner owner;
  EbAudience *audience;
  guint64 tail;

  guint64 n_lost;
} Fixture;

static void
lost_cb (EbConsumer *consumer, guint64 n_lost, gpointer user_data)
{
  ((Fixture *) user_data)->n_lost += n_lost;
}

static void
progressed_cb (EbConsumer *consumer, gpointer user_data)
{
}

static void
settled_cb (EbConsumer *consumer, gboolean settled, gpointer user_data)
{
}

static EbTransport *
get_transport_cb (EbSinkKind kind, gpointer user_data)
{
  return ((Fixture *) user_data)->transport;
}

static void
due_cb (EbDue *due, gpointer user_data)
{
  eb_consumer_handle_due (due);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);

  fixture->sinks = eb_fake_sinks_new ();
  fixture->settings = eb_delivery_settings_new (policy);
  fixture->clock = EB_CLOCK (eb_fake_clock_new ());
  fixture->transport =
      eb_fake_transport_create (EB_SINK_HTTP, NULL, fixture->settings, fixture->sinks);
  fixture->parcels = eb_parcels_new ();
  fixture->audience = eb_audience_new ();
  fixture->owner = (EbConsumerOwner){
    .clock = fixture->clock,
    .agenda = eb_agenda_new (fixture->clock, NULL, due_cb, NULL),
    .user_data = fixture,
    .settled = settled_cb,
    .get_transport = get_transport_cb,
    .progressed = progressed_cb,
    .lost = lost_cb,
  };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  EbConsumer *consumer;

  while ((consumer = eb_audience_get_first (fixture->audience)) != NULL)
    {
      eb_audience_remove (fixture->audience, consumer);
      eb_consumer_free (consumer);
    }
  eb_audience_free (fixture->audience);
  g_hash_table_unref (fixture->parcels);
  g_assert_finalize_object (fixture->transport);
  eb_agenda_free (fixture->owner.agenda);
  g_object_unref (fixture->clock);
  eb_delivery_settings_unref (fixture->settings);
  eb_fake_sinks_free (fixture->sinks);
}

/* Its id says whether it arrived: the sink of `a` is http://a/event, and keeps what it gets. */
static EbConsumer *
add (Fixture *fixture, const char *id, const char *pattern, EbFilter *filter, guint concurrency)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (id, NULL);
  const char *const types[] = { pattern, NULL };
  EbSubscriptionSpec spec = { .id = id, .sink = sink, .types = types, .filter = filter };
  g_autoptr (EbSubscription) subscription = NULL;
  EbConsumer *consumer;

  spec.concurrency = concurrency;
  subscription = eb_subscription_new (&spec, NULL);
  eb_fake_sinks_set (fixture->sinks, eb_sink_get_uri (sink), EB_FAKE_KEEP);
  consumer = eb_consumer_new (subscription, &fixture->owner);
  eb_audience_add (fixture->audience, consumer);
  eb_consumer_start (consumer, &(EbStart){ .after = fixture->tail }, fixture->tail);
  return consumer;
}

static void
offer (Fixture *fixture, const char *type, guint n)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (EbDraft) draft = eb_draft_new (bytes);
      g_autoptr (EbEvent) event = NULL;
      g_autoptr (EbParcel) parcel = NULL;

      g_assert_true (eb_draft_set (draft, "type", type, NULL));
      g_assert_true (eb_draft_complete (draft, NULL));
      event = eb_event_new (draft, fixture->tail + 1, 0);
      parcel = eb_parcels_obtain (fixture->parcels, event);
      eb_audience_offer (fixture->audience, parcel);
      fixture->tail++;
    }
}

static guint
count (Fixture *fixture, const char *id)
{
  g_autofree char *uri = g_strdup_printf ("http://%s/event", id);

  return eb_fake_sinks_count (fixture->sinks, uri);
}

static void
test_offer (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbFilter) filter = eb_filter_new (EB_FILTER_SUFFIX);
  EbConsumer *every, *some;

  g_assert_true (eb_filter_add_attribute (filter, "type", ".b", NULL));
  every = add (fixture, "every", ">", NULL, CONCURRENCY);
  some = add (fixture, "some", "a.*", NULL, CONCURRENCY);
  add (fixture, "filtered", "a.>", filter, CONCURRENCY);
  add (fixture, "filtered-every", ">", filter, CONCURRENCY);
  offer (fixture, "a.b", 1);
  offer (fixture, "a.c", 2);
  offer (fixture, "c.b", 4);
  g_assert_cmpuint (count (fixture, "every"), ==, 7);
  g_assert_cmpuint (count (fixture, "some"), ==, 3);
  g_assert_cmpuint (count (fixture, "filtered"), ==, 1);
  g_assert_cmpuint (count (fixture, "filtered-every"), ==, 5);

  eb_audience_reindex (fixture->audience, some);
  offer (fixture, "a.b", 1);
  g_assert_cmpuint (count (fixture, "some"), ==, 4);

  eb_audience_remove (fixture->audience, some);
  eb_audience_remove (fixture->audience, every);
  offer (fixture, "a.b", 1);
  g_assert_cmpuint (count (fixture, "every"), ==, 8);
  g_assert_cmpuint (count (fixture, "some"), ==, 4);
  g_assert_cmpuint (count (fixture, "filtered"), ==, 3);
  eb_audience_add (fixture->audience, some);
  eb_audience_add (fixture->audience, every);
}

/* Events of other types do not touch it; told of the tail, it needs no cursor of its own. */
static void
test_pass (Fixture *fixture, gconstpointer data)
{
  EbConsumer *consumer = add (fixture, "some", "a", NULL, CONCURRENCY);
  EbChange *change;

  offer (fixture, "b", 5);
  change = eb_consumer_take_progress (consumer, fixture->tail);
  g_assert_nonnull (change);
  g_assert_cmpuint (change->exception.sequence, ==, 0);
  eb_change_free (change);

  eb_consumer_pass (consumer, fixture->tail);
  change = eb_consumer_take_progress (consumer, fixture->tail);
  g_assert_nonnull (change);
  g_assert_cmpuint (change->exception.sequence, ==, EB_CURSOR_FLOOR);
  eb_change_free (change);
}

/* Its queue is full: it lags from where it is, not from the last event that it was offered. */
static void
test_lag (Fixture *fixture, gconstpointer data)
{
  EbConsumer *consumer = add (fixture, "some", "a", NULL, 1);

  offer (fixture, "a", 1 + EB_QUEUE_MAX_LENGTH);
  offer (fixture, "b", 5);
  offer (fixture, "a", 1);
  offer (fixture, "b", 1);
  eb_consumer_pass (consumer, fixture->tail); /* it has not */
  eb_consumer_lose (consumer, fixture->tail - 1);
  g_assert_cmpuint (fixture->n_lost, ==, 1);
}

/* What is lost to it is what it had not passed. */
static void
test_lose (Fixture *fixture, gconstpointer data)
{
  add (fixture, "some", "a", NULL, CONCURRENCY);
  add (fixture, "every", ">", NULL, CONCURRENCY);
  offer (fixture, "b", 5);
  eb_audience_lose (fixture->audience, fixture->tail, 8);
  g_assert_cmpuint (fixture->n_lost, ==, 6);
}

static void
add_test (const char *path, void (*test) (Fixture *fixture, gconstpointer data))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: what is lost is a warning, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  add_test ("/audience/offer", test_offer);
  add_test ("/audience/pass", test_pass);
  add_test ("/audience/lag", test_lag);
  add_test ("/audience/lose", test_lose);
  return g_test_run ();
}
