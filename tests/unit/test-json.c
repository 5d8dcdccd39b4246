/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-json.h"
#include "core/eb-error.h"

/* The cases are what RFC 8259 says, and what parsers are known to get wrong. */

typedef struct
{
  const char *text;
  gsize length;
} Case;

/* With a literal, NULs inside of it included. */
#define T(literal)                                                                                 \
  {                                                                                                \
    literal, sizeof (literal) - 1                                                                  \
  }

static const Case accepted[] = {
  T ("[]"),
  T ("{}"),
  T ("null"),
  T ("true"),
  T ("false"),
  T ("\"\""),
  T ("0"),
  T ("-0"),
  T ("-0.0e-0"),
  T ("1E+2"),
  T ("1e400"),
  T ("123456789012345678901234567890.10"),
  T (" \t\r\n[ 1 , 2 ]\n"),
  T ("{ \"a\" : [ ] , \"b\" : { } }"),
  T ("[[],{},\"\",0,null,true,false]"),
  T ("{\"\":0}"),
  T ("{\"a\":{\"a\":1},\"b\":{\"a\":2}}"),
  T ("[{\"a\":1},{\"a\":1}]"),
  T ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\""),
  T ("\"\\ud83d\\ude00\""),
  T ("\"\\uDBFF\\uDFFF\""),
  T ("\"\xf0\x9f\x98\x80 \xc3\xa9 \x7f \xef\xbf\xbe\""),
  T ("\"/* no comment */ // '\""),
  T ("\"\\uffff\""),
};

static const Case refused[] = {
  T (""),
  T (" "),
  T ("[1"),
  T ("[1,]"),
  T ("[,1]"),
  T ("[1,,2]"),
  T ("[1 2]"),
  T ("[1]]"),
  T ("[1}"),
  T ("{1:2}"),
  T ("{\"a\"}"),
  T ("{\"a\":}"),
  T ("{\"a\":1,}"),
  T ("{\"a\":1 \"b\":2}"),
  T ("{\"a\" 1}"),
  T ("{\"a\":1]"),
  T ("{a:1}"),
  T ("{'a':1}"),
  T ("{,}"),
  T ("{\"a\":1"),
  T ("{\"a\""),
  T ("{"),
  T ("["),
  T ("]"),
  T ("[]{}"),
  T ("{}{}"),
  T ("1 2"),
  T ("\"a\" \"b\""),
  T ("nul"),
  T ("nullx"),
  T ("True"),
  T ("NaN"),
  T ("Infinity"),
  T ("-Infinity"),
  T ("undefined"),
  T ("var x = 1"),
  T ("01"),
  T ("-01"),
  T ("00"),
  T ("+1"),
  T ("-"),
  T ("--1"),
  T (".5"),
  T ("1."),
  T ("1.e1"),
  T ("-.5"),
  T ("1e"),
  T ("1e+"),
  T ("1e1.0"),
  T ("0x10"),
  T ("1_000"),
  T ("1a"),
  T ("'a'"),
  T ("\""),
  T ("\"\\\""),
  T ("\"\\"),
  T ("\"\\u00"),
  T ("\"\\u00g0\""),
  T ("\"\\x41\""),
  T ("\"\\'\""),
  T ("\"\\a\""),
  T ("\"\\0\""),
  T ("\"\\\n\""),
  T ("\"\\U0041\""),
  T ("\"\n\""),
  T ("\"\t\""),
  T ("\"\x1f\""),
  T ("\"\0\""),
  T ("[]\0"),
  T ("\0[]"),
  T ("\"\xff\""),
  T ("\"\xc0\xaf\""),
  T ("\"\xed\xa0\x80\""),
  T ("\"\xf4\x90\x80\x80\""),
  T ("\"\xe2\x82\""),
  T ("\xef\xbb\xbf{}"),
  T ("[]\xc2\xa0"),
  T ("[]\f"),
  T ("[]\v"),
  T ("/**/[]"),
  T ("[] // end"),
  T ("[1 /* one */]"),
  T ("# []"),
  T ("\"\\ud83d\""),
  T ("\"\\ud83dx\""),
  T ("\"\\ude00\""),
  T ("\"\\ud83d\\n\""),
  T ("\"\\ud83d\\u0041\""),
  T ("\"\\ud83d\\ud83d\\ude00\""),
  T ("\"\\ude00\\ud83d\""),
};

/* Grammar, but not for who wants it strict. */
static const Case lax[] = {
  T ("\"\\u0000\""),       T ("{\"\\u0000\":1}"),
  T ("{\"a\":1,\"a\":1}"), T ("{\"a\":1,\"\\u0061\":1}"),
  T ("{\"\":1,\"\":1}"),   T ("[{\"b\":{\"a\":1,\"c\":2,\"a\":1}}]"),
};

