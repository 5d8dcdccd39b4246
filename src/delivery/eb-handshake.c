/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-handshake.h"

void
eb_consent_clear (EbConsent *self)
{
  g_clear_pointer (&self->refusal, g_free);
}

/* An origin is a host name. */
static gboolean
allows (const char *allowed, const char *origin)
{
  return g_str_equal (allowed, "*") || g_ascii_strcasecmp (allowed, origin) == 0;
}

static char *
describe_refusal (const EbAnswer *answer, const char *origin)
{
  g_autofree char *what = eb_answer_describe (answer);

  if (answer->kind != EB_ANSWER_RESPONSE)
    return g_strdup_printf ("It could not be asked for its consent: %s", what);
  if (answer->allowed_origin == NULL)
    return g_strdup_printf ("It did not consent to deliveries: it %s, without "
                            "WebHook-Allowed-Origin",
                            what);
  return g_strdup_printf ("It did not consent to deliveries from “%s”: its WebHook-Allowed-Origin "
                          "is another one",
                          origin);
}

/* Returns: 0 for no limit; what is no number, or none that lets anything through, is none either:
 *   it has agreed to deliveries after all */
static gboolean
parse_rate (const char *value, guint *per_minute)
{
  guint64 rate = 0;

  *per_minute = 0;
  if (value == NULL || g_str_equal (value, "*"))
    return TRUE;
  /* GLib lets a vertical tab before it pass. */
  if (!g_ascii_isdigit (*value)
      || !g_ascii_string_to_unsigned (value, 10, 1, G_MAXUINT, &rate, NULL))
    return FALSE;
  *per_minute = (guint) rate;
  return TRUE;
}

/**
 * eb_consent_read:
 * @self: (out): to be cleared
 * @answer: of a sink that was asked
 * @origin: who asked
 *
 * Its status does not matter: many servers answer OPTIONS with something, and some that agree with
 * an error.
 */
void
eb_consent_read (EbConsent *self, const EbAnswer *answer, const char *origin)
{
  *self = (EbConsent){ 0 };
  self->given = answer->kind == EB_ANSWER_RESPONSE && answer->allowed_origin != NULL
                && allows (answer->allowed_origin, origin);
  if (!self->given)
    self->refusal = describe_refusal (answer, origin);
  else if (!parse_rate (answer->allowed_rate, &self->per_minute))
    {
      self->given = FALSE;
      self->refusal = g_strdup ("its WebHook-Allowed-Rate is neither a number above 0 nor “*”");
    }
}

EbHandshake *
eb_handshake_new (void)
{
  return g_new0 (EbHandshake, 1);
}

void
eb_handshake_free (EbHandshake *self)
{
  eb_handshake_end_question (self);
  g_free (self->refusal);
  g_free (self);
}

/**
 * eb_handshake_ask:
 * @transport: must outlive the question
 * @consumer: whose the question is
 *
 * Asks the sink of @subscription. The answer comes as that of any delivery does, and
 * eb_handshake_end_question() is to be called then.
 */
void
eb_handshake_ask (EbHandshake *self,
                  EbTransport *transport,
                  EbSubscription *subscription,
                  gpointer consumer)
{
  g_return_if_fail (self->question == NULL);

  self->transport = transport;
  self->channel = eb_transport_open (transport, subscription);
  self->question = eb_delivery_new_question (consumer);
  eb_transport_send (transport, self->channel, self->question);
}

/**
 * eb_handshake_end_question:
 *
 * Nothing is being asked any more.
 */
void
eb_handshake_end_question (EbHandshake *self)
{
  if (self->channel != NULL)
    eb_transport_close (self->transport, g_steal_pointer (&self->channel));
  g_clear_pointer (&self->question, eb_delivery_free);
}
