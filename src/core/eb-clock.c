/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-clock.h"

G_DEFINE_INTERFACE (EbClock, eb_clock, G_TYPE_OBJECT)

static void
eb_clock_default_init (EbClockInterface *iface)
{
}

/**
 * eb_clock_get_monotonic:
 *
 * Returns: microseconds on a clock that never steps; its zero means nothing
 */
gint64
eb_clock_get_monotonic (EbClock *self)
{
  return EB_CLOCK_GET_IFACE (self)->get_monotonic (self);
}

/**
 * eb_clock_get_real:
 *
 * Returns: microseconds since 1970-01-01T00:00:00Z
 */
gint64
eb_clock_get_real (EbClock *self)
{
  return EB_CLOCK_GET_IFACE (self)->get_real (self);
}

/**
 * eb_clock_create_timer:
 *
 * A timer is an ordinary source: attach it to the context whose thread shall run it, and set its
 * callback, a #GSourceFunc. It goes off once each time it was set.
 *
 * Returns: (transfer full): a source that is not due until eb_clock_set_timer()
 */
GSource *
eb_clock_create_timer (EbClock *self)
{
  return EB_CLOCK_GET_IFACE (self)->create_timer (self);
}

/**
 * eb_clock_set_timer:
 * @timer: from eb_clock_create_timer() of the same clock
 * @due_us: monotonic time at which it goes off, or -1 for never; replaces what was set before
 */
void
eb_clock_set_timer (EbClock *self, GSource *timer, gint64 due_us)
{
  EB_CLOCK_GET_IFACE (self)->set_timer (self, timer, due_us);
}
