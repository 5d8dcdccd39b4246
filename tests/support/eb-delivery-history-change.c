/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-delivery-history-private.h"

/* The part of EbDeliveryHistory that knows what somebody has asked for: replaying and pausing,
 * redriving and dropping. */

/* Whether it was replayed nobody knows. */
static void
doubt (EbDeliveryRecord *delivery)
{
  delivery->loose = TRUE;
  delivery->sealed = delivery->dead = FALSE;
}

/**
 * eb_delivery_history_doubt:
 *
 * Whether all was replayed nobody knows.
 */
void
eb_delivery_history_doubt (EbDeliveryHistory *self)
{
  for (guint i = 0; i < self->deliveries->len; i++)
    doubt (&g_array_index (self->deliveries, EbDeliveryRecord, i));
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
replay_one (EbDeliveryRecord *delivery)
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
      EbDeliveryRecord *delivery = eb_delivery_history_obtain (self, sequence);

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

static void
begin_one (EbDeliveryRecord *delivery)
{
  delivery->changing = TRUE;
  delivery->again = FALSE;
  delivery->dead = delivery->sealed = delivery->answered = FALSE;
}

/**
 * eb_delivery_history_begin_change:
 * @sequences: (element-type guint64): are being redriven, or dropped
 */
void
eb_delivery_history_begin_change (EbDeliveryHistory *self, GArray *sequences)
{
  for (guint i = 0; i < sequences->len; i++)
    begin_one (eb_delivery_history_obtain (self, g_array_index (sequences, guint64, i)));
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
      EbDeliveryRecord *delivery =
          eb_delivery_history_obtain (self, g_array_index (sequences, guint64, i));

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
    eb_delivery_history_obtain (self, g_array_index (sequences, guint64, i))->dropped = TRUE;
}

/**
 * eb_delivery_history_begin_change_all:
 *
 * All dead letters are being redriven, or dropped: those that there are when the bus looks, which
 * may be more than were seen, until that is answered.
 */
void
eb_delivery_history_begin_change_all (EbDeliveryHistory *self)
{
  self->changing = TRUE;
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      if (delivery->given_up)
        begin_one (delivery);
    }
}

/**
 * eb_delivery_history_end_change_all:
 *
 * They were redriven, or @dropped, or may have been.
 */
void
eb_delivery_history_end_change_all (EbDeliveryHistory *self, gboolean dropped)
{
  self->changing = FALSE;
  for (guint i = 0; i < self->deliveries->len; i++)
    {
      EbDeliveryRecord *delivery = &g_array_index (self->deliveries, EbDeliveryRecord, i);

      delivery->dropped |= dropped && delivery->given_up && delivery->changing;
    }
}
