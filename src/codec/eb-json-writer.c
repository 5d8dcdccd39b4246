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
