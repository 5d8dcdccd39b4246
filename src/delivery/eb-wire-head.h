/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-subscription.h"
#include "delivery/eb-delivery.h"
#include "delivery/eb-signer.h"

G_BEGIN_DECLS

/**
 * EbWireHead:
 *
 * What of a request depends on the subscription: the lines that are always the same, and behind
 * them those that differ from one attempt to the next. Part of a connection, zero-filled at first.
 */
typedef struct
{
  char *text;          /* (owned) (nullable) */
  gsize prefix_length; /* of text: always the same */
  gsize length;        /* with the lines of the attempt at hand */
} EbWireHead;

char *
eb_wire_head_create_prefix (EbSubscription *subscription, const char *log_id, const char *origin);
void eb_wire_head_set_prefix (EbWireHead *self, const char *prefix);
void eb_wire_head_write (EbWireHead *self,
                         const EbDelivery *delivery,
                         const struct iovec *body,
                         EbSigner *signer,
                         gint64 now_us);
void eb_wire_head_clear (EbWireHead *self);

G_END_DECLS
