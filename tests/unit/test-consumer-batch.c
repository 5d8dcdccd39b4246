/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-outbox.h"
#include "support/eb-failing-sink.h"

/* What travels together, stays together, and what becomes of it. The clock stands still unless a
 * test says otherwise. */

typedef EbDeliveryFixture Fixture;

static EbSubscription *
create_with_mode (EbOrder order, EbMode mode)
{
  g_autoptr (EbDeliveryOptions) options = eb_delivery_options_new ();
  EbSubscriptionSpec spec = { .order = order, .options = options };

  options->mode = mode;
  return eb_delivery_fixture_create (&spec, "sink:1");
}

static EbSubscription *
create (EbOrder order)
{
  return create_with_mode (order, EB_MODE_BATCH);
}

/* Adds a subscription whose sink is busy with event 1, and fills its queue. */
static EbSubscription *
add_busy (Fixture *fixture, EbOrder order, guint n_more)
{
  EbSubscription *subscription = create (order);

  eb_failing_sink_script (fixture, EB_FAKE_KEEP, 1);
  eb_worker_pool_add (fixture->pool, subscription, &(EbStart){ 0 });
  eb_delivery_fixture_publish (fixture, "t", 1);
  while (eb_fake_sinks_count (fixture->sinks, SINK) < 1)
    g_main_context_iteration (NULL, TRUE);
  eb_delivery_fixture_publish (fixture, "t", n_more);
  return subscription;
}

/* Asserts that the requests from the one at @index on are these: the events of each, from its first
 * to its last, and its attempt. */
static void
assert_requests (Fixture *fixture, guint *index, const guint64 (*expected)[3], guint n)
{
  guint n_events = *index;

  for (guint i = 0; i < n; i++)
    n_events += (guint) (expected[i][1] - expected[i][0] + 1);
  eb_delivery_fixture_wait (fixture, SINK, n_events);
  for (guint i = 0; i < n; i++)
    {
      guint request = eb_fake_sinks_get (fixture->sinks, SINK, *index).request;

      for (guint64 sequence = expected[i][0]; sequence <= expected[i][1]; sequence++)
        {
          EbFakeArrival arrival = eb_fake_sinks_get (fixture->sinks, SINK, *index);

          g_assert_cmpuint (arrival.request, ==, request);
          g_assert_cmpuint (arrival.previous, ==, sequence - 1);
          eb_delivery_fixture_assert_next (fixture, SINK, index, sequence, (guint) expected[i][2]);
        }
      if (*index < n_events)
        g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, *index).request, >, request);
    }
}

#define ASSERT_REQUESTS(index, ...)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const guint64 expected[][3] = { __VA_ARGS__ };                                                 \
    assert_requests (fixture, index, expected, G_N_ELEMENTS (expected));                           \
  }                                                                                                \
  G_STMT_END

/* Adds a subscription that gets @n events from the log, in a page: so its first batch has all that
 * it may. */
static void
add_behind (Fixture *fixture, EbSubscription *subscription, guint n)
{
  if (n > 0)
    eb_delivery_fixture_publish (fixture, "t", n);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  eb_worker_pool_add (fixture->pool, subscription, &(EbStart){ 0 });
}

/* It is filled while the sink is busy, and no further than it may. */
static void
test_fill (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add_busy (fixture, EB_ORDER_RELAXED, 249);
  guint index = 0;

  eb_fake_sinks_release (fixture->sinks, SINK);
  eb_delivery_fixture_wait (fixture, SINK, 250);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 249).request, <=, 5);
  for (guint i = 0; i < 250; i++)
    eb_delivery_fixture_assert_next (fixture, SINK, &index, i + 1, 1);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, 250);
}

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  add_behind (fixture, subscription, 250);
  ASSERT_REQUESTS (&index, { 1, 100, 1 }, { 101, 200, 1 }, { 201, 250, 1 });
}

