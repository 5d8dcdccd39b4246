/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-type-index.h"

#include <string.h>

#include "core/eb-type-tree.h"
#include "core/eb-types.h"

/* Finds its way through a tree of patterns: a type has three ways on from each node at most, its
 * own next token, “*” and “>”. What does not share its beginning with the type is never looked at,
 * however much of it there is.
 *
 * Belongs to one thread. */

/* A place in the tree where one of a holder's patterns ends. */
typedef struct
{
  GList link;       /* in the node's places; data is the entry */
  EbTypeNode *node; /* (unowned) */
} Place;

/* A holder. */
typedef struct
{
  gpointer holder;
  guint64 found_by; /* the last search that found it: several of its patterns may match */
  gsize n_places;
  Place places[];
} Entry;

struct _EbTypeIndex
{
  EbTypeTree *tree;    /* (owned) its nodes' places are entries */
  GHashTable *entries; /* (owned) (element-type gpointer Entry) by holder */
  guint64 n_searches;
};

/**
 * eb_type_index_new:
 *
 * Returns: (transfer full): an index that nobody is in
 */
EbTypeIndex *
eb_type_index_new (void)
{
  EbTypeIndex *self = g_new0 (EbTypeIndex, 1);

  self->tree = eb_type_tree_new ();
  self->entries = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
eb_type_index_free (EbTypeIndex *self)
{
  eb_type_tree_free (self->tree);
  g_hash_table_unref (self->entries);
  g_free (self);
}

/**
 * eb_type_index_add:
 * @patterns: (array zero-terminated=1): one or more, as checked by eb_types_check(); those who want
 *   every type are better kept in a list
 * @holder: who wants what matches them; not in the index yet
 */
void
eb_type_index_add (EbTypeIndex *self, const char *const *patterns, gpointer holder)
{
  gsize n_patterns = g_strv_length ((char **) patterns);
  Entry *entry;

  g_return_if_fail (!g_hash_table_contains (self->entries, holder));

  entry = g_malloc0 (sizeof *entry + n_patterns * sizeof entry->places[0]);
  entry->holder = holder;
  entry->n_places = n_patterns;
  for (gsize i = 0; i < n_patterns; i++)
    {
      Place *place = &entry->places[i];

      place->link.data = entry;
      place->node = eb_type_tree_obtain (self->tree, patterns[i]);
      g_queue_push_tail_link (&place->node->places, &place->link);
    }
  g_hash_table_insert (self->entries, holder, entry);
}

/**
 * eb_type_index_remove:
 *
 * Returns: whether @holder was in the index
 */
gboolean
eb_type_index_remove (EbTypeIndex *self, gpointer holder)
{
  Entry *entry = g_hash_table_lookup (self->entries, holder);

  if (entry == NULL)
    return FALSE;
  /* One by one: a node stays while one of the places that are left is there. */
  for (gsize i = 0; i < entry->n_places; i++)
    {
      Place *place = &entry->places[i];

      g_queue_unlink (&place->node->places, &place->link);
      eb_type_tree_prune (self->tree, place->node);
    }
  g_hash_table_remove (self->entries, holder);
  return TRUE;
}

static void
take_places (EbTypeIndex *self, const EbTypeNode *node, GPtrArray *holders)
{
  for (GList *link = node->places.head; link != NULL; link = link->next)
    {
      Entry *entry = link->data;

      if (entry->found_by == self->n_searches)
        continue;
      entry->found_by = self->n_searches;
      g_ptr_array_add (holders, entry->holder);
    }
}

static void
search_below (EbTypeIndex *self, EbTypeNode *node, const char *type, GPtrArray *holders);

/* @token says which child; @type is what is left of the type. */
static void
search_child (
    EbTypeIndex *self, EbTypeNode *parent, const char *token, const char *type, GPtrArray *holders)
{
  EbTypeNode *node = eb_type_tree_lookup_child (self->tree, parent, token);

  if (node == NULL || !eb_types_match_start (node->label, &type))
    return;
  if (type == NULL)
    take_places (self, node, holders);
  else
    search_below (self, node, type, holders);
}

/* As deep as a pattern has tokens, whose length is bounded. */
static void
search_below (EbTypeIndex *self, EbTypeNode *node, const char *type, GPtrArray *holders)
{
  gsize length = strcspn (type, ".");

  if (node->children.length == 0)
    return;
  search_child (self, node, ">", type, holders);
  search_child (self, node, "*", type, holders);
  if (length > 1 || (*type != '*' && *type != '>'))
    search_child (self, node, type, type, holders);
}

/**
 * eb_type_index_match:
 * @type: an event's type
 * @holders: (element-type gpointer): gets those for whose patterns eb_types_match() is true, each
 *   once
 */
void
eb_type_index_match (EbTypeIndex *self, const char *type, GPtrArray *holders)
{
  self->n_searches++;
  search_below (self, eb_type_tree_get_root (self->tree), type, holders);
}

/**
 * eb_type_index_get_size:
 *
 * Returns: how many nodes the tree has: twice as many as there are patterns at most
 */
guint
eb_type_index_get_size (const EbTypeIndex *self)
{
  return eb_type_tree_get_size (self->tree);
}
