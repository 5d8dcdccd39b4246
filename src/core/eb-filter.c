/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-filter.h"

#include <string.h>

#include "core/eb-error.h"

/* What must be true of an event's attributes: a tree. It is built from its leaves up, by one
 * owner, and never changes once it is complete, so any thread may ask it.
 *
 * A node takes nothing any more once it is part of another one. That lets every node know its
 * depth and size, and bounds both before anything could recurse too far. */
struct _EbFilter
{
  gatomicrefcount ref_count;
  EbFilterDialect dialect;
  gboolean is_child;   /* part of another filter: complete */
  guint depth;         /* levels, this one included */
  guint size;          /* nodes and attributes, this one included */
  GPtrArray *terms;    /* (owned) (nullable) (element-type utf8) names and values in turn */
  GPtrArray *children; /* (owned) (nullable) (element-type EbFilter) */
};

/* Nodes and attributes in one filter, each of which costs time with every event. Far above what a
 * person writes. */
#define MAX_SIZE 256

static const char *const dialect_names[] = {
  [EB_FILTER_EXACT] = "exact", [EB_FILTER_PREFIX] = "prefix", [EB_FILTER_SUFFIX] = "suffix",
  [EB_FILTER_ALL] = "all",     [EB_FILTER_ANY] = "any",       [EB_FILTER_NOT] = "not",
};

static gboolean
takes_children (EbFilterDialect dialect)
{
  return dialect >= EB_FILTER_ALL;
}

/**
 * eb_filter_dialect_from_string:
 * @name: a dialect's name, as in the CloudEvents Subscriptions API
 * @dialect: (out): which one it is
 *
 * Returns: FALSE if there is no such dialect here
 */
gboolean
eb_filter_dialect_from_string (const char *name, EbFilterDialect *dialect)
{
  for (guint i = 0; i < G_N_ELEMENTS (dialect_names); i++)
    {
      if (g_str_equal (name, dialect_names[i]))
        {
          *dialect = (EbFilterDialect) i;
          return TRUE;
        }
    }
  return FALSE;
}

/**
 * eb_filter_dialect_to_string:
 *
 * Returns: its name in the CloudEvents Subscriptions API
 */
const char *
eb_filter_dialect_to_string (EbFilterDialect dialect)
{
  return dialect_names[dialect];
}

/**
 * eb_filter_new:
 *
 * Returns: (transfer full): a filter that is not complete yet
 */
EbFilter *
eb_filter_new (EbFilterDialect dialect)
{
  EbFilter *self = g_new0 (EbFilter, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->dialect = dialect;
  self->depth = 1;
  self->size = 1;
  return self;
}

EbFilter *
eb_filter_ref (EbFilter *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_filter_unref (EbFilter *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->terms, g_ptr_array_unref);
  g_clear_pointer (&self->children, g_ptr_array_unref);
  g_free (self);
}

static gboolean
grow (EbFilter *self, guint by, GError **error)
{
  if (self->size + by > MAX_SIZE)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "The filter has more than %d attributes and dialects together", MAX_SIZE);
      return FALSE;
    }
  self->size += by;
  return TRUE;
}

static gboolean
check_attribute (const EbFilter *self, const char *name, const char *value, GError **error)
{
  const char *dialect = dialect_names[self->dialect];

  if (takes_children (self->dialect))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” takes filters, not attributes",
                 dialect);
  else if (g_str_equal (name, "data"))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "Filter “%s” compares “data”, which is not an attribute: filters see attributes "
                 "only",
                 dialect);
  else if (*name == '\0' || name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "Filter “%s” names an attribute that cannot be: names are lower-case letters "
                 "and digits",
                 dialect);
  else if (*value == '\0')
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                 "Filter “%s” has an empty value for attribute “%s”", dialect, name);
  else
    return TRUE;
  return FALSE;
}

/**
 * eb_filter_add_attribute:
 * @self: of one of the dialects that compare attributes
 * @name: a CloudEvents attribute, each at most once
 * @value: what to compare its value with; not empty
 *
 * Several attributes in one filter must all match.
 *
 * Returns: FALSE with %EB_ERROR_INVALID, and the filter as it was
 */
gboolean
eb_filter_add_attribute (EbFilter *self, const char *name, const char *value, GError **error)
{
  g_return_val_if_fail (!self->is_child, FALSE);

  if (!check_attribute (self, name, value, error))
    return FALSE;
  if (self->terms == NULL)
    self->terms = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->terms->len; i += 2)
    {
      if (g_str_equal (self->terms->pdata[i], name))
        {
          g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” has attribute “%s” twice",
                       dialect_names[self->dialect], name);
          return FALSE;
        }
    }
  if (!grow (self, 1, error))
    return FALSE;

  g_ptr_array_add (self->terms, g_strdup (name));
  g_ptr_array_add (self->terms, g_strdup (value));
  return TRUE;
}

static gboolean
check_child (const EbFilter *self, const EbFilter *child, GError **error)
{
  const char *dialect = dialect_names[self->dialect];

  if (!takes_children (self->dialect))
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” takes attributes, not filters",
                 dialect);
  else if (self->dialect == EB_FILTER_NOT && self->children != NULL)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” takes one filter only", dialect);
  else if (child->depth >= EB_MAX_FILTER_DEPTH)
    g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filters are nested deeper than %d",
                 EB_MAX_FILTER_DEPTH);
  else
    return eb_filter_check (child, error);
  return FALSE;
}