/* What counts is the body, where bytes that are no text take a third more. */
static void
test_bytes (Fixture *fixture, gconstpointer data)
{
  static const gsize sizes[] = { 98000, 98000, 98500, 98500, 300000 };
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    eb_delivery_fixture_publish_sized (fixture, "t", sizes[i]);
  add_behind (fixture, subscription, 2);
  ASSERT_REQUESTS (&index, { 1, 2, 1 }, { 3, 3, 1 }, { 4, 4, 1 }, { 5, 5, 1 }, { 6, 7, 1 });
}

/* In relaxed order it waits aside, together, and others pass it. */
static void
test_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 103);
  ASSERT_REQUESTS (&index, { 1, 100, 1 }, { 101, 103, 1 });
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_REQUESTS (&index, { 1, 100, 2 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, 103);
  g_assert_cmpuint (fixture->report.failed, ==, 1);
}

static void
test_strict (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_STRICT);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_delivery_fixture_publish (fixture, "t", 2);
  eb_failing_sink_assert_quiet (fixture, index);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_REQUESTS (&index, { 1, 3, 2 }, { 4, 5, 1 });
  eb_failing_sink_assert_steps (fixture, "aside 1;aside 2;aside 3;ended 1;ended 2;ended 3;");
}

/* Whether it was told to wait, or nobody was there: what joins the queue does not join it. */
static void
test_held (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_429_FOR_30_S, 1);
  eb_failing_sink_script (fixture, EB_FAKE_UNREACHABLE, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_delivery_fixture_publish (fixture, "t", 2);
  eb_delivery_fixture_advance (fixture, 30 * SECOND);
  ASSERT_REQUESTS (&index, { 1, 3, 2 });
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_REQUESTS (&index, { 1, 3, 2 }, { 4, 5, 1 });
}

/* Each is a dead letter of its own, and is redriven as such. */
static void
test_death (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  g_autoptr (GPtrArray) letters =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  guint index = 0;

  eb_failing_sink_set_retry (fixture, NULL, 0);
  eb_failing_sink_script (fixture, EB_FAKE_BREAK, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_failing_sink_assert_steps (fixture, "dead 1;dead 2;dead 3;");
  g_assert_cmpuint (fixture->report.dead, ==, 3);
  for (guint i = 1; i < 3; i++)
    {
      const EbStep *step = g_ptr_array_index (fixture->report.steps, i);

      g_assert_cmpuint (step->change->exception.batch, ==, 0);
      g_ptr_array_add (letters, eb_exception_copy (&step->change->exception));
    }
  eb_worker_pool_redrive (fixture->pool, subscription, letters);
  ASSERT_REQUESTS (&index, { 2, 2, 1 }, { 3, 3, 1 });
}

/* The exceptions that the reports so far have left. */
static GPtrArray *
collect_exceptions (Fixture *fixture)
{
  GPtrArray *aside = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);

  for (guint i = 0; i < fixture->report.steps->len; i++)
    {
      const EbChange *change = ((const EbStep *) fixture->report.steps->pdata[i])->change;

      for (guint j = 0; j < aside->len; j++)
        if (((const EbException *) aside->pdata[j])->sequence == change->exception.sequence)
          {
            g_ptr_array_remove_index (aside, j);
            break;
          }
      if (change->kind == EB_CHANGE_ASIDE)
        g_ptr_array_add (aside, eb_exception_copy (&change->exception));
    }
  return aside;
}

static void
restart (Fixture *fixture, EbSubscription *subscription, guint64 after)
{
  g_autoptr (GPtrArray) aside = NULL;
  EbStart start = { .after = after, .previous = after, .has_cursor = TRUE };

  eb_delivery_fixture_restart (fixture);
  aside = collect_exceptions (fixture);
  start.aside = aside;
  eb_worker_pool_add (fixture->pool, subscription, &start);
}

