/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-subscription.h"
#include "delivery/eb-delivery-settings.h"
#include "delivery/eb-delivery.h"

G_BEGIN_DECLS

/**
 * EbChannel:
 *
 * What a transport keeps for one subscription: a connection, a peer. Each transport has its own.
 */
typedef struct _EbChannel EbChannel;

/**
 * EbAnswerFunc:
 * @delivery: whose attempt ended; the transport has forgotten it
 *
 * May call every function of the transport.
 */
typedef void (*EbAnswerFunc) (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data);

#define EB_TYPE_TRANSPORT (eb_transport_get_type ())
G_DECLARE_INTERFACE (EbTransport, eb_transport, EB, TRANSPORT, GObject)

/**
 * EbTransportInterface:
 * @set_answer_func: who is told; called once, before anything else
 * @configure: replaces the settings, for attempts that start from now on
 * @open: a channel for @subscription, which costs no connection yet
 * @send: starts an attempt; its answer comes exactly once, and never from within this call
 * @close: ends the channel and whatever is under way on it, of which no answer comes any more
 *
 * How deliveries reach sinks of one kind. A transport belongs to one worker: every call is made in
 * its thread, with its context as the thread-default one.
 */
struct _EbTransportInterface
{
  GTypeInterface parent_iface;

  void (*set_answer_func) (EbTransport *self, EbAnswerFunc func, gpointer user_data);
  void (*configure) (EbTransport *self, EbDeliverySettings *settings);
  EbChannel *(*open) (EbTransport *self, EbSubscription *subscription);
  void (*send) (EbTransport *self, EbChannel *channel, EbDelivery *delivery);
  void (*close) (EbTransport *self, EbChannel *channel);
};

void eb_transport_set_answer_func (EbTransport *self, EbAnswerFunc func, gpointer user_data);
void eb_transport_configure (EbTransport *self, EbDeliverySettings *settings);
EbChannel *eb_transport_open (EbTransport *self, EbSubscription *subscription);
void eb_transport_send (EbTransport *self, EbChannel *channel, EbDelivery *delivery);
void eb_transport_close (EbTransport *self, EbChannel *channel);

G_END_DECLS
