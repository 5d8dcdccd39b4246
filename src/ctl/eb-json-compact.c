/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-json-compact.h"

#include "codec/eb-json.h"

/* Copies a JSON text onto one line, digit for digit: a parser that builds values would lose long
 * numbers. Blanks inside of strings stay; a line's end there is an escape, or it is no JSON. */

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
append_compact (GString *out, const EbJsonValue *value)
{
  const char *end = value->text + value->length;
  gboolean quoted = FALSE;

  for (const char *p = value->text; p < end; p++)
    {
      if (!quoted && is_blank (*p))
        continue;
      g_string_append_c (out, *p);
      if (quoted && *p == '\\')
        g_string_append_c (out, *++p);
      else if (*p == '"')
        quoted = !quoted;
    }
}

/**
 * eb_json_compact:
 * @text: what may be a JSON text
 * @length: its length in bytes
 * @out: what to append to
 *
 * Appends @text without the blanks between its tokens, if it is JSON as %EB_JSON_GRAMMAR has it;
 * else leaves @out alone.
 *
 * Returns: whether @text is JSON
 */
gboolean
eb_json_compact (const char *text, gsize length, GString *out)
{
  EbJsonValue value;

  if (!eb_json_scan (text, length, EB_JSON_GRAMMAR, &value, NULL))
    return FALSE;
  append_compact (out, &value);
  return TRUE;
}
