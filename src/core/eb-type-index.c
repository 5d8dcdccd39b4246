/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-type-index.h"

#include <string.h>

#include "core/eb-types.h"

/* A tree whose ways down from the root are the patterns. A node adds one or more tokens to what its
 * parent stands for, and no two children of a node begin with the same token. So a type has three
 * ways on from each node at most: its own next token, “*” and “>”. What does not share its
 * beginning with the type is never looked at, however much of it there is.
 *
 * A node stands where a pattern ends, or where several part. That bounds the tree by twice the
 * number of patterns, however many tokens they have.
 *
 * Belongs to one thread. */

typedef struct _Node Node;

struct _Node
{
  GList link;      /* among its parent's children; data is the node */
  Node *parent;    /* (unowned) (nullable): NULL for the root */
  char *label;     /* (owned) the tokens that it adds; what it is found by is the first */
  GQueue children; /* (element-type Node) */
  GQueue places;   /* (element-type Entry) of patterns that end here */
};

/* A place in the tree where one of a holder's patterns ends. */
typedef struct
{
  GList link; /* in the node's places; data is the entry */
  Node *node; /* (unowned) */
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
  Node *root;          /* (owned) its label is of no use */
  GHashTable *nodes;   /* (owned) (element-type Node) all but the root, by parent and first token */
  GHashTable *entries; /* (owned) (element-type gpointer Entry) by holder */
  guint64 n_searches;
};

/* Nodes. */

static gsize
get_token_length (const char *tokens)
{
  return strcspn (tokens, ".");
}

static guint
node_hash (gconstpointer key)
{
  const Node *node = key;
  guint hash = g_direct_hash (node->parent);

  for (const char *c = node->label; *c != '\0' && *c != '.'; c++)
    hash = 31 * hash + (guchar) *c;
  return hash;
}

static gboolean
node_equal (gconstpointer a, gconstpointer b)
{
  const Node *first = a, *second = b;
  gsize length = get_token_length (first->label);

  return first->parent == second->parent && length == get_token_length (second->label)
         && memcmp (first->label, second->label, length) == 0;
}

/* Returns: (nullable): the child that begins with the first of @tokens */
static Node *
lookup_child (EbTypeIndex *self, Node *parent, const char *tokens)
{
  const Node key = { .parent = parent, .label = (char *) tokens };

  return g_hash_table_lookup (self->nodes, &key);
}

static void
attach (EbTypeIndex *self, Node *parent, Node *node)
{
  node->parent = parent;
  g_queue_push_tail_link (&parent->children, &node->link);
  g_hash_table_add (self->nodes, node);
}

static void
detach (EbTypeIndex *self, Node *node)
{
  g_hash_table_steal (self->nodes, node);
  g_queue_unlink (&node->parent->children, &node->link);
}

/* Takes the label. */
static Node *
node_new (char *label)
{
  Node *node = g_new0 (Node, 1);

  node->link.data = node;
  node->label = label;
  return node;
}

static void
node_free (Node *node)
{
  g_free (node->label);
  g_free (node);
}

/* Takes the label. */
static Node *
add_node (EbTypeIndex *self, Node *parent, char *label)
{
  Node *node = node_new (label);

  attach (self, parent, node);
  return node;
}

/* Returns: a node above @node that has the first @length bytes of its label */
static Node *
split (EbTypeIndex *self, Node *node, gsize length)
{
  g_autofree char *label = node->label;
  Node *upper;

  detach (self, node);
  upper = add_node (self, node->parent, g_strndup (label, length));
  node->label = g_strdup (label + length + 1);
  attach (self, upper, node);
  return upper;
}

static void
merge (EbTypeIndex *self, Node *upper, Node *node)
{
  g_autofree char *label = node->label;

  detach (self, node);
  detach (self, upper);
  node->label = g_strconcat (upper->label, ".", label, NULL);
  attach (self, upper->parent, node);
  node_free (upper);
}

/* Takes away what nothing ends at and nothing parts at. */
static void
prune (EbTypeIndex *self, Node *node)
{
  Node *parent = node->parent;

  if (parent == NULL || node->places.length > 0 || node->children.length > 1)
    return;
  if (node->children.length == 1)
    {
      merge (self, node, node->children.head->data);
      return;
    }
  detach (self, node);
  node_free (node);
  prune (self, parent);
}

/* Returns: the bytes of the whole tokens that both begin with */
static gsize
get_common_length (const char *a, const char *b)
{
  gsize common = 0;

  for (gsize i = 0;; i++)
    {
      if ((a[i] == '\0' || a[i] == '.') && (b[i] == '\0' || b[i] == '.'))
        common = i;
      if (a[i] != b[i] || a[i] == '\0')
        return common;
    }
}

/* Returns: (transfer none): the node where @pattern ends */
static Node *
obtain_node (EbTypeIndex *self, const char *pattern)
{
  Node *node = self->root;

  while (pattern != NULL)
    {
      Node *child = lookup_child (self, node, pattern);
      gsize common;

      if (child == NULL)
        return add_node (self, node, g_strdup (pattern));
      common = get_common_length (child->label, pattern);
      node = child->label[common] != '\0' ? split (self, child, common) : child;
      pattern = pattern[common] != '\0' ? pattern + common + 1 : NULL;
    }
  return node;
}

/* The index. */

/**
 * eb_type_index_new:
 *
 * Returns: (transfer full): an index that nobody is in
 */
EbTypeIndex *
eb_type_index_new (void)
{
  EbTypeIndex *self = g_new0 (EbTypeIndex, 1);

  self->root = node_new (NULL);
  self->nodes = g_hash_table_new_full (node_hash, node_equal, (GDestroyNotify) node_free, NULL);
  self->entries = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
eb_type_index_free (EbTypeIndex *self)
{
  g_hash_table_unref (self->nodes);
  g_hash_table_unref (self->entries);
  node_free (self->root);
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
      place->node = obtain_node (self, patterns[i]);
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
      prune (self, place->node);
    }
  g_hash_table_remove (self->entries, holder);
  return TRUE;
}

static void
take_places (EbTypeIndex *self, const Node *node, GPtrArray *holders)
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

static void search_below (EbTypeIndex *self, Node *node, const char *type, GPtrArray *holders);

/* @token says which child; @type is what is left of the type. */
static void
search_child (
    EbTypeIndex *self, Node *parent, const char *token, const char *type, GPtrArray *holders)
{
  Node *node = lookup_child (self, parent, token);

  if (node == NULL || !eb_types_match_start (node->label, &type))
    return;
  if (type == NULL)
    take_places (self, node, holders);
  else
    search_below (self, node, type, holders);
}

/* As deep as a pattern has tokens, whose length is bounded. */
static void
search_below (EbTypeIndex *self, Node *node, const char *type, GPtrArray *holders)
{
  gsize length = get_token_length (type);

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
  search_below (self, self->root, type, holders);
}

/**
 * eb_type_index_get_size:
 *
 * Returns: how many nodes the tree has: twice as many as there are patterns at most
 */
guint
eb_type_index_get_size (const EbTypeIndex *self)
{
  return g_hash_table_size (self->nodes);
}
