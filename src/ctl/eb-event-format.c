/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-event-format.h"

#include <string.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "core/eb-media-type.h"
#include "ctl/eb-json-compact.h"
#include "ctl/eb-terminal-text.h"

/* Turns an event into what `eventbusctl listen` prints. */

/* Bytes a line, and lines, of binary data that are shown: enough to recognise it. */
#define HEX_WIDTH 16
#define HEX_LINES 4

static void
append_field (GString *out, const char *value)
{
  g_autofree char *safe = eb_terminal_text_line (value != NULL ? value : "-");

  g_string_append_printf (out, "  %s", safe);
}

static void
append_size (GString *out, gsize size)
{
  g_string_append_printf (out, ngettext ("%lu byte", "%lu bytes", size), (gulong) size);
}

static void
append_headline (GString *out, const EbReceivedEvent *event)
{
  g_string_append_printf (out, "#%" G_GUINT64_FORMAT, eb_received_event_get_sequence (event));
  append_field (out, eb_received_event_get_attribute (event, "type"));
  append_field (out, eb_received_event_get_content_type (event));
  g_string_append (out, "  ");
  append_size (out, g_bytes_get_size (eb_received_event_get_data (event)));
  g_string_append_c (out, '\n');
}

static gboolean
is_text (const EbReceivedEvent *event, const char *data, gsize size)
{
  const char *type = eb_received_event_get_content_type (event);

  if (memchr (data, '\0', size) != NULL)
    return FALSE;
  /* Text in another encoding is still worth reading between the escapes. */
  return g_utf8_validate_len (data, size, NULL)
         || (type != NULL && g_ascii_strncasecmp (type, "text/", strlen ("text/")) == 0);
}

/* Indented, so that data can't pass itself off as the next event's headline. */
static void
append_text (GString *out, const char *data, gsize size)
{
  const char *end = data + size;

  while (data < end)
    {
      const char *newline = memchr (data, '\n', end - data);
      const char *line_end = newline != NULL ? newline : end;

      g_string_append (out, "  ");
      eb_terminal_text_append (out, data, line_end - data);
      g_string_append_c (out, '\n');
      data = newline != NULL ? newline + 1 : end;
    }
}

static void
append_hex_line (GString *out, const guint8 *data, gsize size)
{
  g_string_append (out, " ");
  for (gsize i = 0; i < HEX_WIDTH; i++)
    if (i < size)
      g_string_append_printf (out, " %02x", data[i]);
    else
      g_string_append (out, "   ");
  g_string_append (out, "  ");
  for (gsize i = 0; i < size; i++)
    g_string_append_c (out, g_ascii_isprint (data[i]) ? (char) data[i] : '.');
  g_string_append_c (out, '\n');
}

static void
append_hex (GString *out, const guint8 *data, gsize size)
{
  gsize shown = MIN (size, HEX_WIDTH * HEX_LINES);

  for (gsize at = 0; at < shown; at += HEX_WIDTH)
    append_hex_line (out, data + at, MIN (HEX_WIDTH, shown - at));
  if (shown < size)
    {
      g_string_append (out, "  + ");
      append_size (out, size - shown);
      g_string_append_c (out, '\n');
    }
}

static void
append_human (GString *out, const EbReceivedEvent *event)
{
  gsize size;
  const char *data = g_bytes_get_data (eb_received_event_get_data (event), &size);

  append_headline (out, event);
  if (size == 0)
    return;
  if (is_text (event, data, size))
    append_text (out, data, size);
  else
    append_hex (out, (const guint8 *) data, size);
}

static void
append_raw (GString *out, const EbReceivedEvent *event)
{
  gsize size;
  const char *data = g_bytes_get_data (eb_received_event_get_data (event), &size);

  g_string_append_len (out, data, size);
  g_string_append_c (out, '\n');
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_attributes (JsonBuilder *builder, const EbReceivedEvent *event)
{
  g_autoptr (GList) extensions = eb_received_event_list_extensions (event);

  add_string (builder, "id", eb_received_event_get_attribute (event, "id"));
  json_builder_set_member_name (builder, "sequence");
  json_builder_add_int_value (builder, (gint64) eb_received_event_get_sequence (event));
  add_string (builder, "type", eb_received_event_get_attribute (event, "type"));
  add_string (builder, "source", eb_received_event_get_attribute (event, "source"));
  add_string (builder, "datacontenttype", eb_received_event_get_content_type (event));
  for (GList *name = extensions; name != NULL; name = name->next)
    add_string (builder, name->data, eb_received_event_get_attribute (event, name->data));
}

/* As CloudEvents has it: data without a type is JSON as well. */
static gboolean
is_json_type (const char *content_type)
{
  return content_type == NULL || *content_type == '\0' || eb_media_type_is_json (content_type);
}

static void
add_data (JsonBuilder *builder, const EbReceivedEvent *event)
{
  gsize size;
  const char *data = g_bytes_get_data (eb_received_event_get_data (event), &size);

  if (size == 0)
    return;
  if (!is_json_type (eb_received_event_get_content_type (event))
      && g_utf8_validate_len (data, size, NULL))
    {
      g_autofree char *text = g_strndup (data, size);

      add_string (builder, "data", text);
    }
  else
    {
      g_autofree char *encoded = g_base64_encode ((const guchar *) data, size);

      add_string (builder, "data_base64", encoded);
    }
}

/* Some terminals obey these characters too, and json-glib 1.6 escapes all of the
 * first ones but one; in JSON they can only stand inside of strings, where an
 * escape means the same. */
static void
append_without_controls (GString *out, const char *json)
{
  for (; *json != '\0'; json = g_utf8_next_char (json))
    {
      gunichar c = g_utf8_get_char (json);

      if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_len (out, json, g_utf8_next_char (json) - json);
    }
}

static void
append_json (GString *out, const EbReceivedEvent *event)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *object = NULL;
  g_autoptr (GString) json = NULL;
  g_autoptr (GString) compact = g_string_new (NULL);
  gsize size;
  const char *data = g_bytes_get_data (eb_received_event_get_data (event), &size);
  gboolean nested = size > 0 && is_json_type (eb_received_event_get_content_type (event))
                    && eb_json_compact (data, size, compact);

  json_builder_begin_object (builder);
  add_attributes (builder, event);
  if (!nested)
    add_data (builder, event);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  object = json_to_string (root, FALSE);
  json = g_string_new (object);
  /* JSON data goes in as the text it is: json-glib would round its numbers. The
   * object is never empty, it has a sequence. */
  if (nested)
    {
      g_string_truncate (json, json->len - 1);
      g_string_append_printf (json, ",\"data\":%s}", compact->str);
    }
  append_without_controls (out, json->str);
  g_string_append_c (out, '\n');
}

/**
 * eb_event_format:
 * @format: how
 * @event: what
 *
 * Returns: (transfer full): the text to print, newline included
 */
GBytes *
eb_event_format (EbEventFormat format, const EbReceivedEvent *event)
{
  g_autoptr (GString) out = g_string_new (NULL);

  switch (format)
    {
    case EB_EVENT_FORMAT_HUMAN:
      append_human (out, event);
      break;
    case EB_EVENT_FORMAT_RAW:
      append_raw (out, event);
      break;
    case EB_EVENT_FORMAT_JSON:
      append_json (out, event);
      break;
    default:
      g_assert_not_reached ();
    }
  return g_string_free_to_bytes (g_steal_pointer (&out));
}
