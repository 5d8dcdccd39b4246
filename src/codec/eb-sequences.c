/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-sequences.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Sequences as callers write them: in a query, and as `{"sequences":[1,2,3]}`. That shape is fixed
 * and flat, so it is read here, character by character: a JSON parser would accept comments, other
 * quotes, repeated members and much else. */

/**
 * eb_sequence_parse:
 * @min: 0 or 1
 *
 * Returns: FALSE unless @text is a whole number from @min to 2^63 - 1, without sign or leading
 *   zeros, and nothing else
 */
gboolean
eb_sequence_parse (const char *text, guint64 min, guint64 *sequence)
{
  /* GLib lets a vertical tab before it pass. */
  if (!g_ascii_isdigit (text[0]) || (text[0] == '0' && text[1] != '\0'))
    return FALSE;
  return g_ascii_string_to_unsigned (text, 10, min, G_MAXINT64, sequence, NULL);
}

static GArray *
sequences_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (guint64));
}

/**
 * eb_sequences_parse_list:
 * @text: such as `1,5,9`
 *
 * Returns: (transfer full) (element-type guint64): at least one; NULL with %EB_ERROR_INVALID
 */
GArray *
eb_sequences_parse_list (const char *text, GError **error)
{
  g_autoptr (GArray) sequences = sequences_new ();
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint64 sequence = 0;

  for (char **part = parts; *part != NULL; part++)
    {
      if (!eb_sequence_parse (*part, 1, &sequence))
        {
          g_autofree char *shown = eb_quote_text (*part, -1);

          g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                       "“sequences” has “%s”, which is not a sequence: a whole number from 1",
                       shown);
          return NULL;
        }
      g_array_append_val (sequences, sequence);
    }
  if (sequences->len > 0)
    return g_steal_pointer (&sequences);
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "“sequences” is empty");
  return NULL;
}

/* Where in a text the reader is. */
typedef struct
{
  const char *next;
  const char *end;
} Cursor;

static void
skip_space (Cursor *cursor)
{
  while (cursor->next < cursor->end && *cursor->next != '\0'
         && strchr (" \t\r\n", *cursor->next) != NULL)
    cursor->next++;
}

/* Skips white space before it. */
static gboolean
skip (Cursor *cursor, const char *token)
{
  gsize length = strlen (token);

  skip_space (cursor);
  if ((gsize) (cursor->end - cursor->next) < length || memcmp (cursor->next, token, length) != 0)
    return FALSE;
  cursor->next += length;
  return TRUE;
}

static gboolean
read_sequence (Cursor *cursor, GArray *sequences)
{
  const char *start;
  g_autofree char *digits = NULL;
  guint64 sequence = 0;

  skip_space (cursor);
  start = cursor->next;
  while (cursor->next < cursor->end && g_ascii_isdigit (*cursor->next))
    cursor->next++;
  digits = g_strndup (start, (gsize) (cursor->next - start));
  if (!eb_sequence_parse (digits, 1, &sequence))
    return FALSE;
  g_array_append_val (sequences, sequence);
  return TRUE;
}

static gboolean
read_array (Cursor *cursor, GArray *sequences)
{
  if (!skip (cursor, "["))
    return FALSE;
  if (skip (cursor, "]"))
    return TRUE;
  do
    if (!read_sequence (cursor, sequences))
      return FALSE;
  while (skip (cursor, ","));
  return skip (cursor, "]");
}

/* Returns: (transfer full) (nullable): the name of the member that stands here, to be shown */
static char *
peek_name (Cursor cursor)
{
  const char *quote;

  if (!skip (&cursor, "\""))
    return NULL;
  quote = memchr (cursor.next, '"', (gsize) (cursor.end - cursor.next));
  return quote != NULL ? eb_quote_text (cursor.next, quote - cursor.next) : NULL;
}

static void
set_member_error (Cursor cursor, GError **error)
{
  g_autofree char *name = peek_name (cursor);

  if (name != NULL && !g_str_equal (name, "sequences"))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "There is no member “%s” here, only “sequences”", name);
  else
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                         "The body is not {\"sequences\":[…]} in JSON");
}

static gboolean
at_end (Cursor *cursor)
{
  skip_space (cursor);
  return cursor->next == cursor->end;
}

/* Reads what comes after `{`, of an object that has members. */
static gboolean
read_sequences (Cursor *cursor, GArray *sequences, GError **error)
{
  Cursor before = *cursor;

  if (!skip (cursor, "\"sequences\"") || !skip (cursor, ":"))
    {
      set_member_error (before, error);
      return FALSE;
    }
  if (!read_array (cursor, sequences))
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "“sequences” is not an array of whole numbers from 1");
      return FALSE;
    }
  before = *cursor;
  if (skip (cursor, "}") && at_end (cursor))
    return TRUE;
  skip (&before, ",");
  set_member_error (before, error);
  return FALSE;
}

/**
 * eb_sequences_parse_json:
 * @bytes: an object that may have the one member `sequences`
 * @sequences: (out) (transfer full) (nullable) (element-type guint64): maybe none; NULL if the
 * object has no member, or with an error
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the member
 */
gboolean
eb_sequences_parse_json (GBytes *bytes, GArray **sequences, GError **error)
{
  g_autoptr (GArray) read = sequences_new ();
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  Cursor cursor = { text, text };
  Cursor empty;

  *sequences = NULL;
  if (size > 0)
    cursor.end += size;
  if (!skip (&cursor, "{"))
    {
      set_member_error (cursor, error);
      return FALSE;
    }
  empty = cursor;
  if (skip (&empty, "}") && at_end (&empty))
    return TRUE;
  if (!read_sequences (&cursor, read, error))
    return FALSE;
  *sequences = g_steal_pointer (&read);
  return TRUE;
}
