/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-json-reader.h"

#include "core/eb-error.h"
#include "core/eb-quote.h"

/* Reads an object by a table of the members that it may have, in text that the strict scanner has
 * let through. Whatever is wrong is named by where it stands. */

static const char *const kinds[] = {
  [EB_JSON_OBJECT] = "an object", [EB_JSON_ARRAY] = "an array",    [EB_JSON_STRING] = "a string",
  [EB_JSON_NUMBER] = "a number",  [EB_JSON_BOOLEAN] = "a boolean", [EB_JSON_NULL] = "null",
};

/* An error shows a number or a short string, and of everything else what it is: nobody wants a
 * whole object back. */
#define MAX_SHOWN 80

/**
 * eb_json_path_join:
 * @path: of an object; empty for the outermost one
 *
 * Returns: (transfer full): where its member @name stands
 */
char *
eb_json_path_join (const char *path, const char *name)
{
  return *path != '\0' ? g_strconcat (path, ".", name, NULL) : g_strdup (name);
}

/**
 * eb_json_refuse:
 * @path: where @value stands; empty for the body itself
 * @wanted: what should stand there
 *
 * Returns: FALSE, with %EB_ERROR_INVALID in @error
 */
gboolean
eb_json_refuse (const EbJsonValue *value, const char *path, const char *wanted, GError **error)
{
  EbJsonKind kind = eb_json_value_get_kind (value);
  g_autofree char *subject = *path != '\0' ? g_strdup_printf ("“%s”", path) : g_strdup ("The body");
  g_autofree char *shown = NULL;

  if ((kind == EB_JSON_NUMBER || kind == EB_JSON_STRING) && value->length <= MAX_SHOWN)
    shown = g_strndup (value->text, value->length);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "%s is %s, not %s", subject,
               shown != NULL ? shown : kinds[kind], wanted);
  return FALSE;
}

static const EbJsonMember *
find_member (const EbJsonMember *members, const char *name)
{
  for (; members->name != NULL; members++)
    if (g_str_equal (members->name, name))
      return members;
  return NULL;
}

/**
 * eb_json_read_object:
 * @members: (array zero-terminated=1): all that it may have; ends with one without a name
 *
 * Returns: FALSE with %EB_ERROR_INVALID if it is none, has another member, or one that is wrong
 */
gboolean
eb_json_read_object (const EbJsonValue *value,
                     const char *path,
                     const EbJsonMember *members,
                     gpointer target,
                     GError **error)
{
  EbJsonIter iter;
  EbJsonValue name, inner;

  if (eb_json_value_get_kind (value) != EB_JSON_OBJECT)
    return eb_json_refuse (value, path, "an object", error);
  eb_json_iter_init (&iter, value);
  while (eb_json_iter_next (&iter, &name, &inner))
    {
      g_autofree char *text = g_string_free (eb_json_value_decode (&name), FALSE);
      g_autofree char *inner_path = eb_json_path_join (path, text);
      const EbJsonMember *member = find_member (members, text);

      if (member == NULL)
        {
          g_autofree char *quoted = eb_quote_text (text, -1);
          g_autofree char *shown = eb_json_path_join (path, quoted);

          g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There is no member “%s” here", shown);
          return FALSE;
        }
      if (!member->read (&inner, inner_path, target, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
eb_json_read_array (
    const EbJsonValue *value, const char *path, EbJsonRead read, gpointer target, GError **error)
{
  EbJsonIter iter;
  EbJsonValue name, element;

  if (eb_json_value_get_kind (value) != EB_JSON_ARRAY)
    return eb_json_refuse (value, path, "an array", error);
  eb_json_iter_init (&iter, value);
  for (guint i = 0; eb_json_iter_next (&iter, &name, &element); i++)
    {
      g_autofree char *element_path = g_strdup_printf ("%s[%u]", path, i);

      if (!read (&element, element_path, target, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * eb_json_read_string:
 * @string: (inout): where it goes, in place of what is there
 */
gboolean
eb_json_read_string (const EbJsonValue *value, const char *path, char **string, GError **error)
{
  if (eb_json_value_get_kind (value) != EB_JSON_STRING)
    return eb_json_refuse (value, path, "a string", error);
  g_free (*string);
  *string = g_string_free (eb_json_value_decode (value), FALSE);
  return TRUE;
}

gboolean
eb_json_read_integer (const EbJsonValue *value,
                      const char *path,
                      gint64 min,
                      gint64 max,
                      gint64 *number,
                      GError **error)
{
  g_autofree char *text = g_strndup (value->text, value->length);
  g_autofree char *wanted = NULL;

  if (g_ascii_string_to_signed (text, 10, min, max, number, NULL))
    return TRUE;
  wanted =
      g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
  return eb_json_refuse (value, path, wanted, error);
}

gboolean
eb_json_read_boolean (const EbJsonValue *value, const char *path, gboolean *yes, GError **error)
{
  if (eb_json_value_get_kind (value) != EB_JSON_BOOLEAN)
    return eb_json_refuse (value, path, "true or false", error);
  *yes = *value->text == 't';
  return TRUE;
}
