/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/eb-dbus-options.h"

#include "core/eb-error.h"
#include "core/eb-quote.h"
#include "dbus/eb-dbus-integer.h"

/* The options of Subscribe(): a dictionary, so that there can be more of them one day, and strict,
 * so that a misspelt one is not ignored. */

static EbFilter *parse_filter (GVariant *filter, GError **error);

static gboolean
fail_type (const char *what, GVariant *value, const char *wanted, GError **error)
{
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "%s is of D-Bus type “%s”, not %s", what,
               g_variant_get_type_string (value), wanted);
  return FALSE;
}

/* Dialects that compare: a{ss}, or a{sv} for those whose bindings box every value. */
static gboolean
add_attributes (EbFilter *filter, const char *dialect, GVariant *value, GError **error)
{
  GVariantIter iter;
  GVariant *entry;
  g_autofree char *what = g_strdup_printf ("Filter “%s”", dialect);

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE ("a{ss}"))
      && !g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    return fail_type (what, value, "“a{ss}”", error);

  g_variant_iter_init (&iter, value);
  while ((entry = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_autoptr (GVariant) pair = entry;
      g_autoptr (GVariant) name = g_variant_get_child_value (pair, 0);
      g_autoptr (GVariant) boxed = g_variant_get_child_value (pair, 1);
      g_autoptr (GVariant) text = g_variant_is_of_type (boxed, G_VARIANT_TYPE_VARIANT)
                                      ? g_variant_get_variant (boxed)
                                      : g_variant_ref (boxed);

      if (!g_variant_is_of_type (text, G_VARIANT_TYPE_STRING))
        return fail_type (what, text, "“s” inside “a{sv}”", error);
      if (!eb_filter_add_attribute (filter, g_variant_get_string (name, NULL),
                                    g_variant_get_string (text, NULL), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_child (EbFilter *filter, GVariant *value, GError **error)
{
  g_autoptr (EbFilter) child = parse_filter (value, error);

  return child != NULL && eb_filter_add_child (filter, child, error);
}

static gboolean
add_children (EbFilter *filter, const char *what, GVariant *value, GError **error)
{
  GVariantIter iter;
  GVariant *child;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE ("aa{sv}")))
    return fail_type (what, value, "“aa{sv}”", error);

  g_variant_iter_init (&iter, value);
  while ((child = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_autoptr (GVariant) held = child;

      if (!add_child (filter, held, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
fill_filter (
    EbFilter *filter, EbFilterDialect dialect, const char *name, GVariant *value, GError **error)
{
  g_autofree char *what = g_strdup_printf ("Filter “%s”", name);

  switch (dialect)
    {
    case EB_FILTER_EXACT:
    case EB_FILTER_PREFIX:
    case EB_FILTER_SUFFIX:
      return add_attributes (filter, name, value, error);
    case EB_FILTER_ALL:
    case EB_FILTER_ANY:
      return add_children (filter, what, value, error);
    case EB_FILTER_NOT:
      if (!g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
        return fail_type (what, value, "“a{sv}”", error);
      return add_child (filter, value, error);
    default:
      g_return_val_if_reached (FALSE);
    }
}

/* How deep this recurses is bounded by D-Bus, where nothing nests more than 64 levels. */
static EbFilter *
parse_filter (GVariant *variant, GError **error)
{
  const char *name;
  EbFilterDialect dialect;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (EbFilter) filter = NULL;

  if (g_variant_n_children (variant) != 1)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "A filter of option “filters” has %" G_GSIZE_FORMAT " dialects, not one",
                   g_variant_n_children (variant));
      return NULL;
    }
  g_variant_get_child (variant, 0, "{&sv}", &name, &value);
  if (!eb_filter_dialect_from_string (name, &dialect))
    {
      g_autofree char *shown = eb_quote_text (name, -1);

      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "“%s” is no filter dialect; there are exact, prefix, suffix, all, any, not",
                   shown);
      return NULL;
    }

  filter = eb_filter_new (dialect);
  return fill_filter (filter, dialect, name, value, error) ? g_steal_pointer (&filter) : NULL;
}

static gboolean
parse_filters (GVariant *value, EbDbusOptions *parsed, GError **error)
{
  g_autoptr (EbFilter) all = eb_filter_new (EB_FILTER_ALL);

  if (!add_children (all, "Option “filters”", value, error))
    return FALSE;
  g_clear_pointer (&parsed->filter, eb_filter_unref);
  if (g_variant_n_children (value) > 0)
    parsed->filter = g_steal_pointer (&all);
  return TRUE;
}

static gboolean
parse_after (GVariant *value, EbDbusOptions *parsed, GError **error)
{
  gint64 after;

  if (!eb_dbus_integer_get (value, &after))
    return fail_type ("Option “after”", value, "an integer (“t”)", error);
  if (after < 0)
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "Option “after” is negative; 0 is before the first event");
      return FALSE;
    }
  parsed->has_after = TRUE;
  parsed->after = (guint64) after;
  return TRUE;
}

static gboolean
parse_option (const char *name, GVariant *value, EbDbusOptions *parsed, GError **error)
{
  g_autofree char *shown = NULL;

  if (g_str_equal (name, "filters"))
    return parse_filters (value, parsed, error);
  if (g_str_equal (name, "after"))
    return parse_after (value, parsed, error);

  shown = eb_quote_text (name, -1);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "There is no option “%s”; there are “filters” and “after”", shown);
  return FALSE;
}

/**
 * eb_dbus_options_parse:
 * @options: of type a{sv}
 * @parsed: (out caller-allocates): zero-filled before; to be cleared even after an error
 *
 * Returns: FALSE with %EB_ERROR_INVALID, which names the option or the filter
 */
gboolean
eb_dbus_options_parse (GVariant *options, EbDbusOptions *parsed, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *boxed;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &boxed))
    {
      g_autoptr (GVariant) value = boxed;

      if (!parse_option (name, value, parsed, error))
        return FALSE;
    }
  return TRUE;
}

void
eb_dbus_options_clear (EbDbusOptions *self)
{
  g_clear_pointer (&self->filter, eb_filter_unref);
}
