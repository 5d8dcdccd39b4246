/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "core/eb-attribute.h"
#include "core/eb-quote.h"

static void
test_cases (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "größe ☕", "größe ☕" },
    { "a\\b\"c", "a\\b\"c" },
    { "a\nb\x7f", "a\\u000ab\\u007f" },
    { "\xe2\x80\xae", "\\u202e" }, /* would turn round what follows it */
    { "a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *quoted = eb_quote_text (cases[i][0], -1);

      g_assert_cmpstr (quoted, ==, cases[i][1]);
    }
}

static void
test_length (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *nothing = eb_quote_text ("a", 0);
  g_autofree char *nul = eb_quote_text ("a\0b", 3);
  g_autofree char *whole = NULL;
  g_autofree char *cut = NULL;

  g_assert_cmpstr (nothing, ==, "");
  g_assert_cmpstr (nul, ==,
                   "a\xef\xbf\xbd"
                   "b");
  for (guint i = 0; i < 100; i++)
    g_string_append (text, "☕");
  whole = eb_quote_text (text->str, (gssize) text->len);
  g_assert_cmpstr (whole, ==, text->str);
  g_string_append_printf (text, "%s☕", text->str);
  cut = eb_quote_text (text->str, -1);
  g_assert_cmpint (g_utf8_strlen (cut, -1), ==, 101);
  g_assert_true (g_str_has_suffix (cut, "☕…"));
}

/* A message about a name shows it as its sender wrote it. */
static void
test_attribute_name (void)
{
  g_autoptr (GString) name = g_string_new ("größe");
  g_autoptr (GError) error = NULL;

  g_assert_false (eb_attribute_check_name (name->str, &error));
  g_assert_nonnull (strstr (error->message, "“größe”"));
  g_clear_error (&error);
  for (guint i = 0; i < 100; i++)
    g_string_append (name, "ß");
  g_assert_false (eb_attribute_check_name (name->str, &error));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/quote/cases", test_cases);
  g_test_add_func ("/quote/length", test_length);
  g_test_add_func ("/quote/attribute-name", test_attribute_name);

  return g_test_run ();
}
