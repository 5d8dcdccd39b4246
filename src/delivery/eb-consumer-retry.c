/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that deals with what went wrong: what an answer does to the delivery, what
 * waits aside and comes back, and until when nothing is sent. */

static gint64
get_now (EbConsumer *self)
{
  return eb_clock_get_monotonic (self->owner->clock);
}

/**
 * eb_consumer_obtain_recovery:
 *
 * Returns: (transfer none): its recovery, an empty one if there was none
 */
EbRecovery *
eb_consumer_obtain_recovery (EbConsumer *self)
{
  if (self->recovery == NULL)
    self->recovery = eb_recovery_new (self);
  return self->recovery;
}

/**
 * eb_consumer_update_recovery:
 *
 * Waits for what is next, or lets go of what is over. To be called when a turn has done all it can.
 */
void
eb_consumer_update_recovery (EbConsumer *self)
{
  gint64 due_us = eb_recovery_get_due (self->recovery);

  if (due_us != G_MAXINT64 && !self->gone)
    {
      eb_agenda_set (self->owner->agenda, &self->recovery->due, due_us);
      return;
    }
  eb_agenda_clear (self->owner->agenda, &self->recovery->due);
  if (eb_recovery_is_over (self->recovery))
    g_clear_pointer (&self->recovery, eb_recovery_free);
}

/* What the ledger is told. */

static void
record (EbConsumer *self, EbChange *change)
{
  self->owner->record (self, change, self->owner->user_data);
}

static void
record_ended (EbConsumer *self, guint64 sequence)
{
  const char *id = eb_subscription_get_id (self->subscription);

  self->recovery->n_exceptions--;
  if (!eb_subscription_is_ephemeral (self->subscription))
    record (self, eb_change_new (EB_CHANGE_ENDED, id, sequence));
}

static void
record_failure (EbConsumer *self,
                EbDelivery *delivery,
                EbChangeKind kind,
                const EbAnswer *answer,
                GTimeSpan delay)
{
  const char *id = eb_subscription_get_id (self->subscription);
  gint64 now_us = eb_clock_get_real (self->owner->clock);
  EbChange *change;

  if (eb_subscription_is_ephemeral (self->subscription))
    return;
  change = eb_change_new (kind, id, eb_delivery_get_sequence (delivery));
  change->exception.previous = delivery->previous;
  change->exception.attempts = delivery->attempt;
  change->exception.failures = delivery->n_failures;
  change->exception.last_status = answer->kind == EB_ANSWER_RESPONSE ? answer->status : 0;
  change->exception.reason = eb_answer_describe (answer);
  change->exception.first_us = delivery->first_us;
  change->exception.last_us = now_us;
  change->exception.due_us = kind == EB_CHANGE_ASIDE ? now_us + delay : 0;
  record (self, change);
}

/* It is one from now on, if it was not yet. */
static void
record_aside (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  if (!delivery->exception)
    eb_consumer_obtain_recovery (self)->n_exceptions++;
  delivery->exception = TRUE;
  record_failure (self, delivery, EB_CHANGE_ASIDE, answer, delay);
}

/* What becomes of a delivery. All of them take it from its consumer's hands. */

static void
end (EbConsumer *self, EbDelivery *delivery)
{
  if (delivery->exception)
    record_ended (self, eb_delivery_get_sequence (delivery));
  eb_delivery_free (delivery);
}

static void
end_subscription (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer)
{
  g_autofree char *reason = eb_answer_describe (answer);

  if (delivery->exception)
    self->recovery->n_exceptions--;
  eb_delivery_free (delivery);
  if (self->gone)
    return;
  self->gone = TRUE;
  self->owner->gone (self, reason, self->owner->user_data);
}

/* Several that were under way may find nobody; that is one probe. */
static void
wait_for_sink (EbConsumer *self, EbDelivery *delivery, GTimeSpan delay)
{
  EbRecovery *recovery = eb_consumer_obtain_recovery (self);

  delivery->attempt--;
  eb_consumer_put_back (self, delivery);
  if (recovery->hold != EB_HOLD_NONE)
    return;
  recovery->n_probes++;
  eb_recovery_hold (recovery, EB_HOLD_UNREACHABLE, get_now (self) + delay);
}

static void
hold_line (EbConsumer *self, EbDelivery *delivery, EbHold hold, GTimeSpan delay)
{
  eb_consumer_put_back (self, delivery);
  eb_recovery_hold (eb_consumer_obtain_recovery (self), hold, get_now (self) + delay);
}

/* A delivery that is an exception already stays one, and its attempts shall survive a restart. */
static void
leave_alone (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  if (delivery->exception)
    record_aside (self, delivery, answer, delay);
  hold_line (self, delivery, EB_HOLD_ASKED, delay);
}