/**
 * eb_filter_add_child:
 * @self: of one of the dialects that combine filters
 * @child: (transfer none): complete; nothing can be added to it any more
 *
 * Returns: FALSE with %EB_ERROR_INVALID, and the filter as it was
 */
gboolean
eb_filter_add_child (EbFilter *self, EbFilter *child, GError **error)
{
  g_return_val_if_fail (!self->is_child && self != child, FALSE);

  if (!check_child (self, child, error) || !grow (self, child->size, error))
    return FALSE;
  if (self->children == NULL)
    self->children = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_filter_unref);
  g_ptr_array_add (self->children, eb_filter_ref (child));
  child->is_child = TRUE;
  self->depth = MAX (self->depth, child->depth + 1);
  return TRUE;
}

/**
 * eb_filter_check:
 *
 * From here on the filter must not be changed any more.
 *
 * Returns: whether the filter is complete; else FALSE with %EB_ERROR_INVALID
 */
gboolean
eb_filter_check (const EbFilter *self, GError **error)
{
  if (takes_children (self->dialect) ? self->children != NULL : self->terms != NULL)
    return TRUE;

  g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "Filter “%s” needs %s",
               dialect_names[self->dialect],
               self->dialect == EB_FILTER_NOT   ? "a filter"
               : takes_children (self->dialect) ? "at least one filter"
                                                : "at least one attribute");
  return FALSE;
}

EbFilterDialect
eb_filter_get_dialect (const EbFilter *self)
{
  return self->dialect;
}

/**
 * eb_filter_get_n_attributes:
 *
 * Returns: how many attributes it compares; 0 if it combines filters
 */
guint
eb_filter_get_n_attributes (const EbFilter *self)
{
  return self->terms != NULL ? self->terms->len / 2 : 0;
}

/**
 * eb_filter_get_attribute:
 * @index: below eb_filter_get_n_attributes()
 *
 * Returns: (transfer none): an attribute's name, and what its value is compared with
 */
EbAttribute
eb_filter_get_attribute (const EbFilter *self, guint index)
{
  return (EbAttribute){ .name = self->terms->pdata[2 * index],
                        .value = self->terms->pdata[2 * index + 1] };
}

/**
 * eb_filter_get_n_children:
 *
 * Returns: how many filters it combines; 0 if it compares attributes
 */
guint
eb_filter_get_n_children (const EbFilter *self)
{
  return self->children != NULL ? self->children->len : 0;
}

/**
 * eb_filter_get_child:
 * @index: below eb_filter_get_n_children()
 *
 * Returns: (transfer none): one of the filters that it combines
 */
EbFilter *
eb_filter_get_child (const EbFilter *self, guint index)
{
  return self->children->pdata[index];
}

static gboolean
match_term (EbFilterDialect dialect, const char *value, const char *wanted)
{
  switch (dialect)
    {
    case EB_FILTER_EXACT:
      return g_str_equal (value, wanted);
    case EB_FILTER_PREFIX:
      return g_str_has_prefix (value, wanted);
    case EB_FILTER_SUFFIX:
      return g_str_has_suffix (value, wanted);
    case EB_FILTER_ALL:
    case EB_FILTER_ANY:
    case EB_FILTER_NOT:
    default:
      g_return_val_if_reached (FALSE);
    }
}

static gboolean
match_terms (const EbFilter *self, const EbEvent *event)
{
  for (guint i = 0; i < self->terms->len; i += 2)
    {
      const char *name = self->terms->pdata[i];
      char sequence[EB_EVENT_SEQUENCE_SIZE];
      /* The log's, as it is delivered, and never one that an older log has kept. */
      const char *value = g_str_equal (name, "sequence")
                              ? eb_event_format_sequence (event, sequence)
                              : eb_event_get_attribute (event, name);

      if (value == NULL || !match_term (self->dialect, value, self->terms->pdata[i + 1]))
        return FALSE;
    }
  return TRUE;
}

/* Whether there is a child whose answer is @answer. */
static gboolean
has_child (const EbFilter *self, const EbEvent *event, gboolean answer)
{
  for (guint i = 0; i < self->children->len; i++)
    if (eb_filter_match (self->children->pdata[i], event) == answer)
      return TRUE;
  return FALSE;
}

/**
 * eb_filter_match:
 * @self: complete
 *
 * An attribute that the event does not have matches nothing. Its `sequence` is the log's.
 *
 * Returns: whether @event is wanted
 */
gboolean
eb_filter_match (const EbFilter *self, const EbEvent *event)
{
  switch (self->dialect)
    {
    case EB_FILTER_ALL:
      return !has_child (self, event, FALSE);
    case EB_FILTER_ANY:
      return has_child (self, event, TRUE);
    case EB_FILTER_NOT:
      return has_child (self, event, FALSE);
    case EB_FILTER_EXACT:
    case EB_FILTER_PREFIX:
    case EB_FILTER_SUFFIX:
    default:
      return match_terms (self, event);
    }
}
