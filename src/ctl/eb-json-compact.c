/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-json-compact.h"

#include <string.h>

/* Copies a JSON text onto one line, digit for digit. A parser that builds values
 * would lose long numbers and take what is not JSON; this one only skips blanks. */

/* As deep as the bus lets an envelope be; each level is one stack frame here. */
#define MAX_DEPTH 128

typedef struct
{
  const char *at;
  const char *end;
  GString *out;
  guint depth;
} Scan;

static gboolean take_value (Scan *scan);

static void
skip_blanks (Scan *scan)
{
  while (scan->at < scan->end && strchr (" \t\r\n", *scan->at) != NULL)
    scan->at++;
}

static gboolean
peek (const Scan *scan, char c)
{
  return scan->at < scan->end && *scan->at == c;
}

static gboolean
take (Scan *scan, char c)
{
  if (!peek (scan, c))
    return FALSE;
  g_string_append_c (scan->out, *scan->at++);
  return TRUE;
}

static gboolean
take_token (Scan *scan, char c)
{
  skip_blanks (scan);
  return take (scan, c);
}

static gboolean
take_word (Scan *scan, const char *word)
{
  for (; *word != '\0'; word++)
    if (!take (scan, *word))
      return FALSE;
  return TRUE;
}

static gboolean
take_hex_digits (Scan *scan, guint n)
{
  while (n-- > 0)
    if (scan->at == scan->end || !g_ascii_isxdigit (*scan->at) || !take (scan, *scan->at))
      return FALSE;
  return TRUE;
}

static gboolean
take_escape (Scan *scan)
{
  if (!take (scan, '\\') || scan->at == scan->end)
    return FALSE;
  if (take (scan, 'u'))
    return take_hex_digits (scan, 4);
  return *scan->at != '\0' && strchr ("\"\\/bfnrt", *scan->at) != NULL && take (scan, *scan->at);
}

static gboolean
take_string (Scan *scan)
{
  if (!take_token (scan, '"'))
    return FALSE;
  while (scan->at < scan->end)
    {
      if (take (scan, '"'))
        return TRUE;
      if ((guchar) *scan->at < 0x20)
        return FALSE;
      if (!(peek (scan, '\\') ? take_escape (scan) : take (scan, *scan->at)))
        return FALSE;
    }
  return FALSE;
}

static gboolean
take_digits (Scan *scan)
{
  const char *start = scan->at;

  while (scan->at < scan->end && g_ascii_isdigit (*scan->at))
    take (scan, *scan->at);
  return scan->at > start;
}

static gboolean
take_number (Scan *scan)
{
  take (scan, '-');
  if (!take (scan, '0') && !take_digits (scan))
    return FALSE;
  if (take (scan, '.') && !take_digits (scan))
    return FALSE;
  if (!take (scan, 'e') && !take (scan, 'E'))
    return TRUE;
  if (!take (scan, '+'))
    take (scan, '-');
  return take_digits (scan);
}

static gboolean
take_member (Scan *scan, gboolean named)
{
  return (!named || (take_string (scan) && take_token (scan, ':'))) && take_value (scan);
}

static gboolean
take_members (Scan *scan, char open, char close)
{
  take (scan, open);
  if (take_token (scan, close))
    return TRUE;
  do
    if (!take_member (scan, open == '{'))
      return FALSE;
  while (take_token (scan, ','));
  return take_token (scan, close);
}

static gboolean
take_container (Scan *scan, char open, char close)
{
  gboolean taken = scan->depth < MAX_DEPTH;

  scan->depth++;
  taken = taken && take_members (scan, open, close);
  scan->depth--;
  return taken;
}

static gboolean
take_value (Scan *scan)
{
  skip_blanks (scan);
  if (scan->at == scan->end)
    return FALSE;
  switch (*scan->at)
    {
    case '{':
      return take_container (scan, '{', '}');
    case '[':
      return take_container (scan, '[', ']');
    case '"':
      return take_string (scan);
    case 't':
      return take_word (scan, "true");
    case 'f':
      return take_word (scan, "false");
    case 'n':
      return take_word (scan, "null");
    default:
      return take_number (scan);
    }
}

/**
 * eb_json_compact:
 * @text: what may be a JSON text
 * @length: its length in bytes
 * @out: what to append to
 *
 * Appends @text without the blanks between its tokens, if it is a JSON text as
 * RFC 8259 has it; else leaves @out alone.
 *
 * Returns: whether @text is JSON
 */
gboolean
eb_json_compact (const char *text, gsize length, GString *out)
{
  Scan scan = { text, text + length, out, 0 };
  gsize before = out->len;

  if (g_utf8_validate_len (text, length, NULL) && take_value (&scan))
    {
      skip_blanks (&scan);
      if (scan.at == scan.end)
        return TRUE;
    }
  g_string_truncate (out, before);
  return FALSE;
}
