/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dispatcher-private.h"

/* The part of EbDispatcher that begins, follows the tail, and ends. */

static void
report_due_cb (gpointer user_data)
{
  eb_dispatcher_flush_report (user_data);
}

static void
take_page_cb (EbSubscription *subscription, guint64 sequence, EbPage *page, gpointer user_data)
{
  EbDispatcher *self = user_data;
  EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);

  if (consumer == NULL)
    return;
  if (sequence > 0)
    eb_consumer_take_fetched (consumer, sequence, page, self->parcels);
  else
    eb_consumer_take_page (consumer, page, self->tail, self->parcels);
}

static void
offer_to_all (EbDispatcher *self, EbEvent *event)
{
  g_autoptr (EbParcel) parcel = eb_parcels_obtain (self->parcels, event);

  eb_audience_offer (self->audience, parcel);
  self->tail = eb_event_get_sequence (event);
}

static void
lose_for_all (EbDispatcher *self, guint64 up_to)
{
  eb_audience_lose (self->audience, self->tail, up_to);
  self->tail = MAX (self->tail, up_to);
}

static guint64
take_tail_cb (EbPage *page, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (page->lost_up_to > 0)
    lose_for_all (self, page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    offer_to_all (self, g_ptr_array_index (page->events, i));
  eb_reporter_edit (self->reporter); /* so that the floor can follow */
  eb_dispatcher_check_drained (self);
  return self->tail;
}

/* The others may do with knowing later how far the log is. */
static gboolean
listens_cb (gpointer user_data)
{
  EbDispatcher *self = user_data;

  return self->drain != NULL || eb_audience_get_first (self->audience) != NULL;
}

static void
due_cb (EbDue *due, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (!eb_log_follower_handle_due (self->follower, due))
    eb_consumer_handle_due (due);
}

static void
answer_cb (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbDispatcher *self = user_data;

  if (!eb_pinger_answer (self->pinger, delivery, answer))
    eb_consumer_answer (delivery, answer, NULL);
}

/**
 * eb_dispatcher_get_transport:
 *
 * Returns: (transfer none): the one for sinks of that kind, made if it is the first
 */
EbTransport *
eb_dispatcher_get_transport (EbDispatcher *self, EbSinkKind kind)
{
  if (self->transports[kind] == NULL)
    {
      self->transports[kind] =
          self->factory (kind, self->context, self->settings, self->factory_data);
      eb_transport_set_answer_func (self->transports[kind], answer_cb, self);
    }
  return self->transports[kind];
}

/**
 * eb_dispatcher_start:
 *
 * To be called once, with the context as the thread-default one.
 */
void
eb_dispatcher_start (EbDispatcher *self)
{
  eb_log_follower_start (self->follower, self->tail);
}

static void
remember_all (EbDispatcher *self)
{
  GHashTableIter iter;
  EbConsumer *consumer;

  g_hash_table_iter_init (&iter, self->consumers);
  while (g_hash_table_iter_next (&iter, (gpointer *) &consumer, NULL))
    eb_consumer_remember (consumer);
}

/**
 * eb_dispatcher_stop:
 *
 * Ends whatever is under way, after a last report of what has ended before.
 */
void
eb_dispatcher_stop (EbDispatcher *self)
{
  EbConsumer *consumer;

  if (self->drain != NULL)
    g_task_return_boolean (self->drain, FALSE);
  g_clear_object (&self->drain);
  eb_log_follower_cancel (self->follower);
  remember_all (self);
  eb_dispatcher_flush_report (self);
  eb_pinger_stop (self->pinger);
  while ((consumer = eb_audience_get_first (self->audience)) != NULL)
    eb_dispatcher_remove_consumer (self, consumer);
  eb_log_follower_wait (self->follower, self->context);
  while (g_main_context_iteration (self->context, FALSE))
    continue;
  for (guint i = 0; i < EB_DISPATCHER_TRANSPORTS; i++)
    g_clear_object (&self->transports[i]);
}

void
eb_dispatcher_configure (EbDispatcher *self, EbDeliverySettings *settings)
{
  eb_delivery_settings_ref (settings);
  eb_delivery_settings_unref (self->settings);
  self->settings = settings;
  eb_judge_configure (self->judge, settings);
  for (guint i = 0; i < EB_DISPATCHER_TRANSPORTS; i++)
    if (self->transports[i] != NULL)
      eb_transport_configure (self->transports[i], settings);
}

/**
 * eb_dispatcher_finish:
 *
 * No delivery to a subscription that is stored starts from now on.
 */
void
eb_dispatcher_finish (EbDispatcher *self)
{
  GHashTableIter iter;
  EbConsumer *consumer;

  g_hash_table_iter_init (&iter, self->consumers);
  while (g_hash_table_iter_next (&iter, (gpointer *) &consumer, NULL))
    eb_consumer_finish (consumer);
}

/**
 * eb_dispatcher_drain:
 * @task: returns TRUE once every delivery of the events up to @up_to has ended or must wait, FALSE
 *   if it is stopped before
 */
void
eb_dispatcher_drain (EbDispatcher *self, guint64 up_to, GTask *task)
{
  g_set_object (&self->drain, task);
  self->drain_up_to = up_to;
  eb_dispatcher_check_drained (self);
  eb_log_follower_wake (self->follower);
}

/**
 * eb_dispatcher_new:
 * @context: of its thread
 * @log: its tail is followed from where it is now
 * @factory: makes the transports, in that thread
 * @notices: what it has to tell
 *
 * Returns: (transfer full): a dispatcher without subscriptions
 */
EbDispatcher *
eb_dispatcher_new (GMainContext *context,
                   EbClock *clock,
                   EbLog *log,
                   EbDeliverySettings *settings,
                   EbTransportFactory factory,
                   gpointer factory_data,
                   EbNotices *notices)
{
  EbDispatcher *self = g_new0 (EbDispatcher, 1);
  EbExtent extent;

  self->context = g_main_context_ref (context);
  self->notices = notices;
  self->clock = g_object_ref (clock);
  self->settings = eb_delivery_settings_ref (settings);
  self->factory = factory;
  self->factory_data = factory_data;
  self->consumers = g_hash_table_new (eb_consumer_hash, eb_consumer_equal);
  self->audience = eb_audience_new ();
  self->parcels = eb_parcels_new ();
  self->agenda = eb_agenda_new (clock, context, due_cb, self);
  self->follower =
      eb_log_follower_new (log, clock, self->agenda,
                           &(EbLogFollowerOwner){ self, take_tail_cb, listens_cb, take_page_cb });
  self->reporter = eb_reporter_new (clock, context, report_due_cb, self);
  self->judge = eb_judge_new (clock, settings);
  self->pinger = eb_pinger_new (clock);
  eb_dispatcher_init_consumer_owner (self);
  eb_log_get_extent (log, &extent);
  self->tail = extent.head;

  return self;
}

/**
 * eb_dispatcher_free:
 *
 * It must have been stopped.
 */
void
eb_dispatcher_free (EbDispatcher *self)
{
  eb_pinger_free (self->pinger);
  eb_judge_free (self->judge);
  eb_reporter_free (self->reporter);
  eb_log_follower_free (self->follower);
  eb_agenda_free (self->agenda);
  g_hash_table_unref (self->parcels);
  eb_audience_free (self->audience);
  g_hash_table_unref (self->consumers);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->clock);
  g_main_context_unref (self->context);
  g_free (self);
}
