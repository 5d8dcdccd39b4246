/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define EB_TYPE_CLOCK (eb_clock_get_type ())
G_DECLARE_INTERFACE (EbClock, eb_clock, EB, CLOCK, GObject)

/**
 * EbClockInterface:
 * @get_monotonic: microseconds on a clock that never steps
 * @get_real: microseconds since 1970 in UTC
 * @create_timer: an unattached source that is due when the monotonic clock reaches what
 *   eb_clock_set_timer() says, and never before that was called
 * @set_timer: makes @timer due at @due_us (-1: never)
 *
 * Where time comes from. Everything that waits or stamps is given one, so that tests can give it
 * a clock that stands still. Every function may be called from any thread.
 */
struct _EbClockInterface
{
  GTypeInterface parent_iface;

  gint64 (*get_monotonic) (EbClock *self);
  gint64 (*get_real) (EbClock *self);
  GSource *(*create_timer) (EbClock *self);
  void (*set_timer) (EbClock *self, GSource *timer, gint64 due_us);
};

gint64 eb_clock_get_monotonic (EbClock *self);
gint64 eb_clock_get_real (EbClock *self);
GSource *eb_clock_create_timer (EbClock *self);
void eb_clock_set_timer (EbClock *self, GSource *timer, gint64 due_us);

#define EB_TYPE_SYSTEM_CLOCK (eb_system_clock_get_type ())
G_DECLARE_FINAL_TYPE (EbSystemClock, eb_system_clock, EB, SYSTEM_CLOCK, GObject)

EbClock *eb_system_clock_new (void);

G_END_DECLS
