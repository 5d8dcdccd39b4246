/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-json-writer.h"

#include <string.h>

/* The last of the characters that RFC 8259 wants escaped, which json-glib 1.6 takes for the first
 * one that need not be. It can't stand outside of a string. */
#define UNESCAPED "\x1f"
#define ESCAPED   "\\u001f"

/**
 * eb_json_writer_add_string:
 * @builder: within an object
 * @value: (nullable): null without one
 */
void
eb_json_writer_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

/**
 * eb_json_writer_add_integer:
 * @builder: within an object
 */
void
eb_json_writer_add_integer (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/**
 * eb_json_writer_add_time:
 * @builder: within an object
 * @real_us: null for 0
 *
 * Adds the second, by RFC 3339 in UTC.
 */
void
eb_json_writer_add_time (JsonBuilder *builder, const char *name, gint64 real_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");

  eb_json_writer_add_string (builder, name, real_us > 0 ? text : NULL);
}

/**
 * eb_json_writer_finish:
 * @builder: with one whole value
 *
 * Returns: (transfer full): its text, without blanks
 */
char *
eb_json_writer_finish (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, FALSE);
  GString *escaped;

  if (strstr (text, UNESCAPED) == NULL)
    return g_steal_pointer (&text);
  escaped = g_string_new (text);
  g_string_replace (escaped, UNESCAPED, ESCAPED, 0);
  return g_string_free (escaped, FALSE);
}
