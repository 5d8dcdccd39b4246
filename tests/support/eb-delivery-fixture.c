/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-fixture.h"

#include "support/eb-test-wait.h"

static void
report_cb (EbWorkerPool *pool, const EbReport *report, EbDeliveryFixture *self)
{
  self->report.delivered += report->delivered;
  self->report.failed += report->failed;
  self->report.dead += report->dead;
  self->report.lost += report->lost;
  self->report.floor = report->floor;
  for (guint i = 0; i < report->steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (report->steps, i);
      EbStep *copy = g_new0 (EbStep, 1);

      copy->subscription = eb_subscription_ref (step->subscription);
      copy->change =
          eb_change_new (step->change->kind, step->change->id, step->change->exception.sequence);
      copy->change->exception = step->change->exception;
      copy->change->exception.reason = g_strdup (step->change->exception.reason);
      g_ptr_array_add (self->report.steps, copy);
    }
  self->n_reports++;
}

static void
gone_cb (EbWorkerPool *pool,
         EbSubscription *subscription,
         const char *reason,
         gint64 sent_us,
         EbDeliveryFixture *self)
{
  g_string_append_printf (self->gone, "%s;", reason);
}

static void
start_pool (EbDeliveryFixture *self)
{
  self->pool = eb_worker_pool_new (2, EB_CLOCK (self->clock), self->log, self->settings,
                                   eb_fake_transport_create, self->sinks);
  g_signal_connect (self->pool, "report", G_CALLBACK (report_cb), self);
  g_signal_connect (self->pool, "gone", G_CALLBACK (gone_cb), self);
}

static void
stop_pool (EbDeliveryFixture *self)
{
  eb_worker_pool_stop (self->pool);
  eb_test_run ();
  g_assert_finalize_object (self->pool);
}

void
eb_delivery_fixture_set_up (EbDeliveryFixture *self, gconstpointer data)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);

  self->settings = eb_delivery_settings_new (policy);
  self->clock = eb_fake_clock_new ();
  self->log = eb_fake_log_new (EB_CLOCK (self->clock));
  self->sinks = eb_fake_sinks_new ();
  self->gone = g_string_new (NULL);
  self->report.steps = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_step_free);
  start_pool (self);
}

void
eb_delivery_fixture_tear_down (EbDeliveryFixture *self, gconstpointer data)
{
  stop_pool (self);
  g_ptr_array_unref (self->report.steps);
  g_string_free (self->gone, TRUE);
  eb_fake_sinks_free (self->sinks);
  eb_delivery_settings_unref (self->settings);
  g_assert_finalize_object (self->log);
  g_object_unref (self->clock);
}

/**
 * eb_delivery_fixture_restart:
 *
 * As if the daemon had ended and begun again: the log stays, the subscriptions are to be added.
 */
void
eb_delivery_fixture_restart (EbDeliveryFixture *self)
{
  stop_pool (self);
  start_pool (self);
}

static void
publish (EbDeliveryFixture *self, const char *type, GBytes *data, guint n)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_draft_free);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GArray) receipts = NULL;

  for (guint i = 0; i < n; i++)
    {
      EbDraft *draft = eb_draft_new (data);

      g_assert_true (eb_draft_set (draft, "type", type, NULL));
      g_assert_true (eb_draft_complete (draft, NULL));
      g_ptr_array_add (drafts, draft);
    }
  eb_log_append_async (self->log, drafts, NULL, eb_test_result_cb, &result);
  receipts = eb_log_append_finish (self->log, eb_test_wait_for_result (&result), NULL);
}

void
eb_delivery_fixture_publish (EbDeliveryFixture *self, const char *type, guint n)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);

  publish (self, type, data, n);
}

/**
 * eb_delivery_fixture_publish_sized:
 *
 * Publishes one event with @size bytes of data.
 */
void
eb_delivery_fixture_publish_sized (EbDeliveryFixture *self, const char *type, gsize size)
{
  g_autoptr (GBytes) data = g_bytes_new_take (g_malloc0 (size), size);

  publish (self, type, data, 1);
}

/**
 * eb_delivery_fixture_create:
 * @spec: (nullable): what it shall be besides what @address says; NULL for nothing
 * @address: is its id; its sink is http://ADDRESS/event
 *
 * Returns: (transfer full): a subscription
 */
EbSubscription *
eb_delivery_fixture_create (const EbSubscriptionSpec *spec, const char *address)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, NULL);
  EbSubscriptionSpec all = spec != NULL ? *spec : (EbSubscriptionSpec){ 0 };
  EbSubscription *subscription;

  all.id = address;
  all.sink = sink;
  all.concurrency = MAX (all.concurrency, 1);
  subscription = eb_subscription_new (&all, NULL);
  g_assert_nonnull (subscription);
  return subscription;
}

/**
 * eb_delivery_fixture_add:
 * @start: (nullable): NULL for the first event
 *
 * Returns: (transfer full): a subscription, which the pool has
 */
EbSubscription *
eb_delivery_fixture_add (EbDeliveryFixture *self,
                         const EbSubscriptionSpec *spec,
                         const char *address,
                         const EbStart *start)
{
  EbSubscription *subscription = eb_delivery_fixture_create (spec, address);

  eb_worker_pool_add (self->pool, subscription, start != NULL ? start : &(EbStart){ 0 });
  return subscription;
}

/**
 * eb_delivery_fixture_drain:
 *
 * Waits until nothing is owed that does not have to wait itself. After it, everything that follows
 * from what was done before has happened.
 *
 * Returns: FALSE if the pool was stopped before
 */
gboolean
eb_delivery_fixture_drain (EbDeliveryFixture *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  EbExtent extent;

  eb_log_get_extent (self->log, &extent);
  eb_worker_pool_drain_async (self->pool, extent.head, eb_test_result_cb, &result);
  return eb_worker_pool_drain_finish (self->pool, eb_test_wait_for_result (&result));
}

/**
 * eb_delivery_fixture_advance:
 *
 * Lets time pass after everything that was to happen before it.
 */
void
eb_delivery_fixture_advance (EbDeliveryFixture *self, GTimeSpan by)
{
  g_assert_true (eb_delivery_fixture_drain (self));
  eb_fake_clock_advance (self->clock, by);
}

/**
 * eb_delivery_fixture_wait:
 * @n_arrivals: deliveries that arrive at @uri, and no more
 */
void
eb_delivery_fixture_wait (EbDeliveryFixture *self, const char *uri, guint n_arrivals)
{
  eb_fake_sinks_wait (self->sinks, uri, n_arrivals);
  g_assert_true (eb_delivery_fixture_drain (self));
  g_assert_cmpuint (eb_fake_sinks_count (self->sinks, uri), ==, n_arrivals);
}

/**
 * eb_delivery_fixture_assert_next:
 * @index: (inout): of the arrival; it goes on
 */
void
eb_delivery_fixture_assert_next (
    EbDeliveryFixture *self, const char *uri, guint *index, guint64 sequence, guint attempt)
{
  EbFakeArrival arrival = eb_fake_sinks_get (self->sinks, uri, (*index)++);

  g_assert_cmpuint (arrival.sequence, ==, sequence);
  g_assert_cmpuint (arrival.attempt, ==, attempt);
}

/**
 * eb_delivery_fixture_collect:
 *
 * Waits until everything that has happened is reported.
 */
void
eb_delivery_fixture_collect (EbDeliveryFixture *self)
{
  g_assert_true (eb_delivery_fixture_drain (self)); /* reports first */
  eb_test_run ();
}
