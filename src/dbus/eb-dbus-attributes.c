/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-attributes.h"

#include "core/eb-error.h"
#include "core/eb-quote.h"
#include "dbus/eb-dbus-integer.h"

/* From the D-Bus types of attribute values to the types and canonical strings of CloudEvents 1.0.2,
 * "Type System". */

static char *
integer_to_string (const char *name, gint64 integer, GError **error)
{
  g_autofree char *shown = NULL;

  if (integer >= G_MININT32 && integer <= G_MAXINT32)
    return g_strdup_printf ("%" G_GINT64_FORMAT, integer);

  shown = eb_quote_text (name, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Attribute “%s” is an integer outside 32 bits with a sign; pass it as a string",
               shown);
  return NULL;
}

static char *
bytes_to_string (GVariant *value)
{
  gsize size;
  const guchar *bytes = g_variant_get_fixed_array (value, &size, 1);

  /* g_base64_encode() wants a pointer even to nothing. */
  return size > 0 ? g_base64_encode (bytes, size) : g_strdup ("");
}

/* Bytes are a string here, as they are wherever there is no type for them. */
static EbAttributeKind
get_kind (GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
      || g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return EB_ATTRIBUTE_STRING;
  return g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN) ? EB_ATTRIBUTE_BOOLEAN
                                                              : EB_ATTRIBUTE_INTEGER;
}

static char *
value_to_string (const char *name, GVariant *value, GError **error)
{
  /* The ones of the specification itself; all are strings to begin with. */
  static const char *const strings[] = { "id",   "source",          "specversion", "subject",
                                         "time", "datacontenttype", "dataschema",  NULL };
  g_autofree char *shown = NULL;
  gint64 integer;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (value, NULL);
  if (g_strv_contains (strings, name))
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Attribute “%s” is not a string (s)", name);
      return NULL;
    }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return g_strdup (g_variant_get_boolean (value) ? "true" : "false");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return bytes_to_string (value);
  if (eb_dbus_integer_get (value, &integer))
    return integer_to_string (name, integer, error);

  shown = eb_quote_text (name, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "Attribute “%s” is of D-Bus type “%s”; give a string (s), a boolean (b), an integer "
               "(i) or bytes (ay)",
               shown, g_variant_get_type_string (value));
  return NULL;
}

/**
 * eb_dbus_attributes_apply:
 * @attributes: of type a{sv}
 * @draft: what to set them on; it has its type from elsewhere
 *
 * Returns: FALSE with %EB_ERROR_INVALID or %EB_ERROR_TOO_LARGE, which name the attribute
 */
gboolean
eb_dbus_attributes_apply (GVariant *attributes, EbDraft *draft, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *boxed;

  g_variant_iter_init (&iter, attributes);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &boxed))
    {
      g_autoptr (GVariant) value = boxed;
      g_autofree char *text = NULL;

      if (g_str_equal (name, "type"))
        {
          g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                               "Attribute “type” is an argument of its own here");
          return FALSE;
        }
      text = value_to_string (name, value, error);
      if (text == NULL || !eb_draft_set_typed (draft, name, get_kind (value), text, error))
        return FALSE;
    }
  return TRUE;
}
