/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-draft.h"
#include "core/eb-timestamp.h"
#include "fuzz/eb-fuzz.h"

#define SHAPE                                                                                      \
  "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"

/* What GLib, which reads ISO 8601, and the shape that RFC 3339 gives it say together. GLib does not
 * know of the year 0 and of times that UTC puts beyond its years; leap seconds are left out.
 *
 * Returns: (transfer full) (nullable) */
static GDateTime *
read_time (const char *text)
{
  g_autofree char *upper = g_ascii_strup (text, -1);
  g_autoptr (GDateTime) time = NULL;

  if (g_regex_match_simple (SHAPE, upper, G_REGEX_DOLLAR_ENDONLY, 0))
    time = g_date_time_new_from_iso8601 (upper, NULL);
  return time != NULL ? g_date_time_to_utc (time) : NULL;
}

/* What is written of it is read as the same. */
static void
check_round_trip (gint64 real_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autofree char *text = NULL;
  gint64 again;

  if (time == NULL || real_us < 0 || g_date_time_get_year (time) > 9999)
    return;
  text = g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", g_date_time_get_year (time),
                          g_date_time_get_month (time), g_date_time_get_day_of_month (time),
                          g_date_time_get_hour (time), g_date_time_get_minute (time),
                          g_date_time_get_second (time), (int) (real_us % G_USEC_PER_SEC));
  g_assert_true (eb_timestamp_parse (text, &again));
  g_assert_cmpint (again, ==, real_us);
}

/* Returns: whether it is what CloudEvents' `time` may be */
static gboolean
is_attribute (const char *text)
{
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (EbDraft) draft = eb_draft_new (nothing);
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_draft_set (draft, "time", text, &error);

  eb_fuzz_check_verdict (fine, error);
  return fine;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = eb_fuzz_dup_string (data, size);
  g_autoptr (GDateTime) time = NULL;
  gint64 real_us;
  gboolean fine;

  if (text == NULL)
    return 0;
  time = read_time (text);
  fine = eb_timestamp_parse (text, &real_us);
  g_assert_true (fine == is_attribute (text));
  g_assert_true (fine || time == NULL);
  if (time != NULL)
    g_assert_cmpint (g_date_time_to_unix (time), ==,
                     (real_us - g_date_time_get_microsecond (time)) / G_USEC_PER_SEC);
  if (fine)
    check_round_trip (real_us);
  return 0;
}
