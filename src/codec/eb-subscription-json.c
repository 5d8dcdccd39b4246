/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-subscription-json.h"

#include <json-glib/json-glib.h>

#include "core/eb-error.h"

/* A subscription as text, in the shape of the CloudEvents Subscriptions API's object, for a store
 * to keep. A lease that is not a whole number of seconds has a fraction. */

static void
add_strings (JsonBuilder *builder, const char *const *strings)
{
  json_builder_begin_array (builder);
  for (; strings != NULL && *strings != NULL; strings++)
    json_builder_add_string_value (builder, *strings);
  json_builder_end_array (builder);
}

static void
add_attributes (JsonBuilder *builder, const EbFilter *filter)
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

/* A filter knows how deep it is at most (EB_MAX_FILTER_DEPTH), which bounds the recursion. */
static void
add_filter (JsonBuilder *builder, const EbFilter *filter)
{
  EbFilterDialect dialect = eb_filter_get_dialect (filter);
  guint n_children = eb_filter_get_n_children (filter);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, eb_filter_dialect_to_string (dialect));
  if (n_children == 0)
    add_attributes (builder, filter);
  else if (dialect == EB_FILTER_NOT)
    add_filter (builder, eb_filter_get_child (filter, 0));
  else
    {
      json_builder_begin_array (builder);
      for (guint i = 0; i < n_children; i++)
        add_filter (builder, eb_filter_get_child (filter, i));
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
}

static void
add_filters (JsonBuilder *builder, const EbFilter *filter)
{
  if (filter == NULL)
    return;
  json_builder_set_member_name (builder, "filters");
  json_builder_begin_array (builder);
  add_filter (builder, filter);
  json_builder_end_array (builder);
}

static void
add_config (JsonBuilder *builder, const EbSubscription *self)
{
  GTimeSpan lease = eb_subscription_get_lease (self);

  json_builder_set_member_name (builder, "config");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "lease");
  if (lease % G_TIME_SPAN_SECOND == 0)
    json_builder_add_int_value (builder, lease / G_TIME_SPAN_SECOND);
  else
    json_builder_add_double_value (builder, (double) lease / G_TIME_SPAN_SECOND);
  json_builder_set_member_name (builder, "order");
  json_builder_add_string_value (
      builder, eb_subscription_get_order (self) == EB_ORDER_STRICT ? "strict" : "relaxed");
  json_builder_set_member_name (builder, "concurrency");
  json_builder_add_int_value (builder, eb_subscription_get_concurrency (self));
  json_builder_end_object (builder);
}

/**
 * eb_subscription_to_json:
 * @self: one that is not ephemeral: those are never kept
 *
 * Returns: (transfer full): a JSON object, from which eb_subscription_from_json() makes the same
 *   subscription
 */
char *
eb_subscription_to_json (const EbSubscription *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "id");
  json_builder_add_string_value (builder, eb_subscription_get_id (self));
  json_builder_set_member_name (builder, "sink");
  json_builder_add_string_value (builder, eb_sink_get_uri (eb_subscription_get_sink (self)));
  json_builder_set_member_name (builder, "types");
  add_strings (builder, eb_subscription_get_types (self));
  add_filters (builder, eb_subscription_get_filter (self));
  add_config (builder, self);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* The way back. What is missing or of the wrong kind is an error that names it. */

static JsonNode *
get_member (JsonObject *object, const char *name, JsonNodeType type, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node != NULL && json_node_get_node_type (node) == type)
    return node;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Member “%s” is missing or of the wrong type",
               name);
  return NULL;
}

static const char *
get_string (JsonObject *object, const char *name, GError **error)
{
  JsonNode *node = get_member (object, name, JSON_NODE_VALUE, error);

  if (node == NULL)
    return NULL;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Member “%s” is not a string", name);
  return NULL;
}

static GPtrArray *
get_types (JsonObject *object, GError **error)
{
  JsonNode *node = get_member (object, "types", JSON_NODE_ARRAY, error);
  g_autoptr (GPtrArray) types = g_ptr_array_new ();
  JsonArray *array;

  if (node == NULL)
    return NULL;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *type = json_array_get_element (array, i);

      if (!JSON_NODE_HOLDS_VALUE (type) || json_node_get_value_type (type) != G_TYPE_STRING)
        {
          g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "A type is not a string");
          return NULL;
        }
      g_ptr_array_add (types, (gpointer) json_node_get_string (type));
    }
  g_ptr_array_add (types, NULL);
  return g_steal_pointer (&types);
}

static EbFilter *parse_filter (JsonNode *node, guint depth, GError **error);

