/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-clock.h"

/* The machine's clock: CLOCK_MONOTONIC for what waits, CLOCK_REALTIME for what is shown. */
struct _EbSystemClock
{
  GObject parent_instance;
};

static void eb_system_clock_iface_init (EbClockInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbSystemClock,
                               eb_system_clock,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_CLOCK, eb_system_clock_iface_init))

static gint64
get_monotonic (EbClock *clock)
{
  return g_get_monotonic_time ();
}

static gint64
get_real (EbClock *clock)
{
  return g_get_real_time ();
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* Before the callback, which may set it again. */
  g_source_set_ready_time (source, -1);
  return callback != NULL ? callback (user_data) : G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static GSource *
create_timer (EbClock *clock)
{
  GSource *timer = g_source_new (&timer_funcs, sizeof (GSource));

  g_source_set_static_name (timer, "EbTimer");
  return timer;
}

static void
set_timer (EbClock *clock, GSource *timer, gint64 due_us)
{
  g_source_set_ready_time (timer, due_us);
}

static void
eb_system_clock_iface_init (EbClockInterface *iface)
{
  iface->get_monotonic = get_monotonic;
  iface->get_real = get_real;
  iface->create_timer = create_timer;
  iface->set_timer = set_timer;
}

static void
eb_system_clock_class_init (EbSystemClockClass *klass)
{
}

static void
eb_system_clock_init (EbSystemClock *self)
{
}

/**
 * eb_system_clock_new:
 *
 * Returns: (transfer full): the machine's clock
 */
EbClock *
eb_system_clock_new (void)
{
  return g_object_new (EB_TYPE_SYSTEM_CLOCK, NULL);
}
