/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-retry-policy.h"

#include <libsoup/soup.h>

/* What an answer means for the delivery, and for its subscription. It knows no clock, no queue and
 * no dice: everything that it depends on is in the attempt. */

/* While nobody is there: quickly at first, because most restarts take seconds; then seldom enough
 * to cost nothing, and often enough that nobody has to wait for long. */
#define FIRST_PROBE (1 * G_TIME_SPAN_SECOND)
#define LAST_PROBE  (30 * G_TIME_SPAN_SECOND)

/* While somebody is there, but does not agree to deliveries: a person has to do something. */
#define LAST_QUESTION (4 * G_TIME_SPAN_MINUTE)

/* A sink may not silence its subscription for ever with one wrong number. */
#define MAX_HOLD (1 * G_TIME_SPAN_HOUR)

/* Of a delay, either way: what failed together shall not come back together. */
#define JITTER 0.2

static GTimeSpan
add_jitter (GTimeSpan delay, double random)
{
  return (GTimeSpan) ((double) delay * (1 + JITTER * (2 * random - 1)));
}

static GTimeSpan
get_growing_delay (guint n_before, GTimeSpan last)
{
  GTimeSpan delay = FIRST_PROBE;

  for (guint i = 0; i < n_before && delay < last; i++)
    delay *= 2;
  return MIN (delay, last);
}

/* Returns: 0 if it is no number of seconds */
static GTimeSpan
parse_seconds (const char *value)
{
  gsize n_digits = strspn (value, "0123456789");
  gsize n_zeros = strspn (value, "0");

  if (n_digits == 0 || value[n_digits + strspn (value + n_digits, " \t")] != '\0')
    return 0;
  /* More digits than this are longer than MAX_HOLD anyway. */
  return n_digits - n_zeros > 6
             ? MAX_HOLD
             : (GTimeSpan) g_ascii_strtoull (value, NULL, 10) * G_TIME_SPAN_SECOND;
}

/* Returns: 0 if it is no date, or one that has passed */
static GTimeSpan
parse_date (const char *value, gint64 now_us)
{
  g_autoptr (GDateTime) date = soup_date_time_new_from_http_string (value);
  gint64 date_s = date != NULL ? g_date_time_to_unix (date) : 0;

  return date_s > now_us / G_TIME_SPAN_SECOND ? date_s * G_TIME_SPAN_SECOND - now_us : 0;
}

/* Returns: how long the sink wants to be left alone; 0 if it does not say so in earnest */
static GTimeSpan
parse_retry_after (const char *value, gint64 now_us)
{
  GTimeSpan hold;

  if (value == NULL)
    return 0;
  value += strspn (value, " \t");
  hold = parse_seconds (value);
  if (hold == 0)
    hold = parse_date (value, now_us);
  return MIN (hold, MAX_HOLD);
}

/* @number: 1 for the first */
static GTimeSpan
get_scheduled_delay (const EbAttempt *attempt, guint number)
{
  guint last = attempt->retry->len;
  GTimeSpan delay =
      last > 0 ? g_array_index (attempt->retry, GTimeSpan, MIN (number, last) - 1) : FIRST_PROBE;

  return add_jitter (delay, attempt->random);
}

/* A sink that is busy does not use its retries up, however often it says so. */
static EbVerdict
judge_hold (const EbAttempt *attempt)
{
  GTimeSpan asked = parse_retry_after (attempt->answer->retry_after, attempt->now_us);

  return (EbVerdict){ EB_VERDICT_HOLD,
                      asked > 0 ? asked : get_scheduled_delay (attempt, attempt->number) };
}

static EbVerdict
judge_failure (const EbAttempt *attempt)
{
  if (attempt->n_failures >= attempt->retry->len)
    return (EbVerdict){ EB_VERDICT_DEAD, 0 };
  return (EbVerdict){ EB_VERDICT_RETRY, get_scheduled_delay (attempt, attempt->n_failures + 1) };
}

/**
 * eb_status_asks_to_wait:
 * @status: HTTP status of an answer; 0 for none
 *
 * Returns: whether the sink wants to be left alone for a while (RFC 6585 4, RFC 9110 15.6.4)
 */
gboolean
eb_status_asks_to_wait (guint status)
{
  return status == 429 || status == SOUP_STATUS_SERVICE_UNAVAILABLE;
}

static EbVerdict
judge_response (const EbAttempt *attempt)
{
  guint status = attempt->answer->status;

  if (eb_answer_is_success (attempt->answer))
    return (EbVerdict){ EB_VERDICT_DELIVERED, 0 };
  if (status == SOUP_STATUS_GONE)
    return (EbVerdict){ EB_VERDICT_GONE, 0 };
  if (eb_status_asks_to_wait (status))
    return judge_hold (attempt);
  return judge_failure (attempt);
}

/**
 * eb_retry_policy_get_ask_delay:
 * @n_asked: how often a sink was asked before
 * @random: from 0 to 1
 *
 * Returns: after what time a sink that did not agree to deliveries is asked again
 */
GTimeSpan
eb_retry_policy_get_ask_delay (guint n_asked, double random)
{
  return add_jitter (get_growing_delay (n_asked, LAST_QUESTION), random);
}

/**
 * eb_retry_policy_judge:
 *
 * Returns: what is to be done now; always the same for the same @attempt
 */
EbVerdict
eb_retry_policy_judge (const EbAttempt *attempt)
{
  switch (attempt->answer->kind)
    {
    case EB_ANSWER_RESPONSE:
      return judge_response (attempt);
    case EB_ANSWER_UNREACHABLE:
      return (EbVerdict){ EB_VERDICT_UNREACHABLE,
                          add_jitter (get_growing_delay (attempt->n_probes, LAST_PROBE),
                                      attempt->random) };
    case EB_ANSWER_GONE:
      return (EbVerdict){ EB_VERDICT_GONE, 0 };
    case EB_ANSWER_FAILED:
    default:
      return judge_failure (attempt);
    }
}
