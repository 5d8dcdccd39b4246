/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-media-type.h"

#include <string.h>

/* Media types with their parameters, as HTTP writes them (RFC 9110, 8.3.1). */

/* Returns: behind the token; at it if there is none */
static const char *
skip_token (const char *p)
{
  while (g_ascii_isalnum (*p) || (*p != '\0' && strchr ("!#$%&'*+-.^_`|~", *p) != NULL))
    p++;
  return p;
}

static const char *
skip_blanks (const char *p)
{
  return p + strspn (p, " \t");
}

/* @p: at the opening quote. Returns: (nullable): behind the closing one */
static const char *
skip_quoted (const char *p)
{
  for (p++; *p != '"'; p++)
    {
      if (*p == '\\')
        p++;
      if (((guchar) *p < 0x20 && *p != '\t') || *p == 0x7f)
        return NULL;
    }
  return p + 1;
}

/* @p: at the name of a parameter. Returns: (nullable): behind its value */
static const char *
skip_parameter (const char *p)
{
  const char *equals = skip_token (p);
  const char *end;

  if (equals == p || *equals != '=')
    return NULL;
  if (equals[1] == '"')
    return skip_quoted (equals + 1);
  end = skip_token (equals + 1);
  return end > equals + 1 ? end : NULL;
}

/* Returns: (nullable): behind `type/subtype` */
static const char *
skip_essence (const char *value)
{
  const char *slash = skip_token (value);
  const char *end;

  if (slash == value || *slash != '/')
    return NULL;
  end = skip_token (slash + 1);
  return end > slash + 1 ? end : NULL;
}

/**
 * eb_media_type_is_valid:
 *
 * Returns: whether @value is `type/subtype` with, maybe, parameters
 */
gboolean
eb_media_type_is_valid (const char *value)
{
  const char *p = skip_essence (value);

  while (p != NULL && *(p = skip_blanks (p)) == ';')
    {
      p = skip_blanks (p + 1);
      if (*p != ';' && *p != '\0')
        p = skip_parameter (p);
    }
  return p != NULL && *p == '\0';
}

/* Returns: bytes of `type/subtype`; 0 if @value is no media type */
static gsize
get_essence_length (const char *value)
{
  const char *end = skip_essence (value);

  return end != NULL ? (gsize) (end - value) : 0;
}

/**
 * eb_media_type_is:
 * @essence: such as `text/plain`, in lower case
 *
 * Returns: whether @value is @essence, with whatever parameters
 */
gboolean
eb_media_type_is (const char *value, const char *essence)
{
  gsize length = get_essence_length (value);

  return length == strlen (essence) && g_ascii_strncasecmp (value, essence, length) == 0;
}

static gboolean
ends_with (const char *value, gsize length, const char *suffix)
{
  gsize suffix_length = strlen (suffix);

  return length > suffix_length
         && g_ascii_strncasecmp (value + length - suffix_length, suffix, suffix_length) == 0;
}

/**
 * eb_media_type_is_json:
 *
 * Returns: whether what @value describes is JSON: the subtype is `json`, or ends with `+json`
 */
gboolean
eb_media_type_is_json (const char *value)
{
  gsize length = get_essence_length (value);

  return ends_with (value, length, "/json") || ends_with (value, length, "+json");
}

static gboolean
is_charset (const char *text, const char *charset)
{
  gsize length = strcspn (text, "\"; \t");

  return length == strlen (charset) && g_ascii_strncasecmp (text, charset, length) == 0;
}

/* Returns: (nullable): the first parameter behind @p; a `;` between quotes begins none */
static const char *
find_parameter (const char *p)
{
  while (*p != '\0' && *p != ';')
    {
      const char *behind = *p == '"' ? skip_quoted (p) : NULL;

      p = behind != NULL ? behind : p + 1;
    }
  return *p == ';' ? skip_blanks (p + 1) : NULL;
}

/**
 * eb_media_type_is_utf8:
 *
 * Returns: whether @value says no other encoding than UTF-8, of which ASCII is a part
 */
gboolean
eb_media_type_is_utf8 (const char *value)
{
  for (const char *p = find_parameter (value); p != NULL; p = find_parameter (p))
    {
      const char *charset;

      if (g_ascii_strncasecmp (p, "charset=", strlen ("charset=")) != 0)
        continue;
      charset = p + strlen ("charset=");
      if (*charset == '"')
        charset++;
      return is_charset (charset, "utf-8") || is_charset (charset, "us-ascii");
    }
  return TRUE;
}

/**
 * eb_media_type_is_utf8_text:
 *
 * Returns: whether @value is `text/…`, in UTF-8 or an encoding that it does not say
 */
gboolean
eb_media_type_is_utf8_text (const char *value)
{
  return g_ascii_strncasecmp (value, "text/", strlen ("text/")) == 0
         && eb_media_type_is_utf8 (value);
}
