/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-query.h"

#include <string.h>

#include "codec/eb-sequences.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"

/* The query of a request target, read as the tutorial's url.ParseQuery() reads it: pairs are
 * separated by `&`, a `+` is a space, everything is percent-decoded once, and one pair that does
 * not parse makes the whole query wrong. */

/**
 * eb_query_find_bad_escape:
 *
 * Returns: (transfer full) (nullable): the first `%` without two hexadecimal digits, and what comes
 *   in their place; NULL if there is none
 */
char *
eb_query_find_bad_escape (const char *text)
{
  for (const char *p = text; (p = strchr (p, '%')) != NULL; p++)
    if (!g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
      return g_strndup (p, 3);
  return NULL;
}

/* Returns: (transfer full) (nullable): @text decoded; NULL if it is not valid UTF-8 after that, or
 * holds a NUL */
static char *
decode (const char *text)
{
  g_autofree char *spaced = g_strdelimit (g_strdup (text), "+", ' ');
  g_autoptr (GBytes) bytes = g_uri_unescape_bytes (spaced, -1, NULL, NULL);
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;

  if (data == NULL || !g_utf8_validate_len (data, length, NULL))
    return NULL;
  return g_strndup (data, length);
}

static gboolean
is_named (const char *raw, const char *name)
{
  g_autofree char *decoded = decode (raw);

  return g_strcmp0 (decoded, name) == 0;
}

static gboolean
check (const char *query, GError **error)
{
  g_autofree char *bad = eb_query_find_bad_escape (query);
  g_autofree char *shown = NULL;

  if (strchr (query, ';') != NULL)
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "invalid semicolon separator in query");
      return FALSE;
    }
  if (bad == NULL)
    return TRUE;
  shown = eb_quote_text (bad, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "invalid URL escape \"%s\"", shown);
  return FALSE;
}

/**
 * eb_query_get:
 * @query: (nullable): a raw query, without its `?`
 * @value: (out) (transfer full) (nullable): the decoded value of the first parameter @name, empty
 *   if it is not text; NULL if there is none
 *
 * Returns: FALSE with %EB_ERROR_INVALID if the query does not parse
 */
gboolean
eb_query_get (const char *query, const char *name, char **value, GError **error)
{
  g_auto (GStrv) pairs = NULL;

  *value = NULL;
  if (query == NULL)
    return TRUE;
  if (!check (query, error))
    return FALSE;

  pairs = g_strsplit (query, "&", -1);
  for (char **pair = pairs; *pair != NULL && *value == NULL; pair++)
    {
      char *equals = strchr (*pair, '=');

      if (equals != NULL)
        *equals = '\0';
      if (!is_named (*pair, name))
        continue;
      *value = decode (equals != NULL ? equals + 1 : "");
      if (*value == NULL)
        *value = g_strdup ("");
    }
  return TRUE;
}

/* Returns: (transfer full) (nullable): NULL with an error, which shows it as it was written */
static char *
decode_value (const char *name, const char *raw, GError **error)
{
  char *value = decode (raw);
  g_autofree char *shown = NULL;

  if (value != NULL)
    return value;
  shown = eb_quote_text (raw, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“%s” is “%s”, which is not text: UTF-8 without U+0000", name, shown);
  return NULL;
}

/**
 * eb_query_get_all:
 *
 * Returns: (transfer full) (array zero-terminated=1): the decoded values of every parameter @name,
 *   maybe none; NULL with %EB_ERROR_INVALID if the query does not parse, or one of them is not text
 */
char **
eb_query_get_all (const char *query, const char *name, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) pairs = NULL;

  if (query != NULL && !check (query, error))
    return NULL;
  pairs = g_strsplit (query != NULL ? query : "", "&", -1);
  for (char **pair = pairs; *pair != NULL; pair++)
    {
      const char *equals = strchr (*pair, '=');
      g_autofree char *raw = g_strndup (*pair, strcspn (*pair, "="));
      char *value;

      if (**pair == '\0' || !is_named (raw, name))
        continue;
      value = decode_value (name, equals != NULL ? equals + 1 : "", error);
      if (value == NULL)
        return NULL;
      g_ptr_array_add (values, value);
    }
  g_ptr_array_add (values, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&values), FALSE);
}

/**
 * eb_query_get_once:
 * @value: (out) (transfer full) (nullable): the decoded value of the parameter @name; NULL if there
 *   is none
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names it, if it is given twice
 */
gboolean
eb_query_get_once (const char *query, const char *name, char **value, GError **error)
{
  g_auto (GStrv) values = eb_query_get_all (query, name, error);

  *value = NULL;
  if (values == NULL)
    return FALSE;
  if (values[0] != NULL && values[1] != NULL)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Parameter “%s” is given twice", name);
      return FALSE;
    }
  *value = g_strdup (values[0]);
  return TRUE;
}

/**
 * eb_query_get_number:
 * @number: (inout): left alone if there is no parameter @name
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names it, if it is no whole number from @min to @max
 */
gboolean
eb_query_get_number (
    const char *query, const char *name, guint64 min, guint64 max, guint64 *number, GError **error)
{
  g_autofree char *text = NULL, *shown = NULL;
  guint64 parsed;

  if (!eb_query_get_once (query, name, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  if (eb_sequence_parse (text, MIN (min, 1), &parsed) && parsed >= min && parsed <= max)
    {
      *number = parsed;
      return TRUE;
    }
  shown = eb_quote_text (text, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“%s” is “%s”, not a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
               name, shown, min, max);
  return FALSE;
}

/**
 * eb_query_check_names:
 * @query: (nullable): a raw query, without its `?`
 * @names: (array zero-terminated=1): the parameters that it may have
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names it, if there is another one
 */
gboolean
eb_query_check_names (const char *query, const char *const *names, GError **error)
{
  g_auto (GStrv) pairs = g_strsplit (query != NULL ? query : "", "&", -1);

  for (char **pair = pairs; *pair != NULL; pair++)
    {
      g_autofree char *raw = g_strndup (*pair, strcspn (*pair, "="));
      g_autofree char *name = decode (raw);
      g_autofree char *shown = NULL;

      if (**pair == '\0' || (name != NULL && g_strv_contains (names, name)))
        continue;
      shown = eb_quote_text (name != NULL ? name : raw, -1);
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There is no parameter “%s” here", shown);
      return FALSE;
    }
  return TRUE;
}
