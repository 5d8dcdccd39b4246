/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-json.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* The one scanner that every JSON text from outside passes first. json-glib takes comments, other
 * quotes, members given twice, numbers that are none, and recurses as deep as the text says; after
 * this one it sees nothing of that. */

/* Where in the text the scanner is, as far as a name says it. */
typedef struct _Place Place;

struct _Place
{
  const Place *parent; /* (unowned) (nullable) */
  EbJsonValue name;
};

typedef struct
{
  const char *text;
  const char *next;
  const char *end;
  EbJsonLevel level;
  guint depth;
  const Place *place; /* (unowned) (nullable) the innermost */
  GError **error;
} Scanner;

static gboolean scan_value (Scanner *self);

/* How much of a path a message shows. */
#define MAX_SHOWN_NAMES 4

static void
append_path (GString *path, const Place *place)
{
  g_autoptr (GString) name = eb_json_value_decode (&place->name);
  g_autofree char *shown = eb_quote_text (name->str, (gssize) name->len);

  g_string_append_printf (path, "%s%s", path->len > 0 ? "." : "", shown);
}

/* Returns: (transfer full): the names around @place, outermost first */
static GString *
dup_path (const Place *place)
{
  const Place *places[EB_JSON_MAX_DEPTH];
  GString *path = g_string_new (NULL);
  guint n = 0;

  for (; place != NULL; place = place->parent)
    places[n++] = place;
  for (guint i = 0; i < MIN (n, MAX_SHOWN_NAMES); i++)
    append_path (path, places[n - 1 - i]);
  return path;
}

/* Returns: FALSE */
static gboolean
fail (Scanner *self, const char *at, const char *fault)
{
  g_autoptr (GString) path = dup_path (self->place);
  gsize offset = (gsize) (at - self->text);

  if (path->len > 0)
    g_set_error (self->error, EB_ERROR, EB_ERROR_INVALID,
                 "JSON, member “%s”: %s (at byte %" G_GSIZE_FORMAT ")", path->str, fault, offset);
  else
    g_set_error (self->error, EB_ERROR, EB_ERROR_INVALID, "JSON: %s (at byte %" G_GSIZE_FORMAT ")",
                 fault, offset);
  return FALSE;
}

/* Returns: NUL at the end; there is none in valid UTF-8 */
static char
peek (Scanner *self)
{
  return self->next < self->end ? *self->next : '\0';
}

static void
skip_space (Scanner *self)
{
  while (peek (self) == ' ' || peek (self) == '\t' || peek (self) == '\n' || peek (self) == '\r')
    self->next++;
}

static gboolean
skip (Scanner *self, char c)
{
  if (peek (self) != c)
    return FALSE;
  self->next++;
  return TRUE;
}

/* Strings */

/* @at: of four hexadecimal digits. Returns: whether there are four */
static gboolean
read_unit (Scanner *self, const char *at, guint *unit)
{
  *unit = 0;
  if (self->end - at < 4)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (at[i]);

      if (digit < 0)
        return FALSE;
      *unit = *unit << 4 | (guint) digit;
    }
  return TRUE;
}

/* Behind a high surrogate. */
static gboolean
is_low_surrogate (Scanner *self, const char *at)
{
  guint unit;

  return self->end - at >= 2 && at[0] == '\\' && at[1] == 'u' && read_unit (self, at + 2, &unit)
         && unit >= 0xdc00 && unit < 0xe000;
}

/* At the backslash of one with an u. */
static gboolean
scan_unit (Scanner *self)
{
  const char *start = self->next;
  guint unit;

  if (!read_unit (self, start + 2, &unit))
    return fail (self, start, "\\u wants four hexadecimal digits");
  if (unit == 0 && self->level == EB_JSON_STRICT)
    return fail (self, start, "a string has a U+0000");
  self->next += 6;
  if (unit < 0xd800 || unit > 0xdfff)
    return TRUE;
  if (unit >= 0xdc00 || !is_low_surrogate (self, self->next))
    return fail (self, start, "a surrogate is alone");
  self->next += 6;
  return TRUE;
}

/* At the backslash. */
static gboolean
scan_escape (Scanner *self)
{
  char c = self->end - self->next > 1 ? self->next[1] : '\0';

  if (c == 'u')
    return scan_unit (self);
  if (c == '\0' || strchr ("\"\\/bfnrt", c) == NULL)
    return fail (self, self->next, "there is no such escape");
  self->next += 2;
  return TRUE;
}

/* At the opening quote. */
static gboolean
scan_string (Scanner *self)
{
  const char *start = self->next++;

  while (self->next < self->end)
    {
      guchar c = (guchar) *self->next;

      if (c == '"')
        {
          self->next++;
          return TRUE;
        }
      if (c < 0x20)
        return fail (self, self->next, "a string has a control character that is not escaped");
      if (c != '\\')
        self->next++;
      else if (!scan_escape (self))
        return FALSE;
    }
  return fail (self, start, "a string has no end");
}

/* Numbers */

static gboolean
skip_digits (Scanner *self)
{
  const char *start = self->next;

  while (g_ascii_isdigit (peek (self)))
    self->next++;
  return self->next > start;
}

