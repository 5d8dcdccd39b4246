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

/* Returns: (nullable): where the host begins; NULL if there is no authority */
static const char *
find_host (const char *value, const char *scheme)
{
  const char *start = scheme != NULL ? value + strlen (scheme) + 1 : value;
  const char *at;

  if (!g_str_has_prefix (start, "//"))
    return NULL;
  start += 2;
  at = memchr (start, '@', strcspn (start, "/?#"));
  return at != NULL ? at + 1 : start;
}

/* Returns: whether @value has brackets elsewhere than around a whole host */
static gboolean
has_stray_bracket (const char *value, const char *scheme)
{
  const char *open = strpbrk (value, "[]");
  const char *close;

  if (open == NULL)
    return FALSE;
  if (*open != '[' || open != find_host (value, scheme))
    return TRUE;
  close = strpbrk (open + 1, "[]");
  return close == NULL || *close != ']' || strpbrk (close + 1, "[]") != NULL
         || (close[1] != '\0' && strchr (":/?#", close[1]) == NULL);
}

/* GUri takes what is before the last one for user information, which has none. */
static gboolean
has_stray_at (const char *value, const char *scheme)
{
  const char *host = find_host (value, scheme);

  return host != NULL && memchr (host, '@', strcspn (host, "/?#")) != NULL;
}

/**
 * eb_uri_is_reference:
 *
 * Returns: whether @value is a URI reference (RFC 3986, 4.1), which may be empty
 */
gboolean
eb_uri_is_reference (const char *value)
{
  g_autofree char *scheme = g_uri_parse_scheme (value);
  const char *fragment = strchr (value, '#');

  if (!has_only_uri_characters (value) || has_stray_bracket (value, scheme)
      || has_stray_at (value, scheme) || (fragment != NULL && strchr (fragment + 1, '#') != NULL))
    return FALSE;
  /* A colon in the first segment would make what is before it a scheme. */
  if (scheme == NULL && value[strcspn (value, ":/?#")] == ':')
    return FALSE;
  /* The host's address and the port; what is percent-encoded may be anything. */
  return g_uri_split (value, G_URI_FLAGS_ENCODED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
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
