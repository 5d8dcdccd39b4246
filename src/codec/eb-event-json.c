/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-event-json.h"

#include <string.h>

#include "codec/eb-json.h"
#include "core/eb-media-type.h"

/* Events as structured CloudEvents (JSON format 1.0.2). */

static void
append_member (GString *text, const char *name, const char *value)
{
  g_string_append (text, ",\"");
  g_string_append (text, name);
  g_string_append (text, "\":");
  eb_json_append_string (text, value, strlen (value));
}

/* The canonical string forms of booleans and integers are JSON. */
static void
append_attribute (GString *text, const EbAttribute *attribute)
{
  if (attribute->kind == EB_ATTRIBUTE_STRING)
    append_member (text, attribute->name, attribute->value);
  else
    g_string_append_printf (text, ",\"%s\":%s", attribute->name, attribute->value);
}

/* From HTTP it may hold tabs, and bytes of any encoding, which an attribute may not. */
static void
append_content_type (GString *text, const char *content_type)
{
  g_autofree char *valid = g_utf8_make_valid (content_type, -1);

  append_member (text, "datacontenttype", g_strdelimit (valid, "\t", ' '));
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

/* JSON goes in as the bytes that it is: reading and writing it again would lose digits. */
static void
append_data (GString *text, const char *content_type, const char *data, gsize size)
{
  if (size == 0 && !is_text (content_type, data, size))
    return;
  if (size > 0 && is_json (content_type, data, size))
    {
      g_string_append (text, ",\"data\":");
      g_string_append_len (text, data, (gssize) size);
    }
  else if (is_text (content_type, data, size))
    {
      g_string_append (text, ",\"data\":");
      eb_json_append_string (text, data, size);
    }
  else
    {
      g_autofree char *base64 = g_base64_encode ((const guchar *) data, size);

      g_string_append (text, ",\"data_base64\":\"");
      g_string_append (text, base64);
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

  g_string_append (text, "{\"specversion\":\"1.0\"");
  append_member (text, "id", eb_event_get_id (event));
  append_member (text, "source", eb_event_get_source (event));
  append_member (text, "type", eb_event_get_event_type (event));
  if (content_type != NULL)
    append_content_type (text, content_type);
  append_attributes (text, event);
  append_member (text, "sequence", eb_event_format_sequence (event, sequence));
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
