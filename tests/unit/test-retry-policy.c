/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery-settings.h"
#include "delivery/eb-retry-policy.h"

/* What answers mean, as a table. */

#define SECOND G_TIME_SPAN_SECOND

/* 1994-11-06T08:49:07Z: half a minute before RFC 9110's examples of dates. */
#define NOW (784111747 * SECOND)

typedef struct
{
  const char *name;
  EbAnswerKind answer;
  guint status;
  const char *retry_after;
  guint number; /* of the attempt; all before it have failed, but for the busy ones */
  guint n_probes;
  EbVerdictKind verdict;
  double delay; /* in seconds, before jitter */
  enum
  {
    EXACT,
    JITTER
  } jitter;
  guint n_busy; /* earlier attempts that were answered with 429 or 503 */
} Row;

static const Row rows[] = {
  { "200", EB_ANSWER_RESPONSE, 200, NULL, 1, 0, EB_VERDICT_DELIVERED, 0, EXACT },
  { "299", EB_ANSWER_RESPONSE, 299, NULL, 10, 0, EB_VERDICT_DELIVERED, 0, EXACT },
  { "410", EB_ANSWER_RESPONSE, 410, NULL, 1, 0, EB_VERDICT_GONE, 0, EXACT },
  { "gone", EB_ANSWER_GONE, 0, NULL, 1, 0, EB_VERDICT_GONE, 0, EXACT },

  { "500 first", EB_ANSWER_RESPONSE, 500, NULL, 1, 0, EB_VERDICT_RETRY, 1, JITTER },
  { "500 second", EB_ANSWER_RESPONSE, 500, NULL, 2, 0, EB_VERDICT_RETRY, 5, JITTER },
  { "500 ninth", EB_ANSWER_RESPONSE, 500, NULL, 9, 0, EB_VERDICT_RETRY, 43200, JITTER },
  { "500 tenth", EB_ANSWER_RESPONSE, 500, NULL, 10, 0, EB_VERDICT_DEAD, 0, EXACT },
  { "500 after 503 x 9", EB_ANSWER_RESPONSE, 500, NULL, 10, 0, EB_VERDICT_RETRY, 1, JITTER, 9 },
  { "500 twice after 503 x 9", EB_ANSWER_RESPONSE, 500, NULL, 11, 0, EB_VERDICT_RETRY, 5, JITTER,
    9 },
  { "500 tenth after 503 x 9", EB_ANSWER_RESPONSE, 500, NULL, 19, 0, EB_VERDICT_DEAD, 0, EXACT, 9 },
  { "500 asks", EB_ANSWER_RESPONSE, 500, "60", 1, 0, EB_VERDICT_RETRY, 1, JITTER },
  { "301", EB_ANSWER_RESPONSE, 301, NULL, 3, 0, EB_VERDICT_RETRY, 30, JITTER },
  { "404", EB_ANSWER_RESPONSE, 404, NULL, 4, 0, EB_VERDICT_RETRY, 120, JITTER },
  { "101", EB_ANSWER_RESPONSE, 101, NULL, 5, 0, EB_VERDICT_RETRY, 300, JITTER },
  { "broken", EB_ANSWER_FAILED, 0, NULL, 6, 0, EB_VERDICT_RETRY, 1800, JITTER },
  { "broken last", EB_ANSWER_FAILED, 0, NULL, 10, 0, EB_VERDICT_DEAD, 0, EXACT },

  { "nobody", EB_ANSWER_UNREACHABLE, 0, NULL, 1, 0, EB_VERDICT_UNREACHABLE, 1, JITTER },
  { "nobody 2", EB_ANSWER_UNREACHABLE, 0, NULL, 1, 1, EB_VERDICT_UNREACHABLE, 2, JITTER },
  { "nobody 5", EB_ANSWER_UNREACHABLE, 0, NULL, 1, 4, EB_VERDICT_UNREACHABLE, 16, JITTER },
  { "nobody 6", EB_ANSWER_UNREACHABLE, 0, NULL, 1, 5, EB_VERDICT_UNREACHABLE, 30, JITTER },
  { "nobody ever", EB_ANSWER_UNREACHABLE, 0, NULL, 99, 4000000000, EB_VERDICT_UNREACHABLE, 30,
    JITTER },

  { "503", EB_ANSWER_RESPONSE, 503, NULL, 1, 0, EB_VERDICT_HOLD, 1, JITTER },
  { "429", EB_ANSWER_RESPONSE, 429, NULL, 3, 0, EB_VERDICT_HOLD, 30, JITTER },
  { "503 never dies", EB_ANSWER_RESPONSE, 503, NULL, 11, 0, EB_VERDICT_HOLD, 43200, JITTER },
  { "429 for 60 s", EB_ANSWER_RESPONSE, 429, "60", 1, 0, EB_VERDICT_HOLD, 60, EXACT },
  { "503 spaces", EB_ANSWER_RESPONSE, 503, " 7 ", 1, 0, EB_VERDICT_HOLD, 7, EXACT },
  { "503 zeros", EB_ANSWER_RESPONSE, 503, "007", 1, 0, EB_VERDICT_HOLD, 7, EXACT },
  { "503 many zeros", EB_ANSWER_RESPONSE, 503, "000000000007", 1, 0, EB_VERDICT_HOLD, 7, EXACT },
  { "503 nothing but zeros", EB_ANSWER_RESPONSE, 503, "00000000", 2, 0, EB_VERDICT_HOLD, 5,
    JITTER },
  { "503 an hour", EB_ANSWER_RESPONSE, 503, "3600", 1, 0, EB_VERDICT_HOLD, 3600, EXACT },
  { "503 too long", EB_ANSWER_RESPONSE, 503, "3601", 1, 0, EB_VERDICT_HOLD, 3600, EXACT },
  { "503 overflow", EB_ANSWER_RESPONSE, 503, "99999999999999999999999", 1, 0, EB_VERDICT_HOLD, 3600,
    EXACT },
  { "503 now", EB_ANSWER_RESPONSE, 503, "0", 2, 0, EB_VERDICT_HOLD, 5, JITTER },
  { "503 negative", EB_ANSWER_RESPONSE, 503, "-5", 2, 0, EB_VERDICT_HOLD, 5, JITTER },
  { "503 fraction", EB_ANSWER_RESPONSE, 503, "1.5", 2, 0, EB_VERDICT_HOLD, 5, JITTER },
  { "503 nonsense", EB_ANSWER_RESPONSE, 503, "soon", 2, 0, EB_VERDICT_HOLD, 5, JITTER },
  { "503 empty", EB_ANSWER_RESPONSE, 503, "", 2, 0, EB_VERDICT_HOLD, 5, JITTER },
  { "503 date", EB_ANSWER_RESPONSE, 503, "Sun, 06 Nov 1994 08:49:37 GMT", 1, 0, EB_VERDICT_HOLD, 30,
    EXACT },
  { "503 RFC 850", EB_ANSWER_RESPONSE, 503, "Sunday, 06-Nov-94 08:49:37 GMT", 1, 0, EB_VERDICT_HOLD,
    30, EXACT },
  { "503 asctime", EB_ANSWER_RESPONSE, 503, "Sun Nov  6 08:49:37 1994", 1, 0, EB_VERDICT_HOLD, 30,
    EXACT },
  { "503 far date", EB_ANSWER_RESPONSE, 503, "Mon, 07 Nov 1994 08:49:37 GMT", 1, 0, EB_VERDICT_HOLD,
    3600, EXACT },
  { "503 past", EB_ANSWER_RESPONSE, 503, "Sun, 06 Nov 1994 08:49:07 GMT", 2, 0, EB_VERDICT_HOLD, 5,
    JITTER },
  { "503 no date", EB_ANSWER_RESPONSE, 503, "Sun, 99 Foo 1994 99:99:99 GMT", 2, 0, EB_VERDICT_HOLD,
    5, JITTER },
};

