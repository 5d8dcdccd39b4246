/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"
#include "delivery/eb-retry-policy.h"

/* The part of EbConsumer that deals with what waits: aside, until a time, for somebody to be there,
 * or since before the daemon started. */

/**
 * eb_consumer_obtain_recovery:
 *
 * Returns: (transfer none): its recovery, an empty one if there was none
 */
EbRecovery *
eb_consumer_obtain_recovery (EbConsumer *self)
{
  EbOutbox *outbox = eb_consumer_obtain_outbox (self);

  if (outbox->recovery == NULL)
    outbox->recovery = eb_recovery_new (self);
  return outbox->recovery;
}

/**
 * eb_consumer_update_recovery:
 *
 * Waits for what is next, or lets go of what is over. To be called when a turn has done all it can.
 */
void
eb_consumer_update_recovery (EbConsumer *self)
{
  gint64 due_us = eb_recovery_get_due (self->outbox->recovery);

  if (due_us != G_MAXINT64 && !self->gone && !self->finishing)
    {
      eb_agenda_set (self->owner->agenda, &self->outbox->recovery->due, due_us);
      return;
    }
  eb_agenda_clear (self->owner->agenda, &self->outbox->recovery->due);
  if (eb_recovery_is_over (self->outbox->recovery))
    g_clear_pointer (&self->outbox->recovery, eb_recovery_free);
}

/**
 * eb_consumer_record_ended:
 *
 * The exception that the delivery of that event was has ended.
 */
void
eb_consumer_record_ended (EbConsumer *self, guint64 sequence)
{
  const char *id = eb_subscription_get_id (self->subscription);

  self->outbox->recovery->n_exceptions--;
  if (!eb_subscription_is_ephemeral (self->subscription))
    eb_consumer_record (self, eb_change_new (EB_CHANGE_ENDED, id, sequence));
}

/* What others pass while it is under way. What was sent later, and has ended, would be repeated
 * after a crash as long as the cursor is before that. So it is an exception, and comes back like
 * one that waited aside. */

/* @n_later: how many that were sent after @delivery are under way */
static gboolean
is_passed (EbConsumer *self, const EbDelivery *delivery, guint n_later)
{
  return self->outbox->n_turns - delivery->turn - 1 > n_later;
}

static void
leave (EbConsumer *self, EbDelivery *delivery)
{
  const EbAnswer none = { .kind = EB_ANSWER_FAILED, .reason = "It was stopped without an answer" };

  if (!delivery->exception)
    eb_consumer_record_aside (self, delivery, &none, 0);
  delivery->fetched = TRUE;
}

/**
 * eb_consumer_leave_if_passed:
 * @delivery: was under way, and is to be sent again
 */
void
eb_consumer_leave_if_passed (EbConsumer *self, EbDelivery *delivery)
{
  guint n_later = 0;

  for (GList *link = self->outbox->under_way.tail; link != NULL; link = link->prev, n_later++)
    if ((gint) (((const EbDelivery *) link->data)->turn - delivery->turn) < 0)
      break;
  if (!delivery->fetched && is_passed (self, delivery, n_later))
    leave (self, delivery);
}

/**
 * eb_consumer_leave_passed:
 * @age: what is under way for less than that is not worth it
 */
void
eb_consumer_leave_passed (EbConsumer *self, GTimeSpan age)
{
  gint64 now_us = eb_consumer_get_now (self);
  guint n_later = self->outbox->under_way.length;

  for (GList *link = self->outbox->under_way.head; link != NULL; link = link->next)
    {
      EbDelivery *delivery = link->data;

      if (!is_passed (self, delivery, --n_later) || now_us - delivery->sent_us < age)
        break;
      if (!delivery->fetched)
        leave (self, delivery);
    }
}

/* What waits aside, and comes back. */

/**
 * eb_consumer_fetch_due:
 *
 * Has the events read whose time has come, as many as there is room for.
 */
void
eb_consumer_fetch_due (EbConsumer *self)
{
  EbRecovery *recovery = self->outbox->recovery;
  gint64 now_us = eb_consumer_get_now (self);
  EbAsideEntry *next;

  while (!self->gone && (next = eb_recovery_get_next (recovery, now_us)) != NULL)
    {
      if (next->batch != 0)
        {
          eb_consumer_fetch_batch (self, next->batch);
          continue;
        }
      eb_aside_set_state (recovery->aside, next, EB_ASIDE_FETCHING, now_us);
      recovery->n_fetching++;
      self->owner->fetch (self, next->sequence, self->owner->user_data);
    }
}

