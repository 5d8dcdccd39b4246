/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-event.h"

static EbDraft *
new_draft (void)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("a\0b", 3);

  return eb_draft_new (data);
}

typedef struct
{
  const char *name;
  const char *value;
  int code; /* -1: allowed */
} Case;

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* CloudEvents 1.0.2, "Context Attributes" and "Type System" */
static const Case cases[] = {
  { "id", "1", -1 },
  { "id", "", EB_ERROR_INVALID },
  { "source", "/a/b", -1 },
  { "source", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", -1 },
  { "source", "mailto:someone@example.com", -1 },
  { "source", "", EB_ERROR_INVALID },
  { "source", "http://[::1", EB_ERROR_INVALID },
  { "type", "com.example.created", -1 },
  { "type", "", EB_ERROR_INVALID },
  { "type", A64 A64 A64 A64, -1 },
  { "type", A64 A64 A64 A64 "a", EB_ERROR_TOO_LARGE },
  { "specversion", "1.0", -1 },
  { "specversion", "0.3", EB_ERROR_INVALID },
  { "subject", "eu/käse", -1 },
  { "subject", "", EB_ERROR_INVALID },
  { "subject", "a\nb", EB_ERROR_INVALID },
  { "subject", "a\x7f", EB_ERROR_INVALID },
  { "subject", "\xc2\x85", EB_ERROR_INVALID },
  { "subject", "\xef\xbf\xbe", EB_ERROR_INVALID },
  { "subject", "\xff", EB_ERROR_INVALID },
  { "subject", "\xed\xa0\x80", EB_ERROR_INVALID },
  { "time", "2018-04-05T17:31:00Z", -1 },
  { "time", "2018-04-05t17:31:00.123456789+02:00", -1 },
  { "time", "2016-12-31T23:59:60Z", -1 },
  { "time", "2018-04-05", EB_ERROR_INVALID },
  { "time", "2018-04-05T17:31:00", EB_ERROR_INVALID },
  { "time", "2018-02-30T17:31:00Z", EB_ERROR_INVALID },
  { "time", "2018-04-05 17:31:00Z", EB_ERROR_INVALID },
  { "time", "2018-04-05T25:31:00Z", EB_ERROR_INVALID },
  { "dataschema", "https://example.com/schema", -1 },
  { "dataschema", "", EB_ERROR_INVALID },
  { "dataschema", "/schema", EB_ERROR_INVALID },
  { "source", "a b", EB_ERROR_INVALID },
  { "datacontenttype", "text/plain; charset=utf-8", -1 },
  { "datacontenttype", "text", EB_ERROR_INVALID },
  { "datacontenttype", "", EB_ERROR_INVALID },
  { "comexampleext1", "x", -1 },
  { "emptyextension", "", -1 },
  { A64, "x", -1 },
  { A64 "a", "x", EB_ERROR_INVALID },
  { "data", "x", EB_ERROR_INVALID },
  { "", "x", EB_ERROR_INVALID },
  { "Upper", "x", EB_ERROR_INVALID },
  { "with-dash", "x", EB_ERROR_INVALID },
  { "käse", "x", EB_ERROR_INVALID },
};

static void
test_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (EbDraft) draft = new_draft ();
      g_autoptr (GError) error = NULL;
      gboolean allowed = eb_draft_set (draft, cases[i].name, cases[i].value, &error);

      g_test_message ("case %u: %s", (guint) i, cases[i].name);
      if (cases[i].code < 0)
        g_assert_no_error (error);
      else
        {
          g_assert_error (error, EB_ERROR, cases[i].code);
          g_assert_cmpuint (draft->size, ==, 0);
        }
      g_assert_cmpint (allowed, ==, cases[i].code < 0);
    }
}

