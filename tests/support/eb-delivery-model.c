/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-model.h"

#include "store/eb-memory-ledger.h"
#include "support/eb-test-wait.h"

#define SECOND G_TIME_SPAN_SECOND

static const char *const type_names[EB_DELIVERY_MODEL_N_TYPES] = { "a.b", "b.a" };

static void
subscriber_free (EbDeliveryModelSubscriber *subscriber)
{
  eb_subscription_unref (subscriber->subscription);
  g_free (subscriber->uri);
  g_hash_table_unref (subscriber->dead);
  g_free (subscriber);
}

/* The ledger */

/* Waits for the ledger alone: a report must not come in between. */
static GAsyncResult *
wait_in (GMainContext *context, GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return *result;
}

static void
apply (EbDeliveryModel *self, GPtrArray *changes)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, eb_test_result_cb, &result);
  eb_ledger_apply_finish (self->ledger, wait_in (context, &result), &error);
  g_assert_no_error (error);
}

/**
 * eb_delivery_model_apply:
 * @change: (transfer full): is in the ledger at once
 */
void
eb_delivery_model_apply (EbDeliveryModel *self, EbChange *change)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_ptr_array_add (changes, change);
  apply (self, changes);
}

static GPtrArray *
load (EbDeliveryModel *self)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;

  g_main_context_push_thread_default (context);
  eb_ledger_load_async (self->ledger, NULL, eb_test_result_cb, &result);
  return eb_ledger_load_finish (self->ledger, wait_in (context, &result), &self->epoch, NULL);
}

static const EbLedgerEntry *
find_entry (GPtrArray *entries, const EbDeliveryModelSubscriber *subscriber)
{
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      if (entry->subscription == subscriber->subscription)
        return entry;
    }
  g_assert_not_reached ();
}

/* What must be */

static gboolean
matches (EbDeliveryModel *self, const EbDeliveryModelSubscriber *subscriber, guint64 sequence)
{
  const char *const *types = eb_subscription_get_types (subscriber->subscription);

  return sequence > subscriber->start
         && (types == NULL
             || g_strcmp0 (types[0], type_names[g_array_index (self->types, guint, sequence - 1)])
                    == 0);
}

/**
 * eb_delivery_model_find_previous:
 *
 * Returns: the sequence of the event before that one that @subscriber wants; 0 if there is none
 */
guint64
eb_delivery_model_find_previous (EbDeliveryModel *self,
                                 const EbDeliveryModelSubscriber *subscriber,
                                 guint64 sequence)
{
  while (--sequence > 0)
    if (matches (self, subscriber, sequence))
      return sequence;
  return 0;
}

static gboolean
is_aside (const EbLedgerEntry *entry, guint64 sequence)
{
  for (guint i = 0; i < entry->aside->len; i++)
    if (((const EbException *) g_ptr_array_index (entry->aside, i))->sequence == sequence)
      return TRUE;
  return FALSE;
}

/* Returns: (transfer full): by sequence, whether the sink has taken it, or is about to */
static gboolean *
find_taken (EbDeliveryModel *self, const EbDeliveryModelSubscriber *subscriber)
{
  gboolean *taken = g_new0 (gboolean, self->types->len + 1);
  guint n = eb_fake_sinks_count (self->delivery.sinks, subscriber->uri);

  for (guint i = 0; i < n; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (self->delivery.sinks, subscriber->uri, i);

      g_assert_true (matches (self, subscriber, arrival.sequence));
      g_assert_cmpuint (arrival.previous, ==,
                        eb_delivery_model_find_previous (self, subscriber, arrival.sequence));
      if (arrival.behaviour == EB_FAKE_TAKE)
        taken[arrival.sequence] = TRUE;
    }
  return taken;
}

