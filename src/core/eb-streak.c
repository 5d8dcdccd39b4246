/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-streak.h"

/**
 * eb_streak_describe:
 * @self: one that has begun
 *
 * Returns: (transfer full): half a sentence, for people
 */
char *
eb_streak_describe (const EbStreak *self)
{
  g_autoptr (GDateTime) since = g_date_time_new_from_unix_utc (self->since_us / G_USEC_PER_SEC);
  g_autofree char *text = since != NULL ? g_date_time_format_iso8601 (since) : NULL;

  return g_strdup_printf ("every attempt since %s has failed", text != NULL ? text : "long ago");
}
