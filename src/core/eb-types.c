/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-types.h"

#include <string.h>

#include "core/eb-draft.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Type patterns: dot-separated tokens, where “*” stands for one whole, non-empty token and a
 * last “>” for the rest, one token or more. Matching walks both strings once and allocates
 * nothing: it runs for every event and subscription. */

/* A subscriber that wants more kinds of events than this is better served by “>” or a wildcard;
 * each pattern costs time with every event. */
#define MAX_PATTERNS 100

static gboolean
is_token (const char *token, gsize length, char c)
{
  return length == 1 && *token == c;
}

static const char *
find_token_fault (const char *token, gsize length)
{
  if (length == 0)
    return "has an empty token";
  if (is_token (token, length, '*'))
    return NULL;
  if (is_token (token, length, '>'))
    return token[length] == '.' ? "has “>” before its end" : NULL;
  if (memchr (token, '*', length) != NULL)
    return "has “*” in a token with something else";
  if (memchr (token, '>', length) != NULL)
    return "has “>” in a token with something else";
  return NULL;
}

static const char *
find_fault (const char *pattern)
{
  const char *fault;

  if (*pattern == '\0')
    return "is empty";
  if (!g_utf8_validate (pattern, -1, NULL))
    return "is not valid UTF-8";

  for (const char *token = pattern;;)
    {
      gsize length = strcspn (token, ".");

      fault = find_token_fault (token, length);
      if (fault != NULL || token[length] == '\0')
        return fault;
      token += length + 1;
    }
}

static gboolean
check_pattern (const char *pattern, GError **error)
{
  const char *fault;

  if (strlen (pattern) > EB_MAX_TYPE_LENGTH)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "A type pattern has %" G_GSIZE_FORMAT " bytes, more than %d", strlen (pattern),
                   EB_MAX_TYPE_LENGTH);
      return FALSE;
    }

  fault = find_fault (pattern);
  if (fault != NULL)
    {
      g_autofree char *shown = eb_quote_text (pattern, -1);

      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "Type pattern “%s” %s: “*” is one whole token, “>” the rest, at the end only",
                   shown, fault);
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_types_check:
 * @patterns: (nullable) (array zero-terminated=1): type patterns
 *
 * Returns: whether eb_types_match() may be asked about @patterns; else FALSE with
 *   %EB_ERROR_INVALID, which names the pattern
 */
gboolean
eb_types_check (const char *const *patterns, GError **error)
{
  guint n_patterns = patterns != NULL ? g_strv_length ((char **) patterns) : 0;

  if (n_patterns > MAX_PATTERNS)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There are %u type patterns, more than %d",
                   n_patterns, MAX_PATTERNS);
      return FALSE;
    }
  for (guint i = 0; i < n_patterns; i++)
    if (!check_pattern (patterns[i], error))
      return FALSE;
  return TRUE;
}

/**
 * eb_types_match_start:
 * @pattern: a pattern as checked by eb_types_check(), or some whole tokens of one
 * @type: (inout): an event's type, or some last tokens of one; afterwards what is left of it, NULL
 *   for nothing; undefined if they do not match
 *
 * Returns: whether the first tokens of @type match those of @pattern, each of them
 */
gboolean
eb_types_match_start (const char *pattern, const char **type)
{
  const char *token = *type;

  for (;;)
    {
      gsize wanted = strcspn (pattern, ".");
      gsize given = strcspn (token, ".");

      /* Whatever is left, for odd types too, whose tokens may be empty. */
      if (is_token (pattern, wanted, '>'))
        {
          *type = NULL;
          return TRUE;
        }
      if (is_token (pattern, wanted, '*') ? given == 0
                                          : wanted != given || memcmp (pattern, token, given) != 0)
        return FALSE;

      pattern += wanted;
      token += given;
      if (*pattern == '\0')
        {
          *type = *token != '\0' ? token + 1 : NULL;
          return TRUE;
        }
      if (*token == '\0')
        return FALSE;
      pattern++;
      token++;
    }
}

static gboolean
match_pattern (const char *pattern, const char *type)
{
  return eb_types_match_start (pattern, &type) && type == NULL;
}

/**
 * eb_types_match:
 * @patterns: (nullable) (array zero-terminated=1): as checked by eb_types_check(); NULL or empty
 *   means all
 * @type: an event's type
 *
 * Returns: whether one of @patterns matches @type
 */
gboolean
eb_types_match (const char *const *patterns, const char *type)
{
  if (patterns == NULL || *patterns == NULL)
    return TRUE;
  for (; *patterns != NULL; patterns++)
    if (match_pattern (*patterns, type))
      return TRUE;
  return FALSE;
}
