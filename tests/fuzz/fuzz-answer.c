/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "delivery/eb-handshake.h"
#include "delivery/eb-retry-policy.h"
#include "fuzz/eb-fuzz.h"

#define NOW      (784111747 * G_TIME_SPAN_SECOND) /* half a minute before RFC 9110's dates */
#define ORIGIN   "bus.example"
#define SCHEDULE (7 * G_TIME_SPAN_SECOND)

/* However it is said how long to wait, it is for a while, and for an hour at most. */
static void
check_retry_after (const char *value)
{
  g_autoptr (GArray) retry = g_array_new (FALSE, FALSE, sizeof (GTimeSpan));
  const GTimeSpan schedule = SCHEDULE;
  const EbAnswer answer = { .kind = EB_ANSWER_RESPONSE, .status = 503, .retry_after = value };
  const EbAttempt attempt = {
    .retry = retry, .number = 1, .answer = &answer, .random = 0.5, .now_us = NOW
  };
  EbVerdict verdict;
  guint64 seconds;

  g_array_append_val (retry, schedule);
  verdict = eb_retry_policy_judge (&attempt);
  g_assert_cmpint (verdict.kind, ==, EB_VERDICT_HOLD);
  g_assert_cmpint (verdict.delay, >, 0);
  g_assert_cmpint (verdict.delay, <=, G_TIME_SPAN_HOUR);
  if (g_ascii_isdigit (*value) && g_ascii_string_to_unsigned (value, 10, 0, 3600, &seconds, NULL))
    g_assert_cmpint (verdict.delay, ==,
                     seconds > 0 ? (GTimeSpan) seconds * G_TIME_SPAN_SECOND : SCHEDULE);
}

static void
check_consent (const char *allowed_origin, const char *allowed_rate)
{
  const EbAnswer answer = { .kind = EB_ANSWER_RESPONSE,
                            .status = 200,
                            .allowed_origin = allowed_origin,
                            .allowed_rate = allowed_rate };
  g_auto (EbConsent) consent = { 0 };
  g_autofree char *rate = NULL;

  eb_consent_read (&consent, &answer, ORIGIN);
  g_assert_true (consent.given == (consent.refusal == NULL));
  if (!consent.given)
    {
      g_assert_true (g_utf8_validate (consent.refusal, -1, NULL));
      return;
    }
  g_assert_true (g_str_equal (allowed_origin, "*")
                 || g_ascii_strcasecmp (allowed_origin, ORIGIN) == 0);
  rate = g_strdup_printf ("%u", consent.per_minute);
  if (consent.per_minute > 0)
    g_assert_cmpstr (allowed_rate + strspn (allowed_rate, "0"), ==, rate);
  else
    g_assert_true (allowed_rate == NULL || g_str_equal (allowed_rate, "*"));
}

static void
check_reason (const char *reason)
{
  const EbAnswer answer = { .kind = EB_ANSWER_FAILED, .reason = reason };
  g_autofree char *text = eb_answer_describe (&answer);

  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpuint (strlen (text), <=, 200);
}

/* Lines, what a sink says: Retry-After, WebHook-Allowed-Origin and WebHook-Allowed-Rate; and then
 * what went wrong. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_string (data, size);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", 4) : NULL;
  guint n_lines = lines != NULL ? g_strv_length (lines) : 0;

  if (n_lines == 0)
    return 0;
  check_retry_after (lines[0]);
  if (n_lines > 1)
    check_consent (lines[1], lines[2]);
  if (n_lines > 3)
    check_reason (lines[3]);
  return 0;
}