/* Returns: (transfer full): by request, from 1, the events in it, as text */
static GPtrArray *
describe_requests (EbDeliveryModel *self,
                   const EbDeliveryModelSubscriber *subscriber,
                   GArray *attempts)
{
  GPtrArray *requests = g_ptr_array_new_with_free_func (g_free);
  guint n = eb_fake_sinks_count (self->delivery.sinks, subscriber->uri);

  for (guint i = 0; i < n; i++)
    {
      EbFakeArrival arrival = eb_fake_sinks_get (self->delivery.sinks, subscriber->uri, i);
      char **last, *text;

      if (requests->len < arrival.request)
        {
          g_ptr_array_add (requests, g_strdup (""));
          g_array_append_val (attempts, arrival.attempt);
        }
      last = (char **) &requests->pdata[requests->len - 1];
      text = g_strdup_printf ("%s %" G_GUINT64_FORMAT, *last, arrival.sequence);
      g_free (*last);
      *last = text;
    }
  return requests;
}

static gboolean
has_earlier (GPtrArray *requests, GArray *attempts, guint index)
{
  for (guint i = 0; i < index; i++)
    if (g_array_index (attempts, guint, i) + 1 == g_array_index (attempts, guint, index)
        && g_str_equal (requests->pdata[i], requests->pdata[index]))
      return TRUE;
  return FALSE;
}

/* What was attempted together is attempted together again, restarts included. */
static void
check_batches (EbDeliveryModel *self, const EbDeliveryModelSubscriber *subscriber)
{
  g_autoptr (GArray) attempts = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GPtrArray) requests = describe_requests (self, subscriber, attempts);

  for (guint i = 0; i < requests->len; i++)
    if (g_array_index (attempts, guint, i) > 1 && !has_earlier (requests, attempts, i))
      g_error ("%s: attempt %u of%s had none before it", subscriber->uri,
               g_array_index (attempts, guint, i), (char *) requests->pdata[i]);
}

/**
 * eb_delivery_model_check_batches:
 *
 * Asserts that what was attempted together was always attempted together.
 */
void
eb_delivery_model_check_batches (EbDeliveryModel *self)
{
  for (guint i = 0; i < self->subscribers->len; i++)
    check_batches (self, g_ptr_array_index (self->subscribers, i));
}

static void
check_subscriber (EbDeliveryModel *self,
                  const EbDeliveryModelSubscriber *subscriber,
                  const EbLedgerEntry *entry)
{
  g_autofree gboolean *taken = find_taken (self, subscriber);

  for (guint64 sequence = 1; sequence <= self->types->len; sequence++)
    if (matches (self, subscriber, sequence)
        && (sequence <= entry->cursor || sequence <= entry->previous) && !is_aside (entry, sequence)
        && !taken[sequence] && !g_hash_table_contains (subscriber->dead, &sequence))
      g_error ("%s would never get event %" G_GUINT64_FORMAT ": its cursor is %" G_GUINT64_FORMAT
               "%s",
               subscriber->uri, sequence, entry->cursor,
               entry->has_cursor ? "" : ", which is the floor");
}

/**
 * eb_delivery_model_check:
 *
 * Asserts that nobody would miss an event if the daemon ended now.
 */
void
eb_delivery_model_check (EbDeliveryModel *self)
{
  g_autoptr (GPtrArray) entries = load (self);

  for (guint i = 0; i < self->subscribers->len; i++)
    {
      const EbDeliveryModelSubscriber *subscriber = g_ptr_array_index (self->subscribers, i);

      check_subscriber (self, subscriber, find_entry (entries, subscriber));
    }
}

/**
 * eb_delivery_model_is_over:
 *
 * Returns: whether everybody has everything, and no subscription needs a cursor
 */
gboolean
eb_delivery_model_is_over (EbDeliveryModel *self)
{
  g_autoptr (GPtrArray) entries = load (self);

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      if (entry->has_cursor || entry->cursor != self->types->len || entry->aside->len > 0)
        return FALSE;
    }
  return TRUE;
}

/* What happens */

static EbDeliveryModelSubscriber *
find_subscriber (EbDeliveryModel *self, EbSubscription *subscription)
{
  for (guint i = 0; i < self->subscribers->len; i++)
    {
      EbDeliveryModelSubscriber *subscriber = g_ptr_array_index (self->subscribers, i);

      if (subscriber->subscription == subscription)
        return subscriber;
    }
  g_assert_not_reached ();
}

