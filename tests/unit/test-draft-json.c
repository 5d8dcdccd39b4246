/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-draft-json.h"
#include "codec/eb-event-json.h"
#include "core/eb-error.h"

/* CloudEvents 1.0.2 and its JSON format, rule by rule. */

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\""

static EbDraft *
parse (const char *text, gsize length, GError **error)
{
  g_autofree char *exact = g_memdup2 (text, length);

  return eb_draft_from_json (exact, length, error);
}

typedef struct
{
  const char *rule;
  const char *members; /* after the required ones */
  const char *content_type;
  const char *data;
  gsize size;
} DataCase;

#define D(literal) literal, sizeof (literal) - 1

/* The data is JSON, and nothing says so. */
#define IMPLIED ""

static const DataCase data_cases[] = {
  { "no data", "", NULL, D ("") },
  { "no data of a type", ",\"datacontenttype\":\"text/plain\"", "text/plain", D ("") },
  { "digits stay", ",\"data\":{\"n\":12345678901234567890,\"x\":1.10}", IMPLIED,
    D ("{\"n\":12345678901234567890,\"x\":1.10}") },
  { "blanks inside stay", ",\"data\" :\t{ \"a\" : [ ] } ", IMPLIED, D ("{ \"a\" : [ ] }") },
  { "repeats inside stay", ",\"data\":{\"a\":1,\"a\":2}", IMPLIED, D ("{\"a\":1,\"a\":2}") },
  { "escapes stay", ",\"data\":\"\\u0041\\/\\u0000\"", IMPLIED, D ("\"\\u0041\\/\\u0000\"") },
  { "null is data", ",\"data\":null", IMPLIED, D ("null") },
  { "a JSON type", ",\"datacontenttype\":\"a/b+json; x=y\",\"data\":\"1\"", "a/b+json; x=y",
    D ("\"1\"") },
  { "the type comes later", ",\"data\":\"<a/>\\n\",\"datacontenttype\":\"application/xml\"",
    "application/xml", D ("<a/>\n") },
  { "text", ",\"datacontenttype\":\"text/plain\",\"data\":\"a\\u0000\\ud83d\\ude00\\\"\"",
    "text/plain", D ("a\0\xf0\x9f\x98\x80\"") },
  { "null type is none", ",\"datacontenttype\":null,\"data\":1", IMPLIED, D ("1") },
  { "binary", ",\"data_base64\":\"AAH/\"", NULL, D ("\0\1\xff") },
  { "binary of a type", ",\"datacontenttype\":\"image/png\",\"data_base64\":\"\\u0041A==\"",
    "image/png", D ("\0") },
  { "no binary", ",\"data_base64\":\"\"", NULL, D ("") },
  { "null binary is none", ",\"data_base64\":null,\"data\":true", IMPLIED, D ("true") },
};

static void
test_data (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (data_cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD, data_cases[i].members, "}", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (EbDraft) draft = parse (text, strlen (text), &error);
      gsize size;
      const char *data;

      g_test_message ("%s", data_cases[i].rule);
      g_assert_no_error (error);
      data = g_bytes_get_data (draft->data, &size);
      g_assert_cmpmem (data, size, data_cases[i].data, data_cases[i].size);
      if (g_strcmp0 (data_cases[i].content_type, IMPLIED) == 0)
        g_assert_null (draft->content_type);
      else
        g_assert_cmpstr (draft->content_type, ==, data_cases[i].content_type);
      g_assert_cmpint (draft->is_json, ==, g_strcmp0 (data_cases[i].content_type, IMPLIED) == 0);
    }
}

