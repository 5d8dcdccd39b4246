/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A subscription without lease whose attempts have all failed for so long is disabled, as Standard
 * Webhooks recommends: nobody would notice otherwise that its events pile up. */
#define EB_STREAK_MAX (5 * G_TIME_SPAN_DAY)

/**
 * EbStreak:
 * @since_us: real time of the first attempt that failed; 0 if the last one did not
 * @lasted: microseconds that a daemon has seen since then. A wall clock that jumps, and the time
 *   in which no daemon ran, do not count.
 *
 * Attempts in a row that failed, whatever was wrong.
 */
typedef struct
{
  gint64 since_us;
  GTimeSpan lasted;
} EbStreak;

char *eb_streak_describe (const EbStreak *self);

G_END_DECLS
