/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-history-private.h"

#define FAULT(self, sequence, ...) fail (self, sequence, g_strdup_printf (__VA_ARGS__))

static G_NORETURN void
fail (const EbDeliveryHistory *self, guint64 sequence, char *what)
{
  g_error ("%s, event %" G_GUINT64_FORMAT ": %s", self->id, sequence, what);
}

/**
 * eb_delivery_history_new:
 * @after: the log's head when the registration was asked for
 */
EbDeliveryHistory *
eb_delivery_history_new (const char *id, guint64 after)
{
  EbDeliveryHistory *self = g_new0 (EbDeliveryHistory, 1);

  self->id = g_strdup (id);
  self->after = after;
  self->owed_after = G_MAXUINT64;
  self->deliveries = g_array_new (FALSE, TRUE, sizeof (EbDeliveryRecord));
  return self;
}

void
eb_delivery_history_free (EbDeliveryHistory *self)
{
  g_free (self->id);
  g_array_unref (self->deliveries);
  g_free (self);
}

/**
 * eb_delivery_history_owe:
 * @after: the log's head when the registration was acked, or found after a restart
 */
void
eb_delivery_history_owe (EbDeliveryHistory *self, guint64 after)
{
  self->owed_after = MIN (self->owed_after, after);
}

/**
 * eb_delivery_history_obtain:
 *
 * Returns: (transfer none): what is known of that event's delivery
 */
EbDeliveryRecord *
eb_delivery_history_obtain (EbDeliveryHistory *self, guint64 sequence)
{
  guint index = (guint) (sequence - self->after - 1);

  if (index >= self->deliveries->len)
    g_array_set_size (self->deliveries, index + 1);
  return &g_array_index (self->deliveries, EbDeliveryRecord, index);
}

/* Arrivals */

static gboolean
is_failure (const EbDeliveryRecord *delivery)
{
  return delivery->behaviour == EB_FAKE_ANSWER_500 || delivery->behaviour == EB_FAKE_BREAK;
}

static gboolean
may_have_used_up_schedule (const EbDeliveryRecord *delivery)
{
  return delivery->arrived && is_failure (delivery)
         && delivery->failures[delivery->attempt] + 1 >= EB_HISTORY_MAX_FAILURES;
}

static gboolean
has_used_up_schedule (const EbDeliveryRecord *delivery)
{
  return delivery->arrived && is_failure (delivery)
         && delivery->sure_failures[delivery->attempt] + 1 >= EB_HISTORY_MAX_FAILURES;
}

/* The sink has said that nobody is there. Whatever becomes of that, it is no attempt. */
static gboolean
says_gone (EbFakeBehaviour behaviour)
{
  return behaviour == EB_FAKE_ANSWER_410 || behaviour == EB_FAKE_GONE;
}

static gboolean
is_taken (const EbDeliveryHistory *self, EbFakeBehaviour behaviour)
{
  return behaviour == EB_FAKE_TAKE || (behaviour == EB_FAKE_KEEP && self->released);
}

/* All of them in order, without gaps: those that failed came before. */
static void
check_first_arrival (EbDeliveryHistory *self, const EbFakeArrival *arrival)
{
  guint64 sequence = arrival->sequence;

  if (arrival->attempt != 1)
    FAULT (self, sequence, "arrives for the first time as attempt %u", arrival->attempt);
  if (self->first == 0 && self->owed_after < sequence - 1)
    FAULT (self, sequence, "arrives first, though those after %" G_GUINT64_FORMAT " are owed",
           self->owed_after);
  if (self->first == 0)
    self->first = sequence;
  else if (sequence != self->newest + 1)
    FAULT (self, sequence, "arrives for the first time after event %" G_GUINT64_FORMAT,
           self->newest);
  self->newest = sequence;
}

