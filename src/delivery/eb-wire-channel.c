/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-channel.h"

/**
 * eb_wire_channel_new:
 *
 * Returns: (transfer full): a channel without connections
 */
EbWireChannel *
eb_wire_channel_new (EbSubscription *subscription)
{
  EbWireChannel *self = g_new0 (EbWireChannel, 1);
  GPtrArray *secrets = eb_subscription_get_options (subscription)->secrets;

  self->subscription = eb_subscription_ref (subscription);
  if (secrets != NULL)
    self->signer = eb_signer_new (secrets);
  return self;
}

/**
 * eb_wire_channel_free:
 *
 * It must have no connections any more.
 */
void
eb_wire_channel_free (EbWireChannel *self)
{
  g_clear_pointer (&self->signer, eb_signer_free);
  eb_subscription_unref (self->subscription);
  g_free (self);
}

/**
 * eb_wire_channel_get_sink:
 *
 * Returns: (transfer none): where its connections go
 */
EbSink *
eb_wire_channel_get_sink (const EbWireChannel *self)
{
  return eb_subscription_get_sink (self->subscription);
}

/**
 * eb_wire_channel_find_idle:
 *
 * Returns: (transfer none) (nullable): a connection that can carry a request now
 */
EbWireConnection *
eb_wire_channel_find_idle (EbWireChannel *self)
{
  for (GList *link = self->connections.head; link != NULL; link = link->next)
    {
      EbWireConnection *connection = link->data;

      if (connection->state == EB_WIRE_IDLE)
        return connection;
    }
  return NULL;
}
