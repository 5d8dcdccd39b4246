/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-judge.h"

#include "delivery/eb-failure-log.h"

/* Lives in its worker's thread. */
struct _EbJudge
{
  EbClock *clock;               /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  GRand *random;                /* (owned) of jitter */
  EbFailureLog *failure_log;    /* (owned) */
};

EbJudge *
eb_judge_new (EbClock *clock, EbDeliverySettings *settings)
{
  EbJudge *self = g_new0 (EbJudge, 1);

  self->clock = g_object_ref (clock);
  self->settings = eb_delivery_settings_ref (settings);
  self->random = g_rand_new ();
  self->failure_log = eb_failure_log_new (clock);
  return self;
}

void
eb_judge_free (EbJudge *self)
{
  eb_failure_log_free (self->failure_log);
  g_rand_free (self->random);
  eb_delivery_settings_unref (self->settings);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_judge_configure:
 * @settings: for answers that come from now on
 */
void
eb_judge_configure (EbJudge *self, EbDeliverySettings *settings)
{
  eb_delivery_settings_ref (settings);
  eb_delivery_settings_unref (self->settings);
  self->settings = settings;
}

/* Returns: (transfer full): the schedule of @subscription: its own one, or the daemon's */
static GArray *
get_retry (EbJudge *self, EbSubscription *subscription)
{
  const EbDeliveryOptions *options = eb_subscription_get_options (subscription);
  GArray *retry;

  if (options->retry == NULL)
    return g_array_ref (self->settings->retry);
  retry = g_array_sized_new (FALSE, FALSE, sizeof (GTimeSpan), options->retry->len);
  for (guint i = 0; i < options->retry->len; i++)
    {
      GTimeSpan delay = g_array_index (options->retry, guint, i) * G_TIME_SPAN_SECOND;

      g_array_append_val (retry, delay);
    }
  return retry;
}

static EbVerdict
judge_failure (EbJudge *self,
               EbSubscription *subscription,
               const EbDelivery *delivery,
               const EbAnswer *answer,
               guint n_probes,
               EbReport *report)
{
  g_autoptr (GArray) retry = get_retry (self, subscription);
  EbAttempt attempt = { .retry = retry,
                        .number = delivery->attempt,
                        .n_failures = delivery->n_failures,
                        .n_probes = n_probes,
                        .answer = answer,
                        .random = g_rand_double (self->random),
                        .now_us = eb_clock_get_real (self->clock) };
  EbVerdict verdict = eb_retry_policy_judge (&attempt);

  report->failed += verdict.kind != EB_VERDICT_UNREACHABLE;
  if (verdict.kind == EB_VERDICT_DEAD)
    report->dead += eb_delivery_get_size (delivery);
  eb_failure_log_add (self->failure_log, subscription,
                      eb_event_get_sequence (eb_parcel_get_event (delivery->parcel)), &attempt,
                      &verdict);
  return verdict;
}

/**
 * eb_judge_delivery:
 * @delivery: whose attempt has ended with @answer
 * @n_probes: attempts in a row before this one that found nobody
 * @report: where it is counted
 *
 * Returns: what becomes of @delivery
 */
EbVerdict
eb_judge_delivery (EbJudge *self,
                   EbSubscription *subscription,
                   const EbDelivery *delivery,
                   const EbAnswer *answer,
                   guint n_probes,
                   EbReport *report)
{
  if (!eb_answer_is_success (answer))
    return judge_failure (self, subscription, delivery, answer, n_probes, report);
  report->delivered += eb_delivery_get_size (delivery);
  return (EbVerdict){ EB_VERDICT_DELIVERED, 0 };
}

/**
 * eb_judge_consent:
 * @answer: to the question whether a sink agrees to deliveries
 * @n_asked: how often it was asked before, in vain
 * @consent: (out): what the answer says
 *
 * Returns: after which delay it may be asked again
 */
GTimeSpan
eb_judge_consent (EbJudge *self, const EbAnswer *answer, guint n_asked, EbConsent *consent)
{
  eb_consent_read (consent, answer, self->settings->origin);
  return eb_retry_policy_get_ask_delay (n_asked, g_rand_double (self->random));
}

/**
 * eb_judge_forget:
 *
 * To be called before @subscription is let go.
 */
void
eb_judge_forget (EbJudge *self, EbSubscription *subscription)
{
  eb_failure_log_forget (self->failure_log, subscription);
}