static gboolean
scan_number (Scanner *self)
{
  const char *start = self->next;

  skip (self, '-');
  if (skip (self, '0') ? g_ascii_isdigit (peek (self)) : !skip_digits (self))
    return fail (self, start, "a number has a leading zero, or no digits");
  if (skip (self, '.') && !skip_digits (self))
    return fail (self, start, "a number has no digits after its point");
  if (skip (self, 'e') || skip (self, 'E'))
    {
      if (!skip (self, '-'))
        skip (self, '+');
      if (!skip_digits (self))
        return fail (self, start, "a number has no digits in its exponent");
    }
  return TRUE;
}

/* Objects and arrays */

/* Counts a level that begins at self->next. */
static gboolean
enter (Scanner *self)
{
  if (self->depth == EB_JSON_MAX_DEPTH)
    return fail (self, self->next,
                 "it is nested deeper than " G_STRINGIFY (EB_JSON_MAX_DEPTH) " levels");
  self->depth++;
  self->next++;
  skip_space (self);
  return TRUE;
}

/* Behind a value. Returns: FALSE if something is wrong; @more says if there is another value */
static gboolean
scan_separator (Scanner *self, char closing, gboolean *more)
{
  skip_space (self);
  *more = skip (self, ',');
  if (*more)
    skip_space (self);
  else if (!skip (self, closing))
    return fail (self, self->next,
                 closing == '}' ? "“,” or “}” is missing" : "“,” or “]” is missing");
  else
    self->depth--;
  return TRUE;
}

static gboolean
scan_array (Scanner *self)
{
  gboolean more = TRUE;

  if (!enter (self))
    return FALSE;
  if (skip (self, ']'))
    {
      self->depth--;
      return TRUE;
    }
  while (more)
    if (!scan_value (self) || !scan_separator (self, ']', &more))
      return FALSE;
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

/* A tree and no hash table, which chosen names could make slow. */
static gboolean
add_name (Scanner *self, GTree **names, const Place *place)
{
  g_autofree char *name = g_string_free (eb_json_value_decode (&place->name), FALSE);

  if (*names == NULL)
    *names = g_tree_new_full (compare_names, NULL, g_free, NULL);
  if (g_tree_lookup_node (*names, name) != NULL)
    return fail (self, place->name.text, "it is given twice");
  g_tree_insert (*names, g_steal_pointer (&name), NULL);
  return TRUE;
}

static gboolean
scan_member (Scanner *self, GTree **names)
{
  Place place = { self->place, { self->next, 0 } };
  gboolean fine;

  if (peek (self) != '"')
    return fail (self, self->next, "a member's name is missing");
  if (!scan_string (self))
    return FALSE;
  place.name.length = (gsize) (self->next - place.name.text);
  self->place = &place;
  skip_space (self);
  fine = self->level != EB_JSON_STRICT || add_name (self, names, &place);
  if (fine && !skip (self, ':'))
    fine = fail (self, self->next, "“:” is missing");
  if (fine)
    {
      skip_space (self);
      fine = scan_value (self);
    }
  self->place = place.parent;
  return fine;
}

static gboolean
scan_object (Scanner *self)
{
  g_autoptr (GTree) names = NULL;
  gboolean more = TRUE;

  if (!enter (self))
    return FALSE;
  if (skip (self, '}'))
    {
      self->depth--;
      return TRUE;
    }
  while (more)
    if (!scan_member (self, &names) || !scan_separator (self, '}', &more))
      return FALSE;
  return TRUE;
}

/* Values */

static gboolean
scan_literal (Scanner *self, const char *literal)
{
  gsize length = strlen (literal);

  if ((gsize) (self->end - self->next) < length || memcmp (self->next, literal, length) != 0)
    return fail (self, self->next, "there is no such word; strings have double quotes");
  self->next += length;
  return TRUE;
}

/* It calls itself for what is inside, down to the depth that enter() allows. */
static gboolean
scan_value (Scanner *self)
{
  switch (peek (self))
    {
    case '{':
      return scan_object (self);
    case '[':
      return scan_array (self);
    case '"':
      return scan_string (self);
    case 't':
      return scan_literal (self, "true");
    case 'f':
      return scan_literal (self, "false");
    case 'n':
      return scan_literal (self, "null");
    default:
      if (peek (self) == '-' || g_ascii_isdigit (peek (self)))
        return scan_number (self);
      return fail (self, self->next, "a value is missing");
    }
}

/**
 * eb_json_scan:
 * @text: bytes from outside, not necessarily terminated
 * @value: (out) (optional): the one value, inside of @text
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the byte and the member, if @text is not
 *   exactly one JSON value with nothing but white space around it
 */
gboolean
eb_json_scan (const char *text, gsize length, EbJsonLevel level, EbJsonValue *value, GError **error)
{
  Scanner self = { text, text, text + length, level, 0, NULL, error };
  const char *invalid = text;
  const char *start;

  if (!g_utf8_validate_len (text, length, &invalid))
    return fail (&self, invalid, "it is not valid UTF-8");
  skip_space (&self);
  start = self.next;
  if (!scan_value (&self))
    return FALSE;
  if (value != NULL)
    *value = (EbJsonValue){ start, (gsize) (self.next - start) };
  skip_space (&self);
  return self.next == self.end || fail (&self, self.next, "something follows the value");
}
