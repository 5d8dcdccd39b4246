/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-rate.h"

/* Evenly paced: who asks for ten a second is better served by one every tenth of a second than by
 * ten at once. The bucket holds what may be made up for, because a main loop wakes up a millisecond
 * late at times; so a rate up to a hundred a second has no bursts. */
#define BURST_NS (10 * G_TIME_SPAN_MILLISECOND * 1000)

/**
 * eb_rate_set:
 * @n: how many; 0 for no limit
 * @period: within how many microseconds
 *
 * What was taken under another rate still counts.
 */
void
eb_rate_set (EbRate *self, guint64 n, GTimeSpan period)
{
  guint64 period_ns = (guint64) period * 1000;

  /* Rounded up: never more than asked for. */
  self->interval_ns = n > 0 ? (period_ns - 1) / n + 1 : 0;
}

gboolean
eb_rate_is_limited (const EbRate *self)
{
  return self->interval_ns > 0;
}

/**
 * eb_rate_get_due:
 *
 * Returns: monotonic time, in microseconds, from which on the next one may be done
 */
gint64
eb_rate_get_due (const EbRate *self)
{
  gint64 burst_ns = self->interval_ns < BURST_NS ? BURST_NS - (gint64) self->interval_ns : 0;

  return self->interval_ns > 0 ? (self->next_ns - burst_ns + 999) / 1000 : G_MININT64;
}

/**
 * eb_rate_take:
 * @now_us: monotonic time, not before eb_rate_get_due()
 *
 * One is done.
 */
void
eb_rate_take (EbRate *self, gint64 now_us)
{
  self->next_ns = MAX (self->next_ns, now_us * 1000) + (gint64) self->interval_ns;
}