/* In memory of just that size, so that a sanitizer sees who reads beyond it. */
static gboolean
scan (const Case *json, EbJsonLevel level, EbJsonValue *value, GError **error)
{
  g_autofree char *exact = g_memdup2 (json->text, json->length);

  return eb_json_scan (json->length > 0 ? exact : "", json->length, level, value, error);
}

static void
test_accepted (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (accepted); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u", (guint) i);
      scan (&accepted[i], EB_JSON_STRICT, NULL, &error);
      g_assert_no_error (error);
    }
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u", (guint) i);
      g_assert_false (scan (&refused[i], EB_JSON_GRAMMAR, NULL, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_levels (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lax); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u", (guint) i);
      g_assert_true (scan (&lax[i], EB_JSON_GRAMMAR, NULL, NULL));
      g_assert_false (scan (&lax[i], EB_JSON_STRICT, NULL, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
    }
}

static char *
nest (guint depth, const char *opening, const char *inner, const char *closing)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (text, opening);
  g_string_append (text, inner);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, closing);
  return g_string_free (text, FALSE);
}

static gboolean
is_strict (const char *text, GError **error)
{
  return eb_json_scan (text, strlen (text), EB_JSON_STRICT, NULL, error);
}

static void
test_depth (void)
{
  static const guint deep[] = { 129, 130, 1000000 };
  g_autofree char *arrays = nest (EB_JSON_MAX_DEPTH, "[", "", "]");
  g_autofree char *objects = nest (EB_JSON_MAX_DEPTH, "{\"a\":", "1", "}");
  g_autofree char *wide = nest (1000, "[[]],", "", "");

  g_assert_true (is_strict (arrays, NULL));
  g_assert_true (is_strict (objects, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (deep); i++)
    {
      g_autofree char *text = nest (deep[i], "[", "", "]");
      g_autofree char *named = nest (deep[i], "{\"a\":", "1", "}");
      g_autoptr (GError) error = NULL;

      g_assert_false (is_strict (text, &error));
      g_assert_nonnull (strstr (error->message, "128"));
      g_assert_false (is_strict (named, NULL));
    }
  wide[0] = '[';
  wide[strlen (wide) - 1] = ']';
  wide[1] = wide[2] = ' ';
  wide[3] = '1';
  g_assert_true (is_strict (wide, NULL));
}

static void
test_says_where (void)
{
  static const struct
  {
    const char *text;
    const char *says;
  } cases[] = {
    { "[1,x]", "byte 3" },
    { "{\"source\":\"a\",\"data\":{\"n\":01}}", "“data.n”" },
    { "{\"source\":\"a\",\"data\":{\"n\":01}}", "byte 26" },
    { "{\"id\":\"\\ud800\"}", "“id”" },
    { "{\"id\":1,\"x\":2,\"id\":3}", "“id”: it is given twice" },
    { "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":x}}}}}", "“a.b.c.d”" },
    { "{\"\\u0061\\n\":x}", "“a\\u000a”" },
    { "{\"a\":[{}],\"b\":x}", "“b”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (is_strict (cases[i].text, &error));
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

/* Reading what was let through */

static void
assert_text (const EbJsonValue *value, const char *text)
{
  g_autofree char *copy = g_strndup (value->text, value->length);

  g_assert_cmpstr (copy, ==, text);
}

static void
test_members (void)
{
  static const char text[] = " { \"a\" : 1.10 ,\"b}\":\"]\\\\\\\"\" , \"c\":[{\"d\":\"}]\"},2], "
                             "\"e\":{} ,\"f\":null,\"g\":true} ";
  static const char *const expected[] = {
    "\"a\"", "1.10", "\"b}\"", "\"]\\\\\\\"\"", "\"c\"", "[{\"d\":\"}]\"},2]",
    "\"e\"", "{}",   "\"f\"",  "null",          "\"g\"", "true",
  };
  static const EbJsonKind kinds[] = { EB_JSON_NUMBER, EB_JSON_STRING, EB_JSON_ARRAY,
                                      EB_JSON_OBJECT, EB_JSON_NULL,   EB_JSON_BOOLEAN };
  EbJsonValue value, name, member;
  EbJsonIter iter;
  guint i = 0;

  g_assert_true (eb_json_scan (text, strlen (text), EB_JSON_STRICT, &value, NULL));
  g_assert_cmpuint (value.length, ==, strlen (text) - 2);
  for (eb_json_iter_init (&iter, &value); eb_json_iter_next (&iter, &name, &member); i++)
    {
      assert_text (&name, expected[2 * i]);
      assert_text (&member, expected[2 * i + 1]);
      g_assert_cmpint (eb_json_value_get_kind (&member), ==, kinds[i]);
    }
  g_assert_cmpuint (i, ==, G_N_ELEMENTS (kinds));
}

static void
test_elements (void)
{
  static const char *const texts[] = { "[]", "[ ]", "[1]", "[ [1,2] , {\"a\":[]} , \"x\" ]" };
  static const guint lengths[] = { 0, 0, 1, 3 };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      EbJsonValue value, element;
      EbJsonIter iter;
      guint n = 0;

      g_assert_true (eb_json_scan (texts[i], strlen (texts[i]), EB_JSON_STRICT, &value, NULL));
      for (eb_json_iter_init (&iter, &value); eb_json_iter_next (&iter, NULL, &element); n++)
        g_assert_true (eb_json_scan (element.text, element.length, EB_JSON_STRICT, NULL, NULL));
      g_assert_cmpuint (n, ==, lengths[i]);
    }
}

