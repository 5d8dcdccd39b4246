/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-sequences.h"
#include "core/eb-error.h"

static void
test_json (void)
{
  static const char text[] = " {\n\"sequences\" : [ 1 ,\t20,9223372036854775807 ] } ";
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, sizeof text - 1);
  g_autoptr (GBytes) none = g_bytes_new_static ("{\"sequences\":[]}", 16);
  g_autoptr (GBytes) all = g_bytes_new_static (" { } ", 5);
  g_autoptr (GArray) sequences = NULL, empty = NULL, absent = NULL;

  g_assert_true (eb_sequences_parse_json (bytes, &sequences, NULL));
  g_assert_true (eb_sequences_parse_json (none, &empty, NULL));
  g_assert_true (eb_sequences_parse_json (all, &absent, NULL));
  g_assert_cmpuint (sequences->len, ==, 3);
  g_assert_cmpuint (g_array_index (sequences, guint64, 1), ==, 20);
  g_assert_cmpuint (g_array_index (sequences, guint64, 2), ==, G_MAXINT64);
  g_assert_cmpuint (empty->len, ==, 0);
  g_assert_null (absent);
}

static void
test_wrong_json (void)
{
  static const struct
  {
    const char *text;
    const char *says;
  } cases[] = {
    { "", "sequences" },
    { " ", "sequences" },
    { "[]", "sequences" },
    { "{}{}", "sequences" },
    { "{},", "sequences" },
    { "{\"all\":true}", "“all”" },
    { "{\"sequences\":[1],\"all\":true}", "“all”" },
    { "{\"sequences\":[1],\"sequences\":[2]}", "not {" },
    { "{\"sequences\":[1]}{}", "not {" },
    { "{\"sequences\":[1]", "not {" },
    { "{\"sequences\":[1,]}", "array" },
    { "{\"sequences\":[01]}", "array" },
    { "{\"sequences\":[0]}", "array" },
    { "{\"sequences\":[-1]}", "array" },
    { "{\"sequences\":[1.0]}", "array" },
    { "{\"sequences\":[\"1\"]}", "array" },
    { "{\"sequences\":[9223372036854775808]}", "array" },
    { "{\"sequences\":1}", "array" },
    { "{\"sequences\":null}", "array" },
    { "{'sequences':[1]}", "not {" },
    { "{/**/\"sequences\":[1]}", "not {" },
    { "{\"sequences", "not {" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (cases[i].text, strlen (cases[i].text));
      g_autoptr (GArray) sequences = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i].text);
      g_assert_false (eb_sequences_parse_json (bytes, &sequences, &error));
      g_assert_null (sequences);
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

static void
test_nul (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("{\"sequences\":[1]}\0", 18);
  g_autoptr (GArray) sequences = NULL;

  g_assert_false (eb_sequences_parse_json (bytes, &sequences, NULL));
}

static void
test_list (void)
{
  static const char *const wrong[] = { "", ",", "1,", "x", "0", "-1", "+1", "01", "1 ,2", "\v1" };
  g_autoptr (GArray) sequences = eb_sequences_parse_list ("5,7", NULL);

  g_assert_cmpuint (sequences->len, ==, 2);
  g_assert_cmpuint (g_array_index (sequences, guint64, 1), ==, 7);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (eb_sequences_parse_list (wrong[i], &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "“sequences”"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/sequences/json", test_json);
  g_test_add_func ("/sequences/wrong-json", test_wrong_json);
  g_test_add_func ("/sequences/nul", test_nul);
  g_test_add_func ("/sequences/list", test_list);

  return g_test_run ();
}
