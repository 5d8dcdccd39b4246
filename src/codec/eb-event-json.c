/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-event-json.h"

#include <string.h>

#include "codec/eb-json.h"
#include "core/eb-media-type.h"

/* Events as structured CloudEvents (JSON format 1.0.2). */

/* Without looking for the end of what is known. */
#define append_literal(text, literal) g_string_append_len (text, literal, sizeof (literal) - 1)

static void
append_string (GString *text, const char *string)
{
  eb_json_append_string (text, string, strlen (string));
}

static void
append_attribute (GString *text, const EbAttribute *attribute)
{
  append_literal (text, ",\"");
  g_string_append (text, attribute->name);
  append_literal (text, "\":");
  if (attribute->kind == EB_ATTRIBUTE_STRING)
    append_string (text, attribute->value);
  else
    g_string_append (text, attribute->value); /* the canonical form of these is JSON */
}

/* From HTTP it may hold tabs, and bytes of any encoding, which an attribute may not. */
static void
append_content_type (GString *text, const char *content_type)
{
  g_autofree char *valid = g_utf8_make_valid (content_type, -1);

  for (char *tab = strchr (valid, '\t'); tab != NULL; tab = strchr (tab, '\t'))
    *tab = ' ';
  append_literal (text, ",\"datacontenttype\":");
  append_string (text, valid);
}

static gboolean
is_json (const char *content_type, const char *data, gsize size)
{
  return (content_type == NULL || eb_media_type_is_json (content_type))
         && eb_json_scan (data, size, EB_JSON_GRAMMAR, NULL, NULL);
}

/* With U+0000, which g_utf8_validate() takes for an end. */
static gboolean
is_utf8 (const char *data, gsize size)
{
  const char *end = data + size;

  while (data < end && !g_utf8_validate (data, end - data, &data))
    if (*data++ != '\0')
      return FALSE;
  return TRUE;
}

static gboolean
is_text (const char *content_type, const char *data, gsize size)
{
  return content_type != NULL && eb_media_type_is_utf8_text (content_type) && is_utf8 (data, size);
}

static void
append_base64 (GString *text, const char *data, gsize size)
{
  gsize start = text->len;
  int state = 0;
  int saved = 0;
  gsize length;

  g_string_set_size (text, start + (size / 3 + 1) * 4 + 4);
  length =
      g_base64_encode_step ((const guchar *) data, size, FALSE, text->str + start, &state, &saved);
  length += g_base64_encode_close (FALSE, text->str + start + length, &state, &saved);
  g_string_truncate (text, start + length);
}

/* JSON goes in as the bytes that it is: reading and writing it again would lose digits. */
static void
append_data (GString *text, const char *content_type, const char *data, gsize size)
{
  if (size == 0 && !is_text (content_type, data, size))
    return;
  if (size > 0 && is_json (content_type, data, size))
    {
      append_literal (text, ",\"data\":");
      g_string_append_len (text, data, (gssize) size);
    }
  else if (is_text (content_type, data, size))
    {
      append_literal (text, ",\"data\":");
      eb_json_append_string (text, data, size);
    }
  else
    {
      append_literal (text, ",\"data_base64\":\"");
      append_base64 (text, data, size);
      g_string_append_c (text, '"');
    }
}

static void
append_attributes (GString *text, EbEvent *event)
{
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);

  for (gsize i = 0; i < n_attributes; i++)
    /* The log's own takes the place of one that an older log has kept. */
    if (!g_str_equal (attributes[i].name, "sequence"))
      append_attribute (text, &attributes[i]);
}

/**
 * eb_event_append_json:
 * @text: a JSON text that is being written
 *
 * Appends @event as one structured CloudEvent, with its place in the log as the extension
 * `sequence`.
 */
void
eb_event_append_json (EbEvent *event, GString *text)
{
  const char *content_type = eb_event_get_content_type (event);
  gsize size;
  const char *data = g_bytes_get_data (eb_event_get_data (event), &size);
  char sequence[EB_EVENT_SEQUENCE_SIZE];

  append_literal (text, "{\"specversion\":\"1.0\",\"id\":");
  append_string (text, eb_event_get_id (event));
  append_literal (text, ",\"source\":");
  append_string (text, eb_event_get_source (event));
  append_literal (text, ",\"type\":");
  append_string (text, eb_event_get_event_type (event));
  if (content_type != NULL)
    append_content_type (text, content_type);
  append_attributes (text, event);
  append_literal (text, ",\"sequence\":");
  append_string (text, eb_event_format_sequence (event, sequence));
  append_data (text, content_type, data != NULL ? data : "", size);
  g_string_append_c (text, '}');
}

/**
 * eb_events_to_json:
 * @events: (element-type EbEvent)
 *
 * Returns: (transfer full): a batch of structured CloudEvents, maybe an empty one
 */
char *
eb_events_to_json (GPtrArray *events)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < events->len; i++)
    {
      if (i > 0)
        g_string_append_c (text, ',');
      eb_event_append_json (g_ptr_array_index (events, i), text);
    }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}
