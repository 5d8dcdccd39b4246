/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer.h"

/* A subscription as its worker sees it: what it was offered, what is under way, and how far it got.
 *
 * It takes events from the tail that its worker reads for all, into a bounded queue. When that is
 * full it lags: it forgets the tail and reads the log from its own position, page by page as the
 * queue empties, until it has caught up with the tail. So what a slow sink costs is its queue.
 *
 * Lives in its worker's thread. */
struct _EbConsumer
{
  GList link;                   /* in its worker's list; data is the consumer itself */
  EbSubscription *subscription; /* (owned) */
  EbTransport *transport;       /* (unowned) its worker's */
  EbChannel *channel;           /* (owned) (nullable) until there is something to send */
  const EbConsumerOwner *owner;
  gpointer user_data;

  GQueue queue;     /* (element-type EbDelivery) not sent yet */
  gsize queued;     /* the charges of the events in it */
  GQueue under_way; /* (element-type EbDelivery) sent and not answered */
  guint64 position; /* the last event that it took, or passed over */
  guint64 previous; /* the last event that it took, or lost; 0 at first */
  gboolean lagging;
  gboolean reading; /* lagging, and a page is on its way */
  gboolean settled; /* as its worker was told */
  gboolean gone;    /* nobody is there any more: nothing is sent */
};

/**
 * eb_consumer_new:
 * @transport: to the subscription's sink; must outlive the consumer
 * @after: a sequence: it gets what comes after
 *
 * Returns: (transfer full): a consumer with nothing in it
 */
EbConsumer *
eb_consumer_new (EbSubscription *subscription,
                 EbTransport *transport,
                 guint64 after,
                 const EbConsumerOwner *owner,
                 gpointer user_data)
{
  EbConsumer *self = g_new0 (EbConsumer, 1);

  self->link.data = self;
  self->subscription = eb_subscription_ref (subscription);
  self->transport = transport;
  self->owner = owner;
  self->user_data = user_data;
  self->position = after;
  self->settled = TRUE;
  return self;
}

static void
free_deliveries (GQueue *deliveries)
{
  GList *link;

  while ((link = g_queue_pop_head_link (deliveries)) != NULL)
    eb_delivery_free (link->data);
}

/**
 * eb_consumer_free:
 *
 * Ends what is under way.
 */
void
eb_consumer_free (EbConsumer *self)
{
  if (self->channel != NULL)
    eb_transport_close (self->transport, self->channel);
  free_deliveries (&self->under_way);
  free_deliveries (&self->queue);
  if (!self->settled)
    self->owner->settled (self, TRUE, self->user_data);
  eb_subscription_unref (self->subscription);
  g_free (self);
}

