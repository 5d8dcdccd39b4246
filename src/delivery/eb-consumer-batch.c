/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that makes batches, and puts them together again.
 *
 * A batch is made of what has queued up when it is sent. From then on it is fixed: in the queue it
 * stays one delivery; aside, and in the ledger, each of its events is an exception that says which
 * batch it is of; so those that are there make the batch again, also after a restart. */

/**
 * eb_consumer_takes_batches:
 *
 * Returns: whether its subscriber does
 */
gboolean
eb_consumer_takes_batches (EbConsumer *self)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (self->subscription));

  return eb_subscription_get_options (self->subscription)->mode == EB_MODE_BATCH
         && (kind == EB_SINK_HTTP || kind == EB_SINK_HTTPS);
}

/**
 * eb_consumer_is_fresh:
 *
 * Returns: whether others may still travel with @delivery: what was attempted, or is an exception,
 * is what it is
 */
gboolean
eb_consumer_is_fresh (const EbDelivery *delivery)
{
  return delivery->attempt == 0 && !delivery->exception && !delivery->fixed
         && delivery->parcels == NULL;
}

/**
 * eb_consumer_fill_batch:
 * @delivery: from the head of the queue, about to be sent: eb_consumer_fix_batch() lets it
 *
 * If its subscriber takes batches, what is next in the queue travels with it.
 */
void
eb_consumer_fill_batch (EbConsumer *self, EbDelivery *delivery)
{
  guint64 last = G_MAXUINT64;
  EbDelivery *next;
  gsize shares;

  if (!eb_consumer_is_fresh (delivery) || !eb_consumer_takes_batches (self))
    return;
  shares = eb_delivery_get_share (delivery);
  if (eb_consumer_fixes_batches (self))
    {
      last = eb_batch_plan_find (self->outbox->plan, eb_delivery_get_first (delivery))->range.last;
      eb_batch_plan_drop_first (self->outbox->plan);
      delivery->fixed = TRUE;
    }
  while (eb_delivery_get_size (delivery) < EB_BATCH_MAX_LENGTH
         && (next = g_queue_peek_head (&self->outbox->queue)) != NULL && eb_consumer_is_fresh (next)
         && eb_delivery_get_sequence (next) <= last
         && shares + eb_delivery_get_share (next) <= EB_BATCH_MAX_SHARES)
    {
      shares += eb_delivery_get_share (next);
      self->outbox->queued -= eb_delivery_get_charge (next);
      eb_delivery_add (delivery, next->parcel, next->previous);
      g_queue_unlink (&self->outbox->queue, &next->link);
      eb_delivery_free (next);
    }
}

static void
put_back_alone (EbConsumer *self, const EbDelivery *batch, guint index)
{
  EbDelivery *delivery = eb_delivery_new (self, eb_delivery_get_parcel (batch, index),
                                          eb_delivery_get_previous (batch, index));

  delivery->attempt = batch->attempt;
  delivery->n_failures = batch->n_failures;
  delivery->first_us = batch->first_us;
  delivery->exception = batch->exception;
  delivery->fetched = batch->fetched;
  eb_consumer_put_back (self, delivery);
}

static gboolean
is_wanted (EbConsumer *self, const EbDelivery *delivery)
{
  for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
    if (!eb_subscription_matches (self->subscription,
                                  eb_parcel_get_event (eb_delivery_get_parcel (delivery, i))))
      return FALSE;
  return TRUE;
}

/**
 * eb_consumer_split_batch:
 * @delivery: (transfer full): from the head of the line or the queue
 *
 * If its subscriber does not take batches any more, or does not want some of what is back from
 * aside, its events go back there one by one, and one that is not wanted ends. What is in the queue
 * was looked through when its subscription was replaced.
 *
 * Returns: (transfer full) (nullable): @delivery, if it can be sent as it is
 */
EbDelivery *
eb_consumer_split_batch (EbConsumer *self, EbDelivery *delivery)
{
  gboolean wanted = !delivery->fetched || is_wanted (self, delivery);
  guint size = eb_delivery_get_size (delivery);

  if (wanted && (size == 1 || eb_consumer_takes_batches (self)))
    return delivery;
  if (size == 1)
    eb_consumer_record_ended (self, eb_delivery_get_sequence (delivery));
  for (guint i = 0; size > 1 && i < size; i++)
    put_back_alone (self, delivery, i);
  eb_delivery_free (delivery);
  return NULL;
}

/**
 * eb_consumer_split_unwanted:
 *
 * Takes batches apart that have events which its subscription does not match any more.
 */
void
eb_consumer_split_unwanted (EbConsumer *self)
{
  GList *next;

  for (GList *link = self->outbox->queue.head; link != NULL; link = next)
    {
      EbDelivery *delivery = link->data;

      next = link->next;
      if (eb_delivery_get_size (delivery) == 1 || is_wanted (self, delivery))
        continue;
      g_queue_unlink (&self->outbox->queue, link);
      self->outbox->queued -= eb_delivery_get_charge (delivery);
      for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
        put_back_alone (self, delivery, i);
      eb_delivery_free (delivery);
    }
}

static gboolean
may_grow (EbConsumer *self, guint64 batch)
{
  return batch > self->position && (self->reading || eb_outbox_has_room_for_page (self->outbox));
}

/**
 * eb_consumer_is_incomplete:
 * @delivery: in the queue
 *
 * Returns: whether it is a batch from before a restart, and the log has not brought all of it
 * again, but will. Where a subscription wants more by now there may be no room for that: it goes in
 *   parts.
 */
