/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-wire-connection.h"

G_BEGIN_DECLS

/**
 * EbWireChannel:
 * @subscription: (owned)
 * @signer: (owned) (nullable)
 * @connections: (element-type EbWireConnection): in any state but CLOSED
 *
 * What a subscription has in an #EbWireTransport.
 */
typedef struct
{
  EbSubscription *subscription;
  EbSigner *signer;
  GQueue connections;
} EbWireChannel;

EbWireChannel *eb_wire_channel_new (EbSubscription *subscription);
void eb_wire_channel_free (EbWireChannel *self);
EbSink *eb_wire_channel_get_sink (const EbWireChannel *self);
EbWireConnection *eb_wire_channel_find_idle (EbWireChannel *self);

G_END_DECLS
