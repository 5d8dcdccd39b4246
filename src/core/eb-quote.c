/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-quote.h"

#include <string.h>

/* Enough to know a text again by. */
#define MAX_CHARACTERS 100

/* Of more bytes nothing can be shown: a character has four at most. */
#define MAX_BYTES (4 * (MAX_CHARACTERS + 1))

/**
 * eb_quote_text:
 * @text: bytes from outside
 * @length: how many; -1 if a NUL ends them
 *
 * Returns: (transfer full): what a message shows of @text, as readable as it can be: UTF-8, with
 *   U+FFFD for what is not, `\u` and digits for what cannot be printed, and an ellipsis for what
 *   comes after 100 characters
 */
char *
eb_quote_text (const char *text, gssize length)
{
  gsize size = length < 0 ? strnlen (text, MAX_BYTES) : MIN ((gsize) length, MAX_BYTES);
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) size);
  GString *quoted = g_string_new (NULL);
  guint n = 0;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (n++ == MAX_CHARACTERS)
        {
          g_string_append (quoted, "…");
          break;
        }
      if (g_unichar_isprint (c))
        g_string_append_unichar (quoted, c);
      else
        g_string_append_printf (quoted, "\\u%04x", c);
    }
  return g_string_free (quoted, FALSE);
}