gboolean
eb_consumer_is_incomplete (EbConsumer *self, const EbDelivery *delivery)
{
  return may_grow (self, delivery->batch);
}

/**
 * eb_consumer_find_batch:
 * @batch: 0 for none
 *
 * Returns: (transfer none) (nullable): what the log has brought of it again. Others may have come
 * to stand behind that, as its subscription may want more by now.
 */
EbDelivery *
eb_consumer_find_batch (EbConsumer *self, guint64 batch)
{
  for (GList *link = self->outbox->queue.tail; batch != 0 && link != NULL; link = link->prev)
    if (((const EbDelivery *) link->data)->batch == batch)
      return link->data;
  return NULL;
}

/**
 * eb_consumer_requeue:
 * @entry: what is known of the event in @parcel, which is the next of the log
 *
 * Puts what was attempted before a restart to its place in the queue, with the rest of its batch.
 */
void
eb_consumer_requeue (EbConsumer *self, const EbAsideEntry *entry, EbParcel *parcel)
{
  EbDelivery *delivery = eb_consumer_find_batch (self, entry->batch);

  if (delivery != NULL)
    {
      eb_delivery_add (delivery, parcel, self->previous);
      self->previous = entry->sequence;
      self->outbox->queued += eb_event_get_charge (eb_parcel_get_event (parcel));
      return;
    }
  delivery = eb_consumer_enqueue (self, parcel);
  delivery->batch = entry->batch;
  delivery->attempt = entry->attempts;
  delivery->n_failures = entry->n_failures;
  delivery->first_us = entry->first_us;
  delivery->exception = TRUE;
}

static void
postpone (EbConsumer *self, GPtrArray *members)
{
  for (guint i = 0; i < members->len; i++)
    eb_aside_set_state (self->outbox->recovery->aside, g_ptr_array_index (members, i),
                        EB_ASIDE_WAITING, eb_consumer_get_now (self) + EB_CONSUMER_READ_AGAIN);
}

/**
 * eb_consumer_fetch_batch:
 * @batch: one that is due for its retry
 *
 * Has all of its events read.
 */
void
eb_consumer_fetch_batch (EbConsumer *self, guint64 batch)
{
  g_autoptr (GPtrArray) members = eb_aside_find_batch (self->outbox->recovery->aside, batch);

  if (may_grow (self, batch))
    {
      postpone (self, members);
      return;
    }
  for (guint i = 0; i < members->len; i++)
    {
      EbAsideEntry *member = g_ptr_array_index (members, i);

      eb_aside_set_state (self->outbox->recovery->aside, member, EB_ASIDE_FETCHING, 0);
      self->outbox->recovery->n_fetching++;
      self->owner->fetch (self, member->sequence, self->owner->user_data);
    }
}

/**
 * eb_consumer_postpone_batch:
 * @batch: one of whose events could not be read
 */
void
eb_consumer_postpone_batch (EbConsumer *self, guint64 batch)
{
  g_autoptr (GPtrArray) members = eb_aside_find_batch (self->outbox->recovery->aside, batch);

  postpone (self, members);
}

static gboolean
are_fetched (GPtrArray *members)
{
  for (guint i = 0; i < members->len; i++)
    if (((const EbAsideEntry *) g_ptr_array_index (members, i))->state != EB_ASIDE_FETCHED)
      return FALSE;
  return members->len > 0;
}

/**
 * eb_consumer_assemble_batch:
 *
 * Once all events that are left of @batch are there, it is next in line.
 */
void
eb_consumer_assemble_batch (EbConsumer *self, guint64 batch)
{
  g_autoptr (GPtrArray) members = eb_aside_find_batch (self->outbox->recovery->aside, batch);
  EbDelivery *delivery = NULL;

  if (!are_fetched (members))
    return;
  for (guint i = 0; i < members->len; i++)
    {
      EbAsideEntry *member = g_ptr_array_index (members, i);

      if (delivery == NULL)
        delivery = eb_consumer_take_back (self, member, member->parcel);
      else
        eb_delivery_add (delivery, member->parcel, member->previous);
      eb_aside_remove (self->outbox->recovery->aside, member);
    }
  eb_consumer_put_back (self, delivery);
}

static void
remember_in (EbConsumer *self, GQueue *queue, guint min_size)
{
  const EbAnswer none = { .kind = EB_ANSWER_FAILED, .reason = "It was stopped without an answer" };

  for (GList *link = queue->head; link != NULL; link = link->next)
    {
      EbDelivery *delivery = link->data;

      if (eb_delivery_get_size (delivery) < min_size || delivery->attempt == 0
          || delivery->exception)
        continue;
      if (delivery->first_us == 0)
        delivery->first_us = eb_clock_get_real (self->owner->clock);
      eb_consumer_record_aside (self, delivery, &none, 0);
    }
}

/**
 * eb_consumer_remember_batches:
 *
 * What was sent as a batch and has not ended shall be one, whatever its subscription wants from now
 * on.
 */
void
eb_consumer_remember_batches (EbConsumer *self)
{
  remember_in (self, &self->outbox->under_way, 2);
  remember_in (self, &self->outbox->queue, 2);
}

/**
 * eb_consumer_remember:
 *
 * To be called when nothing is sent any more: what was sent and has not ended goes on after the
 * restart, as a batch if it was one, and with its next attempt; at its place, if nothing that was
 * sent later has ended.
 */
void
eb_consumer_remember (EbConsumer *self)
{
  eb_consumer_leave_passed (self, 0);
  remember_in (self, &self->outbox->under_way, 1);
  remember_in (self, &self->outbox->queue, 1);
}
