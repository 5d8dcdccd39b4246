/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz/eb-fuzz-event.h"

#include <string.h>

#include "codec/eb-draft-json.h"
#include "codec/eb-event-headers.h"
#include "codec/eb-event-json.h"
#include "codec/eb-json.h"
#include "core/eb-media-type.h"
#include "fuzz/eb-fuzz.h"

/* What every way in must have let through: an event that both ways out can say. */

/* As many attributes as there may be, the log's own included, which is one more than publishers
 * have. */
#define MAX_ATTRIBUTES 200

static void
check_attributes (EbEvent *event, EbDraft *again)
{
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);

  g_assert_cmpstr (again->id, ==, eb_event_get_id (event));
  g_assert_cmpstr (again->source, ==, eb_event_get_source (event));
  g_assert_cmpstr (again->type, ==, eb_event_get_event_type (event));
  for (gsize i = 0; i < n_attributes; i++)
    {
      const EbDraftValue *value = g_tree_lookup (again->attributes, attributes[i].name);

      g_assert_nonnull (value);
      g_assert_cmpstr (value->text, ==, attributes[i].value);
    }
  g_assert_null (g_tree_lookup (again->attributes, "sequence")); /* which is the log's own */
}

/* White space around a JSON text does not belong to it. */
static GBytes *
strip (GBytes *bytes)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  gsize start = 0;

  while (size > start && strchr (" \t\r\n", text[size - 1]) != NULL && text[size - 1] != '\0')
    size--;
  while (start < size && strchr (" \t\r\n", text[start]) != NULL && text[start] != '\0')
    start++;
  return g_bytes_new_from_bytes (bytes, start, size - start);
}

/* Of a type such as text/json, it goes as text if it is no JSON; who reads that takes it for a JSON
 * string. */
static gboolean
is_broken_json (EbEvent *event)
{
  const char *type = eb_event_get_content_type (event);
  gsize size;
  const char *text = g_bytes_get_data (eb_event_get_data (event), &size);

  return type != NULL && eb_media_type_is_json (type) && eb_media_type_is_utf8_text (type)
         && (size == 0 || !eb_json_scan (text, size, EB_JSON_GRAMMAR, NULL, NULL));
}

/* It is strict JSON where its data is, and what is read from that is the same event. */
static void
check_json (EbEvent *event)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (EbDraft) again = NULL;
  g_autoptr (GBytes) data = NULL;
  g_autoptr (GBytes) data_again = NULL;
  g_autoptr (GError) error = NULL;

  eb_event_append_json (event, text);
  again = eb_draft_from_json (text->str, text->len, &error);
  g_assert_no_error (error);
  check_attributes (event, again);
  if (is_broken_json (event))
    return;
  data = strip (eb_event_get_data (event));
  data_again = strip (again->data);
  g_assert_true (g_bytes_equal (data, data_again));
}

static void
read_header_cb (const char *name, const char *value, gpointer user_data)
{
  EbDraft *again = user_data;
  gboolean is_type = g_str_equal (name, "Content-Type");
  g_autofree char *decoded = NULL;
  g_autoptr (GError) error = NULL;

  for (const guchar *c = (const guchar *) value; *c != '\0'; c++)
    g_assert_true ((*c >= 0x20 && *c < 0x7f) || (is_type && (*c == '\t' || *c >= 0x80)));
  if (!g_str_has_prefix (name, "ce-"))
    return;
  decoded = eb_event_header_decode (value, &error);
  g_assert_no_error (error);
  eb_draft_set (again, name + strlen ("ce-"), decoded, &error);
  g_assert_no_error (error);
}

/* No value could end its line, and what is read from them is the same event. */
static void
check_headers (EbEvent *event)
{
  g_autoptr (EbDraft) again = eb_draft_new (eb_event_get_data (event));

  eb_event_foreach_header (event, EB_MODE_BINARY, read_header_cb, again);
  check_attributes (event, again);
}

/**
 * eb_fuzz_check_event:
 * @draft: that was accepted
 *
 * Completes @draft, and checks that the event it becomes says the same in JSON and in headers.
 */
void
eb_fuzz_check_event (EbDraft *draft)
{
  g_autoptr (EbEvent) event = NULL;
  g_autoptr (GError) error = NULL;
  gboolean complete = eb_draft_complete (draft, &error);

  eb_fuzz_check_verdict (complete, error);
  if (!complete)
    return;
  g_assert_cmpuint (draft->size, <=, EB_MAX_ATTRIBUTES_SIZE);
  g_assert_cmpint (g_tree_nnodes (draft->attributes), <=, MAX_ATTRIBUTES);
  event = eb_event_new (draft, 7, 0);
  check_json (event);
  check_headers (event);
}