EbSubscription *
eb_consumer_get_subscription (EbConsumer *self)
{
  return self->subscription;
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

static gboolean
is_full (EbConsumer *self)
{
  return self->queue.length >= EB_QUEUE_MAX_LENGTH || self->queued >= EB_QUEUE_MAX_BYTES;
}

/* Half empty, so that pages are worth their reading. */
static gboolean
has_room_for_page (EbConsumer *self)
{
  return self->queue.length <= EB_QUEUE_MAX_LENGTH / 2 && self->queued <= EB_QUEUE_MAX_BYTES / 2;
}

/* What an ephemeral subscriber was sent is on its way, whether or not it says so in the end. */
static void
update_settled (EbConsumer *self)
{
  gboolean sent = self->under_way.length == 0 || eb_subscription_is_ephemeral (self->subscription);
  gboolean settled = self->gone || (sent && self->queue.length == 0 && !self->lagging);

  if (settled == self->settled)
    return;
  self->settled = settled;
  self->owner->settled (self, settled, self->user_data);
}

static void
send_next (EbConsumer *self)
{
  GList *link = g_queue_pop_head_link (&self->queue);
  EbDelivery *delivery = link->data;

  if (self->channel == NULL)
    self->channel = eb_transport_open (self->transport, self->subscription);
  self->queued -= eb_event_get_charge (eb_parcel_get_event (delivery->parcel));
  g_queue_push_tail_link (&self->under_way, link);
  delivery->attempt++;
  eb_transport_send (self->transport, self->channel, delivery);
}

/* Does whatever can be done now. */
static void
proceed (EbConsumer *self)
{
  if (!self->gone)
    {
      while (self->queue.length > 0
             && self->under_way.length < eb_subscription_get_concurrency (self->subscription))
        send_next (self);
      if (self->lagging && !self->reading && has_room_for_page (self))
        {
          self->reading = TRUE;
          self->owner->read (self, self->position, self->user_data);
        }
    }
  update_settled (self);
}

static void
enqueue (EbConsumer *self, EbParcel *parcel)
{
  EbEvent *event = eb_parcel_get_event (parcel);
  EbDelivery *delivery = eb_delivery_new (self, parcel, self->previous);

  self->previous = eb_event_get_sequence (event);
  self->queued += eb_event_get_charge (event);
  g_queue_push_tail_link (&self->queue, &delivery->link);
}

/**
 * eb_consumer_catch_up:
 *
 * Its position is behind the tail: it reads the log until it is there.
 */
void
eb_consumer_catch_up (EbConsumer *self)
{
  self->lagging = TRUE;
  proceed (self);
}

/**
 * eb_consumer_offer:
 * @parcel: the next event of the tail
 *
 * Takes it if it matches, unless it has had it already or lags.
 */
void
eb_consumer_offer (EbConsumer *self, EbParcel *parcel)
{
  EbEvent *event = eb_parcel_get_event (parcel);

  if (self->lagging || eb_event_get_sequence (event) <= self->position)
    return;
  if (eb_subscription_matches (self->subscription, event))
    {
      if (is_full (self))
        {
          eb_consumer_catch_up (self);
          return;
        }
      enqueue (self, parcel);
    }
  self->position = eb_event_get_sequence (event);
  if (self->queue.length > 0)
    proceed (self);
}

/**
 * eb_consumer_lose:
 * @up_to: the log does not have events up to this one any more
 *
 * The subscriber sees the gap in the next delivery's `eventbus-previous`.
 */
void
eb_consumer_lose (EbConsumer *self, guint64 up_to)
{
  if (up_to <= self->position)
    return;
  g_warning ("%s: lost events %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
             ", which retention removed before they were delivered",
             eb_sink_get_uri (eb_subscription_get_sink (self->subscription)), self->position + 1,
             up_to);
  self->position = up_to;
  self->previous = up_to;
}

/* Returns: FALSE if there was no room for it */
static gboolean
take (EbConsumer *self, EbEvent *event, GHashTable *parcels)
{
  if (eb_event_get_sequence (event) <= self->position)
    return TRUE;
  if (eb_subscription_matches (self->subscription, event))
    {
      g_autoptr (EbParcel) parcel = NULL;

      if (is_full (self))
        return FALSE;
      parcel = eb_parcels_obtain (parcels, event);
      enqueue (self, parcel);
    }
  self->position = eb_event_get_sequence (event);
  return TRUE;
}

/**
 * eb_consumer_take_page:
 * @page: (nullable): what the read that it asked for has brought; NULL if it failed
 * @tail: the last event that the worker has read for all
 * @parcels: the worker's
 */
void
eb_consumer_take_page (EbConsumer *self, EbPage *page, guint64 tail, GHashTable *parcels)
{
  self->reading = FALSE;
  if (page != NULL)
    {
      eb_consumer_lose (self, page->lost_up_to);
      for (guint i = 0; i < page->events->len; i++)
        if (!take (self, g_ptr_array_index (page->events, i), parcels))
          break;
    }
  if (self->position >= tail)
    self->lagging = FALSE;
  proceed (self);
}

/**
 * eb_consumer_answer:
 * @delivery: one that a consumer has under way
 *
 * An #EbAnswerFunc that ends the delivery.
 */
void
eb_consumer_answer (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbConsumer *self = delivery->consumer;

  g_queue_unlink (&self->under_way, &delivery->link);
  self->owner->ended (self, delivery, answer, self->user_data);
  eb_delivery_free (delivery);

  if (answer->kind == EB_ANSWER_GONE && !self->gone)
    {
      self->gone = TRUE;
      self->owner->gone (self, answer->reason, self->user_data);
    }
  proceed (self);
}