static void
report_cb (EbWorkerPool *pool, const EbReport *report, EbDeliveryModel *self)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new ();
  g_autoptr (EbChange) floor = eb_change_new (EB_CHANGE_FLOOR, NULL, report->floor);

  for (guint i = 0; i < report->steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (report->steps, i);
      const EbException *exception = &step->change->exception;

      g_ptr_array_add (changes, step->change);
      if (step->change->kind == EB_CHANGE_DEAD)
        g_hash_table_add (find_subscriber (self, step->subscription)->dead,
                          g_memdup2 (&exception->sequence, sizeof exception->sequence));
    }
  g_ptr_array_add (changes, floor);
  apply (self, changes);
  eb_delivery_model_check (self);
}

static void
configure (EbDeliveryModel *self)
{
  static const GTimeSpan retry[] = { 1 * SECOND, 5 * SECOND, 30 * SECOND };
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);
  g_autoptr (EbDeliverySettings) settings = eb_delivery_settings_new (policy);

  eb_delivery_settings_set_retry (settings, retry, G_N_ELEMENTS (retry));
  eb_worker_pool_configure (self->delivery.pool, settings);
  g_signal_connect (self->delivery.pool, "report", G_CALLBACK (report_cb), self);
}

/**
 * eb_delivery_model_publish:
 * @type: below %EB_DELIVERY_MODEL_N_TYPES
 */
void
eb_delivery_model_publish (EbDeliveryModel *self, guint type, guint n)
{
  for (guint i = 0; i < n; i++)
    g_array_append_val (self->types, type);
  eb_delivery_fixture_publish (&self->delivery, type_names[type], n);
}

/**
 * eb_delivery_model_add:
 * @subscription: (transfer full): its sink is http://ID/event
 * @start: it gets what comes after
 */
void
eb_delivery_model_add (EbDeliveryModel *self, EbSubscription *subscription, guint64 start)
{
  EbDeliveryModelSubscriber *subscriber = g_new0 (EbDeliveryModelSubscriber, 1);

  subscriber->start = start;
  subscriber->uri = g_strdup (eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  subscriber->dead = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  subscriber->subscription = subscription;
  g_ptr_array_add (self->subscribers, subscriber);
  /* First the ledger, then the worker, as the bus does it. */
  eb_delivery_model_apply (self, eb_change_new_put (subscription, start));
  eb_worker_pool_add (self->delivery.pool, subscription,
                      &(EbStart){ .after = start, .has_cursor = TRUE });
}

static guint64
get_previous (const EbLedgerEntry *entry)
{
  if (eb_subscription_takes_all (entry->subscription))
    return entry->cursor > entry->start ? MAX (entry->cursor, entry->previous) : entry->previous;
  return entry->previous;
}

static void
add_all_again (EbDeliveryModel *self)
{
  g_autoptr (GPtrArray) entries = load (self);

  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);
      EbStart start = { entry->cursor, get_previous (entry), entry->has_cursor, entry->aside };

      eb_worker_pool_add (self->delivery.pool, entry->subscription, &start);
    }
}

/**
 * eb_delivery_model_restart:
 * @kill: what was not reported yet is not known to the ledger
 */
void
eb_delivery_model_restart (EbDeliveryModel *self, gboolean kill)
{
  if (kill)
    g_signal_handlers_disconnect_by_data (self->delivery.pool, self);
  eb_delivery_fixture_restart (&self->delivery);
  configure (self);
  add_all_again (self);
  eb_delivery_model_check (self);
}

void
eb_delivery_model_set_up (EbDeliveryModel *self, gconstpointer data)
{
  g_autoptr (GPtrArray) entries = NULL;

  eb_delivery_fixture_set_up (&self->delivery, data);
  self->ledger = eb_memory_ledger_new (self->delivery.log);
  self->subscribers = g_ptr_array_new_with_free_func ((GDestroyNotify) subscriber_free);
  self->types = g_array_new (FALSE, FALSE, sizeof (guint));
  entries = load (self);
  configure (self);
}

void
eb_delivery_model_tear_down (EbDeliveryModel *self, gconstpointer data)
{
  g_signal_handlers_disconnect_by_data (self->delivery.pool, self);
  g_object_unref (self->ledger); /* it holds the log */
  eb_delivery_fixture_tear_down (&self->delivery, data);
  g_ptr_array_unref (self->subscribers);
  g_array_unref (self->types);
}
