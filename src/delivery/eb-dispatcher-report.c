/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-dispatcher-private.h"

/* The part of EbDispatcher that tells the owner what has become of its subscriptions. */

/* Now that the tail is told, everybody who is behind it must have a cursor. */
static void
add_cursors (EbDispatcher *self)
{
  g_autoptr (GPtrArray) progressed = eb_reporter_take_progressed (self->reporter);

  for (guint i = 0; i < progressed->len; i++)
    {
      EbSubscription *subscription = g_ptr_array_index (progressed, i);
      EbConsumer *consumer = eb_dispatcher_find_consumer (self, subscription);
      EbChange *change = consumer != NULL ? eb_consumer_take_progress (consumer, self->tail) : NULL;

      if (change != NULL)
        eb_reporter_add_step (self->reporter, subscription, change);
    }
}

/**
 * eb_dispatcher_flush_report:
 *
 * Tells the owner what there is to report.
 */
void
eb_dispatcher_flush_report (EbDispatcher *self)
{
  EbReport report;

  if (!eb_reporter_has_news (self->reporter))
    return;
  add_cursors (self);
  report = eb_reporter_take (self->reporter);
  report.floor = self->tail;
  eb_notices_report (self->notices, &report, self->n_started);
}

/**
 * eb_dispatcher_check_drained:
 *
 * To be called when something that a drain waits for may be over.
 */
void
eb_dispatcher_check_drained (EbDispatcher *self)
{
  if (self->drain == NULL || self->n_unsettled > 0 || self->tail < self->drain_up_to)
    return;
  eb_dispatcher_flush_report (self);
  g_task_return_boolean (self->drain, TRUE);
  g_clear_object (&self->drain);
}
