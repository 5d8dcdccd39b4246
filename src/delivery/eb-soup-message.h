/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "core/eb-sink.h"
#include "delivery/eb-delivery.h"
#include "delivery/eb-signer.h"

G_BEGIN_DECLS

/**
 * EbSoupRequest:
 * @delivery: what is sent
 * @options: of the subscription
 * @webhook_id_prefix: of the subscription, from eb_webhook_id_prefix()
 * @signer: (nullable): of the subscription
 * @origin: who the daemon says it is
 * @now_us: real time of the attempt
 *
 * What a request is made of; nothing of it is kept.
 */
typedef struct
{
  const EbDelivery *delivery;
  const EbDeliveryOptions *options;
  const char *webhook_id_prefix;
  EbSigner *signer;
  const char *origin;
  gint64 now_us;
} EbSoupRequest;

GUri *eb_soup_uri_new (const EbSink *sink);
SoupMessage *eb_soup_message_new (GUri *uri, const EbSoupRequest *request);
SoupMessage *eb_soup_message_new_question (GUri *uri, const char *origin, guint rate);
char *eb_soup_message_dup_reason (SoupMessage *message, const GError *error);

G_END_DECLS
