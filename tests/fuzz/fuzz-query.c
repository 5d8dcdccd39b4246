/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-sequences.h"
#include "fuzz/eb-fuzz.h"
#include "http/eb-query.h"

#define NAME       "a"
#define MAX_NUMBER 1000

/* What is written with these values is read as them. */
static void
check_round_trip (char **values)
{
  g_autoptr (GString) query = g_string_new (NULL);
  g_auto (GStrv) again = NULL;
  g_autoptr (GError) error = NULL;

  for (char **value = values; *value != NULL; value++)
    {
      g_assert_true (g_utf8_validate (*value, -1, NULL));
      g_string_append (query, "&" NAME "=");
      g_string_append_uri_escaped (query, *value, NULL, FALSE);
    }
  again = eb_query_get_all (query->str, NAME, &error);
  g_assert_no_error (error);
  g_assert_true (g_strv_equal ((const char *const *) values, (const char *const *) again));
}

static void
check_number (const char *query, char **values)
{
  guint64 number = 0;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_query_get_number (query, NAME, 1, MAX_NUMBER, &number, &error);

  eb_fuzz_check_verdict (fine, error);
  if (!fine || values[0] == NULL)
    return;
  g_assert_null (values[1]);
  g_assert_cmpuint (number, >=, 1);
  g_assert_cmpuint (number, <=, MAX_NUMBER);
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  g_assert_cmpstr (values[0], ==, text);
}

static void
check_sequences (const char *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) sequences = eb_sequences_parse_list (value, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  eb_fuzz_check_verdict (sequences != NULL, error);
  for (guint i = 0; sequences != NULL && i < sequences->len; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "",
                            g_array_index (sequences, guint64, i));
  if (sequences != NULL)
    g_assert_cmpstr (text->str, ==, value);
}

/* A query, as it stands in a request's target. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const names[] = { NAME, NULL };
  g_autofree char *query = eb_fuzz_dup_string (data, size);
  g_autofree char *first = NULL;
  g_auto (GStrv) all = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) all_error = NULL;
  g_autoptr (GError) names_error = NULL;
  gboolean fine;

  if (query == NULL)
    return 0;
  fine = eb_query_check_names (query, names, &names_error);
  eb_fuzz_check_verdict (fine, names_error);
  fine = eb_query_get (query, NAME, &first, &error);
  eb_fuzz_check_verdict (fine, error);
  all = eb_query_get_all (query, NAME, &all_error);
  eb_fuzz_check_verdict (all != NULL, all_error);
  /* A value that is not text is empty to the one, and wrong to the other. */
  g_assert_true (fine || all == NULL);
  if (all == NULL)
    return 0;
  g_assert_cmpstr (first, ==, all[0]);
  check_round_trip (all);
  check_number (query, all);
  for (char **value = all; *value != NULL; value++)
    check_sequences (*value);
  return 0;
}
