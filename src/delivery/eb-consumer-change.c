/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that lets another subscription take the place of the one it has. */

/* Returns: whether @a and @b are the same place */
static gboolean
is_same_sink (EbSink *a, EbSink *b)
{
  return eb_sink_get_kind (a) == eb_sink_get_kind (b)
         && g_str_equal (eb_sink_get_uri (a), eb_sink_get_uri (b));
}

/* Takes @delivery. */
static void
drop (EbConsumer *self, EbDelivery *delivery)
{
  self->outbox->queued -= eb_event_get_charge (eb_parcel_get_event (delivery->parcel));
  if (delivery->exception)
    eb_consumer_record_ended (self, eb_delivery_get_sequence (delivery));
  eb_delivery_free (delivery);
}

/* What is not wanted any more is as if it had never matched: the one after it comes after the one
 * before it. */
static void
drop_unwanted (EbConsumer *self)
{
  guint64 dropped = 0, previous = 0;
  GList *link = self->outbox->queue.head;

  while (link != NULL)
    {
      EbDelivery *delivery = link->data;
      GList *next = link->next;

      if (dropped != 0 && delivery->previous == dropped)
        eb_delivery_set_previous (delivery, previous);
      if (!eb_subscription_matches (self->subscription, eb_parcel_get_event (delivery->parcel)))
        {
          dropped = eb_delivery_get_sequence (delivery);
          previous = delivery->previous;
          g_queue_unlink (&self->outbox->queue, link);
          drop (self, delivery);
        }
      link = next;
    }
  if (dropped != 0 && self->previous == dropped)
    self->previous = previous;
}

/* What the old sink wanted, and whether it was there, says nothing about another one. */
static void
forget_sink (EbConsumer *self)
{
  EbRecovery *recovery = self->outbox->recovery;

  if (recovery == NULL)
    return;
  if (recovery->hold != EB_HOLD_RETRY)
    recovery->hold = EB_HOLD_NONE;
  recovery->n_probes = 0;
}

/**
 * eb_consumer_replace:
 * @subscription: takes the place of the one that it has
 *
 * What is under way ends as it began. After that everything is sent as @subscription says.
 */
void
eb_consumer_replace (EbConsumer *self, EbSubscription *subscription)
{
  g_autoptr (EbSubscription) before = self->subscription;

  if (self->outbox->plan != NULL)
    {
      eb_consumer_remember_batches (self); /* what is in them another one could not tell */
      eb_batch_plan_count_anew (self->outbox->plan);
    }
  self->subscription = eb_subscription_ref (subscription);
  self->outdated = self->outbox->channel != NULL;
  eb_consumer_split_unwanted (self);
  self->gone = FALSE; /* whoever replaced it knew nothing of that, or knows better */
  drop_unwanted (self);
  if (!is_same_sink (eb_subscription_get_sink (before), eb_subscription_get_sink (subscription)))
    {
      forget_sink (self);
      eb_consumer_begin_handshake (self);
    }
  else if (!eb_subscription_get_options (before)->handshake
           || !eb_subscription_get_options (subscription)->handshake)
    eb_consumer_begin_handshake (self);
  if (eb_subscription_get_order (before) == EB_ORDER_STRICT
      && eb_subscription_get_order (subscription) == EB_ORDER_RELAXED
      && self->outbox->recovery != NULL && self->outbox->recovery->hold == EB_HOLD_RETRY)
    self->outbox->recovery->hold = EB_HOLD_NONE; /* the next failure stands aside */
  eb_consumer_follow_streak (self, before);
  eb_consumer_apply_rate (self);
  eb_consumer_note_progress (self);
  if (self->outbox->recovery != NULL)
    eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_renew_channel:
 *
 * Lets go of a channel that was opened for the subscription before this one, once nothing is under
 * way on it.
 */
void
eb_consumer_renew_channel (EbConsumer *self)
{
  if (!self->outdated || self->outbox->under_way.length > 0)
    return;
  eb_outbox_close_channel (self->outbox);
  self->outdated = FALSE;
}
