/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-event-headers.h"

#include <string.h>

#include "codec/eb-event-json.h"
#include "core/eb-error.h"

/* What of an event stands in a request's header: written, and read. */

/* CloudEvents 1.0.2, HTTP binding 3.1.3.2: what must be percent-encoded in a header value. */
static void
append_encoded (GString *string, const char *value)
{
  for (const guchar *p = (const guchar *) value; *p != '\0'; p++)
    {
      if (*p > 0x20 && *p < 0x7f && *p != '"' && *p != '%')
        g_string_append_c (string, (char) *p);
      else
        g_string_append_printf (string, "%%%02X", *p);
    }
}

typedef struct
{
  EbHeaderFunc func;
  gpointer user_data;
  GString *name;
  GString *value;
} HeaderWriter;

static void
write_attribute (HeaderWriter *writer, const char *name, const char *value)
{
  g_string_assign (writer->name, "ce-");
  g_string_append (writer->name, name);
  g_string_truncate (writer->value, 0);
  append_encoded (writer->value, value);
  writer->func (writer->name->str, writer->value->str, writer->user_data);
}

/* An attribute may hold what a field may not (RFC 9110, 5.5), and these are not encoded. */
static gboolean
is_field_value (const char *value)
{
  gsize length = strlen (value);

  for (gsize i = 0; i < length; i++)
    if ((guchar) value[i] < 0x20 || (guchar) value[i] > 0x7e)
      return FALSE;
  return length > 0 && value[0] != ' ' && value[length - 1] != ' ';
}

/* The tracing extension goes along as the W3C's own fields too, which tracing tools read. */
static void
write_trace_context (HeaderWriter *writer, const EbAttribute *attribute)
{
  if ((g_str_equal (attribute->name, "traceparent") || g_str_equal (attribute->name, "tracestate"))
      && is_field_value (attribute->value))
    writer->func (attribute->name, attribute->value, writer->user_data);
}

static void
write_sequence (HeaderWriter *writer, const EbEvent *event)
{
  char sequence[EB_EVENT_SEQUENCE_SIZE];

  write_attribute (writer, "sequence", eb_event_format_sequence (event, sequence));
}

static void
write_binary (HeaderWriter *writer, const EbEvent *event)
{
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);
  const char *content_type = eb_event_get_media_type (event);

  if (content_type != NULL)
    writer->func ("Content-Type", content_type, writer->user_data);
  write_attribute (writer, "specversion", "1.0");
  write_attribute (writer, "id", eb_event_get_id (event));
  write_attribute (writer, "source", eb_event_get_source (event));
  write_attribute (writer, "type", eb_event_get_event_type (event));
  write_sequence (writer, event);
  for (gsize i = 0; i < n_attributes; i++)
    {
      /* The log's own takes the place of one that an older log has kept. */
      if (g_str_equal (attributes[i].name, "sequence"))
        continue;
      write_attribute (writer, attributes[i].name, attributes[i].value);
      write_trace_context (writer, &attributes[i]);
    }
}

static void
write_structured (HeaderWriter *writer, const EbEvent *event)
{
  gsize n_attributes;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n_attributes);

  writer->func ("Content-Type", EB_EVENT_JSON_TYPE, writer->user_data);
  write_sequence (writer, event);
  for (gsize i = 0; i < n_attributes; i++)
    write_trace_context (writer, &attributes[i]);
}

static void
write_batch (HeaderWriter *writer, const EbEvent *event)
{
  writer->func ("Content-Type", EB_EVENTS_JSON_TYPE, writer->user_data);
  write_sequence (writer, event);
}

/**
 * eb_event_foreach_header:
 * @mode: how @event travels; in a batch it is the last one
 * @func: is given each header that depends on the event, Content-Length aside
 *
 * See the CloudEvents HTTP binding 1.0.2, section 3. `ce-sequence` is said in every mode: a
 * subscriber sees gaps by it before it has read a body.
 */
void
eb_event_foreach_header (EbEvent *event, EbMode mode, EbHeaderFunc func, gpointer user_data)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GString) value = g_string_new (NULL);
  HeaderWriter writer = { func, user_data, name, value };

  switch (mode)
    {
    case EB_MODE_STRUCTURED:
      write_structured (&writer, event);
      break;
    case EB_MODE_BATCH:
      write_batch (&writer, event);
      break;
    case EB_MODE_BINARY:
    default:
      write_binary (&writer, event);
      break;
    }
}

/* Senders of older versions quote (RFC 9110, 5.6.4). Returns: (nullable): NULL if a quote has no
 * end */
static char *
unquote (const char *value)
{
  g_autoptr (GString) string = g_string_new (NULL);
  gboolean quoted = FALSE;

  for (const char *p = value; *p != '\0'; p++)
    {
      if (*p == '"')
        {
          quoted = !quoted;
          continue;
        }
      if (quoted && *p == '\\' && *++p == '\0')
        return NULL;
      g_string_append_c (string, *p);
    }
  return quoted ? NULL : g_string_free (g_steal_pointer (&string), FALSE);
}

static gboolean
check_percents (const char *value, GError **error)
{
  for (const char *p = value; (p = strchr (p, '%')) != NULL; p++)
    {
      if (g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]))
        continue;
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "it has a “%” without two hexadecimal digits; “%25” stands for one");
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_event_header_decode:
 * @value: of a `ce-` header
 *
 * See the CloudEvents HTTP binding 1.0.2, section 3.1.3.2. Whether the result is UTF-8 is left to
 * the rules of the attribute.
 *
 * Returns: (transfer full): what it says; NULL with %EB_ERROR_INVALID
 */
char *
eb_event_header_decode (const char *value, GError **error)
{
  g_autofree char *unquoted = unquote (value);
  g_autoptr (GBytes) bytes = NULL;
  const char *data;
  gsize size;

  if (unquoted == NULL)
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "a quoted string in it has no end");
      return NULL;
    }
  if (!check_percents (unquoted, error))
    return NULL;
  bytes = g_uri_unescape_bytes (unquoted, -1, NULL, NULL);
  data = g_bytes_get_data (bytes, &size);
  if (size == 0 || memchr (data, '\0', size) == NULL)
    return g_strndup (data, size);
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "it has a U+0000");
  return NULL;
}
