/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-uri.h"

#include <string.h>

/* URIs to the letter of RFC 3986: GUri, which does the structure, lets blanks, quotes, stray
 * percents and everything beyond ASCII through. */

#define OTHERS "-._~:/?#@!$&'()*+,;="

static gboolean
has_only_uri_characters (const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    {
      if (g_ascii_isalnum (*p) || strchr (OTHERS "[]", *p) != NULL)
        continue;
      if (*p != '%' || !g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
        return FALSE;
    }
  return TRUE;
}

/* Returns: behind the authority, where brackets may be; at the path if there is none */
static const char *
skip_authority (const char *value, const char *scheme)
{
  const char *p = scheme != NULL ? value + strlen (scheme) + 1 : value;

  return g_str_has_prefix (p, "//") ? p + 2 + strcspn (p + 2, "/?#") : p;
}

/**
 * eb_uri_is_reference:
 *
 * Returns: whether @value is a URI reference (RFC 3986, 4.1), which may be empty
 */
gboolean
eb_uri_is_reference (const char *value)
{
  g_autofree char *resolved = NULL;
  g_autofree char *scheme = g_uri_parse_scheme (value);
  const char *fragment = strchr (value, '#');

  if (!has_only_uri_characters (value) || strpbrk (skip_authority (value, scheme), "[]") != NULL
      || (fragment != NULL && strchr (fragment + 1, '#') != NULL))
    return FALSE;
  /* A colon in the first segment would make what is before it a scheme. */
  if (scheme == NULL && value[strcspn (value, ":/?#")] == ':')
    return FALSE;
  resolved = g_uri_resolve_relative ("http://base/", value, G_URI_FLAGS_NONE, NULL);
  return resolved != NULL;
}

/**
 * eb_uri_is_absolute:
 *
 * Returns: whether @value is a URI with a scheme
 */
gboolean
eb_uri_is_absolute (const char *value)
{
  g_autofree char *scheme = g_uri_parse_scheme (value);

  return scheme != NULL && eb_uri_is_reference (value);
}
