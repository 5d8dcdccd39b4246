/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-error.h"
#include "delivery/eb-consumer-private.h"

/* The part of EbConsumer that asks its sink for consent, where its subscriber wants that. Until it
 * is given nothing is delivered; it is asked for anew by each daemon. */

/**
 * eb_consumer_begin_handshake:
 *
 * From now on its sink must agree first, if its subscription says so; it is asked with the next
 * eb_consumer_proceed(). To be called again when there is another sink.
 */
void
eb_consumer_begin_handshake (EbConsumer *self)
{
  EbSinkKind kind = eb_sink_get_kind (eb_subscription_get_sink (self->subscription));
  gboolean http = kind == EB_SINK_HTTP || kind == EB_SINK_HTTPS;

  if (self->outbox->handshake != NULL)
    g_clear_pointer (&self->outbox->handshake, eb_handshake_free);
  self->allowed_rate = 0;
  if (http && eb_subscription_get_options (self->subscription)->handshake)
    eb_consumer_obtain_outbox (self)->handshake = eb_handshake_new ();
}

/**
 * eb_consumer_get_refusal:
 *
 * Returns: (transfer none) (nullable): why its sink has not agreed to deliveries yet, for people
 */
const char *
eb_consumer_get_refusal (EbConsumer *self)
{
  return self->outbox->handshake != NULL ? self->outbox->handshake->refusal : NULL;
}

/* What can do https:// can do http://, too, and a question is no matter of speed. */
static EbTransport *
get_asker (EbConsumer *self)
{
  return self->owner->get_transport (EB_SINK_HTTPS, self->owner->user_data);
}

/**
 * eb_consumer_ask:
 *
 * Asks for consent, if it is missing and it is time.
 */
void
eb_consumer_ask (EbConsumer *self)
{
  if (self->outbox->handshake == NULL || self->outbox->handshake->question != NULL
      || eb_consumer_is_held (self) || eb_consumer_is_stopped (self))
    return;
  eb_handshake_ask (self->outbox->handshake, get_asker (self), self->subscription, self);
}

/* Said once, and again if it is for another reason. */
static void
note_refusal (EbConsumer *self, const char *refusal)
{
  EbHandshake *handshake = self->outbox->handshake;

  if (g_strcmp0 (handshake->refusal, refusal) == 0)
    return;
  g_warning ("%s gets no deliveries, and is asked again and again: %s",
             eb_sink_get_uri (eb_subscription_get_sink (self->subscription)), refusal);
  g_free (handshake->refusal);
  handshake->refusal = g_strdup (refusal);
}

/**
 * eb_consumer_take_consent:
 * @answer: to the question
 */
void
eb_consumer_take_consent (EbConsumer *self, const EbAnswer *answer)
{
  g_auto (EbConsent) consent = { 0 };
  GTimeSpan delay = self->owner->judge_consent (self, answer, self->outbox->handshake->n_asked,
                                                &consent, self->owner->user_data);

  if (consent.given)
    {
      g_clear_pointer (&self->outbox->handshake, eb_handshake_free);
      self->allowed_rate = consent.per_minute;
      eb_consumer_apply_rate (self);
    }
  else
    {
      note_refusal (self, consent.refusal);
      eb_handshake_end_question (self->outbox->handshake);
      self->outbox->handshake->n_asked++;
      eb_recovery_hold (eb_consumer_obtain_recovery (self), EB_HOLD_CONSENT,
                        eb_consumer_get_now (self) + delay);
      if (self->outbox->queue.length > 0 || self->lagging)
        eb_consumer_note_failure (self);
    }
  eb_consumer_proceed (self);
}

/**
 * eb_consumer_claim_ping:
 *
 * A ping is a delivery to the sink: it needs its consent, and takes a place in the rate.
 *
 * Returns: FALSE with %EB_ERROR_BUSY if it may not be sent now
 */
gboolean
eb_consumer_claim_ping (EbConsumer *self, GError **error)
{
  EbRate *rate = self->outbox->recovery != NULL ? &self->outbox->recovery->rate : NULL;
  gint64 now_us = eb_consumer_get_now (self);

  if (self->outbox->handshake != NULL)
    g_set_error (error, EB_ERROR, EB_ERROR_BUSY, "The sink has not agreed to deliveries: %s",
                 self->outbox->handshake->refusal != NULL ? self->outbox->handshake->refusal
                                                          : "it is being asked");
  else if (rate != NULL && eb_rate_is_limited (rate) && eb_rate_get_due (rate) > now_us)
    g_set_error_literal (error, EB_ERROR, EB_ERROR_BUSY,
                         "The rate allows no delivery at this moment; try again later");
  else
    {
      if (rate != NULL)
        eb_rate_take (rate, now_us);
      return TRUE;
    }
  return FALSE;
}
