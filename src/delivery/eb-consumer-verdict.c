/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that carries out what an answer means: for the delivery, for those behind
 * it, and for the ledger. */

/* Of the event at @index. */
static void
record_failure_of (EbConsumer *self,
                   EbDelivery *delivery,
                   guint index,
                   EbChangeKind kind,
                   const EbAnswer *answer,
                   GTimeSpan delay)
{
  EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (delivery, index));
  gboolean batched = kind == EB_CHANGE_ASIDE && eb_delivery_get_size (delivery) > 1;
  gint64 now_us = eb_clock_get_real (self->owner->clock);
  EbChange *change = eb_change_new (kind, eb_subscription_get_id (self->subscription),
                                    eb_event_get_sequence (event));

  change->exception.previous = eb_delivery_get_previous (delivery, index);
  change->exception.batch = batched ? eb_delivery_get_sequence (delivery) : 0;
  change->exception.attempts = delivery->attempt;
  change->exception.failures = delivery->n_failures;
  change->exception.last_status = answer->kind == EB_ANSWER_RESPONSE ? answer->status : 0;
  change->exception.reason = eb_answer_describe (answer);
  change->exception.first_us = delivery->first_us;
  change->exception.last_us = now_us;
  change->exception.due_us = kind == EB_CHANGE_ASIDE ? now_us + delay : 0;
  eb_consumer_record (self, change);
}

static void
record_failure (EbConsumer *self,
                EbDelivery *delivery,
                EbChangeKind kind,
                const EbAnswer *answer,
                GTimeSpan delay)
{
  if (eb_subscription_is_ephemeral (self->subscription))
    return;
  for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
    record_failure_of (self, delivery, i, kind, answer, delay);
}

/**
 * eb_consumer_record_aside:
 * @delay: until its retry
 *
 * Tells the ledger that @delivery is an exception, which it is from now on, if it was not yet.
 */
void
eb_consumer_record_aside (EbConsumer *self,
                          EbDelivery *delivery,
                          const EbAnswer *answer,
                          GTimeSpan delay)
{
  if (!delivery->exception)
    eb_consumer_obtain_recovery (self)->n_exceptions += eb_delivery_get_size (delivery);
  delivery->exception = TRUE;
  record_failure (self, delivery, EB_CHANGE_ASIDE, answer, delay);
}

/* What becomes of a delivery. All of them take it from its consumer's hands. */

static void
end (EbConsumer *self, EbDelivery *delivery)
{
  for (guint i = 0; delivery->exception && i < eb_delivery_get_size (delivery); i++)
    {
      EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (delivery, i));

      eb_consumer_record_ended (self, eb_event_get_sequence (event));
    }
  eb_delivery_free (delivery);
}

/* It is sent again, before everything that was not sent yet. */
static void
send_again (EbConsumer *self, EbDelivery *delivery)
{
  eb_consumer_leave_if_passed (self, delivery);
  eb_consumer_put_back (self, delivery);
}

static void
end_subscription (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer)
{
  g_autofree char *reason = eb_answer_describe (answer);
  gint64 sent_us = delivery->sent_us;

  /* Whoever ended may have been replaced meanwhile. Then it is sent to the one that is there now.
   */
  delivery->attempt--;
  send_again (self, delivery);
  if (self->gone || self->outdated)
    return;
  self->gone = TRUE;
  self->owner->gone (self, reason, sent_us, self->owner->user_data);
}

/* Several that were under way may find nobody; that is one probe. */
static void
wait_for_sink (EbConsumer *self, EbDelivery *delivery, GTimeSpan delay)
{
  EbRecovery *recovery = eb_consumer_obtain_recovery (self);

  delivery->attempt--;
  send_again (self, delivery);
  if (recovery->hold != EB_HOLD_NONE)
    return;
  recovery->n_probes++;
  eb_recovery_hold (recovery, EB_HOLD_UNREACHABLE, eb_consumer_get_now (self) + delay);
}

static void
hold_line (EbConsumer *self, EbDelivery *delivery, EbHold hold, GTimeSpan delay)
{
  send_again (self, delivery);
  eb_recovery_hold (eb_consumer_obtain_recovery (self), hold, eb_consumer_get_now (self) + delay);
}

/* It keeps its place, but what the sink asked for, and the attempts, shall survive a restart. */
static void
leave_alone (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  eb_consumer_record_aside (self, delivery, answer, delay);
  hold_line (self, delivery, EB_HOLD_ASKED, delay);
}

/* Of the event at @index. */
static void
set_aside_event (EbConsumer *self, const EbDelivery *delivery, guint index, gint64 due_us)
{
  gboolean batched = eb_delivery_get_size (delivery) > 1;
  EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (delivery, index));
  EbAsideEntry entry = { .sequence = eb_event_get_sequence (event),
                         .previous = eb_delivery_get_previous (delivery, index),
                         .batch = batched ? eb_delivery_get_sequence (delivery) : 0,
                         .first_us = delivery->first_us,
                         .attempts = delivery->attempt,
                         .n_failures = delivery->n_failures };

  eb_aside_add (self->outbox->recovery->aside, &entry, EB_ASIDE_WAITING, due_us);
}

static void
set_aside (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer, GTimeSpan delay)
{
  gint64 due_us = eb_consumer_get_now (self) + delay;

  eb_consumer_record_aside (self, delivery, answer, delay);
  for (guint i = 0; i < eb_delivery_get_size (delivery); i++)
    set_aside_event (self, delivery, i, due_us);
  eb_delivery_free (delivery);
}

/* What was aside already returns there. */
static gboolean
may_stand_aside (EbConsumer *self, EbDelivery *delivery)
{
  guint n_more = delivery->exception ? 0 : eb_delivery_get_size (delivery);

  return delivery->fetched || self->outbox->recovery == NULL
         || self->outbox->recovery->n_exceptions + n_more <= EB_MAX_ASIDE;
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
  /* Its attempts, and when the next one is due, shall survive a restart here too. */
  eb_consumer_record_aside (self, delivery, answer, delay);
  hold_line (self, delivery, EB_HOLD_RETRY, delay);
}

static void
give_up (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer)
{
  record_failure (self, delivery, EB_CHANGE_DEAD, answer, 0);
  if (delivery->exception)
    self->outbox->recovery->n_exceptions -= eb_delivery_get_size (delivery);
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
  if (kind != EB_VERDICT_DELIVERED && kind != EB_VERDICT_GONE)
    eb_consumer_note_failure (self);
  else if (self->outbox->recovery != NULL)
    eb_consumer_note_success (self);
  if (kind == EB_VERDICT_UNREACHABLE)
    return;
  if (self->outbox->recovery != NULL)
    self->outbox->recovery->n_probes = 0;
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
  guint n_probes = self->outbox->recovery != NULL ? self->outbox->recovery->n_probes : 0;
  EbVerdict verdict;

  if (eb_delivery_is_question (delivery))
    {
      eb_consumer_take_consent (self, answer);
      return;
    }
  verdict = self->owner->judge (self, delivery, answer, n_probes, self->owner->user_data);

  eb_consumer_note_answer (self, delivery, answer);
  g_queue_unlink (&self->outbox->under_way, &delivery->link);
  note_attempt (self, delivery, verdict.kind);
  carry_out (self, delivery, answer, verdict);
  eb_consumer_note_progress (self);
  if (self->outbox->recovery != NULL)
    eb_consumer_fetch_due (self);
  eb_consumer_proceed (self);
}
