/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-recovery.h"

/* Lives in its worker's thread, and only as long as it has something to say: what is well costs
 * nothing. */

EbRecovery *
eb_recovery_new (gpointer consumer)
{
  EbRecovery *self = g_new0 (EbRecovery, 1);

  self->consumer = consumer;
  self->aside = eb_aside_new ();
  return self;
}

/**
 * eb_recovery_free:
 *
 * It must not be in an agenda any more.
 */
void
eb_recovery_free (EbRecovery *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->line)) != NULL)
    eb_delivery_free (link->data);
  eb_aside_free (self->aside);
  g_free (self);
}

/**
 * eb_recovery_hold:
 * @hold: not %EB_HOLD_NONE
 * @until_us: monotonic time
 *
 * A hold never shortens the one that there is.
 */
void
eb_recovery_hold (EbRecovery *self, EbHold hold, gint64 until_us)
{
  self->hold_until_us = self->hold == EB_HOLD_NONE ? until_us : MAX (self->hold_until_us, until_us);
  self->hold = MAX (self->hold, hold);
}

/**
 * eb_recovery_end_streak:
 *
 * Failures from now on are another one.
 */
void
eb_recovery_end_streak (EbRecovery *self)
{
  self->streak = (EbStreak){ 0 };
  self->failing_us = 0;
}

/**
 * eb_recovery_is_over:
 *
 * Returns: whether everything is well again, and may be sent at once
 */
gboolean
eb_recovery_is_over (EbRecovery *self)
{
  return self->hold == EB_HOLD_NONE && self->n_probes == 0 && self->read_at_us == 0
         && !eb_rate_is_limited (&self->rate) && self->line.length == 0 && self->n_fetching == 0
         && self->n_exceptions == 0 && self->streak.since_us == 0 && self->told_us == 0
         && eb_aside_get_size (self->aside) == 0;
}

static gboolean
has_room (EbRecovery *self)
{
  return self->hold == EB_HOLD_NONE && self->line.length + self->n_fetching < EB_MAX_FETCHED;
}

/**
 * eb_recovery_get_due:
 *
 * What waits aside behind a hold, or for room in the line, is not waited for: the end of that is.
 *
 * Returns: monotonic time at which something is to be done; %G_MAXINT64 for never
 */
gint64
eb_recovery_get_due (EbRecovery *self)
{
  EbAsideEntry *first = has_room (self) ? eb_aside_first (self->aside) : NULL;
  gint64 due_us = first != NULL ? first->due.due_us : G_MAXINT64;

  if (self->hold != EB_HOLD_NONE)
    due_us = MIN (due_us, self->hold_until_us);
  if (self->read_at_us != 0)
    due_us = MIN (due_us, self->read_at_us);
  if (self->paced)
    due_us = MIN (due_us, eb_rate_get_due (&self->rate));
  return due_us;
}

/**
 * eb_recovery_get_next:
 *
 * Returns: (transfer none) (nullable): what is due for its retry, if it may come now
 */
EbAsideEntry *
eb_recovery_get_next (EbRecovery *self, gint64 now_us)
{
  EbAsideEntry *first = has_room (self) ? eb_aside_first (self->aside) : NULL;

  return first != NULL && first->due.due_us <= now_us ? first : NULL;
}