static void
lose_exception (EbConsumer *self, EbAsideEntry *entry)
{
  guint64 sequence = entry->sequence, batch = entry->batch;

  g_warning ("%s: lost event %" G_GUINT64_FORMAT
             ", which the log no longer has (retention, or damage), while it waited for its retry",
             eb_sink_get_uri (eb_subscription_get_sink (self->subscription)), sequence);
  eb_aside_remove (self->outbox->recovery->aside, entry);
  eb_consumer_record_ended (self, sequence);
  self->owner->lost (self, 1, self->owner->user_data);
  if (batch != 0)
    eb_consumer_assemble_batch (self, batch);
}

/**
 * eb_consumer_take_back:
 * @entry: its numbers
 * @parcel: its event
 *
 * Returns: (transfer full): the delivery that has waited, as it was
 */
EbDelivery *
eb_consumer_take_back (EbConsumer *self, const EbAsideEntry *entry, EbParcel *parcel)
{
  EbDelivery *delivery = eb_delivery_new (self, parcel, entry->previous);

  delivery->attempt = entry->attempts;
  delivery->n_failures = entry->n_failures;
  delivery->first_us = entry->first_us;
  delivery->exception = TRUE;
  delivery->fetched = TRUE;
  return delivery;
}

static void
rejoin_line (EbConsumer *self, EbAsideEntry *entry, EbParcel *parcel)
{
  guint64 batch = entry->batch;

  if (!eb_subscription_matches (self->subscription, eb_parcel_get_event (parcel)))
    {
      eb_consumer_record_ended (self, entry->sequence); /* another subscription wanted it */
      eb_aside_remove (self->outbox->recovery->aside, entry);
    }
  else if (batch == 0)
    {
      eb_consumer_put_back (self, eb_consumer_take_back (self, entry, parcel));
      eb_aside_remove (self->outbox->recovery->aside, entry);
    }
  else
    eb_aside_set_fetched (self->outbox->recovery->aside, entry, parcel);
  if (batch != 0)
    eb_consumer_assemble_batch (self, batch);
}

static EbEvent *
find_event (EbPage *page, guint64 sequence)
{
  EbEvent *event = page->events->len > 0 ? g_ptr_array_index (page->events, 0) : NULL;

  return event != NULL && eb_event_get_sequence (event) == sequence ? event : NULL;
}

static void
wait_again (EbConsumer *self, EbAsideEntry *entry)
{
  if (entry->batch != 0)
    eb_consumer_postpone_batch (self, entry->batch);
  else
    eb_aside_set_state (self->outbox->recovery->aside, entry, EB_ASIDE_WAITING,
                        eb_consumer_get_now (self) + EB_CONSUMER_READ_AGAIN);
}

static void
use_fetched (EbConsumer *self, EbAsideEntry *entry, EbPage *page, GHashTable *parcels)
{
  EbEvent *event = page != NULL ? find_event (page, entry->sequence) : NULL;

  if (page == NULL)
    wait_again (self, entry);
  else if (event == NULL)
    lose_exception (self, entry);
  else
    {
      g_autoptr (EbParcel) parcel = eb_parcels_obtain (parcels, event);

      rejoin_line (self, entry, parcel);
    }
}

/**
 * eb_consumer_take_fetched:
 * @sequence: of the event that it asked for
 * @page: (nullable): what the read has brought; NULL if it failed
 * @parcels: the worker's
 */