/* It is the same after a restart, wherever the log goes on. */
static void
test_restart (Fixture *fixture, gconstpointer data)
{
  EbOrder order = (EbOrder) GPOINTER_TO_UINT (data) % 2;
  guint64 after = GPOINTER_TO_UINT (data) / 2;
  g_autoptr (EbSubscription) subscription = create (order);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_delivery_fixture_collect (fixture);
  restart (fixture, subscription, order == EB_ORDER_STRICT ? 0 : after);
  eb_delivery_fixture_publish (fixture, "t", 1);
  if (order == EB_ORDER_RELAXED)
    ASSERT_REQUESTS (&index, { 4, 4, 1 });
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  if (order == EB_ORDER_RELAXED)
    ASSERT_REQUESTS (&index, { 1, 3, 2 });
  else
    ASSERT_REQUESTS (&index, { 1, 3, 2 }, { 4, 4, 1 });
}

/* Whoever does not take batches any more gets none. */
static void
test_other_mode (Fixture *fixture, gconstpointer data)
{
  EbOrder order = (EbOrder) GPOINTER_TO_UINT (data);
  g_autoptr (EbSubscription) subscription = create (order);
  g_autoptr (EbSubscription) other = create_with_mode (order, EB_MODE_BINARY);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_delivery_fixture_collect (fixture);
  restart (fixture, other, 0);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_REQUESTS (&index, { 1, 1, 2 }, { 2, 2, 2 }, { 3, 3, 2 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, 3);
}

/* What a replacement does not match any more leaves its batch, in the queue and aside. */
static void
test_replace (Fixture *fixture, gconstpointer data)
{
  static const char *const types[] = { "a", NULL };
  EbOrder order = (EbOrder) GPOINTER_TO_UINT (data);
  g_autoptr (EbSubscription) subscription = create (order);
  g_autoptr (EbSubscription) anew = NULL;
  EbSubscriptionSpec spec;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  eb_delivery_fixture_publish (fixture, "a", 1);
  eb_delivery_fixture_publish (fixture, "b", 1);
  add_behind (fixture, subscription, 0);
  eb_delivery_fixture_wait (fixture, SINK, 2);
  eb_subscription_fill_spec (subscription, &spec);
  spec.types = types;
  spec.replaces = subscription;
  anew = eb_subscription_new (&spec, NULL);
  eb_worker_pool_replace (fixture->pool, anew);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_delivery_fixture_wait (fixture, SINK, 3);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 2).sequence, ==, 1);
  g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, 2).attempt, ==, 2);
  eb_failing_sink_assert_steps_include (fixture, "ended 1;");
  eb_failing_sink_assert_steps_include (fixture, "ended 2;");
}

/* So is one that was under way when the daemon was stopped. */
static void
test_stopped (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 3;

  eb_failing_sink_script (fixture, EB_FAKE_KEEP, 1);
  add_behind (fixture, subscription, 3);
  while (eb_fake_sinks_count (fixture->sinks, SINK) < 3)
    g_main_context_iteration (NULL, TRUE);
  eb_delivery_fixture_publish (fixture, "t", 2);
  restart (fixture, subscription, 0);
  ASSERT_REQUESTS (&index, { 1, 3, 2 }, { 4, 5, 1 });
}

/* And an event that is alone: no sink refused it, so it keeps its place. */
static void
test_stopped_alone (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = add_busy (fixture, EB_ORDER_RELAXED, 2);
  guint index = 1;

  restart (fixture, subscription, 0);
  ASSERT_REQUESTS (&index, { 1, 1, 2 }, { 2, 3, 1 });
}

/* Nor is it another one for a subscription that wants more by now. */
static void
test_widened (Fixture *fixture, gconstpointer data)
{
  static const char *const types[] = { "a", NULL };
  EbOrder order = (EbOrder) GPOINTER_TO_UINT (data);
  g_autoptr (EbSubscription) subscription = create (order);
  g_autoptr (EbSubscription) narrow = NULL;
  EbSubscriptionSpec spec;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  for (guint i = 0; i < 5; i++)
    eb_delivery_fixture_publish (fixture, i % 2 == 0 ? "a" : "b", 1);
  eb_subscription_fill_spec (subscription, &spec);
  spec.types = types;
  narrow = eb_subscription_new (&spec, NULL);
  add_behind (fixture, narrow, 0);
  eb_delivery_fixture_wait (fixture, SINK, 3);
  eb_delivery_fixture_collect (fixture);
  restart (fixture, subscription, 0);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_delivery_fixture_wait (fixture, SINK, 8);
  for (guint i = 3; i < 8; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (fixture->sinks, SINK, i);

      g_assert_cmpuint (arrival.attempt, ==, arrival.sequence % 2 == 1 ? 2 : 1);
    }
  for (guint i = 4; order == EB_ORDER_STRICT && i < 6; i++)
    g_assert_cmpuint (eb_fake_sinks_get (fixture->sinks, SINK, i).request, ==,
                      eb_fake_sinks_get (fixture->sinks, SINK, 3).request);
}

