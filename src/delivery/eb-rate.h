/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbRate:
 *
 * A token bucket: how often something may be done. Zero-filled it has no limit.
 */
typedef struct
{
  guint64 interval_ns; /* between two; 0 for no limit */
  gint64 next_ns;      /* monotonic time of the next one, if all came evenly */
} EbRate;

void eb_rate_set (EbRate *self, guint64 n, GTimeSpan period);
gboolean eb_rate_is_limited (const EbRate *self);
gint64 eb_rate_get_due (const EbRate *self);
void eb_rate_take (EbRate *self, gint64 now_us);

G_END_DECLS
