/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that takes what the log brings: from the tail that its worker reads for
 * all, or from pages of its own. */

/* The ledger may or may not have a cursor of its own for it. */
#define CURSOR_UNKNOWN (EB_CURSOR_FLOOR - 1)

/* Its position is behind the tail: it reads the log until it is there. */
static void
catch_up (EbConsumer *self)
{
  self->lagging = TRUE;
  eb_consumer_note_progress (self);
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_start:
 * @start: where it begins, or goes on
 * @tail: the last event that the worker has read for all
 */
void
eb_consumer_start (EbConsumer *self, const EbStart *start, guint64 tail)
{
  self->position = MAX (start->after, start->previous);
  self->previous = start->previous;
  self->told_previous = start->previous;
  self->told_cursor = start->has_cursor ? CURSOR_UNKNOWN : EB_CURSOR_FLOOR;
  if (start->aside != NULL)
    eb_consumer_load_aside (self, start->aside);
  if (start->batches != NULL)
    eb_consumer_load_batches (self, start->batches);
  if (start->has_cursor)
    eb_consumer_note_progress (self);
  if (self->position < tail)
    catch_up (self);
  else
    eb_consumer_proceed (self);
}

/* Returns: (nullable): what is known of the event, if it was an exception before the start */
static EbAsideEntry *
lookup_ahead (EbConsumer *self, guint64 sequence)
{
  return self->outbox->recovery != NULL
             ? eb_aside_lookup_ahead (self->outbox->recovery->aside, sequence)
             : NULL;
}

static void
take_parcel (EbConsumer *self, EbParcel *parcel)
{
  guint64 sequence = eb_event_get_sequence (eb_parcel_get_event (parcel));
  EbAsideEntry *entry = lookup_ahead (self, sequence);

  if (entry != NULL)
    eb_consumer_meet_exception (self, entry, parcel);
  else
    eb_consumer_plan_batch (self, eb_consumer_enqueue (self, parcel));
  eb_consumer_note_progress (self);
}

/**
 * eb_consumer_pass:
 * @up_to: the last event that the worker has read for all
 *
 * Nobody tells a consumer of the tail's events that are of other types than it wants. Unless it
 * lags it has passed them all the same, which it must know before it is asked how far it is.
 */
void
eb_consumer_pass (EbConsumer *self, guint64 up_to)
{
  if (!self->lagging)
    self->position = MAX (self->position, up_to);
}

/**
 * eb_consumer_offer:
 * @parcel: the next event of the tail that is of a type that it wants
 *
 * Takes it if it passes the filter, unless it has had it already or lags.
 */
void
eb_consumer_offer (EbConsumer *self, EbParcel *parcel)
{
  EbEvent *event = eb_parcel_get_event (parcel);

  eb_consumer_pass (self, eb_event_get_sequence (event) - 1);
  if (self->lagging || eb_event_get_sequence (event) <= self->position)
    return;
  if (eb_subscription_matches (self->subscription, event))
    {
      if (eb_outbox_is_full (self->outbox))
        {
          catch_up (self);
          return;
        }
      take_parcel (self, parcel);
    }
  self->position = eb_event_get_sequence (event);
  if (self->outbox->queue.length > 0)
    eb_consumer_proceed (self);
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
  guint64 n_lost;

  if (up_to <= self->position)
    return;
  g_warning ("%s: lost events %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
             ", which the log no longer has (retention, or damage), before they were delivered",
             eb_sink_get_uri (eb_subscription_get_sink (self->subscription)), self->position + 1,
             up_to);
  n_lost = up_to - self->position + eb_consumer_lose_aside (self, up_to);
  self->position = up_to;
  self->previous = up_to;
  self->owner->lost (self, n_lost, self->owner->user_data);
  eb_consumer_note_progress (self);
}

/* It was an exception before the start, of another subscription, which wanted it. */
static void
pass_unwanted (EbConsumer *self, guint64 sequence)
{
  EbAsideEntry *entry = lookup_ahead (self, sequence);

  if (entry == NULL)
    return;
  if (!entry->dead)
    eb_consumer_record_ended (self, sequence);
  eb_aside_remove (self->outbox->recovery->aside, entry);
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

      if (eb_outbox_is_full (self->outbox))
        return FALSE;
      parcel = eb_parcels_obtain (parcels, event);
      take_parcel (self, parcel);
    }
  else
    pass_unwanted (self, eb_event_get_sequence (event));
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
  if (page == NULL)
    eb_consumer_obtain_recovery (self)->read_at_us =
        eb_clock_get_monotonic (self->owner->clock) + EB_CONSUMER_READ_AGAIN;
  else
    {
      eb_consumer_lose (self, page->lost_up_to);
      for (guint i = 0; i < page->events->len; i++)
        if (!take (self, g_ptr_array_index (page->events, i), parcels))
          break;
    }
  if (self->position >= tail)
    self->lagging = FALSE;
  eb_consumer_note_progress (self);
  eb_consumer_proceed (self);
}