/* What retention takes away is missing from it, and the rest goes on. */
static void
test_lost (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_fake_log_keep_last (EB_FAKE_LOG (fixture->log));
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  ASSERT_REQUESTS (&index, { 3, 3, 2 });
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.lost, ==, 2);
}

/* Its events cannot be read for a while. */
static void
test_outage (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);
  guint index = 0;

  eb_failing_sink_script (fixture, EB_FAKE_ANSWER_500, 1);
  add_behind (fixture, subscription, 3);
  ASSERT_REQUESTS (&index, { 1, 3, 1 });
  eb_fake_log_set_failing (EB_FAKE_LOG (fixture->log), TRUE);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  while (eb_fake_log_get_n_failed (EB_FAKE_LOG (fixture->log)) < 3)
    g_thread_yield ();
  eb_fake_log_set_failing (EB_FAKE_LOG (fixture->log), FALSE);
  eb_delivery_fixture_advance (fixture, SECOND);
  eb_delivery_fixture_advance (fixture, SECOND);
  ASSERT_REQUESTS (&index, { 1, 3, 2 });
}

/* Never more than may be aside, counted in events. */
static void
test_too_many_aside (Fixture *fixture, gconstpointer data)
{
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_RELAXED);

  eb_fake_sinks_set (fixture->sinks, SINK, EB_FAKE_ANSWER_500);
  add_behind (fixture, subscription, 1200);
  eb_delivery_fixture_wait (fixture, SINK, 1100);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.failed, ==, 11);
  eb_fake_sinks_set (fixture->sinks, SINK, EB_FAKE_TAKE);
  eb_delivery_fixture_advance (fixture, LONGEST (SECOND));
  eb_delivery_fixture_wait (fixture, SINK, 2300);
  eb_delivery_fixture_collect (fixture);
  g_assert_cmpuint (fixture->report.delivered, ==, 1200);
}

