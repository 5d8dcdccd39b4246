/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* With a report's interval, and the ledger's commit, it stays below a tenth of a second: what a
 * crash may repeat besides what was under way. */
#define SLOW (50 * G_TIME_SPAN_MILLISECOND)

/**
 * eb_consumer_obtain_outbox:
 *
 * Returns: (transfer none): its outbox, its own one from now on
 */
EbOutbox *
eb_consumer_obtain_outbox (EbConsumer *self)
{
  if (self->outbox == eb_outbox_get_nothing ())
    self->outbox = eb_outbox_new ();
  return self->outbox;
}

/**
 * eb_consumer_apply_rate:
 *
 * Keeps to what its subscription says from now on, and to what its sink has said.
 */
void
eb_consumer_apply_rate (EbConsumer *self)
{
  guint64 rate = eb_subscription_get_options (self->subscription)->rate;
  guint64 allowed = self->allowed_rate;

  if (rate == 0 && allowed == 0 && self->outbox->recovery == NULL)
    return;
  if (allowed > 0 && (rate == 0 || allowed < rate * 60))
    eb_rate_set (&eb_consumer_obtain_recovery (self)->rate, allowed, G_TIME_SPAN_MINUTE);
  else
    eb_rate_set (&eb_consumer_obtain_recovery (self)->rate, rate, G_TIME_SPAN_SECOND);
  self->outbox->recovery->paced = FALSE; /* the next one to be sent sees how long it must wait */
}

/**
 * eb_consumer_new:
 * @owner: must outlive the consumer
 *
 * Returns: (transfer full): a consumer that was not started
 */
EbConsumer *
eb_consumer_new (EbSubscription *subscription, const EbConsumerOwner *owner)
{
  EbConsumer *self = g_new0 (EbConsumer, 1);

  self->link.data = self;
  self->subscription = eb_subscription_ref (subscription);
  self->owner = owner;
  self->outbox = eb_outbox_get_nothing ();
  self->settled = TRUE;
  eb_consumer_begin_handshake (self);
  eb_consumer_load_streak (self);
  eb_consumer_apply_rate (self);
  return self;
}

/**
 * eb_consumer_free:
 *
 * Ends what is under way.
 */
void
eb_consumer_free (EbConsumer *self)
{
  if (self->outbox->recovery != NULL)
    eb_agenda_clear (self->owner->agenda, &self->outbox->recovery->due);
  eb_outbox_free (self->outbox);
  if (!self->settled)
    self->owner->settled (self, TRUE, self->owner->user_data);
  eb_subscription_unref (self->subscription);
  g_free (self);
}

EbSubscription *
eb_consumer_get_subscription (EbConsumer *self)
{
  return self->subscription;
}

static gpointer
get_identity (gconstpointer key)
{
  return eb_subscription_get_identity (*(EbSubscription *const *) key);
}

/**
 * eb_consumer_hash:
 * @key: a consumer, or where there is a pointer to a subscription
 *
 * For a set of consumers, which takes less memory than a table by identity: a worker may have a
 * million. One is looked up by its subscription, or another of the same identity.
 */
guint
eb_consumer_hash (gconstpointer key)
{
  return g_direct_hash (get_identity (key));
}

gboolean
eb_consumer_equal (gconstpointer a, gconstpointer b)
{
  return get_identity (a) == get_identity (b);
}

/**
 * eb_consumer_get_link:
 *
 * Returns: (transfer none): its place in its worker's list of consumers
 */
GList *
eb_consumer_get_link (EbConsumer *self)
{
  return &self->link;
}

/* What a held, a paced or a stopped subscription owes, and what waits aside, waits for longer than
 * anybody who stops the daemon would. What an ephemeral subscriber was sent is on its way, whether
 * or not it says so in the end. */
static void
update_settled (EbConsumer *self)
{
  gboolean asking = self->outbox->handshake != NULL && self->outbox->handshake->question != NULL;
  gboolean sent = (self->outbox->under_way.length == 0 && !asking)
                  || eb_subscription_is_ephemeral (self->subscription);
  gboolean waits = self->outbox->queue.length > 0 || self->lagging;
  gboolean must_wait = eb_consumer_is_held (self) || eb_consumer_is_paced (self)
                       || eb_consumer_is_stopped (self) || eb_consumer_waits_for_aside (self)
                       || self->finishing;
  gboolean settled = self->gone || (sent && (!waits || must_wait));

  if (settled == self->settled)
    return;
  self->settled = settled;
  self->owner->settled (self, settled, self->owner->user_data);
}