static void
set_aside (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  EbAsideEntry entry = { .sequence = eb_delivery_get_sequence (delivery),
                         .previous = delivery->previous,
                         .first_us = delivery->first_us,
                         .attempts = delivery->attempt,
                         .n_failures = delivery->n_failures };

  record_aside (self, delivery, answer, delay);
  eb_aside_add (self->recovery->aside, &entry, EB_ASIDE_WAITING, get_now (self) + delay);
  eb_delivery_free (delivery);
}

static gboolean
may_stand_aside (EbConsumer *self, EbDelivery *delivery)
{
  return delivery->exception || self->recovery == NULL
         || self->recovery->n_exceptions < EB_MAX_ASIDE;
}

static void
retry_later (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  gboolean strict = eb_subscription_get_order (self->subscription) == EB_ORDER_STRICT;

  if (!strict && may_stand_aside (self, delivery))
    {
      set_aside (self, delivery, answer, delay);
      return;
    }
  if (strict)
    record_aside (self, delivery, answer, delay);
  hold_line (self, delivery, EB_HOLD_RETRY, delay);
}

static void
give_up (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer)
{
  record_failure (self, delivery, EB_CHANGE_DEAD, answer, 0);
  if (delivery->exception)
    self->recovery->n_exceptions--;
  eb_delivery_free (delivery);
}

static void
carry_out (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, EbVerdict verdict)
{
  switch (verdict.kind)
    {
    case EB_VERDICT_DELIVERED:
      end (self, delivery);
      break;
    case EB_VERDICT_UNREACHABLE:
      wait_for_sink (self, delivery, verdict.delay);
      break;
    case EB_VERDICT_HOLD:
      leave_alone (self, delivery, answer, verdict.delay);
      break;
    case EB_VERDICT_RETRY:
      retry_later (self, delivery, answer, verdict.delay);
      break;
    case EB_VERDICT_DEAD:
      give_up (self, delivery, answer);
      break;
    case EB_VERDICT_GONE:
    default:
      end_subscription (self, delivery, answer);
      break;
    }
}

static void
note_attempt (EbConsumer *self, EbDelivery *delivery, EbVerdictKind kind)
{
  if (kind == EB_VERDICT_UNREACHABLE)
    return;
  if (self->recovery != NULL)
    self->recovery->n_probes = 0;
  delivery->n_failures += kind == EB_VERDICT_RETRY || kind == EB_VERDICT_DEAD;
  if (kind != EB_VERDICT_DELIVERED && delivery->first_us == 0)
    delivery->first_us = eb_clock_get_real (self->owner->clock);
}

/**
 * eb_consumer_answer:
 * @delivery: one that a consumer has under way
 *
 * An #EbAnswerFunc that does what the verdict on @answer says.
 */
void
eb_consumer_answer (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbConsumer *self = delivery->consumer;
  guint n_probes = self->recovery != NULL ? self->recovery->n_probes : 0;
  EbVerdict verdict = self->owner->judge (self, delivery, answer, n_probes, self->owner->user_data);

  g_queue_unlink (&self->under_way, &delivery->link);
  note_attempt (self, delivery, verdict.kind);
  carry_out (self, delivery, answer, verdict);
  eb_consumer_note_progress (self);
  if (self->recovery != NULL)
    eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
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
  EbRecovery *recovery = self->recovery;
  gint64 now_us = get_now (self);
  EbAsideEntry *next;

  while (!self->gone && (next = eb_recovery_get_next (recovery, now_us)) != NULL)
    {
      eb_aside_set_state (recovery->aside, next, EB_ASIDE_FETCHING, now_us);
      recovery->n_fetching++;
      self->owner->fetch (self, next->sequence, self->owner->user_data);
    }
}

static void
lose_exception (EbConsumer *self, EbAsideEntry *entry)
{
  guint64 sequence = entry->sequence;

  g_warning ("%s: lost event %" G_GUINT64_FORMAT
             ", which retention removed while it waited for its retry",
             eb_sink_get_uri (eb_subscription_get_sink (self->subscription)), sequence);
  eb_aside_remove (self->recovery->aside, entry);
  record_ended (self, sequence);
  self->owner->lost (self, 1, self->owner->user_data);
}

static void
rejoin_line (EbConsumer *self, EbAsideEntry *entry, EbParcel *parcel)
{
  EbDelivery *delivery = eb_delivery_new (self, parcel, entry->previous);

  delivery->attempt = entry->attempts;
  delivery->n_failures = entry->n_failures;
  delivery->first_us = entry->first_us;
  delivery->exception = TRUE;
  delivery->fetched = TRUE;
  eb_aside_remove (self->recovery->aside, entry);
  eb_consumer_put_back (self, delivery);
}

