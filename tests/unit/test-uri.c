/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-uri.h"

static const char *const absolute[] = {
  "http://a/b?c#d",
  "https://github.com/cloudevents/spec/pull?x=/?",
  "mailto:cncf-wg-serverless@lists.cncf.io",
  "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
  "http://[::1]:80/a",
  "http://a:b@[::1]?",
  "a:.//b",
  "a:/..//b",
  "a:%FF",
  "a:b:c",
  "tag:a@b,2024:%C3%A9",
};

static const char *const relative[] = {
  "", "/cloudevents/spec/pull/123", "1-555-123-4567", "a/b:c", "//host/path", "?q", "#f", "./a:b",
};

static const char *const wrong[] = {
  "a b",         "a\tb",
  "http://a b/", "a%",
  "a%2",         "a%zz",
  "a\"b",        "<a>",
  "a\\b",        "a^b",
  "`",           "{a}",
  "a|b",         "\xc3\xa9",
  "a#b#c",       "1:b",
  "http://[::1", "/[a]",
  ":a",          "http://a:b/",
  "http://a[",   "http://[::1]a/",
  "http://[@a/", "//a@b@c/",
};

static void
test_reference (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (absolute); i++)
    {
      g_test_message ("%s", absolute[i]);
      g_assert_true (eb_uri_is_reference (absolute[i]));
      g_assert_true (eb_uri_is_absolute (absolute[i]));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (relative); i++)
    {
      g_test_message ("%s", relative[i]);
      g_assert_true (eb_uri_is_reference (relative[i]));
      g_assert_false (eb_uri_is_absolute (relative[i]));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *shown = g_strescape (wrong[i], NULL);

      g_test_message ("%s", shown);
      g_assert_false (eb_uri_is_reference (wrong[i]));
      g_assert_false (eb_uri_is_absolute (wrong[i]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/uri/reference", test_reference);

  return g_test_run ();
}
