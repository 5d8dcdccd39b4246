/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-failure-log.h"

#define LOG_INTERVAL (1 * G_TIME_SPAN_SECOND) /* between two lines of one kind about one sink */

/* So that a broken sink cannot flood the journal. What was given up has lines of its own: they
 * must not drown among those about attempts. */
typedef struct
{
  gint64 logged_us; /* monotonic time of the last line; 0 for none */
  guint n_silent;   /* since then */
} Limit;

typedef struct
{
  Limit failed;
  Limit dead;
} Failures;

struct _EbFailureLog
{
  EbClock *clock;       /* (owned) */
  GHashTable *failures; /* (owned) (element-type gpointer Failures) of late, by identity */
};

EbFailureLog *
eb_failure_log_new (EbClock *clock)
{
  EbFailureLog *self = g_new (EbFailureLog, 1);

  self->clock = g_object_ref (clock);
  self->failures = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
eb_failure_log_free (EbFailureLog *self)
{
  g_hash_table_unref (self->failures);
  g_object_unref (self->clock);
  g_free (self);
}

static Limit *
get_limit (EbFailureLog *self, EbSubscription *subscription, EbVerdictKind kind)
{
  gpointer identity = eb_subscription_get_identity (subscription);
  Failures *failures = g_hash_table_lookup (self->failures, identity);

  if (failures == NULL)
    {
      failures = g_new0 (Failures, 1);
      g_hash_table_insert (self->failures, identity, failures);
    }
  return kind == EB_VERDICT_DEAD ? &failures->dead : &failures->failed;
}

static gboolean
may_log (Limit *limit, gint64 now_us)
{
  if (limit->logged_us != 0 && now_us - limit->logged_us < LOG_INTERVAL)
    {
      limit->n_silent++;
      return FALSE;
    }
  limit->logged_us = now_us;
  return TRUE;
}

static char *
describe_delay (GTimeSpan delay)
{
  return g_strdup_printf ("%.3g s", (double) delay / G_TIME_SPAN_SECOND);
}

static void
append_what_is_next (GString *line, const EbAttempt *attempt, const EbVerdict *verdict)
{
  g_autofree char *delay = describe_delay (verdict->delay);

  if (verdict->kind == EB_VERDICT_UNREACHABLE)
    g_string_append_printf (line, "; next try in %s", delay);
  else if (verdict->kind == EB_VERDICT_HOLD)
    g_string_append_printf (line, "; attempt %u, nothing more is sent there for %s",
                            attempt->number, delay);
  else if (verdict->kind == EB_VERDICT_RETRY)
    g_string_append_printf (line, "; failure %u of %u, next try in %s", attempt->n_failures + 1,
                            attempt->retry->len + 1, delay);
  else if (verdict->kind == EB_VERDICT_DEAD)
    g_string_append_printf (line, "; failure %u was the last, it is a dead letter now",
                            attempt->n_failures + 1);
}

/**
 * eb_failure_log_add:
 * @sequence: of the event
 * @verdict: anything but %EB_VERDICT_DELIVERED
 */
void
eb_failure_log_add (EbFailureLog *self,
                    EbSubscription *subscription,
                    guint64 sequence,
                    const EbAttempt *attempt,
                    const EbVerdict *verdict)
{
  Limit *limit = get_limit (self, subscription, verdict->kind);
  g_autofree char *answer = NULL;
  g_autoptr (GString) line = NULL;

  if (!may_log (limit, eb_clock_get_monotonic (self->clock)))
    return;
  answer = eb_answer_describe (attempt->answer);
  line = g_string_new (NULL);
  g_string_printf (line, "%s did not take event %" G_GUINT64_FORMAT ": %s",
                   eb_sink_get_uri (eb_subscription_get_sink (subscription)), sequence, answer);
  append_what_is_next (line, attempt, verdict);
  if (limit->n_silent > 0)
    g_string_append_printf (line, " (and %u more before)", limit->n_silent);
  limit->n_silent = 0;
  g_warning ("%s", line->str);
}

/**
 * eb_failure_log_forget:
 *
 * To be called before @subscription is let go.
 */
void
eb_failure_log_forget (EbFailureLog *self, EbSubscription *subscription)
{
  g_hash_table_remove (self->failures, eb_subscription_get_identity (subscription));
}
