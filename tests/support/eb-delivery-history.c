/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-history.h"

/* What one event's delivery is known to be. */
/* Attempts of one delivery, most of which a busy sink has put off. */
#define MAX_NUMBER 200

typedef struct
{
  gboolean arrived;
  gboolean taken;    /* the sink has had it, and said so */
  gboolean sealed;   /* the ledger knows that it was taken: it does not arrive again */
  gboolean given_up; /* it may be among the dead letters */
  gboolean dead;     /* it is among the dead letters */
  gboolean dropped;  /* it was one of them, and somebody has dropped it, or may have */
  gboolean changing; /* a redrive or drop was asked for, and it has not arrived since */
  gboolean again;    /* it was replayed, and has not arrived since */
  gboolean loose;    /* it may have been replayed, and have arrived since or not */
  gboolean answered; /* what its last arrival has led to is known to the ledger */
  guint run;         /* in which it last arrived */
  guint number;      /* of its last arrival among all */
  guint attempt;     /* of its last arrival */
  EbFakeBehaviour behaviour;
  guint8 failures[MAX_NUMBER + 2]; /* by attempt: how many before it failed */
} Delivery;

struct _EbDeliveryHistory
{
  char *id;           /* (owned) */
  guint64 after;      /* nothing up to this arrives */
  guint64 owed_after; /* everything after it is owed; G_MAXUINT64 until the creation was acked */
  guint64 first;      /* the first that arrived; 0 before */
  guint64 newest;     /* the last of those that arrived for the first time */
  guint run;          /* the daemon's life */
  gboolean gone;      /* in this life the sink has said that nobody is there */
  gboolean forsaken;  /* and the bus must have understood */
  gboolean pardoned;  /* unless somebody changed it meanwhile */
  gboolean released;  /* in this life the sink takes what it keeps */
  gboolean frozen;    /* it is paused, and nothing is under way */
  gboolean replayed;  /* once, at least */
  gboolean replaying; /* a replay was asked for, and not answered */
  guint n_arrived;
  guint n_arrived_before; /* when that was asked for */
  GArray *deliveries;     /* (owned) (element-type Delivery) by sequence, from @after + 1 on */
};

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
  self->deliveries = g_array_new (FALSE, TRUE, sizeof (Delivery));
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

static Delivery *
get (EbDeliveryHistory *self, guint64 sequence)
{
  guint index = (guint) (sequence - self->after - 1);

  if (index >= self->deliveries->len)
    g_array_set_size (self->deliveries, index + 1);
  return &g_array_index (self->deliveries, Delivery, index);
}

/* Arrivals */

static gboolean
is_failure (const Delivery *delivery)
{
  return delivery->behaviour == EB_FAKE_ANSWER_500 || delivery->behaviour == EB_FAKE_BREAK;
}

static gboolean
has_used_up_schedule (const Delivery *delivery)
{
  return delivery->arrived && is_failure (delivery)
         && delivery->failures[delivery->attempt] + 1 >= EB_HISTORY_MAX_FAILURES;
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
  const Delivery *delivery = get (self, arrival->sequence);
  guint next = delivery->attempt + (delivery->behaviour != EB_FAKE_UNREACHABLE);
  guint attempt = arrival->attempt;

  if (attempt == 0 || attempt > delivery->attempt + 1)
    FAULT (self, arrival->sequence, "attempt %u after attempt %u", attempt, delivery->attempt);
  if (delivery->again && attempt != 1)
    FAULT (self, arrival->sequence, "is replayed as attempt %u", attempt);
  if (delivery->again && arrival->sequence > self->first
      && get (self, arrival->sequence - 1)->again)
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

/**
 * eb_delivery_history_arrive:
 * @arrival: the next one at its sink
 */
void
eb_delivery_history_arrive (EbDeliveryHistory *self, const EbFakeArrival *arrival)
{
  guint64 previous;
  Delivery *delivery;

  if (arrival->sequence <= self->after)
    FAULT (self, arrival->sequence, "is older than the registration");
  if (self->frozen)
    FAULT (self, arrival->sequence, "arrives though it is paused");
  delivery = get (self, arrival->sequence);
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
  if (arrival->attempt == delivery->attempt + 1)
    delivery->failures[arrival->attempt] =
        (guint8) (delivery->failures[delivery->attempt]
                  + (delivery->arrived && is_failure (delivery)));
  if (arrival->attempt == 1)
    delivery->failures[1] = 0;
  delivery->arrived = TRUE;
  delivery->run = self->run;
  delivery->attempt = arrival->attempt;
  delivery->behaviour = arrival->behaviour;
  delivery->taken |= is_taken (self, arrival->behaviour);
  delivery->given_up |= has_used_up_schedule (delivery);
  delivery->sealed = delivery->dead = delivery->dropped = FALSE;
  delivery->changing = delivery->answered = FALSE;
  delivery->again = delivery->loose = FALSE;
  delivery->number = self->n_arrived++;
  if (arrival->behaviour == EB_FAKE_ANSWER_410 || arrival->behaviour == EB_FAKE_GONE)
    {
      self->gone = TRUE;
      self->pardoned = FALSE;
    }
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
      Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

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
 * It was changed. If its sink is gone, and that was not understood before, it is not of the one
 * that there is now.
 */
void
eb_delivery_history_pardon (EbDeliveryHistory *self)
{
  self->pardoned = TRUE;
}

/* Whether it was replayed nobody knows. */
static void
doubt (Delivery *delivery)
{
  delivery->loose = TRUE;
  delivery->sealed = delivery->dead = FALSE;
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
      Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

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
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

      if (delivery->answered && !delivery->changing && !delivery->loose)
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
      Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

      delivery->sealed = delivery->dead = FALSE;
    }
}

/* Whether all was replayed nobody knows. */
static void
doubt_all (EbDeliveryHistory *self)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    doubt (&g_array_index (self->deliveries, Delivery, i));
}

