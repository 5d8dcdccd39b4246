/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-draft.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-media-type.h"
#include "core/eb-uri.h"

/* An HTTP Content-Type is not an attribute that the event is described by but goes along with the
 * data; the bound keeps a request head that carries it well below its own limit. */
#define MAX_CONTENT_TYPE_LENGTH 1024

/* Besides id, source, type and datacontenttype. With all else that a delivery has, 32 headers of
 * the subscription's own included, these are less than the 256 that a careful server reads. */
#define MAX_ATTRIBUTES 200

/* Longer than the 20 characters that CloudEvents advises, for those who exceed it. */
#define MAX_NAME_LENGTH 64

static int
compare_names (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

/**
 * eb_draft_new:
 * @data: (transfer none): the event's bytes, which nothing ever alters
 *
 * Returns: (transfer full): a draft without attributes
 */
EbDraft *
eb_draft_new (GBytes *data)
{
  EbDraft *self = g_new0 (EbDraft, 1);

  self->data = g_bytes_ref (data);
  self->attributes = g_tree_new_full (compare_names, NULL, g_free, g_free);
  return self;
}

void
eb_draft_free (EbDraft *self)
{
  g_free (self->id);
  g_free (self->source);
  g_free (self->type);
  g_free (self->content_type);
  g_tree_unref (self->attributes);
  g_bytes_unref (self->data);
  g_free (self);
}

/**
 * eb_draft_replace_data:
 * @data: (transfer none): in place of what it had
 */
void
eb_draft_replace_data (EbDraft *self, GBytes *data)
{
  g_bytes_ref (data);
  g_bytes_unref (self->data);
  self->data = data;
}

/**
 * eb_draft_check_name:
 *
 * Returns: whether @name can be an attribute's; FALSE with %EB_ERROR_INVALID
 */
gboolean
eb_draft_check_name (const char *name, GError **error)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789");

  /* CloudEvents 1.0.2, "Attribute Naming Convention"; "data" is no attribute. */
  if (length == 0 || name[length] != '\0' || length > MAX_NAME_LENGTH || g_str_equal (name, "data"))
    {
      g_autofree char *shown = g_strescape (name, NULL);

      g_set_error (
          error, EB_ERROR, EB_ERROR_INVALID,
          "“%.64s” is not an attribute name: 1 to %d lower-case letters and digits, not “data”",
          shown, MAX_NAME_LENGTH);
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

/* What GDateTime does not know of RFC 3339: a leap second, which comes after 23:59:59 UTC, the year
 * 0, and any number of digits after the seconds. */
static GDateTime *
parse_time (const GMatchInfo *match)
{
  g_autofree char *start = g_match_info_fetch (match, 1);
  g_autofree char *seconds = g_match_info_fetch (match, 2);
  g_autofree char *offset = g_match_info_fetch (match, 3);
  gboolean is_leap = g_str_equal (seconds, "60");
  g_autofree char *text = NULL;
  g_autofree char *plain = NULL;
  g_autoptr (GDateTime) time = NULL;
  g_autoptr (GDateTime) utc = NULL;

  if (g_str_has_prefix (start, "0000"))
    start[3] = '4'; /* a leap year, too */
  text = g_strconcat (start, is_leap ? "59" : seconds, offset, NULL);
  plain = g_ascii_strup (text, -1);
  time = g_date_time_new_from_iso8601 (plain, NULL);
  if (time == NULL || !is_leap)
    return g_steal_pointer (&time);
  utc = g_date_time_to_utc (time);
  if (g_date_time_get_hour (utc) != 23 || g_date_time_get_minute (utc) != 59)
    return NULL;
  return g_steal_pointer (&time);
}

static gboolean
check_time (const char *value, GError **error)
{
  /* RFC 3339 is narrower than ISO 8601: a full date, T, a full time and an offset. */
  g_autoptr (GRegex) rfc3339 =
      g_regex_new ("^(\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:)([0-5]\\d|60)(?:\\.\\d+)?"
                   "([Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$",
                   G_REGEX_DOLLAR_ENDONLY, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GDateTime) time = NULL;

  if (g_regex_match (rfc3339, value, 0, &match))
    time = parse_time (match);
  if (time == NULL)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "Attribute “time” is “%.64s”, not an RFC 3339 time such as 2024-01-31T12:00:00Z",
                 value);
  return time != NULL;
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

static char **
lookup_field (EbDraft *self, const char *name)
{
  if (g_str_equal (name, "id"))
    return &self->id;
  if (g_str_equal (name, "source"))
    return &self->source;
  if (g_str_equal (name, "type"))
    return &self->type;
  if (g_str_equal (name, "datacontenttype"))
    return &self->content_type;
  return NULL;
}

static gboolean
check_rules (const char *name, const char *value, GError **error)
{
  if (g_str_equal (name, "specversion") && !g_str_equal (value, "1.0"))
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "Attribute “specversion” is “%.64s”; this bus speaks 1.0", value);
      return FALSE;
    }
  if (g_str_equal (name, "type"))
    return check_length (name, value, EB_MAX_TYPE_LENGTH, error);
  if (g_str_equal (name, "datacontenttype"))
    return check_length (name, value, MAX_CONTENT_TYPE_LENGTH, error)
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

/* @value has been checked. */
static gboolean
add (EbDraft *self, const char *name, const char *value, GError **error)
{
  char **field = lookup_field (self, name);

  if (field != NULL ? *field != NULL : g_tree_lookup (self->attributes, name) != NULL)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is given twice", name);
      return FALSE;
    }
  if (field == NULL && g_tree_nnodes (self->attributes) >= MAX_ATTRIBUTES)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "The event has more than %d attributes (at “%s”)", MAX_ATTRIBUTES, name);
      return FALSE;
    }
  if (self->size + strlen (name) + strlen (value) > EB_MAX_ATTRIBUTES_SIZE)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                   "The attributes have more than %d bytes together (at “%s”)",
                   EB_MAX_ATTRIBUTES_SIZE, name);
      return FALSE;
    }

  self->size += strlen (name) + strlen (value);
  if (field != NULL)
    *field = g_strdup (value);
  else
    g_tree_insert (self->attributes, g_strdup (name), g_strdup (value));
  return TRUE;
}

