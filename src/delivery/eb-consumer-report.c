/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that says how it is, and where it stands. */

/**
 * eb_consumer_note_answer:
 * @delivery: whose attempt has just ended
 */
void
eb_consumer_note_answer (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer)
{
  if (self->outbox->attempts == NULL)
    self->outbox->attempts = eb_attempts_new ();
  eb_attempts_add (self->outbox->attempts, delivery, answer, eb_consumer_get_now (self));
}

static const char *
get_state (EbConsumer *self)
{
  const EbRecovery *recovery = self->outbox->recovery;

  if (eb_subscription_is_paused (self->subscription))
    return "paused";
  if (eb_subscription_is_disabled (self->subscription))
    return "disabled";
  if (recovery != NULL
      && (recovery->hold == EB_HOLD_UNREACHABLE
          || (recovery->hold == EB_HOLD_NONE && recovery->n_probes > 0)))
    return "unreachable";
  if (eb_consumer_is_held (self) || eb_consumer_waits_for_aside (self))
    return "held";
  return self->lagging ? "lagging" : "active";
}

/**
 * eb_consumer_get_cursor:
 * @previous: (out) (optional): the last event that it matched up to there
 *
 * Returns: the sequence up to which everything has ended or is an exception
 */
guint64
eb_consumer_get_cursor (EbConsumer *self, guint64 *previous)
{
  EbDelivery *first = eb_consumer_find_first (self);

  if (previous != NULL)
    *previous = first != NULL ? first->previous : self->previous;
  return first != NULL ? eb_delivery_get_first (first) - 1 : self->position;
}

/**
 * eb_consumer_inspect:
 *
 * Returns: (transfer full): how it is
 */
EbInspection *
eb_consumer_inspect (EbConsumer *self)
{
  EbInspection *inspection = g_new0 (EbInspection, 1);

  inspection->state = get_state (self);
  inspection->cursor = eb_consumer_get_cursor (self, NULL);
  inspection->last_error = eb_consumer_describe_disabled (self);
  if (inspection->last_error == NULL)
    inspection->last_error = g_strdup (eb_consumer_get_refusal (self));
  if (self->outbox->attempts != NULL)
    {
      if (inspection->last_error == NULL)
        inspection->last_error = g_strdup (eb_attempts_get_error (self->outbox->attempts));
      inspection->attempts = eb_attempts_list (self->outbox->attempts, self->owner->clock);
    }
  else
    inspection->attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_attempt_record_free);
  return inspection;
}

/* Where it would go on. */

/* Takes its place, with the event at @index, among @aside as if it had waited for its turn. */
static void
add_event (EbConsumer *self, GPtrArray *aside, const EbDelivery *delivery, guint index)
{
  EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (delivery, index));
  gboolean batched = eb_delivery_get_size (delivery) > 1;
  EbException *exception = g_new0 (EbException, 1);

  exception->sequence = eb_event_get_sequence (event);
  exception->previous = eb_delivery_get_previous (delivery, index);
  exception->batch = batched ? eb_delivery_get_sequence (delivery) : 0;
  exception->attempts = delivery->attempt;
  exception->failures = delivery->n_failures;
  exception->first_us = delivery->first_us;
  exception->last_us = exception->due_us = eb_clock_get_real (self->owner->clock);
  g_ptr_array_add (aside, exception);
}

static void
add_deliveries (EbConsumer *self, GPtrArray *aside, GQueue *deliveries)
{
  for (GList *link = deliveries->head; link != NULL; link = link->next)
    {
      const EbDelivery *delivery = link->data;

      for (guint i = 0; delivery->exception && i < eb_delivery_get_size (delivery); i++)
        add_event (self, aside, delivery, i);
    }
}

static void
add_entry (EbAsideEntry *entry, gpointer user_data)
{
  EbException *exception = g_new0 (EbException, 1);

  exception->sequence = entry->sequence;
  exception->previous = entry->previous;
  exception->batch = entry->batch;
  exception->dead = entry->dead;
  exception->attempts = entry->attempts;
  exception->failures = entry->n_failures;
  exception->first_us = entry->first_us;
  exception->due_us = entry->due.due_us; /* monotonic; 0 once it is fetched */
  g_ptr_array_add (user_data, exception);
}

/* What waits goes on waiting for as long as it would have. */
static GPtrArray *
list_aside (EbConsumer *self)
{
  GPtrArray *aside = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  EbClock *clock = self->owner->clock;
  gint64 now_us = eb_clock_get_real (clock);
  gint64 offset_us = now_us - eb_clock_get_monotonic (clock);

  if (self->outbox->recovery != NULL)
    {
      eb_aside_foreach (self->outbox->recovery->aside, add_entry, aside);
      for (guint i = 0; i < aside->len; i++)
        {
          EbException *exception = g_ptr_array_index (aside, i);

          exception->last_us = now_us;
          exception->due_us = MAX (exception->due_us + offset_us, now_us);
        }
      add_deliveries (self, aside, &self->outbox->recovery->line);
    }
  add_deliveries (self, aside, &self->outbox->queue);
  add_deliveries (self, aside, &self->outbox->under_way);
  return aside;
}

/**
 * eb_consumer_get_start:
 *
 * Returns: (transfer full): where another one could take over from it
 */
EbStart *
eb_consumer_get_start (EbConsumer *self)
{
  EbStart *start = g_new0 (EbStart, 1);

  start->after = eb_consumer_get_cursor (self, &start->previous);
  start->has_cursor = TRUE;
  start->aside = list_aside (self);
  start->batches = eb_consumer_list_batches (self);
  return start;
}
