/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-media-type.h"

static void
test_valid (void)
{
  static const char *const valid[] = {
    "text/plain",
    "application/vnd.a.b+json",
    "a/b;c=d",
    "a/b ; c=\"d\\\"; e\" ;f=g",
    "a/b;charset=\"\"",
    "a/b;",
    "A/B",
    "application/x-www-form-urlencoded",
    "a/b;c=\"\xc3\xa9\"; ",
    "*/*",
  };
  static const char *const invalid[] = {
    "",      "text",  "/plain", "text/",    "text/plain/x",   "text /plain", "text/ plain",
    "a/b c", "a/b;c", "a/b;c=", "a/b;=d",   "a/b;c=\"d",      "a/b;c=\"\\",  "a/b;c=\"d\"e",
    "a/b,c", "é/b",   " a/b",   "a/b;c =d", "a/b;c=\"\x01\"", "a/b; c= d",   "<a>/b",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (valid); i++)
    g_assert_true (eb_media_type_is_valid (valid[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_autofree char *shown = g_strescape (invalid[i], NULL);

      g_test_message ("%s", shown);
      g_assert_false (eb_media_type_is_valid (invalid[i]));
    }
}

static void
test_kinds (void)
{
  g_assert_true (eb_media_type_is ("Text/PLAIN; charset=x", "text/plain"));
  g_assert_false (eb_media_type_is ("text/plainer", "text/plain"));
  g_assert_false (eb_media_type_is ("text", "text/plain"));

  g_assert_true (eb_media_type_is_json ("application/json"));
  g_assert_true (eb_media_type_is_json ("text/JSON;x=y"));
  g_assert_true (eb_media_type_is_json ("application/a+Json"));
  g_assert_false (eb_media_type_is_json ("application/xjson"));
  g_assert_false (eb_media_type_is_json ("application/json+xml"));
  g_assert_false (eb_media_type_is_json ("a/b;c=/json"));
  g_assert_false (eb_media_type_is_json ("json"));

  g_assert_true (eb_media_type_is_utf8_text ("text/x"));
  g_assert_true (eb_media_type_is_utf8_text ("TEXT/x; a=b; Charset=\"UTF-8\""));
  g_assert_true (eb_media_type_is_utf8_text ("text/x;charset=us-ascii"));
  g_assert_true (eb_media_type_is_utf8_text ("text/x;a=\";charset=iso-8859-1;\"; charset=utf-8"));
  g_assert_false (eb_media_type_is_utf8_text ("text/x;charset=iso-8859-1"));
  g_assert_false (eb_media_type_is_utf8_text ("application/text"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/media-type/valid", test_valid);
  g_test_add_func ("/media-type/kinds", test_kinds);

  return g_test_run ();
}
