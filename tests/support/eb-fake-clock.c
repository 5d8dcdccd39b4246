/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-clock.h"

/* A clock that stands still until it is told to go on. Timers in any context and thread go off
 * when eb_fake_clock_advance() passes them, with the next turn of their main loop. */
struct _EbFakeClock
{
  GObject parent_instance;

  GMutex lock; /* guards all below */
  gint64 monotonic_us;
  gint64 real_us;
  GHashTable *due; /* (owned) (element-type Timer gint64) those that are set */
};

typedef struct
{
  GSource source;
  EbFakeClock *clock; /* (owned) */
} Timer;

static void eb_fake_clock_iface_init (EbClockInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbFakeClock,
                               eb_fake_clock,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_CLOCK, eb_fake_clock_iface_init))

static gint64
get_monotonic (EbClock *clock)
{
  EbFakeClock *self = EB_FAKE_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->monotonic_us;
}

static gint64
get_real (EbClock *clock)
{
  EbFakeClock *self = EB_FAKE_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->real_us;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback != NULL ? callback (user_data) : G_SOURCE_CONTINUE;
}

static void
timer_finalize (GSource *source)
{
  EbFakeClock *clock = ((Timer *) source)->clock;

  g_mutex_lock (&clock->lock);
  g_hash_table_remove (clock->due, source);
  g_mutex_unlock (&clock->lock);
  g_object_unref (clock);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch, .finalize = timer_finalize };

static GSource *
create_timer (EbClock *clock)
{
  GSource *source = g_source_new (&timer_funcs, sizeof (Timer));

  ((Timer *) source)->clock = g_object_ref (EB_FAKE_CLOCK (clock));
  return source;
}

/* With the lock held: a timer that has come due goes off with its loop's next turn. */
static void
release_timer (EbFakeClock *self, GHashTableIter *iter, GSource *timer, gint64 due_us)
{
  if (due_us > self->monotonic_us)
    return;
  g_source_set_ready_time (timer, 0);
  g_hash_table_iter_remove (iter);
}

static void
release_timers (EbFakeClock *self)
{
  GHashTableIter iter;
  GSource *timer;
  gint64 *due_us;

  g_hash_table_iter_init (&iter, self->due);
  while (g_hash_table_iter_next (&iter, (gpointer *) &timer, (gpointer *) &due_us))
    release_timer (self, &iter, timer, *due_us);
}

static void
set_timer (EbClock *clock, GSource *timer, gint64 due_us)
{
  EbFakeClock *self = EB_FAKE_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_source_set_ready_time (timer, -1);
  g_hash_table_remove (self->due, timer);
  if (due_us < 0)
    return;
  g_hash_table_insert (self->due, timer, g_memdup2 (&due_us, sizeof due_us));
  release_timers (self);
}

static void
eb_fake_clock_iface_init (EbClockInterface *iface)
{
  iface->get_monotonic = get_monotonic;
  iface->get_real = get_real;
  iface->create_timer = create_timer;
  iface->set_timer = set_timer;
}

static void
eb_fake_clock_finalize (GObject *object)
{
  EbFakeClock *self = EB_FAKE_CLOCK (object);

  g_hash_table_unref (self->due);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (eb_fake_clock_parent_class)->finalize (object);
}

static void
eb_fake_clock_class_init (EbFakeClockClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_fake_clock_finalize;
}

static void
eb_fake_clock_init (EbFakeClock *self)
{
  g_mutex_init (&self->lock);
  self->due = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->monotonic_us = 1000 * G_TIME_SPAN_SECOND;
  self->real_us = 1700000000 * G_TIME_SPAN_SECOND; /* 2023-11-14T22:13:20Z */
}

/**
 * eb_fake_clock_new:
 *
 * Returns: (transfer full): a clock that stands at 2023-11-14T22:13:20Z
 */
EbFakeClock *
eb_fake_clock_new (void)
{
  return g_object_new (EB_TYPE_FAKE_CLOCK, NULL);
}

/**
 * eb_fake_clock_advance:
 *
 * Lets time pass: both clocks go on by @by, and the timers that it passes go off.
 */
void
eb_fake_clock_advance (EbFakeClock *self, GTimeSpan by)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->monotonic_us += by;
  self->real_us += by;
  release_timers (self);
}

/**
 * eb_fake_clock_step_real:
 *
 * What an administrator or NTP does: the real clock jumps, and no time passes.
 */
void
eb_fake_clock_step_real (EbFakeClock *self, GTimeSpan by)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->real_us += by;
}