static void
check_repeat (EbDeliveryHistory *self, const EbFakeArrival *arrival)
{
  const EbDeliveryRecord *delivery = eb_delivery_history_obtain (self, arrival->sequence);
  gboolean counts = delivery->behaviour != EB_FAKE_UNREACHABLE && !says_gone (delivery->behaviour);
  guint next = delivery->attempt + counts;
  guint attempt = arrival->attempt;

  if (attempt == 0 || attempt > delivery->attempt + 1)
    FAULT (self, arrival->sequence, "attempt %u after attempt %u", attempt, delivery->attempt);
  if (delivery->again && attempt != 1)
    FAULT (self, arrival->sequence, "is replayed as attempt %u", attempt);
  if (delivery->again && arrival->sequence > self->first
      && eb_delivery_history_obtain (self, arrival->sequence - 1)->again)
    FAULT (self, arrival->sequence, "is replayed before the one before it");
  if (delivery->changing || delivery->again || delivery->loose || self->replaying)
    return;
  if (delivery->sealed)
    FAULT (self, arrival->sequence, "arrives though the ledger knows that it was taken");
  if (delivery->run != self->run)
    return;
  if (is_taken (self, delivery->behaviour) || has_used_up_schedule (delivery))
    FAULT (self, arrival->sequence, "arrives after it has ended");
  if (attempt != next)
    FAULT (self, arrival->sequence, "attempt %u where attempt %u comes next", attempt, next);
}

/* An attempt that was under way when the daemon ended, or was sent back, counts as one, but not as
 * a failed one: nobody has heard the answer. */
static void
count_failures (EbDeliveryHistory *self, EbDeliveryRecord *delivery, guint attempt)
{
  guint last = delivery->attempt;
  gboolean heard =
      delivery->heard || (delivery->run == self->run && !delivery->loose && !self->replaying);
  gboolean failed = delivery->arrived && is_failure (delivery);

  if (attempt == 1)
    delivery->failures[1] = delivery->sure_failures[1] = 0;
  else if (attempt == last + 1)
    {
      delivery->failures[attempt] = (guint8) (delivery->failures[last] + failed);
      delivery->sure_failures[attempt] =
          (guint8) (delivery->sure_failures[last] + (failed && heard));
    }
}

/**
 * eb_delivery_history_arrive:
 * @arrival: the next one at its sink
 */
void
eb_delivery_history_arrive (EbDeliveryHistory *self, const EbFakeArrival *arrival)
{
  guint64 previous;
  EbDeliveryRecord *delivery;

  if (arrival->sequence <= self->after)
    FAULT (self, arrival->sequence, "is older than the registration");
  if (self->frozen)
    FAULT (self, arrival->sequence, "arrives though it is paused");
  delivery = eb_delivery_history_obtain (self, arrival->sequence);
  if (delivery->arrived)
    check_repeat (self, arrival);
  else
    check_first_arrival (self, arrival);
  previous = arrival->sequence == self->first ? 0 : arrival->sequence - 1;
  /* A replay that began where it was knows what came before the registration, too. */
  if (arrival->previous != previous
      && !(self->replayed && arrival->previous == arrival->sequence - 1))
    FAULT (self, arrival->sequence, "its previous one is %" G_GUINT64_FORMAT, arrival->previous);

  g_assert_cmpuint (arrival->attempt, <=, MAX_NUMBER);
  count_failures (self, delivery, arrival->attempt);
  delivery->arrived = TRUE;
  delivery->run = self->run;
  delivery->attempt = arrival->attempt;
  delivery->behaviour = arrival->behaviour;
  delivery->taken |= is_taken (self, arrival->behaviour);
  delivery->given_up |= may_have_used_up_schedule (delivery);
  delivery->sealed = delivery->dead = delivery->dropped = FALSE;
  delivery->changing = self->changing && may_have_used_up_schedule (delivery);
  delivery->answered = delivery->heard = FALSE;
  delivery->again = delivery->loose = FALSE;
  delivery->number = self->n_arrived++;
  self->gone |= says_gone (arrival->behaviour);
}

/**
 * eb_delivery_history_release:
 *
 * What the sink keeps in this life of the daemon, it takes.
 */
void
eb_delivery_history_release (EbDeliveryHistory *self)
{
  self->released = TRUE;
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      if (delivery->arrived && delivery->run == self->run)
        delivery->taken |= delivery->behaviour == EB_FAKE_KEEP;
    }
}

gboolean
eb_delivery_history_is_gone (const EbDeliveryHistory *self)
{
  return self->gone;
}

gboolean
eb_delivery_history_is_forsaken (const EbDeliveryHistory *self)
{
  return self->forsaken;
}

/**
 * eb_delivery_history_pardon:
 *
 * It was changed. If its sink is gone, and that was not understood before, or is answered to what
 * its worker had before it learns of the change, it is not of the one that there is now.
 */
