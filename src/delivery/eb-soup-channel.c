/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-soup-channel.h"

#include "delivery/eb-webhook-id.h"

/**
 * eb_soup_channel_new:
 * @log_id: of the log whose events are delivered
 *
 * Returns: (transfer full): a channel without attempts
 */
EbSoupChannel *
eb_soup_channel_new (EbSubscription *subscription, const char *log_id)
{
  EbSink *sink = eb_subscription_get_sink (subscription);
  GPtrArray *secrets = eb_subscription_get_options (subscription)->secrets;
  EbSoupChannel *self = g_new0 (EbSoupChannel, 1);

  self->subscription = eb_subscription_ref (subscription);
  self->uri = eb_soup_uri_new (sink);
  self->literal = eb_sink_dup_literal (sink);
  if (secrets != NULL)
    self->signer = eb_signer_new (secrets);
  self->webhook_id_prefix = eb_webhook_id_prefix (log_id, eb_subscription_get_id (subscription));
  return self;
}

/**
 * eb_soup_channel_free:
 *
 * It must have no attempts any more.
 */
void
eb_soup_channel_free (EbSoupChannel *self)
{
  eb_subscription_unref (self->subscription);
  g_uri_unref (self->uri);
  g_clear_object (&self->literal);
  g_free (self->webhook_id_prefix);
  g_clear_pointer (&self->signer, eb_signer_free);
  g_free (self);
}

/**
 * eb_soup_channel_get_timeout:
 *
 * Returns: how long an attempt may take
 */
GTimeSpan
eb_soup_channel_get_timeout (const EbSoupChannel *self, const EbDeliverySettings *settings)
{
  return eb_delivery_settings_get_timeout (settings,
                                           eb_subscription_get_options (self->subscription));
}

/**
 * eb_soup_channel_create_message:
 * @origin: who the daemon says it is
 * @now_us: real time of the attempt
 *
 * Returns: (transfer full): the request that @delivery is
 */
SoupMessage *
eb_soup_channel_create_message (const EbSoupChannel *self,
                                const EbDelivery *delivery,
                                const char *origin,
                                gint64 now_us)
{
  const EbDeliveryOptions *options = eb_subscription_get_options (self->subscription);
  EbSoupRequest request = { .delivery = delivery,
                            .options = options,
                            .webhook_id_prefix = self->webhook_id_prefix,
                            .signer = self->signer,
                            .origin = origin,
                            .now_us = now_us };

  if (eb_delivery_is_question (delivery))
    return eb_soup_message_new_question (self->uri, origin, options->rate);
  return eb_soup_message_new (self->uri, &request);
}