static gboolean
parse_attributes (EbFilter *filter, JsonObject *object, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      if (!JSON_NODE_HOLDS_VALUE (value) || json_node_get_value_type (value) != G_TYPE_STRING)
        {
          g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                       "A filter compares “%s” with what is not a string", name);
          return FALSE;
        }
      if (!eb_filter_add_attribute (filter, name, json_node_get_string (value), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
parse_child (EbFilter *filter, JsonNode *node, guint depth, GError **error)
{
  g_autoptr (EbFilter) child = parse_filter (node, depth + 1, error);

  return child != NULL && eb_filter_add_child (filter, child, error);
}

static gboolean
parse_children (EbFilter *filter, JsonArray *array, guint depth, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!parse_child (filter, json_array_get_element (array, i), depth, error))
      return FALSE;
  return TRUE;
}

static gboolean
parse_operand (EbFilter *filter, JsonNode *operand, guint depth, GError **error)
{
  EbFilterDialect dialect = eb_filter_get_dialect (filter);

  if (JSON_NODE_HOLDS_ARRAY (operand) && dialect != EB_FILTER_NOT)
    return parse_children (filter, json_node_get_array (operand), depth, error);
  if (!JSON_NODE_HOLDS_OBJECT (operand))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” does not take %s",
                 eb_filter_dialect_to_string (dialect),
                 JSON_NODE_HOLDS_ARRAY (operand) ? "a list" : "a value");
  else if (dialect == EB_FILTER_NOT)
    return parse_child (filter, operand, depth, error);
  else
    return parse_attributes (filter, json_node_get_object (operand), error);
  return FALSE;
}

/* An object with one member: the dialect. */
static EbFilter *
parse_filter (JsonNode *node, guint depth, GError **error)
{
  g_autoptr (EbFilter) filter = NULL;
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonObjectIter iter;
  EbFilterDialect dialect;
  const char *name = NULL;
  JsonNode *operand;

  if (object != NULL && json_object_get_size (object) == 1 && depth <= EB_MAX_FILTER_DEPTH)
    {
      json_object_iter_init (&iter, object);
      json_object_iter_next (&iter, &name, &operand);
    }
  if (name == NULL || !eb_filter_dialect_from_string (name, &dialect))
    {
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "A filter is not an object with one known dialect");
      return NULL;
    }
  filter = eb_filter_new (dialect);
  if (!parse_operand (filter, operand, depth, error) || !eb_filter_check (filter, error))
    return NULL;
  return g_steal_pointer (&filter);
}

/* Several filters AND together. */
static gboolean
parse_filters (JsonObject *object, EbFilter **filter, GError **error)
{
  JsonArray *array;
  JsonNode *node;

  *filter = NULL;
  if (!json_object_has_member (object, "filters"))
    return TRUE;
  node = get_member (object, "filters", JSON_NODE_ARRAY, error);
  if (node == NULL)
    return FALSE;
  array = json_node_get_array (node);
  if (json_array_get_length (array) == 1)
    *filter = parse_filter (json_array_get_element (array, 0), 1, error);
  else if (json_array_get_length (array) > 1)
    {
      g_autoptr (EbFilter) all = eb_filter_new (EB_FILTER_ALL);

      if (parse_children (all, array, 1, error))
        *filter = g_steal_pointer (&all);
    }
  else
    return TRUE;
  return *filter != NULL;
}

static gboolean
parse_config (JsonObject *object, EbSubscriptionSpec *spec, GError **error)
{
  JsonNode *node = get_member (object, "config", JSON_NODE_OBJECT, error);
  JsonObject *config;
  const char *order;
  JsonNode *lease, *concurrency;

  if (node == NULL)
    return FALSE;
  config = json_node_get_object (node);
  lease = get_member (config, "lease", JSON_NODE_VALUE, error);
  concurrency = lease != NULL ? get_member (config, "concurrency", JSON_NODE_VALUE, error) : NULL;
  order = concurrency != NULL ? get_string (config, "order", error) : NULL;
  if (order == NULL)
    return FALSE;

  if (json_node_get_value_type (lease) == G_TYPE_INT64)
    spec->lease = json_node_get_int (lease) * G_TIME_SPAN_SECOND;
  else
    spec->lease = (GTimeSpan) (json_node_get_double (lease) * G_TIME_SPAN_SECOND + 0.5);
  spec->concurrency = (guint) CLAMP (json_node_get_int (concurrency), 0, G_MAXINT);
  spec->order = g_str_equal (order, "strict") ? EB_ORDER_STRICT : EB_ORDER_RELAXED;
  return TRUE;
}

static EbSubscription *
parse_object (JsonObject *object, GError **error)
{
  EbSubscriptionSpec spec = { 0 };
  g_autoptr (EbSink) sink = NULL;
  g_autoptr (EbFilter) filter = NULL;
  g_autoptr (GPtrArray) types = NULL;
  const char *uri;

  spec.id = get_string (object, "id", error);
  uri = spec.id != NULL ? get_string (object, "sink", error) : NULL;
  sink = uri != NULL ? eb_sink_new_for_uri (uri, error) : NULL;
  types = sink != NULL ? get_types (object, error) : NULL;
  if (types == NULL || !parse_filters (object, &filter, error)
      || !parse_config (object, &spec, error))
    return NULL;

  spec.sink = sink;
  spec.types = (const char *const *) types->pdata;
  spec.filter = filter;
  return eb_subscription_new (&spec, error);
}

/**
 * eb_subscription_from_json:
 * @text: what eb_subscription_to_json() wrote; nothing from outside, which needs a strict scanner
 *   first
 *
 * Returns: (transfer full): the subscription, or NULL with an error that names what is wrong
 */
EbSubscription *
eb_subscription_from_json (const char *text, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  if (!json_parser_load_from_data (parser, text, -1, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    return parse_object (json_node_get_object (root), error);
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID, "A subscription is not an object");
  return NULL;
}