void
eb_delivery_history_pardon (EbDeliveryHistory *self)
{
  self->pardoned = TRUE;
}

/* The daemon's lives */

/**
 * eb_delivery_history_note_answered:
 *
 * From here on it is waited until all that has arrived so far was answered, and what follows from
 * it is in the ledger.
 */
void
eb_delivery_history_note_answered (EbDeliveryHistory *self)
{
  self->forsaken = self->gone && !self->pardoned;
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      delivery->answered = delivery->arrived && delivery->run == self->run;
    }
}

/**
 * eb_delivery_history_seal:
 *
 * That was waited for.
 */
void
eb_delivery_history_seal (EbDeliveryHistory *self)
{
  if (self->pardoned)
    self->gone = self->pardoned = FALSE;
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      if (!delivery->answered || delivery->loose)
        continue;
      delivery->heard = TRUE;
      if (!delivery->changing)
        delivery->sealed = is_taken (self, delivery->behaviour);
    }
}

/**
 * eb_delivery_history_break:
 *
 * The power was cut, so how far it got may be forgotten.
 */
void
eb_delivery_history_break (EbDeliveryHistory *self)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      delivery->sealed = delivery->dead = FALSE;
    }
}

void
eb_delivery_history_end_run (EbDeliveryHistory *self)
{
  if (self->replaying)
    eb_delivery_history_doubt (self);
  self->run++;
  self->replaying = self->changing = FALSE;
  self->gone = self->forsaken = self->pardoned = self->released = FALSE;
}

/* Dead letters, and what is owed */

static gboolean
contains (GArray *sequences, guint64 sequence)
{
  for (guint i = 0; i < sequences->len; i++)
    if (g_array_index (sequences, guint64, i) == sequence)
      return TRUE;
  return FALSE;
}

/**
 * eb_delivery_history_check_kept:
 * @dead: (element-type guint64): the dead letters after a restart: those before it
 */
void
eb_delivery_history_check_kept (EbDeliveryHistory *self, GArray *dead)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    if (g_array_index (self->deliveries, EbDeliveryRecord, i).dead
        && !contains (dead, self->after + 1 + i))
      FAULT (self, self->after + 1 + i, "is no dead letter any more");
}

/**
 * eb_delivery_history_check_dead:
 * @dead: (element-type guint64): the dead letters, while nothing happens
 */
void
eb_delivery_history_check_dead (EbDeliveryHistory *self, GArray *dead)
{
  for (guint i = 0; i < dead->len; i++)
    if (!eb_delivery_history_obtain (self, g_array_index (dead, guint64, i))->given_up)
      FAULT (self, g_array_index (dead, guint64, i), "is a dead letter, and was not given up");
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      delivery->dead = contains (dead, self->after + 1 + i);
      delivery->changing &= !delivery->dead;
      /* One that was redriven may have to wait behind another, which is being retried. */
      if (!delivery->dead && delivery->answered && has_used_up_schedule (delivery)
          && !delivery->dropped && !delivery->changing && !delivery->again && !delivery->loose)
        FAULT (self, self->after + 1 + i, "was given up, and is no dead letter");
    }
}

/**
 * eb_delivery_history_get_dead:
 *
 * Returns: (transfer full) (element-type guint64): the dead letters, as was seen last
 */
GArray *
eb_delivery_history_get_dead (EbDeliveryHistory *self)
{
  GArray *dead = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint64 i = 0; i < self->deliveries->len; i++)
    if (g_array_index (self->deliveries, EbDeliveryRecord, i).dead)
      {
        guint64 sequence = self->after + 1 + i;

        g_array_append_val (dead, sequence);
      }
  return dead;
}

/**
 * eb_delivery_history_find_owed:
 * @head: the newest event
 *
 * Returns: the first event that was neither taken nor given up for good; 0 for none
 */
guint64
eb_delivery_history_find_owed (EbDeliveryHistory *self, guint64 head)
{
  guint64 after = self->first != 0 ? self->first - 1 : self->owed_after;

  for (guint64 sequence = after; sequence < head; sequence++)
    {
      const EbDeliveryRecord *delivery = eb_delivery_history_obtain (self, sequence + 1);

      if (!delivery->taken && !delivery->dead && !delivery->dropped)
        return sequence + 1;
    }
  return 0;
}