static EbParcel *
parcel_new (GHashTable *parcels, guint64 sequence)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (bytes);
  g_autoptr (EbEvent) event = NULL;

  g_assert_true (eb_draft_set (draft, "type", "t", NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  event = eb_event_new (draft, sequence, 0);
  return eb_parcels_obtain (parcels, event);
}

/* Its webhook-id is the same on each attempt, and another one's is another. */
static void
test_id (void)
{
  g_autoptr (GHashTable) parcels = eb_parcels_new ();
  g_autoptr (EbParcel) first = parcel_new (parcels, 2);
  g_autoptr (EbParcel) between = parcel_new (parcels, 3);
  g_autoptr (EbParcel) last = parcel_new (parcels, 4);
  EbDelivery *delivery = eb_delivery_new (NULL, first, 1);
  EbDelivery *other = eb_delivery_new (NULL, first, 1);
  char id[EB_WEBHOOK_ID_SIZE], other_id[EB_WEBHOOK_ID_SIZE];

  eb_delivery_write_id (delivery, "p", id);
  g_assert_cmpstr (id, ==, "p-2");
  eb_delivery_add (delivery, last, 3);
  eb_delivery_write_id (delivery, "p", id);
  g_assert_true (g_str_has_prefix (id, "p-2-4-"));
  eb_delivery_add (other, between, 2);
  eb_delivery_add (other, last, 3);
  eb_delivery_write_id (other, "p", other_id);
  g_assert_true (g_str_has_prefix (other_id, "p-2-4-"));
  g_assert_cmpstr (other_id, !=, id);
  eb_delivery_free (other);
  g_assert_cmpuint (eb_delivery_get_size (delivery), ==, 2);
  g_assert_cmpuint (eb_delivery_get_previous (delivery, 0), ==, 1);
  g_assert_cmpuint (eb_delivery_get_previous (delivery, 1), ==, 3);
  eb_delivery_free (delivery);
}

static EbException *
exception_new (guint64 sequence, guint64 batch)
{
  EbException *exception = g_new0 (EbException, 1);

  exception->sequence = sequence;
  exception->previous = sequence - 1;
  exception->batch = batch;
  exception->attempts = exception->failures = 1;
  exception->first_us = exception->last_us = exception->due_us = 1;
  return exception;
}

/* Where more has come to stand between its events than may queue, it goes in parts: nothing would
 * ever be sent if it waited for its last one. */
static void
test_widened_by_many (Fixture *fixture, gconstpointer data)
{
  const guint n_events = EB_QUEUE_MAX_LENGTH + 100;
  g_autoptr (GPtrArray) aside = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  g_autoptr (EbSubscription) subscription = create (EB_ORDER_STRICT);
  guint index = 0;

  g_ptr_array_add (aside, exception_new (1, n_events));
  g_ptr_array_add (aside, exception_new (n_events, n_events));
  eb_delivery_fixture_publish (fixture, "t", n_events);
  g_assert_true (eb_delivery_fixture_drain (fixture));
  eb_worker_pool_add (fixture->pool, subscription,
                      &(EbStart){ .has_cursor = TRUE, .aside = aside });
  eb_delivery_fixture_wait (fixture, SINK, n_events);
  eb_delivery_fixture_assert_next (fixture, SINK, &index, 1, 2);
  for (guint64 sequence = 2; sequence < n_events; sequence++)
    eb_delivery_fixture_assert_next (fixture, SINK, &index, sequence, 1);
  eb_delivery_fixture_assert_next (fixture, SINK, &index, n_events, 2);
}

#define ADD_WITH(path, data, func)                                                                 \
  g_test_add ("/consumer-batch/" path, Fixture, GUINT_TO_POINTER (data),                           \
              eb_delivery_fixture_set_up, func, eb_delivery_fixture_tear_down)
#define ADD(path, func) ADD_WITH (path, 0, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings are not fatal: failures of sinks are warnings, and expected. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);

  ADD ("fill", test_fill);
  ADD ("limits", test_limits);
  ADD ("bytes", test_bytes);
  ADD ("aside", test_aside);
  ADD ("strict", test_strict);
  ADD ("held", test_held);
  ADD ("death", test_death);
  ADD_WITH ("restart/relaxed", EB_ORDER_RELAXED, test_restart);
  ADD_WITH ("restart/relaxed-amid", EB_ORDER_RELAXED + 2 * 1, test_restart);
  ADD_WITH ("restart/relaxed-behind", EB_ORDER_RELAXED + 2 * 3, test_restart);
  ADD_WITH ("restart/strict", EB_ORDER_STRICT, test_restart);
  ADD_WITH ("other-mode/relaxed", EB_ORDER_RELAXED, test_other_mode);
  ADD_WITH ("other-mode/strict", EB_ORDER_STRICT, test_other_mode);
  ADD_WITH ("replace/relaxed", EB_ORDER_RELAXED, test_replace);
  ADD_WITH ("replace/strict", EB_ORDER_STRICT, test_replace);
  ADD ("stopped", test_stopped);
  ADD ("stopped-alone", test_stopped_alone);
  ADD_WITH ("widened/relaxed", EB_ORDER_RELAXED, test_widened);
  ADD_WITH ("widened/strict", EB_ORDER_STRICT, test_widened);
  ADD ("widened/many", test_widened_by_many);
  ADD ("lost", test_lost);
  ADD ("outage", test_outage);
  ADD ("too-many-aside", test_too_many_aside);
  g_test_add_func ("/consumer-batch/id", test_id);

  return g_test_run ();
}
