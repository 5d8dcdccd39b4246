/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-transport.h"

G_DEFINE_INTERFACE (EbTransport, eb_transport, G_TYPE_OBJECT)

static void
eb_transport_default_init (EbTransportInterface *iface)
{
}

/**
 * eb_transport_set_answer_func:
 * @func: is told what became of each attempt; set once, before anything else
 */
void
eb_transport_set_answer_func (EbTransport *self, EbAnswerFunc func, gpointer user_data)
{
  EB_TRANSPORT_GET_IFACE (self)->set_answer_func (self, func, user_data);
}

/**
 * eb_transport_configure:
 * @settings: for attempts that start from now on
 */
void
eb_transport_configure (EbTransport *self, EbDeliverySettings *settings)
{
  EB_TRANSPORT_GET_IFACE (self)->configure (self, settings);
}

/**
 * eb_transport_open:
 *
 * Returns: (transfer full): a channel to the subscription's sink, to be ended with
 *   eb_transport_close(); it costs no connection yet
 */
EbChannel *
eb_transport_open (EbTransport *self, EbSubscription *subscription)
{
  return EB_TRANSPORT_GET_IFACE (self)->open (self, subscription);
}

/**
 * eb_transport_send:
 * @delivery: stays its consumer's, and stays alive until it is answered or the channel closed
 *
 * Starts an attempt. Its answer comes exactly once, and never from within this call.
 */
void
eb_transport_send (EbTransport *self, EbChannel *channel, EbDelivery *delivery)
{
  EB_TRANSPORT_GET_IFACE (self)->send (self, channel, delivery);
}

/**
 * eb_transport_close:
 * @channel: (transfer full): ends, and with it what is under way on it, unanswered
 */
void
eb_transport_close (EbTransport *self, EbChannel *channel)
{
  EB_TRANSPORT_GET_IFACE (self)->close (self, channel);
}
