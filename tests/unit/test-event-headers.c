/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-event-headers.h"
#include "core/eb-error.h"

/* CloudEvents HTTP binding 1.0.2, 3.1.3.2 */

static void
test_decode (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "abc", "abc" },
    { "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \xe2\x82\xac \xf0\x9f\x98\x80" },
    { "%e2%82%ac", "\xe2\x82\xac" },
    { "%25", "%" },
    { "%2541", "%41" },
    { "a+b", "a+b" },
    { "\"a b\"", "a b" },
    { "\"a\\\"b\\\\c\" d", "a\"b\\c d" },
    { "\"%22\"", "\"" },
    { "a\\b", "a\\b" },
    { "\xc3\xa9", "\xc3\xa9" },
    { "%FF", "\xff" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *decoded = eb_event_header_decode (cases[i][0], &error);

      g_assert_no_error (error);
      g_assert_cmpstr (decoded, ==, cases[i][1]);
    }
}

static void
test_decode_refused (void)
{
  static const char *const cases[] = { "%",  "%4",  "100%",  "%zz",     "%-1",  "a%00b",
                                       "\"", "\"a", "\"a\\", "\"a\\\"", "a\"b", "%%" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("case %u", (guint) i);
      g_assert_null (eb_event_header_decode (cases[i], &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
    }
}

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  g_string_append_printf (user_data, "%s: %s\n", name, value);
}

static EbEvent *
new_event (void)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("x", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);

  g_assert_true (eb_draft_set (draft, "id", "i", NULL));
  g_assert_true (eb_draft_set (draft, "subject", "\"50 %\" \xe2\x82\xac", NULL));
  g_assert_true (eb_draft_set (draft, "sequence", "mine", NULL));
  g_assert_true (eb_draft_set (draft, "traceparent", "00-a", NULL));
  /* Can't be a field of its own. */
  g_assert_true (eb_draft_set (draft, "tracestate", "\xe2\x82\xac", NULL));
  g_assert_true (eb_draft_set (draft, "datacontenttype", "text/plain", NULL));
  g_assert_true (eb_draft_complete (draft, NULL));
  return eb_event_new (draft, 7, 0);
}

static void
assert_headers (EbMode mode, const char *expected)
{
  g_autoptr (EbEvent) event = new_event ();
  g_autoptr (GString) text = g_string_new (NULL);

  eb_event_foreach_header (event, mode, append_header, text);
  g_assert_cmpstr (text->str, ==, expected);
}

/* Binary mode has no way but a header to say that the data is JSON. */
static void
test_write_implied (void)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("1", 1);
  g_autoptr (EbDraft) draft = eb_draft_new (data);
  g_autoptr (EbEvent) event = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  draft->is_json = TRUE;
  g_assert_true (eb_draft_complete (draft, NULL));
  event = eb_event_new (draft, 7, 0);
  eb_event_foreach_header (event, EB_MODE_BINARY, append_header, text);
  g_assert_true (g_str_has_prefix (text->str, "Content-Type: application/json\n"));
  g_assert_null (eb_event_get_attribute (event, "datacontenttype"));
}

static void
test_write (void)
{
  assert_headers (EB_MODE_BINARY, "Content-Type: text/plain\nce-specversion: 1.0\nce-id: i\n"
                                  "ce-source: /eventbus\nce-type: org.example.EventBus.message\n"
                                  "ce-sequence: 00000000000000000007\n"
                                  "ce-subject: %2250%20%25%22%20%E2%82%AC\nce-traceparent: 00-a\n"
                                  "traceparent: 00-a\nce-tracestate: %E2%82%AC\n");
  assert_headers (EB_MODE_STRUCTURED, "Content-Type: application/cloudevents+json\n"
                                      "ce-sequence: 00000000000000000007\ntraceparent: 00-a\n");
  assert_headers (EB_MODE_BATCH, "Content-Type: application/cloudevents-batch+json\n"
                                 "ce-sequence: 00000000000000000007\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/event-headers/decode", test_decode);
  g_test_add_func ("/event-headers/decode-refused", test_decode_refused);
  g_test_add_func ("/event-headers/write", test_write);
  g_test_add_func ("/event-headers/write-implied", test_write_implied);

  return g_test_run ();
}
