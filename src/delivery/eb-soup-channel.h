/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-subscription.h"
#include "delivery/eb-delivery-settings.h"
#include "delivery/eb-soup-message.h"

G_BEGIN_DECLS

/**
 * EbSoupChannel:
 * @subscription: (owned)
 * @uri: (owned)
 * @literal: (owned) (nullable): the host, if it is an address
 * @webhook_id_prefix: (owned)
 * @signer: (owned) (nullable)
 * @attempts: (element-type EbSoupAttempt): those that are not over
 *
 * What a subscription has in an #EbSoupTransport.
 */
typedef struct
{
  EbSubscription *subscription;
  GUri *uri;
  GInetAddress *literal;
  char *webhook_id_prefix;
  EbSigner *signer;
  GQueue attempts;
} EbSoupChannel;

EbSoupChannel *eb_soup_channel_new (EbSubscription *subscription, const char *log_id);
void eb_soup_channel_free (EbSoupChannel *self);
GTimeSpan eb_soup_channel_get_timeout (const EbSoupChannel *self,
                                       const EbDeliverySettings *settings);
SoupMessage *eb_soup_channel_create_message (const EbSoupChannel *self,
                                             const EbDelivery *delivery,
                                             const char *origin,
                                             gint64 now_us);

G_END_DECLS
