/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-attribute.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-media-type.h"
#include "core/eb-quote.h"
#include "core/eb-timestamp.h"
#include "core/eb-uri.h"

/* The rules that CloudEvents 1.0.2 has for attributes, and the bus's own bounds on each. */

/* Longer than the 20 characters that CloudEvents advises, for those who exceed it. */
#define MAX_NAME_LENGTH 64

/**
 * eb_attribute_check_name:
 *
 * Returns: whether @name can be an attribute's; FALSE with %EB_ERROR_INVALID
 */
gboolean
eb_attribute_check_name (const char *name, GError **error)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789");

  /* CloudEvents 1.0.2, "Attribute Naming Convention"; "data" is no attribute. */
  if (length == 0 || name[length] != '\0' || length > MAX_NAME_LENGTH || g_str_equal (name, "data"))
    {
      g_autofree char *shown = eb_quote_text (name, -1);

      g_set_error (
          error, EB_ERROR, EB_ERROR_INVALID,
          "“%s” is not an attribute name: 1 to %d lower-case letters and digits, not “data”", shown,
          MAX_NAME_LENGTH);
      return FALSE;
    }
  return TRUE;
}

/* CloudEvents 1.0.2, "Type System": no control characters, no noncharacters, no lone surrogates
 * (which valid UTF-8 has not). */
static gboolean
is_forbidden (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef)
         || (c & 0xfffe) == 0xfffe;
}

static gboolean
check_value (const char *name, const char *value, GError **error)
{
  if (!g_utf8_validate (value, -1, NULL))
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is not valid UTF-8", name);
      return FALSE;
    }
  for (const char *p = value; *p != '\0'; p = g_utf8_next_char (p))
    {
      if (is_forbidden (g_utf8_get_char (p)))
        {
          g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                       "Attribute “%s” has a control character or noncharacter at byte %u", name,
                       (guint) (p - value));
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
check_length (const char *name, const char *value, gsize max, GError **error)
{
  if (*value == '\0')
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is empty", name);
  else if (strlen (value) > max)
    g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                 "Attribute “%s” has %" G_GSIZE_FORMAT " bytes, more than %" G_GSIZE_FORMAT, name,
                 strlen (value), max);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_version (const char *value, GError **error)
{
  g_autofree char *shown = NULL;

  if (g_str_equal (value, "1.0"))
    return TRUE;
  shown = eb_quote_text (value, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Attribute “specversion” is “%s”; this bus speaks 1.0", shown);
  return FALSE;
}

static gboolean
check_time (const char *value, GError **error)
{
  g_autofree char *shown = NULL;
  gint64 real_us;

  if (eb_timestamp_parse (value, &real_us))
    return TRUE;
  shown = eb_quote_text (value, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Attribute “time” is “%s”, not an RFC 3339 time such as 2024-01-31T12:00:00Z",
               shown);
  return FALSE;
}

/* For what is checked by one function of its value alone. */
static gboolean
check_form (const char *name,
            const char *value,
            gboolean (*is_valid) (const char *value),
            const char *form,
            GError **error)
{
  if (!check_length (name, value, EB_MAX_ATTRIBUTES_SIZE, error))
    return FALSE;
  if (is_valid (value))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is not %s", name, form);
  return FALSE;
}

static gboolean
check_rules (const char *name, const char *value, GError **error)
{
  if (g_str_equal (name, "specversion"))
    return check_version (value, error);
  if (g_str_equal (name, "type"))
    return check_length (name, value, EB_MAX_TYPE_LENGTH, error);
  if (g_str_equal (name, "datacontenttype"))
    return check_length (name, value, EB_MAX_CONTENT_TYPE_LENGTH, error)
           && check_form (name, value, eb_media_type_is_valid, "a media type such as text/plain",
                          error);
  if (g_str_equal (name, "time"))
    return check_time (value, error);
  if (g_str_equal (name, "id") || g_str_equal (name, "subject"))
    return check_length (name, value, EB_MAX_ATTRIBUTES_SIZE, error);
  if (g_str_equal (name, "source"))
    return check_form (name, value, eb_uri_is_reference, "a URI reference (RFC 3986)", error);
  if (g_str_equal (name, "dataschema"))
    return check_form (name, value, eb_uri_is_absolute, "a URI with a scheme (RFC 3986)", error);
  return TRUE;
}

/**
 * eb_attribute_check:
 * @name: a CloudEvents attribute
 * @value: its canonical string form
 *
 * Checks the rules of CloudEvents 1.0.2 for that attribute, and the bus's bounds on its size.
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which name the attribute
 */
gboolean
eb_attribute_check (const char *name, const char *value, GError **error)
{
  return eb_attribute_check_name (name, error) && check_value (name, value, error)
         && check_rules (name, value, error);
}
