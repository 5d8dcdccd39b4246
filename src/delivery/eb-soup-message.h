/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "core/eb-sink.h"
#include "delivery/eb-delivery.h"

G_BEGIN_DECLS

GUri *eb_soup_uri_new (const EbSink *sink);
SoupMessage *eb_soup_message_new (GUri *uri,
                                  const EbDelivery *delivery,
                                  const char *webhook_id_prefix,
                                  gint64 now_us);
char *eb_soup_message_dup_reason (SoupMessage *message, const GError *error);

G_END_DECLS
