/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-types.h"

#include <string.h>

#include "core/eb-error.h"

static const char *const good_patterns[] = {
  "a", "a.b", "*", ">", "*.*", "*.>", "a.*.b", "a.>", "a b", "com.example/x-y_z", "\xc3\xbc.*",
};

static const char *const bad_patterns[] = {
  "",   ".",     "a.", ".a", "a..b", "a*", "*a", "a.b*", "**",    ">>",     ">.a",  "a>",
  ">a", "a.>.b", "*>", ">*", ">.",   "*.", ".>", ".*",   "a.>.>", "a.*b.c", "\xff", "a.\xc3",
};

static const struct
{
  const char *pattern;
  const char *type;
  gboolean matches;
} cases[] = {
  { "a", "a", TRUE },
  { "a", "b", FALSE },
  { "a", "A", FALSE },
  { "a", "aa", FALSE },
  { "aa", "a", FALSE },
  { "a", "a.b", FALSE },
  { "a.b", "a", FALSE },
  { "a.b", "a.b", TRUE },
  { "a.b", "a.bc", FALSE },
  { "a.b", "ab", FALSE },
  { "a.b", "a..b", FALSE },
  { "a.b", "a.b.", FALSE },
  { "a.b", ".a.b", FALSE },
  { "*", "a", TRUE },
  { "*", "anything", TRUE },
  { "*", "a.b", FALSE },
  { "*", ".", FALSE },
  { "*", "a.", FALSE },
  { "*", "", FALSE },
  { "*", "*", TRUE },
  { "*.*", "a.b", TRUE },
  { "*.*", "a.", FALSE },
  { "*.*", ".b", FALSE },
  { "*.*", ".", FALSE },
  { "*.*", "a.b.c", FALSE },
  { "a.*", "a.b", TRUE },
  { "a.*", "a", FALSE },
  { "a.*", "a.", FALSE },
  { "a.*", "a.b.c", FALSE },
  { "a.*.c", "a.b.c", TRUE },
  { "a.*.c", "a..c", FALSE },
  { "a.*.c", "a.b.b.c", FALSE },
  { "*.b", "a.b", TRUE },
  { "*.b", ".b", FALSE },
  { ">", "a", TRUE },
  { ">", "a.b.c", TRUE },
  { ">", "a..b", TRUE },
  { ">", ".", TRUE },
  { ">", "...", TRUE },
  { ">", "", TRUE },
  { "a.>", "a.b", TRUE },
  { "a.>", "a.b.c.d", TRUE },
  { "a.>", "a", FALSE },
  { "a.>", "ab", FALSE },
  { "a.>", "b.a", FALSE },
  { "a.>", "a..b", TRUE },
  { "a.*.>", "a.b", FALSE },
  { "a.*.>", "a.b.c", TRUE },
  { "a.*.>", "a..c", FALSE },
  { "com.example.order.*", "com.example.order.created", TRUE },
  { "com.example.order.*", "com.example.orders.created", FALSE },
};

static gboolean
check_one (const char *pattern, GError **error)
{
  const char *const patterns[] = { pattern, NULL };

  return eb_types_check (patterns, error);
}

static void
test_check (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good_patterns); i++)
    {
      g_autoptr (GError) error = NULL;

      check_one (good_patterns[i], &error);
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_patterns); i++)
    {
      g_autoptr (GError) error = NULL;

      if (check_one (bad_patterns[i], &error))
        g_error ("“%s” was taken", bad_patterns[i]);
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_check_lists (void)
{
  const char *const none[] = { NULL };
  const char *const second_bad[] = { "a", "b*", NULL };
  const char *many[102] = { NULL };
  g_autofree char *longest = g_strnfill (256, 'a');
  g_autofree char *longer = g_strnfill (257, 'a');
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_types_check (NULL, NULL));
  g_assert_true (eb_types_check (none, NULL));

  g_assert_false (eb_types_check (second_bad, &error));
  g_assert_nonnull (strstr (error->message, "“b*”"));
  g_clear_error (&error);

  g_assert_true (check_one (longest, NULL));
  g_assert_false (check_one (longer, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);

  for (guint i = 0; i < 100; i++)
    many[i] = "a.*";
  g_assert_true (eb_types_check (many, NULL));
  many[100] = "a.*";
  g_assert_false (eb_types_check (many, NULL));
}

static void
test_match (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const patterns[] = { cases[i].pattern, NULL };

      if (eb_types_match (patterns, cases[i].type) != cases[i].matches)
        g_error ("“%s” %s “%s”", cases[i].pattern, cases[i].matches ? "misses" : "matches",
                 cases[i].type);
    }
}

static void
test_match_lists (void)
{
  const char *const none[] = { NULL };
  const char *const two[] = { "a.*", "b", NULL };

  g_assert_true (eb_types_match (NULL, "a"));
  g_assert_true (eb_types_match (none, "a..b"));
  g_assert_true (eb_types_match (two, "a.x"));
  g_assert_true (eb_types_match (two, "b"));
  g_assert_false (eb_types_match (two, "c"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/types/check", test_check);
  g_test_add_func ("/types/check-lists", test_check_lists);
  g_test_add_func ("/types/match", test_match);
  g_test_add_func ("/types/match-lists", test_match_lists);
  return g_test_run ();
}