static void
test_strings (void)
{
  static const struct
  {
    Case json;
    Case meaning;
  } cases[] = {
    { T ("\"\""), T ("") },
    { T ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), T ("\"\\/\b\f\n\r\t") },
    { T ("\"a\\u00e9\\u20AC\\ud83d\\ude00z\""), T ("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z") },
    { T ("\"a\\u0000b\""), T ("a\0b") },
    { T ("\"\xc3\xa9\""), T ("\xc3\xa9") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const Case *meaning = &cases[i].meaning;
      EbJsonValue value;
      g_autoptr (GString) string = NULL;
      g_autoptr (GString) written = g_string_new (NULL);
      g_autoptr (GString) again = NULL;

      g_assert_true (
          eb_json_scan (cases[i].json.text, cases[i].json.length, EB_JSON_GRAMMAR, &value, NULL));
      string = eb_json_value_decode (&value);
      g_assert_cmpmem (string->str, string->len, meaning->text, meaning->length);

      eb_json_append_string (written, string->str, string->len);
      g_assert_true (eb_json_scan (written->str, written->len, EB_JSON_GRAMMAR, &value, NULL));
      again = eb_json_value_decode (&value);
      g_assert_cmpmem (again->str, again->len, meaning->text, meaning->length);
    }
}

/* Walks over everything, so that whoever reads beyond an end is seen. */
static void
walk (const EbJsonValue *value)
{
  EbJsonKind kind = eb_json_value_get_kind (value);
  EbJsonValue name, inner;
  EbJsonIter iter;

  if (kind == EB_JSON_STRING)
    {
      g_autoptr (GString) string = eb_json_value_decode (value);

      g_assert_true (string->len < value->length);
    }
  if (kind != EB_JSON_OBJECT && kind != EB_JSON_ARRAY)
    return;
  for (eb_json_iter_init (&iter, value); eb_json_iter_next (&iter, &name, &inner);)
    {
      if (kind == EB_JSON_OBJECT)
        walk (&name);
      walk (&inner);
    }
}

static void
mutate (Case *json, char *copy)
{
  static const char bytes[] = "{}[]\":,\\u0019-.eEtfn \xc3\xff";
  guint n = (guint) g_test_rand_int_range (1, 4);

  for (guint i = 0; i < n; i++)
    copy[g_test_rand_int_range (0, (gint32) json->length)] =
        bytes[g_test_rand_int_range (0, sizeof bytes)];
  if (g_test_rand_bit ())
    json->length = (gsize) g_test_rand_int_range (1, (gint32) json->length + 1);
}

static void
test_mutations (void)
{
  static const char text[] = "{\"id\":\"\\ud83d\\ude00\xc3\xa9\",\"a\":[1.5e+3,-0,{\"b\":null}],"
                             "\"c\":{\"d\":true,\"e\":[[],{}]},\"f\":\"\\n\"}";
  guint passed = 0;

  for (guint i = 0; i < 50000; i++)
    {
      g_autofree char *copy = g_memdup2 (text, strlen (text));
      Case json = { copy, strlen (text) };
      g_autofree char *exact = NULL;
      EbJsonValue value;

      mutate (&json, copy);
      exact = g_memdup2 (copy, json.length);
      if (!eb_json_scan (exact, json.length, EB_JSON_GRAMMAR, &value, NULL))
        continue;
      walk (&value);
      passed++;
    }
  g_assert_cmpuint (passed, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/json/accepted", test_accepted);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/levels", test_levels);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/says-where", test_says_where);
  g_test_add_func ("/json/members", test_members);
  g_test_add_func ("/json/elements", test_elements);
  g_test_add_func ("/json/strings", test_strings);
  g_test_add_func ("/json/mutations", test_mutations);

  return g_test_run ();
}