/**
 * eb_draft_set:
 * @name: a CloudEvents attribute, each at most once
 * @value: its canonical string form
 *
 * Checks the rules of CloudEvents 1.0.2 for that attribute, and the bus's bounds on its size.
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which name the attribute, and the
 *   draft as it was
 */
gboolean
eb_draft_set (EbDraft *self, const char *name, const char *value, GError **error)
{
  if (!eb_draft_check_name (name, error) || !check_value (name, value, error)
      || !check_rules (name, value, error))
    return FALSE;
  return g_str_equal (name, "specversion") || add (self, name, value, error);
}

static gboolean
is_field_value (const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    if (((guchar) *p < 0x20 && *p != '\t') || *p == 0x7f)
      return FALSE;
  return TRUE;
}

/**
 * eb_draft_set_content_type:
 * @value: what an HTTP `Content-Type` says, without blanks around it; not empty
 *
 * Sets `datacontenttype` to whatever HTTP lets through, because it goes on to subscribers as it is:
 * tabs, and bytes that are not UTF-8, which CloudEvents does not allow in its attributes.
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, and the draft as it was
 */
gboolean
eb_draft_set_content_type (EbDraft *self, const char *value, GError **error)
{
  if (!is_field_value (value))
    g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "Content-Type has a control character");
  else if (strlen (value) > MAX_CONTENT_TYPE_LENGTH)
    g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                 "Content-Type has %" G_GSIZE_FORMAT " bytes, more than %d", strlen (value),
                 MAX_CONTENT_TYPE_LENGTH);
  else
    return add (self, "datacontenttype", value, error);
  return FALSE;
}

/* Takes and returns @value. */
static char *
add_default (EbDraft *self, const char *name, char *value)
{
  self->size += strlen (name) + strlen (value);
  return value;
}

/**
 * eb_draft_complete:
 *
 * Gives the attributes that are required and were not set their defaults: a random id,
 * %EB_DEFAULT_SOURCE and %EB_DEFAULT_TYPE.
 */
gboolean
eb_draft_complete (EbDraft *self, GError **error)
{
  self->named = self->id != NULL && self->source != NULL;

  /* These keep the rules, so nothing is checked again: most events have all three. */
  if (self->id == NULL)
    self->id = add_default (self, "id", g_uuid_string_random ());
  if (self->source == NULL)
    self->source = add_default (self, "source", g_strdup (EB_DEFAULT_SOURCE));
  if (self->type == NULL)
    self->type = add_default (self, "type", g_strdup (EB_DEFAULT_TYPE));
  if (self->size <= EB_MAX_ATTRIBUTES_SIZE)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
               "The attributes have more than %d bytes together", EB_MAX_ATTRIBUTES_SIZE);
  return FALSE;
}