static void
test_attributes (void)
{
  static const char text[] =
      " { \"type\" : \"com.example\\u002ex\", \"id\":\"\\ud83d\\ude00\",\"source\":\"urn:a\","
      "\"specversion\":\"1.0\",\"subject\":null,\"time\":\"2018-04-05T17:31:00Z\","
      "\"dataschema\":\"http://a/b#c\",\"yes\":true,\"no\":false,\"most\":2147483647,"
      "\"least\":-2147483648,\"zero\":-0,\"word\":\"true\",\"digits\":\"1\",\"empty\":\"\","
      "\"\\u0061b1\":\"c\"} \n";
  static const EbAttribute expected[] = {
    { "time", "2018-04-05T17:31:00Z", EB_ATTRIBUTE_STRING },
    { "dataschema", "http://a/b#c", EB_ATTRIBUTE_STRING },
    { "yes", "true", EB_ATTRIBUTE_BOOLEAN },
    { "no", "false", EB_ATTRIBUTE_BOOLEAN },
    { "most", "2147483647", EB_ATTRIBUTE_INTEGER },
    { "least", "-2147483648", EB_ATTRIBUTE_INTEGER },
    { "zero", "0", EB_ATTRIBUTE_INTEGER },
    { "word", "true", EB_ATTRIBUTE_STRING },
    { "digits", "1", EB_ATTRIBUTE_STRING },
    { "empty", "", EB_ATTRIBUTE_STRING },
    { "ab1", "c", EB_ATTRIBUTE_STRING },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (EbDraft) draft = parse (text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (draft->id, ==, "\xf0\x9f\x98\x80");
  g_assert_cmpstr (draft->source, ==, "urn:a");
  g_assert_cmpstr (draft->type, ==, "com.example.x");
  g_assert_cmpint (g_tree_nnodes (draft->attributes), ==, G_N_ELEMENTS (expected));
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      const EbDraftValue *value = g_tree_lookup (draft->attributes, expected[i].name);

      g_assert_nonnull (value);
      g_assert_cmpstr (value->text, ==, expected[i].value);
      g_assert_cmpint (value->kind, ==, expected[i].kind);
    }
}

typedef struct
{
  const char *text;
  const char *says; /* what the message names */
} RefusedCase;

#define WITH(member) HEAD "," member "}"

static const RefusedCase refused[] = {
  /* the envelope */
  { "", "byte 0" },
  { "1", "object" },
  { "[]", "object" },
  { "null", "object" },
  { HEAD, "byte" },
  { HEAD "} x", "byte" },
  { WITH ("\"a\":01"), "“a”" },
  { WITH ("\"a\":\"\xff\""), "UTF-8" },
  { WITH ("\"id\":\"j\""), "“id”" },
  { WITH ("\"\\u0069d\":\"i\""), "“id”" },
  { WITH ("\"a\":null,\"a\":null"), "“a”" },
  { WITH ("\"data\":1,\"data\":1"), "“data”" },
  { WITH ("\"data_base64\":null,\"data_base64\":\"\""), "“data_base64”" },
  /* what is required */
  { "{}", "“specversion”" },
  { "{\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\"}", "“specversion”" },
  { "{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"t\"}", "“source”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\"}", "“type”" },
  { "{\"specversion\":null,\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\"}", "“specversion”" },
  { "{\"specversion\":\"1.0\",\"id\":null,\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"0.3\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\"}", "“specversion”" },
  { "{\"specversion\":1.0,\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\"}", "“specversion”" },
  { "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":1,\"source\":\"/s\",\"type\":\"t\"}", "“id”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"\",\"type\":\"t\"}", "“source”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"a b\",\"type\":\"t\"}", "“source”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"\"}", "“type”" },
  { "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":true}", "“type”" },
  /* names */
  { WITH ("\"Upper\":\"x\""), "Upper" },
  { WITH ("\"with_underscore\":\"x\""), "with_underscore" },
  { WITH ("\"with-dash\":null"), "with-dash" },
  { WITH ("\"\":\"x\""), "name" },
  { WITH ("\"\xc3\xa9\":\"x\""), "name" },
  { WITH ("\"a\\u0000\":\"x\""), "U+0000" },
  /* values */
  { WITH ("\"a\":1.0"), "“a”" },
  { WITH ("\"a\":1e2"), "“a”" },
  { WITH ("\"a\":2147483648"), "“a”" },
  { WITH ("\"a\":-2147483649"), "“a”" },
  { WITH ("\"a\":99999999999999999999"), "“a”" },
  { WITH ("\"a\":{}"), "“a”" },
  { WITH ("\"a\":[1]"), "“a”" },
  { WITH ("\"a\":\"\\u0000\""), "“a”" },
  { WITH ("\"a\":\"\\ud800\""), "“a”" },
  { WITH ("\"a\":\"\\u0001\""), "“a”" },
  { WITH ("\"a\":\"\\u0085\""), "“a”" },
  { WITH ("\"a\":\"\\ufffe\""), "“a”" },
  { WITH ("\"subject\":\"\""), "“subject”" },
  { WITH ("\"subject\":1"), "“subject”" },
  { WITH ("\"time\":\"yesterday\""), "“time”" },
  { WITH ("\"time\":\"2018-04-05T17:31:00\""), "“time”" },
  { WITH ("\"time\":1522949460"), "“time”" },
  { WITH ("\"dataschema\":\"\""), "“dataschema”" },
  { WITH ("\"dataschema\":\"/relative\""), "“dataschema”" },
  { WITH ("\"datacontenttype\":\"text\""), "“datacontenttype”" },
  { WITH ("\"datacontenttype\":\"\""), "“datacontenttype”" },
  { WITH ("\"datacontenttype\":5"), "“datacontenttype”" },
  /* data */
  { WITH ("\"data\":1,\"data_base64\":\"\""), "“data_base64”" },
  { WITH ("\"data\":{\"x\":\"\\ud800\"}"), "“data.x”" },
  { WITH ("\"data_base64\":1"), "“data_base64”" },
  { WITH ("\"data_base64\":\"A\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AA\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AB==\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AA==AA==\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AAA =\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AAAA\\n\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AA-_\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"====\""), "“data_base64”" },
  { WITH ("\"data_base64\":\"AAAA\\u0000\""), "“data_base64”" },
  { WITH ("\"datacontenttype\":\"text/plain\",\"data\":1"), "“data”" },
  { WITH ("\"datacontenttype\":\"text/plain\",\"data\":null"), "“data”" },
  { WITH ("\"datacontenttype\":\"a/xml\",\"data\":{\"a\":1}"), "“data”" },
};

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u: %s", (guint) i, refused[i].says);
      g_assert_null (parse (refused[i].text, strlen (refused[i].text), &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, refused[i].says));
    }
}

