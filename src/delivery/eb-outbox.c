/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-outbox.h"

/* Apart from its consumer, because most of a million have nothing to send: they share one that is
 * empty, and stays so. Lives in its consumer's thread. */

/**
 * eb_outbox_get_nothing:
 *
 * Returns: (transfer none): an empty one that may be read only; whoever writes to it crashes
 */
EbOutbox *
eb_outbox_get_nothing (void)
{
  static const EbOutbox nothing = { 0 };

  return (EbOutbox *) &nothing;
}

/**
 * eb_outbox_new:
 *
 * Returns: (transfer full): an empty one
 */
EbOutbox *
eb_outbox_new (void)
{
  return g_new0 (EbOutbox, 1);
}

static void
free_deliveries (GQueue *deliveries)
{
  GList *link;

  while ((link = g_queue_pop_head_link (deliveries)) != NULL)
    eb_delivery_free (link->data);
}

/**
 * eb_outbox_free:
 *
 * Ends what is under way. What it recovers from must not be in an agenda any more.
 */
void
eb_outbox_free (EbOutbox *self)
{
  if (self == eb_outbox_get_nothing ())
    return;
  eb_outbox_close_channel (self);
  g_clear_pointer (&self->handshake, eb_handshake_free);
  free_deliveries (&self->under_way);
  free_deliveries (&self->queue);
  g_clear_pointer (&self->recovery, eb_recovery_free);
  g_clear_pointer (&self->attempts, eb_attempts_free);
  g_clear_pointer (&self->plan, eb_batch_plan_free);
  g_free (self);
}

gboolean
eb_outbox_is_full (const EbOutbox *self)
{
  return self->queue.length >= EB_QUEUE_MAX_LENGTH || self->queued >= EB_QUEUE_MAX_BYTES;
}

/**
 * eb_outbox_has_room_for_page:
 *
 * Returns: whether it is half empty, so that a page of the log is worth its reading
 */
gboolean
eb_outbox_has_room_for_page (const EbOutbox *self)
{
  return self->queue.length <= EB_QUEUE_MAX_LENGTH / 2 && self->queued <= EB_QUEUE_MAX_BYTES / 2;
}

/**
 * eb_outbox_close_channel:
 *
 * Ends what is under way there; the next one is opened when there is something to send.
 */
void
eb_outbox_close_channel (EbOutbox *self)
{
  if (self->channel != NULL)
    eb_transport_close (self->transport, g_steal_pointer (&self->channel));
}