static EbEvent *
find_event (EbPage *page, guint64 sequence)
{
  EbEvent *event = page->events->len > 0 ? g_ptr_array_index (page->events, 0) : NULL;

  return event != NULL && eb_event_get_sequence (event) == sequence ? event : NULL;
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
  EbRecovery *recovery = self->recovery;
  EbAsideEntry *entry = eb_aside_lookup (recovery->aside, sequence);
  EbEvent *event = page != NULL ? find_event (page, sequence) : NULL;

  recovery->n_fetching--;
  if (page == NULL)
    eb_aside_set_state (recovery->aside, entry, EB_ASIDE_WAITING,
                        get_now (self) + EB_CONSUMER_READ_AGAIN);
  else if (event == NULL)
    lose_exception (self, entry);
  else
    {
      g_autoptr (EbParcel) parcel = eb_parcels_obtain (parcels, event);

      rejoin_line (self, entry, parcel);
    }
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

  if (self->recovery == NULL)
    return 0;
  lost = eb_aside_lose (self->recovery->aside, up_to);
  for (guint i = 0; i < lost->len; i++)
    {
      guint64 sequence = g_array_index (lost, guint64, i);

      record_ended (self, sequence);
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

  return get_now (self) + CLAMP (left, 0, delay);
}

static void
load_exception (EbConsumer *self, const EbException *exception, gint64 due_us)
{
  EbAsideState state = exception->sequence > self->position ? EB_ASIDE_AHEAD : EB_ASIDE_WAITING;
  EbAsideEntry entry = { .sequence = exception->sequence,
                         .previous = exception->previous,
                         .first_us = exception->first_us,
                         .attempts = exception->attempts,
                         .n_failures = exception->failures,
                         .dead = exception->dead };

  if (eb_aside_lookup (self->recovery->aside, exception->sequence) != NULL
      || (exception->dead && state != EB_ASIDE_AHEAD))
    return;
  eb_aside_add (self->recovery->aside, &entry, state, due_us);
  self->recovery->n_exceptions += !exception->dead;
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

/**
 * eb_consumer_meet_exception:
 * @entry: of the event in @parcel, which is the next of the log
 *
 * In strict order the log brings it to its place, where it goes on waiting; in relaxed order it is
 * passed over, and comes when its time does. What was given up is passed over for good.
 */
void
eb_consumer_meet_exception (EbConsumer *self, EbAsideEntry *entry, EbParcel *parcel)
{
  gint64 due_us = entry->due.due_us;
  EbDelivery *delivery;

  if (entry->dead)
    {
      self->previous = entry->sequence;
      eb_aside_remove (self->recovery->aside, entry);
      eb_consumer_update_recovery (self);
      return;
    }
  if (eb_subscription_get_order (self->subscription) == EB_ORDER_RELAXED)
    {
      eb_aside_set_state (self->recovery->aside, entry, EB_ASIDE_WAITING, due_us);
      self->previous = entry->sequence;
      eb_consumer_update_recovery (self);
      return;
    }
  delivery = eb_consumer_enqueue (self, parcel);
  delivery->attempt = entry->attempts;
  delivery->n_failures = entry->n_failures;
  delivery->first_us = entry->first_us;
  delivery->exception = TRUE;
  eb_aside_remove (self->recovery->aside, entry);
  eb_recovery_hold (self->recovery, EB_HOLD_RETRY, due_us);
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
  gint64 now_us = get_now (self);

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
  EbRecovery *recovery = self->recovery;

  if (recovery == NULL || recovery->hold != EB_HOLD_UNREACHABLE)
    return;
  recovery->hold = EB_HOLD_NONE;
  recovery->n_probes = 1; /* if it was not ready yet, it will be soon */
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}

static EbDelivery *
find_in (GQueue *queue, guint64 sequence)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    if (eb_delivery_get_sequence (link->data) == sequence)
      return link->data;
  return NULL;
}

/* Returns: (nullable): the delivery of the event, if it is being made anyway: a dead letter may
 *   be older than the restart after which the log brought its event again */
static EbDelivery *
find_delivery (EbConsumer *self, guint64 sequence)
{
  EbDelivery *found = find_in (&self->under_way, sequence);

  if (found == NULL)
    found = find_in (&self->recovery->line, sequence);
  if (found == NULL && self->queue.length > 0
      && eb_delivery_get_sequence (self->queue.head->data) <= sequence)
    found = find_in (&self->queue, sequence);
  return found;
}

static void
redrive (EbConsumer *self, const EbException *exception, gint64 due_us)
{
  EbDelivery *delivery = find_delivery (self, exception->sequence);
  EbAsideEntry *passed = eb_aside_lookup_ahead (self->recovery->aside, exception->sequence);
  EbException anew = *exception;

  anew.dead = FALSE;
  anew.attempts = 0;
  anew.failures = 0;
  anew.first_us = 0;
  if (passed != NULL && passed->dead)
    eb_aside_remove (self->recovery->aside, passed);
  if (delivery == NULL)
    load_exception (self, &anew, due_us);
  else if (!delivery->exception)
    {
      delivery->exception = TRUE;
      self->recovery->n_exceptions++;
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
  gint64 now_us = get_now (self);

  eb_consumer_obtain_recovery (self);
  for (guint i = 0; i < exceptions->len; i++)
    redrive (self, g_ptr_array_index (exceptions, i), now_us - (exceptions->len - i));
  eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}