static void
assert_too_large (const char *member, const char *value)
{
  g_autofree char *text = g_strdup_printf (HEAD ",\"%s\":%s}", member, value);
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, strlen (text), &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_TOO_LARGE);
}

static void
test_sizes (void)
{
  g_autofree char *long_string = g_strnfill (EB_MAX_ATTRIBUTES_SIZE, 'x');
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", long_string);
  g_autoptr (GString) nulls = g_string_new ("null");

  assert_too_large ("a", quoted);
  assert_too_large ("subject", quoted);
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (nulls, ",\"a%u\":null", i);
  assert_too_large ("a", nulls->str);
}

static void
test_depth (void)
{
  GString *text = g_string_new (HEAD ",\"data\":");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (text, '[');
  g_assert_null (parse (text->str, text->len, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "“data”"));
  g_string_free (text, TRUE);
}

static void
test_batch (void)
{
  static const char three[] = " [ " HEAD "} , " HEAD ",\"data\":2}," HEAD "} ] ";
  static const RefusedCase cases[] = {
    { "{}", "array" },
    { HEAD "}", "array" },
    { "[1]", "Event 0" },
    { "[" HEAD "},{}]", "Event 1" },
    { "[" HEAD "},{}]", "“specversion”" },
    { "[" HEAD "}", "byte" },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) empty = eb_drafts_from_json ("[ ]", 3, 3, &error);
  g_autoptr (GPtrArray) drafts = eb_drafts_from_json (three, strlen (three), 3, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (empty->len, ==, 0);
  g_assert_cmpuint (drafts->len, ==, 3);
  g_assert_null (eb_drafts_from_json (three, strlen (three), 2, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_TOO_LARGE);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_clear_error (&error);
      g_assert_null (eb_drafts_from_json (cases[i].text, strlen (cases[i].text), 3, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

/* What is written again says the same. */
static void
test_round_trip (void)
{
  static const char text[] = HEAD ",\"datacontenttype\":\"application/json\",\"ext\":\"\\\"\","
                                  "\"data\":{\"n\":12345678901234567890,\"x\":1.10}}";
  static const char written[] = HEAD
      ",\"datacontenttype\":\"application/json\",\"ext\":\"\\\"\","
      "\"sequence\":\"00000000000000000001\",\"data\":{\"n\":12345678901234567890,\"x\":1.10}}";
  g_autoptr (EbDraft) draft = parse (text, strlen (text), NULL);
  g_autoptr (GString) again = g_string_new (NULL);
  g_autoptr (EbEvent) event = NULL;

  g_assert_true (eb_draft_complete (draft, NULL));
  g_assert_true (draft->named);
  event = eb_event_new (draft, 1, 0);
  eb_event_append_json (event, again);
  g_assert_cmpstr (again->str, ==, written);
}

static void
test_mutations (void)
{
  static const char text[] = HEAD ",\"time\":\"2018-04-05T17:31:00Z\",\"a\":1,\"b\":true,"
                                  "\"datacontenttype\":\"text/plain\",\"data\":\"\\u00e9\"}";
  static const char bytes[] = "{}[]\":,\\u0019-.eEtfn \xc3\xff/%;=";
  guint passed = 0;

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *copy = g_memdup2 (text, strlen (text));
      g_autoptr (EbDraft) draft = NULL;
      g_autoptr (GError) error = NULL;

      copy[g_test_rand_int_range (0, sizeof text - 1)] =
          bytes[g_test_rand_int_range (0, sizeof bytes)];
      draft = eb_draft_from_json (copy, strlen (text), &error);
      g_assert_true ((draft != NULL) == (error == NULL));
      passed += draft != NULL;
    }
  g_assert_cmpuint (passed, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/draft-json/data", test_data);
  g_test_add_func ("/draft-json/attributes", test_attributes);
  g_test_add_func ("/draft-json/refused", test_refused);
  g_test_add_func ("/draft-json/sizes", test_sizes);
  g_test_add_func ("/draft-json/depth", test_depth);
  g_test_add_func ("/draft-json/batch", test_batch);
  g_test_add_func ("/draft-json/round-trip", test_round_trip);
  g_test_add_func ("/draft-json/mutations", test_mutations);

  return g_test_run ();
}