static EbDeliverySettings *
create_settings (void)
{
  g_autoptr (EbAddressPolicy) policy = eb_address_policy_new (NULL, NULL, NULL, NULL);

  return eb_delivery_settings_new (policy);
}

static EbVerdict
judge (const Row *row, GArray *retry, double random)
{
  EbAnswer answer = { row->answer, row->status, row->retry_after, "why" };
  EbAttempt attempt = { .retry = retry,
                        .number = row->number,
                        .n_failures = row->number - 1 - row->n_busy,
                        .n_probes = row->n_probes,
                        .answer = &answer,
                        .random = random,
                        .now_us = NOW };

  return eb_retry_policy_judge (&attempt);
}

static void
test_row (gconstpointer data)
{
  static const double randoms[] = { 0, 0.25, 0.5, 1 };
  g_autoptr (EbDeliverySettings) settings = create_settings ();
  const Row *row = data;

  for (guint i = 0; i < G_N_ELEMENTS (randoms); i++)
    {
      EbVerdict verdict = judge (row, settings->retry, randoms[i]);
      double factor = row->jitter == JITTER ? 0.8 + 0.4 * randoms[i] : 1;

      g_assert_cmpint (verdict.kind, ==, row->verdict);
      g_assert_cmpfloat_with_epsilon ((double) verdict.delay / SECOND, row->delay * factor, 1e-5);
    }
}