/* To a sink that was not there, one attempt is enough to see whether it is back. */
static gboolean
may_send_but_for_rate (EbConsumer *self)
{
  guint limit = self->outbox->recovery != NULL && self->outbox->recovery->n_probes > 0
                    ? 1
                    : eb_subscription_get_concurrency (self->subscription);

  return self->outbox->under_way.length < limit && !eb_consumer_is_held (self)
         && self->outbox->handshake == NULL && !self->outdated && !eb_consumer_is_stopped (self);
}

/* Says how it stands with the rate, too: whether that is all that something waits for. */
static gboolean
may_send (EbConsumer *self)
{
  EbRecovery *recovery = self->outbox->recovery;

  if (recovery == NULL || !eb_rate_is_limited (&recovery->rate))
    return may_send_but_for_rate (self);
  recovery->paced = (self->outbox->queue.length > 0 || recovery->line.length > 0)
                    && may_send_but_for_rate (self)
                    && eb_rate_get_due (&recovery->rate) > eb_consumer_get_now (self);
  return !recovery->paced && may_send_but_for_rate (self);
}

/* Returns: (nullable): what is sent next */
static EbDelivery *
pop_first (EbConsumer *self)
{
  EbDelivery *delivery;

  if (self->outbox->recovery != NULL && self->outbox->recovery->line.length > 0)
    return g_queue_pop_head_link (&self->outbox->recovery->line)->data;
  delivery = g_queue_peek_head (&self->outbox->queue);
  if (delivery == NULL || eb_consumer_waits_for_aside (self)
      || eb_consumer_is_incomplete (self, delivery) || !eb_consumer_fix_batch (self, delivery))
    return NULL;
  g_queue_unlink (&self->outbox->queue, &delivery->link);
  self->outbox->queued -= eb_delivery_get_charge (delivery);
  eb_consumer_fill_batch (self, delivery);
  return delivery;
}

/* Returns: (nullable): its link */
static GList *
pop_next (EbConsumer *self)
{
  EbDelivery *first, *delivery = NULL;

  while (delivery == NULL && (first = pop_first (self)) != NULL)
    delivery = eb_consumer_split_batch (self, first);
  return delivery != NULL ? &delivery->link : NULL;
}

static void
open_channel (EbConsumer *self)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (self->subscription));

  self->outbox->transport = self->owner->get_transport (kind, self->owner->user_data);
  self->outbox->channel = eb_transport_open (self->outbox->transport, self->subscription);
}

static void
send (EbConsumer *self, GList *link)
{
  EbDelivery *delivery = link->data;

  if (self->outbox->channel == NULL)
    open_channel (self);
  g_queue_push_tail_link (&self->outbox->under_way, link);
  delivery->attempt++;
  delivery->sent_us = eb_consumer_get_now (self);
  delivery->turn = self->outbox->n_turns++;
  if (self->outbox->recovery != NULL)
    eb_rate_take (&self->outbox->recovery->rate, delivery->sent_us);
  eb_transport_send (self->outbox->transport, self->outbox->channel, delivery);
}

static gboolean
may_read (EbConsumer *self)
{
  return self->lagging && !self->reading && eb_outbox_has_room_for_page (self->outbox)
         && (self->outbox->recovery == NULL || self->outbox->recovery->read_at_us == 0);
}

/**
 * eb_consumer_proceed:
 *
 * Does whatever can be done now.
 */
void
eb_consumer_proceed (EbConsumer *self)
{
  GList *link;

  eb_consumer_renew_channel (self);
  if (!self->gone && !self->finishing)
    {
      eb_consumer_ask (self);
      while (may_send (self) && (link = pop_next (self)) != NULL)
        send (self, link);
      if (may_read (self))
        {
          self->reading = TRUE;
          self->owner->read (self, self->position, self->owner->user_data);
        }
    }
  if (self->outbox->recovery != NULL)
    eb_consumer_update_recovery (self);
  update_settled (self);
}

/**
 * eb_consumer_finish:
 *
 * What is under way ends, and nothing more is sent: it goes on from the ledger. What an ephemeral
 * subscriber is not sent now it will never get, so for it nothing changes.
 */
