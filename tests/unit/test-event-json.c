/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-event-json.h"
#include "codec/eb-json.h"

static EbEvent *
new_event (const char *content_type, const char *data, gsize size, guint64 sequence)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (EbDraft) draft = eb_draft_new (bytes);

  g_assert_true (eb_draft_set (draft, "id", "i", NULL));
  g_assert_true (eb_draft_set (draft, "source", "/s", NULL));
  g_assert_true (eb_draft_set (draft, "type", "t", NULL));
  if (content_type != NULL)
    g_assert_true (eb_draft_set_content_type (draft, content_type, NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  return eb_event_new (draft, sequence, 0);
}

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s\",\"type\":\"t\""
#define TAIL ",\"sequence\":\"00000000000000000007\""

typedef struct
{
  const char *content_type;
  const char *data;
  gsize size;
  const char *written; /* of content type and data */
} Case;

#define D(literal) literal, sizeof (literal) - 1

static const Case cases[] = {
  { NULL, D (""), TAIL },
  { "text/plain", D (""), ",\"datacontenttype\":\"text/plain\"" TAIL ",\"data\":\"\"" },
  { "application/json", D (""), ",\"datacontenttype\":\"application/json\"" TAIL },
  { NULL, D ("{\"n\":12345678901234567890,\"x\":1.10}"),
    TAIL ",\"data\":{\"n\":12345678901234567890,\"x\":1.10}" },
  { NULL, D ("null"), TAIL ",\"data\":null" },
  { NULL, D ("\"text\""), TAIL ",\"data\":\"text\"" },
  { NULL, D ("{\"a\":1,\"a\":1}"), TAIL ",\"data\":{\"a\":1,\"a\":1}" },
  { NULL, D ("hello"), TAIL ",\"data_base64\":\"aGVsbG8=\"" },
  { NULL, D ("hello!"), TAIL ",\"data_base64\":\"aGVsbG8h\"" },
  { "application/json", D ("hello"),
    ",\"datacontenttype\":\"application/json\"" TAIL ",\"data_base64\":\"aGVsbG8=\"" },
  { "a/X+JSON; x=y", D ("[1.0]"), ",\"datacontenttype\":\"a/X+JSON; x=y\"" TAIL ",\"data\":[1.0]" },
  { "text/json", D ("01"), ",\"datacontenttype\":\"text/json\"" TAIL ",\"data\":\"01\"" },
  { "text/plain", D ("say \"1\"\n\x7f\xc3\xa9"),
    ",\"datacontenttype\":\"text/plain\"" TAIL ",\"data\":\"say \\\"1\\\"\\u000a\x7f\xc3\xa9\"" },
  { "text/plain", D ("1"), ",\"datacontenttype\":\"text/plain\"" TAIL ",\"data\":\"1\"" },
  { "text/plain", D ("\xff"),
    ",\"datacontenttype\":\"text/plain\"" TAIL ",\"data_base64\":\"/w==\"" },
  { "text/plain", D ("a\0"), ",\"datacontenttype\":\"text/plain\"" TAIL ",\"data\":\"a\\u0000\"" },
  { "text/plain; charset=utf-16", D ("a"),
    ",\"datacontenttype\":\"text/plain; charset=utf-16\"" TAIL ",\"data_base64\":\"YQ==\"" },
  { "application/xml", D ("<a/>"),
    ",\"datacontenttype\":\"application/xml\"" TAIL ",\"data_base64\":\"PGEvPg==\"" },
  { "a/b;\tx=\xff", D (""), ",\"datacontenttype\":\"a/b; x=\xef\xbf\xbd\"" TAIL },
  { "nonsense", D ("1"), ",\"datacontenttype\":\"nonsense\"" TAIL ",\"data_base64\":\"MQ==\"" },
};

static void
test_data (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (EbEvent) event =
          new_event (cases[i].content_type, cases[i].data, cases[i].size, 7);
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *expected = g_strconcat (HEAD, cases[i].written, "}", NULL);

      eb_event_append_json (event, text);
      g_assert_cmpstr (text->str, ==, expected);
      g_assert_true (eb_json_scan (text->str, text->len, EB_JSON_GRAMMAR, NULL, NULL));
    }
}

static void
test_attributes (void)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("", 0);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (EbEvent) event = NULL;
  g_autoptr (GString) text = g_string_new ("[");

  g_assert_true (eb_draft_set (draft, "id", "\"\\\xc3\xa9", NULL));
  g_assert_true (eb_draft_set (draft, "subject", "a", NULL));
  g_assert_true (eb_draft_set (draft, "empty", "", NULL));
  g_assert_true (eb_draft_set (draft, "digits", "1", NULL));
  g_assert_true (eb_draft_set_typed (draft, "flag", EB_ATTRIBUTE_BOOLEAN, "true", NULL));
  g_assert_true (eb_draft_set_typed (draft, "count", EB_ATTRIBUTE_INTEGER, "-3", NULL));
  g_assert_true (eb_draft_set (draft, "sequence", "mine", NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  event = eb_event_new (draft, G_MAXINT64, 0);
  eb_event_append_json (event, text);
  g_assert_cmpstr (
      text->str, ==,
      "[{\"specversion\":\"1.0\",\"id\":\"\\\"\\\\\xc3\xa9\",\"source\":\"/eventbus\","
      "\"type\":\"org.example.EventBus.message\",\"count\":-3,\"digits\":\"1\",\"empty\":\"\","
      "\"flag\":true,\"subject\":\"a\","
      "\"sequence\":\"09223372036854775807\"}");
}

static void
test_batch (void)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  g_autofree char *empty = eb_events_to_json (events);
  g_autofree char *both = NULL;

  g_assert_cmpstr (empty, ==, "[]");
  g_ptr_array_add (events, new_event (NULL, "1", 1, 7));
  g_ptr_array_add (events, new_event (NULL, "2", 1, 7));
  both = eb_events_to_json (events);
  g_assert_cmpstr (both, ==, "[" HEAD TAIL ",\"data\":1}," HEAD TAIL ",\"data\":2}]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/event-json/data", test_data);
  g_test_add_func ("/event-json/attributes", test_attributes);
  g_test_add_func ("/event-json/batch", test_batch);

  return g_test_run ();
}
