/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-filters-json.h"

#include "codec/eb-json-reader.h"
#include "core/eb-error.h"
#include "core/eb-quote.h"

/* The list `filters` of a subscription. What is in a list ANDs together, so a list of several is
 * one `all`; and for it to come back as it was written, the outermost `all` always is the list: a
 * list of one `all` is put into another one. */

/* What is being read: the filter that takes what stands inside, and how deep it is. */
typedef struct
{
  EbFilter *filter; /* (unowned) */
  guint depth;
} Place;

static gboolean
is_combining (EbFilterDialect dialect)
{
  return dialect == EB_FILTER_ALL || dialect == EB_FILTER_ANY;
}

static gboolean
prefix (gboolean fine, const char *path, GError **error)
{
  if (!fine)
    g_prefix_error (error, "“%s”: ", path);
  return fine;
}

static gboolean
read_attributes (const EbJsonValue *value, const char *path, EbFilter *filter, GError **error)
{
  EbJsonIter iter;
  EbJsonValue name, inner;

  if (eb_json_value_get_kind (value) != EB_JSON_OBJECT)
    return eb_json_refuse (value, path, "an object of attributes", error);
  eb_json_iter_init (&iter, value);
  while (eb_json_iter_next (&iter, &name, &inner))
    {
      g_autofree char *attribute = g_string_free (eb_json_value_decode (&name), FALSE);
      g_autofree char *inner_path = eb_json_path_join (path, attribute);
      g_autofree char *text = NULL;

      if (!eb_json_read_string (&inner, inner_path, &text, error)
          || !prefix (eb_filter_add_attribute (filter, attribute, text, error), inner_path, error))
        return FALSE;
    }
  return TRUE;
}

static EbFilter *
read_filter (const EbJsonValue *value, const char *path, guint depth, GError **error);

static gboolean
read_child (const EbJsonValue *value, const char *path, gpointer target, GError **error)
{
  const Place *place = target;
  g_autoptr (EbFilter) child = read_filter (value, path, place->depth + 1, error);

  return child != NULL && prefix (eb_filter_add_child (place->filter, child, error), path, error);
}

static gboolean
read_operand (
    const EbJsonValue *value, const char *path, EbFilter *filter, guint depth, GError **error)
{
  EbFilterDialect dialect = eb_filter_get_dialect (filter);
  Place place = { filter, depth };

  if (is_combining (dialect))
    return eb_json_read_array (value, path, read_child, &place, error);
  if (dialect == EB_FILTER_NOT)
    return read_child (value, path, &place, error);
  return read_attributes (value, path, filter, error);
}

/* Returns: whether @value is an object with one member, which goes to @name and @operand */
static gboolean
read_dialect (const EbJsonValue *value, char **name, EbJsonValue *operand)
{
  EbJsonIter iter;
  EbJsonValue key, other;

  if (eb_json_value_get_kind (value) != EB_JSON_OBJECT)
    return FALSE;
  eb_json_iter_init (&iter, value);
  if (!eb_json_iter_next (&iter, &key, operand))
    return FALSE;
  *name = g_string_free (eb_json_value_decode (&key), FALSE);
  return !eb_json_iter_next (&iter, &key, &other);
}

/* Calls itself for what is inside, down to EB_MAX_FILTER_DEPTH. */
static EbFilter *
read_filter (const EbJsonValue *value, const char *path, guint depth, GError **error)
{
  g_autoptr (EbFilter) filter = NULL;
  g_autofree char *name = NULL, *shown = NULL;
  g_autofree char *inner_path = NULL;
  EbFilterDialect dialect;
  EbJsonValue operand;

  if (!read_dialect (value, &name, &operand) || depth > EB_MAX_FILTER_DEPTH)
    {
      eb_json_refuse (value, path,
                      depth > EB_MAX_FILTER_DEPTH ? "a filter: they are nested too deep"
                                                  : "an object with one dialect",
                      error);
      return NULL;
    }
  shown = eb_quote_text (name, -1);
  inner_path = eb_json_path_join (path, shown);
  if (!eb_filter_dialect_from_string (name, &dialect))
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "“%s” is no dialect of this bus: exact, prefix, suffix, all, any or not",
                   inner_path);
      return NULL;
    }
  filter = eb_filter_new (dialect);
  if (!read_operand (&operand, inner_path, filter, depth, error)
      || !prefix (eb_filter_check (filter, error), inner_path, error))
    return NULL;
  return g_steal_pointer (&filter);
}

/**
 * eb_filters_read:
 * @value: the list
 * @filter: (out) (nullable) (transfer full): all of it; NULL for an empty list
 */
gboolean
eb_filters_read (const EbJsonValue *value, const char *path, EbFilter **filter, GError **error)
{
  g_autoptr (EbFilter) list = eb_filter_new (EB_FILTER_ALL);
  Place place = { list, 0 };
  EbFilter *only;

  *filter = NULL;
  if (!eb_json_read_array (value, path, read_child, &place, error))
    return FALSE;
  if (eb_filter_get_n_children (list) == 0)
    return TRUE;
  only = eb_filter_get_child (list, 0);
  if (eb_filter_get_n_children (list) > 1 || eb_filter_get_dialect (only) == EB_FILTER_ALL)
    *filter = g_steal_pointer (&list);
  else
    *filter = eb_filter_ref (only);
  return TRUE;
}

static void
write_attributes (JsonBuilder *builder, const EbFilter *filter)
{
  json_builder_begin_object (builder);
  for (guint i = 0; i < eb_filter_get_n_attributes (filter); i++)
    {
      EbAttribute attribute = eb_filter_get_attribute (filter, i);

      json_builder_set_member_name (builder, attribute.name);
      json_builder_add_string_value (builder, attribute.value);
    }
  json_builder_end_object (builder);
}

static void write_filter (JsonBuilder *builder, const EbFilter *filter);

static void
write_children (JsonBuilder *builder, const EbFilter *filter)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < eb_filter_get_n_children (filter); i++)
    write_filter (builder, eb_filter_get_child (filter, i));
  json_builder_end_array (builder);
}

/* A filter knows how deep it is at most (EB_MAX_FILTER_DEPTH), which bounds the recursion. */
static void
write_filter (JsonBuilder *builder, const EbFilter *filter)
{
  EbFilterDialect dialect = eb_filter_get_dialect (filter);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, eb_filter_dialect_to_string (dialect));
  if (is_combining (dialect))
    write_children (builder, filter);
  else if (dialect == EB_FILTER_NOT)
    write_filter (builder, eb_filter_get_child (filter, 0));
  else
    write_attributes (builder, filter);
  json_builder_end_object (builder);
}

/**
 * eb_filters_write:
 *
 * Adds the list that eb_filters_read() makes @filter of.
 */
void
eb_filters_write (JsonBuilder *builder, const EbFilter *filter)
{
  if (eb_filter_get_dialect (filter) == EB_FILTER_ALL)
    {
      write_children (builder, filter);
      return;
    }
  json_builder_begin_array (builder);
  write_filter (builder, filter);
  json_builder_end_array (builder);
}