void
eb_consumer_finish (EbConsumer *self)
{
  self->finishing = !eb_subscription_is_ephemeral (self->subscription);
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_note_progress:
 *
 * Its cursor may have moved, or stands still while others go on. A hot path: once until the next
 * eb_consumer_take_progress() is enough.
 */
void
eb_consumer_note_progress (EbConsumer *self)
{
  if (self->progressed || eb_subscription_is_ephemeral (self->subscription))
    return;
  self->progressed = TRUE;
  self->owner->progressed (self, self->owner->user_data);
}

/**
 * eb_consumer_enqueue:
 *
 * Returns: (transfer none): a delivery at the end of the queue
 */
EbDelivery *
eb_consumer_enqueue (EbConsumer *self, EbParcel *parcel)
{
  EbOutbox *outbox = eb_consumer_obtain_outbox (self);
  EbEvent *event = eb_parcel_get_event (parcel);
  EbDelivery *delivery = eb_delivery_new (self, parcel, self->previous);

  self->previous = eb_event_get_sequence (event);
  outbox->queued += eb_event_get_charge (event);
  g_queue_push_tail_link (&outbox->queue, &delivery->link);
  return delivery;
}

static void
insert_by_sequence (GQueue *queue, EbDelivery *delivery)
{
  GList *next = queue->head;

  /* As far as there are others that were sent and came back: not many. */
  while (next != NULL && eb_delivery_get_first (next->data) < eb_delivery_get_first (delivery))
    next = next->next;
  g_queue_insert_before_link (queue, next, &delivery->link);
}

/**
 * eb_consumer_put_back:
 * @delivery: (transfer full): one that was sent
 *
 * To its place in the line or in the queue, before everything that was not sent yet.
 */
void
eb_consumer_put_back (EbConsumer *self, EbDelivery *delivery)
{
  if (delivery->fetched)
    {
      insert_by_sequence (&eb_consumer_obtain_recovery (self)->line, delivery);
      return;
    }
  insert_by_sequence (&self->outbox->queue, delivery);
  self->outbox->queued += eb_delivery_get_charge (delivery);
}

/**
 * eb_consumer_find_first:
 *
 * Returns: (transfer none) (nullable): the first delivery that has not ended and that a restart
 *   would take from the log again
 */
EbDelivery *
eb_consumer_find_first (EbConsumer *self)
{
  EbDelivery *first = g_queue_peek_head (&self->outbox->queue);

  for (GList *link = self->outbox->under_way.head; link != NULL; link = link->next)
    {
      EbDelivery *delivery = link->data;

      if (!delivery->fetched
          && (first == NULL || eb_delivery_get_first (delivery) < eb_delivery_get_first (first)))
        first = delivery;
    }
  return first;
}

/* @told: @cursor, or the floor */
static EbChange *
tell_cursor (EbConsumer *self, guint64 told, guint64 cursor, guint64 previous)
{
  EbChange *change = eb_change_new_position (
      EB_CHANGE_CURSOR, eb_subscription_get_id (self->subscription), told, previous, 0);

  change->first = cursor;
  self->told_cursor = told;
  self->told_previous = previous;
  return change;
}

/**
 * eb_consumer_take_progress:
 * @tail: the last event that the worker has read for all; what has passed it needs no cursor of its
 *   own
 *
 * From here on, until there is progress again, the ledger may take @tail for the cursor of a
 * subscription that it has no other for.
 *
 * Returns: (transfer full) (nullable): what the ledger is to be told; NULL if it knows
 */
EbChange *
eb_consumer_take_progress (EbConsumer *self, guint64 tail)
{
  guint64 previous, cursor, told;
  gboolean previous_counts;

  eb_consumer_leave_passed (self, SLOW);
  cursor = eb_consumer_get_cursor (self, &previous);
  told = cursor < tail ? cursor : EB_CURSOR_FLOOR;
  /* Who takes all has had the event before its cursor: there is nothing to remember. */
  previous_counts = cursor < tail || !eb_subscription_takes_all (self->subscription);
  self->progressed = FALSE;
  if (told == self->told_cursor && (!previous_counts || previous == self->told_previous))
    return NULL;
  return tell_cursor (self, told, cursor, previous);
}