void
eb_consumer_take_fetched (EbConsumer *self, guint64 sequence, EbPage *page, GHashTable *parcels)
{
  EbRecovery *recovery = self->outbox->recovery;
  EbAsideEntry *entry = eb_aside_lookup (recovery->aside, sequence);

  recovery->n_fetching--;
  /* Of a batch that waits again, because another of its events could not be read, it is no use. */
  if (entry != NULL && entry->state == EB_ASIDE_FETCHING)
    use_fetched (self, entry, page, parcels);
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_lose_aside:
 * @up_to: the log has no events up to this one any more
 *
 * Returns: how many that waited aside are lost and were not counted with those after its position
 */
guint
eb_consumer_lose_aside (EbConsumer *self, guint64 up_to)
{
  g_autoptr (GArray) lost = NULL;
  guint n_before = 0;

  if (self->outbox->recovery == NULL)
    return 0;
  lost = eb_aside_lose (self->outbox->recovery->aside, up_to);
  for (guint i = 0; i < lost->len; i++)
    {
      guint64 sequence = g_array_index (lost, guint64, i);

      eb_consumer_record_ended (self, sequence);
      n_before += sequence <= self->position;
    }
  return n_before;
}

/* After a restart. */

/* A stepped clock, or one that began in 1970, must not make a retry wait for longer than it was
 * to. */
static gint64
get_due (EbConsumer *self, const EbException *exception)
{
  GTimeSpan delay = MAX (exception->due_us - exception->last_us, 0);
  GTimeSpan left = exception->due_us - eb_clock_get_real (self->owner->clock);

  return eb_consumer_get_now (self) + CLAMP (left, 0, delay);
}

static void
load_exception (EbConsumer *self, const EbException *exception, gint64 due_us)
{
  EbAsideState state = exception->sequence > self->position ? EB_ASIDE_AHEAD : EB_ASIDE_WAITING;
  EbAsideEntry entry = { .sequence = exception->sequence,
                         .previous = exception->previous,
                         .batch = exception->batch,
                         .first_us = exception->first_us,
                         .attempts = exception->attempts,
                         .n_failures = exception->failures,
                         .dead = exception->dead,
                         .held = eb_status_asks_to_wait (exception->last_status),
                         .stopped = exception->due_us == exception->last_us };

  if (eb_aside_lookup (self->outbox->recovery->aside, exception->sequence) != NULL
      || (exception->dead && state != EB_ASIDE_AHEAD))
    return;
  eb_aside_add (self->outbox->recovery->aside, &entry, state, due_us);
  self->outbox->recovery->n_exceptions += !exception->dead;
  if (entry.held && !entry.dead)
    eb_recovery_hold (self->outbox->recovery, EB_HOLD_ASKED, due_us);
}

/**
 * eb_consumer_load_aside:
 * @exceptions: (element-type EbException): what waited when the daemon ended, or was dead
 */
void
eb_consumer_load_aside (EbConsumer *self, GPtrArray *exceptions)
{
  eb_consumer_obtain_recovery (self);
  for (guint i = 0; i < exceptions->len; i++)
    {
      const EbException *exception = g_ptr_array_index (exceptions, i);

      load_exception (self, exception, get_due (self, exception));
    }
  eb_consumer_fetch_due (self);
}

/* Those that the log has brought to their places again. */
static guint
count_in_queue (EbConsumer *self)
{
  guint n = 0;

  for (GList *link = self->outbox->queue.head; link != NULL; link = link->next)
    {
      const EbDelivery *delivery = link->data;

      n += delivery->exception ? eb_delivery_get_size (delivery) : 0;
    }
  return n;
}

/* What held the line because there were too many aside does so again, with all of its batch. */
static gboolean
is_one_too_many (EbConsumer *self, const EbAsideEntry *entry)
{
  if (self->outbox->recovery->n_exceptions <= EB_MAX_ASIDE)
    return FALSE;
  return eb_consumer_find_batch (self, entry->batch) != NULL
         || self->outbox->recovery->n_exceptions - count_in_queue (self) > EB_MAX_ASIDE;
}

/**
 * eb_consumer_meet_exception:
 * @entry: of the event in @parcel, which is the next of the log
 *
 * In strict order, where the sink asked to be left alone or was not heard out, and with as many
 * aside as may be, the log brings it to its place, where it goes on waiting. Else it is passed
 * over, and comes when its time does; what was given up is passed over for good.
 */
void
eb_consumer_meet_exception (EbConsumer *self, EbAsideEntry *entry, EbParcel *parcel)
{
  gint64 due_us = entry->due.due_us;

  if (entry->dead)
    {
      self->previous = entry->sequence;
      eb_aside_remove (self->outbox->recovery->aside, entry);
      eb_consumer_update_recovery (self);
      return;
    }
  if (eb_subscription_get_order (self->subscription) == EB_ORDER_RELAXED && !entry->held
      && !entry->stopped && !is_one_too_many (self, entry))
    {
      eb_aside_set_state (self->outbox->recovery->aside, entry, EB_ASIDE_WAITING, due_us);
      self->previous = entry->sequence;
      eb_consumer_update_recovery (self);
      return;
    }
  eb_consumer_requeue (self, entry, parcel);
  eb_recovery_hold (self->outbox->recovery, entry->held ? EB_HOLD_ASKED : EB_HOLD_RETRY, due_us);
  eb_aside_remove (self->outbox->recovery->aside, entry);
}

/* What comes from outside. */

/**
 * eb_consumer_handle_due:
 * @due: a consumer's entry in the agenda
 */
void
eb_consumer_handle_due (EbDue *due)
{
  EbRecovery *recovery = eb_due_get_owner (due, EbRecovery, due);
  EbConsumer *self = recovery->consumer;
  gint64 now_us = eb_consumer_get_now (self);

  if (recovery->hold != EB_HOLD_NONE && recovery->hold_until_us <= now_us)
    recovery->hold = EB_HOLD_NONE;
  if (recovery->read_at_us <= now_us)
    recovery->read_at_us = 0;
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_nudge:
 *
 * The subscriber says that it is alive: if nobody was there a moment ago, it is worth a try.
 */
void
eb_consumer_nudge (EbConsumer *self)
{
  EbRecovery *recovery = self->outbox->recovery;

  if (recovery == NULL
      || (recovery->hold != EB_HOLD_UNREACHABLE && recovery->hold != EB_HOLD_CONSENT))
    return;
  /* If it was not ready yet, it will be soon. */
  if (recovery->hold == EB_HOLD_UNREACHABLE)
    recovery->n_probes = 1;
  else if (self->outbox->handshake != NULL)
    self->outbox->handshake->n_asked = 0;
  recovery->hold = EB_HOLD_NONE;
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}

static gboolean
has_event (const EbDelivery *delivery, guint64 sequence)
{
  for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
    if (eb_event_get_sequence (eb_parcel_get_event (eb_delivery_get_parcel (delivery, i)))
        == sequence)
      return TRUE;
  return FALSE;
}

static EbDelivery *
find_in (GQueue *queue, guint64 sequence)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    if (has_event (link->data, sequence))
      return link->data;
  return NULL;
}

/* Returns: (nullable): the delivery of the event, if it is being made anyway: a dead letter may
 *   be older than the restart after which the log brought its event again */
static EbDelivery *
find_delivery (EbConsumer *self, guint64 sequence)
{
  EbDelivery *found = find_in (&self->outbox->under_way, sequence);

  if (found == NULL)
    found = find_in (&self->outbox->recovery->line, sequence);
  if (found == NULL && self->outbox->queue.length > 0
      && eb_delivery_get_first (self->outbox->queue.head->data) <= sequence)
    found = find_in (&self->outbox->queue, sequence);
  return found;
}

static void
redrive (EbConsumer *self, const EbException *exception, gint64 due_us)
{
  EbDelivery *delivery = find_delivery (self, exception->sequence);
  EbAsideEntry *passed = eb_aside_lookup_ahead (self->outbox->recovery->aside, exception->sequence);
  EbException anew = *exception;

  anew.dead = FALSE;
  anew.batch = 0;
  anew.attempts = 0;
  anew.failures = 0;
  anew.first_us = 0;
  if (passed != NULL && passed->dead)
    eb_aside_remove (self->outbox->recovery->aside, passed);
  if (delivery == NULL)
    load_exception (self, &anew, due_us);
  else if (!delivery->exception)
    {
      delivery->exception = TRUE;
      self->outbox->recovery->n_exceptions += eb_delivery_get_size (delivery);
    }
}

/**
 * eb_consumer_redrive:
 * @exceptions: (element-type EbException): were dead, and the ledger has them as waiting by now
 *
 * They are next in line, in their order, and their attempts count from 1.
 */
void
eb_consumer_redrive (EbConsumer *self, GPtrArray *exceptions)
{
  gint64 now_us = eb_consumer_get_now (self);

  eb_consumer_obtain_recovery (self);
  for (guint i = 0; i < exceptions->len; i++)
    redrive (self, g_ptr_array_index (exceptions, i), now_us - (exceptions->len - i));
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}