void
eb_delivery_history_end_run (EbDeliveryHistory *self)
{
  if (self->replaying)
    doubt_all (self);
  self->run++;
  self->replaying = FALSE;
  self->gone = self->forsaken = self->pardoned = self->released = FALSE;
}

/* Replaying, and pausing */

/**
 * eb_delivery_history_begin_replay:
 *
 * A replay was asked for: what arrives may be what was under way, or may be replayed.
 */
void
eb_delivery_history_begin_replay (EbDeliveryHistory *self)
{
  self->replaying = self->replayed = TRUE;
  self->n_arrived_before = self->n_arrived;
}

static void
replay_one (Delivery *delivery)
{
  delivery->again = TRUE;
  delivery->changing = delivery->loose = delivery->answered = delivery->sealed = FALSE;
  delivery->taken = delivery->given_up = delivery->dead = delivery->dropped = FALSE;
}

/**
 * eb_delivery_history_replay:
 * @after: all that comes after it is delivered again
 */
void
eb_delivery_history_replay (EbDeliveryHistory *self, guint64 after)
{
  self->replaying = FALSE;
  for (guint64 sequence = self->first; sequence <= self->newest; sequence++)
    {
      Delivery *delivery = get (self, sequence);

      if (sequence > after && delivery->number < self->n_arrived_before)
        replay_one (delivery);
      else if (sequence > after)
        doubt (delivery);
      else if (!delivery->sealed) /* it may have been under way, which was broken off */
        delivery->loose = TRUE;
    }
}

/**
 * eb_delivery_history_freeze:
 * @frozen: whether nothing may arrive from now on
 */
void
eb_delivery_history_freeze (EbDeliveryHistory *self, gboolean frozen)
{
  self->frozen = frozen;
}

/**
 * eb_delivery_history_get_first:
 *
 * Returns: the first event that arrived; 0 for none
 */
guint64
eb_delivery_history_get_first (const EbDeliveryHistory *self)
{
  return self->first;
}

guint64
eb_delivery_history_get_newest (const EbDeliveryHistory *self)
{
  return self->newest;
}

/* Redriving and dropping */

/**
 * eb_delivery_history_begin_change:
 * @sequences: (element-type guint64): are being redriven, or dropped
 */
void
eb_delivery_history_begin_change (EbDeliveryHistory *self, GArray *sequences)
{
  for (guint i = 0; i < sequences->len; i++)
    {
      Delivery *delivery = get (self, g_array_index (sequences, guint64, i));

      delivery->changing = TRUE;
      delivery->again = FALSE;
      delivery->dead = delivery->sealed = delivery->answered = FALSE;
    }
}

/**
 * eb_delivery_history_change:
 * @sequences: (element-type guint64): were redriven, or @dropped
 */
void
eb_delivery_history_change (EbDeliveryHistory *self, GArray *sequences, gboolean dropped)
{
  for (guint i = 0; i < sequences->len; i++)
    {
      Delivery *delivery = get (self, g_array_index (sequences, guint64, i));

      if (delivery->changing)
        delivery->given_up = FALSE;
      delivery->dropped |= dropped;
    }
}

/**
 * eb_delivery_history_doubt_change:
 * @sequences: (element-type guint64): may have been dropped
 */
void
eb_delivery_history_doubt_change (EbDeliveryHistory *self, GArray *sequences)
{
  for (guint i = 0; i < sequences->len; i++)
    get (self, g_array_index (sequences, guint64, i))->dropped = TRUE;
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
    if (g_array_index (self->deliveries, Delivery, i).dead && !contains (dead, self->after + 1 + i))
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
    if (!get (self, g_array_index (dead, guint64, i))->given_up)
      FAULT (self, g_array_index (dead, guint64, i), "is a dead letter, and was not given up");
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);

      delivery->dead = contains (dead, self->after + 1 + i);
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
    if (g_array_index (self->deliveries, Delivery, i).dead)
      {
        guint64 sequence = self->after + 1 + i;

        g_array_append_val (dead, sequence);
      }
  return dead;
}

/**
 * eb_delivery_history_get_doomed:
 *
 * Returns: (transfer full) (element-type guint64): those that may have become dead letters since
 */
GArray *
eb_delivery_history_get_doomed (EbDeliveryHistory *self)
{
  GArray *doomed = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint64 i = 0; i < self->deliveries->len; i++)
    {
      const Delivery *delivery = &g_array_index (self->deliveries, Delivery, i);
      guint64 sequence = self->after + 1 + i;

      if (delivery->given_up && !delivery->dead)
        g_array_append_val (doomed, sequence);
    }
  return doomed;
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
      const Delivery *delivery = get (self, sequence + 1);

      if (!delivery->taken && !delivery->dead && !delivery->dropped)
        return sequence + 1;
    }
  return 0;
}
