/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-terminal-text.h"

#include <string.h>

/* Makes text of unknown origin safe to show: what would move the cursor, change
 * the terminal's state or reorder what is read appears as an escape instead. */

static gboolean
changes_direction (gunichar c)
{
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e)
         || (c >= 0x2066 && c <= 0x2069);
}

static gboolean
breaks_line (gunichar c)
{
  return c == 0x2028 || c == 0x2029;
}

static void
append_char (GString *out, gunichar c)
{
  if (c == '\t')
    g_string_append_c (out, '\t');
  else if (c == '\n')
    g_string_append (out, "\\n");
  else if (c == '\r')
    g_string_append (out, "\\r");
  else if (c < 0x20 || c == 0x7f)
    g_string_append_printf (out, "\\x%02x", c);
  else if (g_unichar_iscntrl (c) || changes_direction (c) || breaks_line (c))
    g_string_append_printf (out, "\\u%04x", c);
  else
    g_string_append_unichar (out, c);
}

/**
 * eb_terminal_text_append:
 * @out: what to append to
 * @text: bytes, meant to be UTF-8
 * @length: how many
 *
 * Appends @text as one line that is safe to print: control characters (newlines
 * included, tabs not), characters that change the direction of text, and bytes
 * that are not UTF-8 are escaped.
 */
void
eb_terminal_text_append (GString *out, const char *text, gsize length)
{
  const char *end = text + length;

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (out, "\\x%02x", (guchar) *text);
          text++;
          continue;
        }
      append_char (out, c);
      text = g_utf8_next_char (text);
    }
}

/**
 * eb_terminal_text_line:
 * @text: bytes, meant to be UTF-8
 *
 * Returns: (transfer full): @text as eb_terminal_text_append() shows it
 */
char *
eb_terminal_text_line (const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  eb_terminal_text_append (out, text, strlen (text));
  return g_string_free (g_steal_pointer (&out), FALSE);
}