static void
test_twice (void)
{
  g_autoptr (EbDraft) draft = new_draft ();
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_draft_set (draft, "id", "1", &error));
  g_assert_false (eb_draft_set (draft, "id", "2", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "“id”"));
  g_assert_cmpstr (draft->id, ==, "1");
  g_clear_error (&error);

  g_assert_true (eb_draft_set (draft, "ext", "1", &error));
  g_assert_false (eb_draft_set (draft, "ext", "1", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
}

/* What is not kept is not to be repeated either. */
static void
test_dropped_twice (void)
{
  static const struct
  {
    const char *name;
    const char *value;
  } dropped[] = { { "specversion", "1.0" }, { "sequence", "1" } };
  g_autoptr (EbDraft) draft = new_draft ();

  for (gsize i = 0; i < G_N_ELEMENTS (dropped); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (eb_draft_set (draft, dropped[i].name, dropped[i].value, &error));
      g_assert_false (eb_draft_set (draft, dropped[i].name, dropped[i].value, &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, dropped[i].name));
    }
  g_assert_cmpint (g_tree_nnodes (draft->attributes), ==, 0);
  g_assert_cmpuint (draft->size, ==, 0);
}

static void
test_content_type (void)
{
  static const char *const fine[] = { "text/plain", "a/b;\tc=d", "a/b; c=\"\xe9\xff\"",
                                      "nonsense" };
  static const char *const wrong[] = { "a\nb", "a\rb", "a\x7f", "\x01" };
  g_autofree char *longest = g_strnfill (1024, 'x');
  g_autofree char *too_long = g_strnfill (1025, 'x');
  g_autoptr (EbDraft) draft = new_draft ();
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      g_autoptr (EbDraft) other = new_draft ();

      g_assert_true (eb_draft_set_content_type (other, fine[i], NULL));
      g_assert_cmpstr (other->content_type, ==, fine[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (eb_draft_set_content_type (draft, wrong[i], &error));
      g_assert_error (error, EB_ERROR, EB_ERROR_INVALID);
      g_clear_error (&error);
    }
  g_assert_false (eb_draft_set_content_type (draft, too_long, &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_TOO_LARGE);
  g_assert_cmpuint (draft->size, ==, 0);
  g_assert_true (eb_draft_set_content_type (draft, longest, NULL));
  g_assert_false (eb_draft_set_content_type (draft, "twice", NULL));
}

static void
test_attributes_size (void)
{
  g_autoptr (EbDraft) draft = new_draft ();
  g_autoptr (GError) error = NULL;
  g_autofree char *large = g_strnfill (EB_MAX_ATTRIBUTES_SIZE - 3, 'x');

  g_assert_true (eb_draft_set (draft, "ext", large, &error));
  g_assert_false (eb_draft_set (draft, "e", "", &error));
  g_assert_error (error, EB_ERROR, EB_ERROR_TOO_LARGE);
}

static void
test_defaults (void)
{
  g_autoptr (EbDraft) first = new_draft ();
  g_autoptr (EbDraft) second = new_draft ();
  g_autoptr (GError) error = NULL;

  g_assert_true (eb_draft_complete (first, &error));
  g_assert_true (eb_draft_complete (second, &error));
  g_assert_cmpstr (first->source, ==, "/eventbus");
  g_assert_cmpstr (first->type, ==, "org.example.EventBus.message");
  g_assert_cmpstr (first->id, !=, second->id);
  g_assert_false (first->named);
}

static void
test_event (void)
{
  g_autoptr (EbDraft) draft = new_draft ();
  g_autoptr (GError) error = NULL;
  g_autoptr (EbEvent) event = NULL;
  const EbAttribute *attributes;
  gsize n_attributes;

  g_assert_true (eb_draft_set (draft, "id", "i", &error));
  g_assert_true (eb_draft_set (draft, "source", "/s", &error));
  g_assert_true (eb_draft_set (draft, "subject", "sub", &error));
  g_assert_true (eb_draft_set (draft, "another", "", &error));
  g_assert_true (eb_draft_set (draft, "sequence", "mine", &error));
  g_assert_true (eb_draft_set (draft, "datacontenttype", "text/plain", &error));
  g_assert_true (eb_draft_complete (draft, &error));
  g_assert_true (draft->named);

  event = eb_event_new (draft, 42, 1234);
  g_assert_cmpuint (eb_event_get_sequence (event), ==, 42);
  g_assert_cmpint (eb_event_get_accepted (event), ==, 1234);
  g_assert_cmpstr (eb_event_get_id (event), ==, "i");
  g_assert_cmpstr (eb_event_get_source (event), ==, "/s");
  g_assert_cmpstr (eb_event_get_event_type (event), ==, EB_DEFAULT_TYPE);
  g_assert_cmpstr (eb_event_get_content_type (event), ==, "text/plain");
  g_assert_cmpstr (eb_event_get_attribute (event, "subject"), ==, "sub");
  g_assert_cmpstr (eb_event_get_attribute (event, "specversion"), ==, "1.0");
  g_assert_cmpstr (eb_event_get_attribute (event, "datacontenttype"), ==, "text/plain");
  g_assert_null (eb_event_get_attribute (event, "time"));
  g_assert_null (eb_event_get_attribute (event, "sequence"));
  g_assert_true (eb_event_get_data (event) == draft->data);
  attributes = eb_event_get_attributes (event, &n_attributes);
  g_assert_cmpuint (n_attributes, ==, 2);
  g_assert_cmpstr (attributes[0].name, ==, "another");
  g_assert_cmpstr (attributes[0].value, ==, "");
  g_assert_cmpstr (attributes[1].name, ==, "subject");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/event/rules", test_rules);
  g_test_add_func ("/event/twice", test_twice);
  g_test_add_func ("/event/dropped-twice", test_dropped_twice);
  g_test_add_func ("/event/content-type", test_content_type);
  g_test_add_func ("/event/attributes-size", test_attributes_size);
  g_test_add_func ("/event/defaults", test_defaults);
  g_test_add_func ("/event/event", test_event);

  return g_test_run ();
}