/* Whoever wants no retries gets none, and is still held when it asks. */
static void
test_empty_schedule (void)
{
  g_autoptr (EbDeliverySettings) settings = create_settings ();
  const Row failed = { .answer = EB_ANSWER_FAILED, .number = 1 };
  const Row busy = { .answer = EB_ANSWER_RESPONSE, .status = 503, .number = 1 };

  eb_delivery_settings_set_retry (settings, NULL, 0);
  g_assert_cmpint (judge (&failed, settings->retry, 0.5).kind, ==, EB_VERDICT_DEAD);
  g_assert_cmpint (judge (&busy, settings->retry, 0.5).kind, ==, EB_VERDICT_HOLD);
  g_assert_cmpint (judge (&busy, settings->retry, 0.5).delay, ==, SECOND);
}

static void
assert_described (const EbAnswer *answer, const char *expected)
{
  g_autofree char *text = eb_answer_describe (answer);

  g_assert_cmpstr (text, ==, expected);
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
test_description (void)
{
  g_autofree char *long_reason = g_strnfill (199, 'x');
  g_autofree char *too_long = g_strconcat (long_reason, "é!", NULL);
  g_autofree char *fits = g_strconcat (long_reason, "y", NULL);
  g_autofree char *one_more = g_strconcat (fits, "z", NULL);

  assert_described (&(EbAnswer){ EB_ANSWER_RESPONSE, 500, NULL, NULL },
                    "answered 500 Internal Server Error");
  assert_described (&(EbAnswer){ EB_ANSWER_RESPONSE, 410, NULL, NULL }, "answered 410 Gone");
  assert_described (&(EbAnswer){ EB_ANSWER_FAILED, 0, NULL, "reset" }, "reset");
  assert_described (&(EbAnswer){ EB_ANSWER_FAILED, 0, NULL, too_long }, long_reason);
  assert_described (&(EbAnswer){ EB_ANSWER_FAILED, 0, NULL, fits }, fits);
  assert_described (&(EbAnswer){ EB_ANSWER_FAILED, 0, NULL, one_more }, fits);
  assert_described (&(EbAnswer){ EB_ANSWER_FAILED, 0, NULL, "a\xff" }, "a\xef\xbf\xbd");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/retry-policy/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/retry-policy/empty-schedule", test_empty_schedule);
  g_test_add_func ("/retry-policy/description", test_description);

  return g_test_run ();
}
