/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-agenda.h"

/* Many due times of any length behind one timer: retries, whose jitter makes each another length.
 * What has few lengths, and is set far more often than it passes, belongs in #EbDeadlines.
 *
 * Lives in the thread of its context. */
struct _EbAgenda
{
  EbClock *clock;  /* (owned) */
  GSource *timer;  /* (owned) due at timer_us */
  gint64 timer_us; /* -1 while there is nothing to wait for */
  EbDueHeap *heap; /* (owned) */
  EbAgendaFunc passed;
  gpointer user_data;
};

static void
update_timer (EbAgenda *self)
{
  EbDue *first = eb_due_heap_first (self->heap);
  gint64 due_us = first != NULL ? MAX (first->due_us, 0) : -1;

  if (due_us == self->timer_us)
    return;
  self->timer_us = due_us;
  eb_clock_set_timer (self->clock, self->timer, due_us);
}

static gboolean
timer_cb (gpointer user_data)
{
  EbAgenda *self = user_data;
  gint64 now_us = eb_clock_get_monotonic (self->clock);
  EbDue *first;

  self->timer_us = -1;
  /* The callback may set and clear whatever it likes, so every turn looks anew. */
  while ((first = eb_due_heap_first (self->heap)) != NULL && first->due_us <= now_us)
    {
      eb_due_heap_clear (self->heap, first);
      self->passed (first, self->user_data);
    }
  update_timer (self);

  return G_SOURCE_CONTINUE;
}

/**
 * eb_agenda_new:
 * @context: whose thread runs @passed and makes every other call here
 * @passed: is told of each thing that has come due, once, in the order of their times
 *
 * Returns: (transfer full): an empty agenda
 */
EbAgenda *
eb_agenda_new (EbClock *clock, GMainContext *context, EbAgendaFunc passed, gpointer user_data)
{
  EbAgenda *self = g_new0 (EbAgenda, 1);

  self->clock = g_object_ref (clock);
  self->timer_us = -1;
  self->heap = eb_due_heap_new ();
  self->passed = passed;
  self->user_data = user_data;
  self->timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, context);

  return self;
}

/**
 * eb_agenda_free:
 *
 * What is still set is forgotten, and must not be set or cleared any more.
 */
void
eb_agenda_free (EbAgenda *self)
{
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  eb_due_heap_free (self->heap);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_agenda_set:
 * @due: may be set already: then it moves
 * @due_us: on the monotonic clock; what has passed already is due with the next turn
 *
 * O(log n).
 */
void
eb_agenda_set (EbAgenda *self, EbDue *due, gint64 due_us)
{
  if (eb_due_is_set (due) && due->due_us == due_us)
    return;
  eb_due_heap_set (self->heap, due, due_us);
  update_timer (self);
}

/**
 * eb_agenda_clear:
 * @due: may be unset already
 *
 * O(log n).
 */
void
eb_agenda_clear (EbAgenda *self, EbDue *due)
{
  if (!eb_due_is_set (due))
    return;
  eb_due_heap_clear (self->heap, due);
  update_timer (self);
}
