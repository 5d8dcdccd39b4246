/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-json-value.h"

#include <string.h>

/* Reads, in place, JSON that the scanner has let through, so nothing is checked again. What
 * somebody published must go on digit for digit; a parser that builds nodes would lose that. */

EbJsonKind
eb_json_value_get_kind (const EbJsonValue *self)
{
  switch (*self->text)
    {
    case '{':
      return EB_JSON_OBJECT;
    case '[':
      return EB_JSON_ARRAY;
    case '"':
      return EB_JSON_STRING;
    case 't':
    case 'f':
      return EB_JSON_BOOLEAN;
    case 'n':
      return EB_JSON_NULL;
    default:
      return EB_JSON_NUMBER;
    }
}

/* @p: at the backslash. Returns: the unit, a surrogate maybe */
static gunichar
read_unit (const char *p)
{
  gunichar unit = 0;

  for (guint i = 2; i < 6; i++)
    unit = unit << 4 | (gunichar) g_ascii_xdigit_value (p[i]);
  return unit;
}

/* @p: at the backslash. Returns: where the text goes on */
static const char *
decode_escape (const char *p, GString *string)
{
  static const char letters[] = "bfnrt";
  static const char meanings[] = "\b\f\n\r\t";
  const char *letter = strchr (letters, p[1]);
  gunichar unit;

  if (letter != NULL)
    g_string_append_c (string, meanings[letter - letters]);
  else if (p[1] != 'u')
    g_string_append_c (string, p[1]);
  else
    {
      unit = read_unit (p);
      p += 4;
      if (unit >= 0xd800 && unit < 0xdc00)
        {
          unit = 0x10000 + ((unit - 0xd800) << 10) + (read_unit (p + 2) - 0xdc00);
          p += 6;
        }
      g_string_append_unichar (string, unit);
    }
  return p + 2;
}

/**
 * eb_json_value_decode:
 * @self: a string
 *
 * Returns: (transfer full): what it says, in UTF-8; a NUL may be in it, if the level let it through
 */
GString *
eb_json_value_decode (const EbJsonValue *self)
{
  GString *string = g_string_sized_new (self->length);
  const char *p = self->text + 1;
  const char *end = self->text + self->length - 1;

  while (p < end)
    {
      const char *escape = memchr (p, '\\', (gsize) (end - p));

      g_string_append_len (string, p, (escape != NULL ? escape : end) - p);
      p = escape != NULL ? decode_escape (escape, string) : end;
    }
  return string;
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* @p: at the opening quote. Returns: behind the closing one */
static const char *
skip_string (const char *p)
{
  for (p++; *p != '"'; p++)
    if (*p == '\\')
      p++;
  return p + 1;
}

/* Returns: behind the value that begins at @p */
static const char *
skip_value (const char *p, const char *end)
{
  guint depth = 0;

  while (p < end)
    {
      if (*p == '"')
        p = skip_string (p);
      else if (depth == 0 && (*p == ',' || *p == ']' || *p == '}' || is_space (*p)))
        return p;
      else
        {
          if (*p == '{' || *p == '[')
            depth++;
          else if (*p == '}' || *p == ']')
            depth--;
          p++;
        }
      if (depth == 0 && (p[-1] == '"' || p[-1] == '}' || p[-1] == ']'))
        return p;
    }
  return p;
}

/**
 * eb_json_iter_init:
 * @container: an object or array
 */
void
eb_json_iter_init (EbJsonIter *self, const EbJsonValue *container)
{
  self->next = container->text + 1;
  self->end = container->text + container->length - 1;
  self->named = *container->text == '{';
}

/* Between two values there are spaces and, at most, one comma or colon. */
static void
read_value (EbJsonIter *self, EbJsonValue *value)
{
  while (is_space (*self->next) || *self->next == ',' || *self->next == ':')
    self->next++;
  value->text = self->next;
  self->next = skip_value (self->next, self->end);
  value->length = (gsize) (self->next - value->text);
}

static gboolean
is_at_end (EbJsonIter *self)
{
  while (self->next < self->end && is_space (*self->next))
    self->next++;
  return self->next == self->end;
}

/**
 * eb_json_iter_next:
 * @name: (out): the member's name, a string; left alone in an array
 * @value: (out): the member or element
 *
 * Returns: FALSE if there are no more
 */
gboolean
eb_json_iter_next (EbJsonIter *self, EbJsonValue *name, EbJsonValue *value)
{
  if (is_at_end (self))
    return FALSE;
  if (self->named)
    read_value (self, name);
  read_value (self, value);
  return TRUE;
}

/**
 * eb_json_append_string:
 * @json: a JSON text that is being written
 * @string: valid UTF-8, @length bytes of it
 *
 * Appends a JSON string, quotes included.
 */
void
eb_json_append_string (GString *json, const char *string, gsize length)
{
  const char *copied = string;
  const char *end = string + length;

  g_string_append_c (json, '"');
  for (const char *p = string; p < end; p++)
    {
      if ((guchar) *p >= 0x20 && *p != '"' && *p != '\\')
        continue;
      g_string_append_len (json, copied, p - copied);
      copied = p + 1;
      if (*p == '"' || *p == '\\')
        g_string_append_printf (json, "\\%c", *p);
      else
        g_string_append_printf (json, "\\u%04x", (guint) *p);
    }
  g_string_append_len (json, copied, end - copied);
  g_string_append_c (json, '"');
}
