/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-subscription.h"
#include "delivery/eb-ping.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/* Of one worker, at a time: each has a connection of its own. */
#define EB_PINGS_MAX 32

/**
 * EbPinger:
 *
 * A worker's deliveries that are only meant to see what a sink says.
 */
typedef struct _EbPinger EbPinger;

EbPinger *eb_pinger_new (EbClock *clock);
void eb_pinger_free (EbPinger *self);
void eb_pinger_send (EbPinger *self,
                     EbTransport *transport,
                     EbSubscription *subscription,
                     EbEvent *event,
                     GTask *task);
gboolean eb_pinger_answer (EbPinger *self, EbDelivery *delivery, const EbAnswer *answer);
void eb_pinger_stop (EbPinger *self);

G_END_DECLS
