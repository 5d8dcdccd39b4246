/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-type-tree.h"

#include <string.h>

/* No two children of a node begin with the same token, so one table of all nodes, by parent and
 * first token, finds the way down. Belongs to one thread. */
struct _EbTypeTree
{
  EbTypeNode root;   /* without a label */
  GHashTable *nodes; /* (owned) (element-type EbTypeNode) all the others */
};

static gsize
get_token_length (const char *tokens)
{
  return strcspn (tokens, ".");
}

static guint
node_hash (gconstpointer key)
{
  const EbTypeNode *node = key;
  guint hash = g_direct_hash (node->parent);

  for (const char *c = node->label; *c != '\0' && *c != '.'; c++)
    hash = 31 * hash + (guchar) *c;
  return hash;
}

static gboolean
node_equal (gconstpointer a, gconstpointer b)
{
  const EbTypeNode *first = a, *second = b;
  gsize length = get_token_length (first->label);

  return first->parent == second->parent && length == get_token_length (second->label)
         && memcmp (first->label, second->label, length) == 0;
}

/**
 * eb_type_tree_lookup_child:
 * @tokens: whose first token is looked for
 *
 * Returns: (transfer none) (nullable): the child of @parent that begins with it
 */
EbTypeNode *
eb_type_tree_lookup_child (EbTypeTree *self, EbTypeNode *parent, const char *tokens)
{
  const EbTypeNode key = { .parent = parent, .label = (char *) tokens };

  return g_hash_table_lookup (self->nodes, &key);
}

static void
attach (EbTypeTree *self, EbTypeNode *parent, EbTypeNode *node)
{
  node->parent = parent;
  g_queue_push_tail_link (&parent->children, &node->link);
  g_hash_table_add (self->nodes, node);
}

static void
detach (EbTypeTree *self, EbTypeNode *node)
{
  g_hash_table_steal (self->nodes, node);
  g_queue_unlink (&node->parent->children, &node->link);
}

static void
node_free (EbTypeNode *node)
{
  g_free (node->label);
  g_free (node);
}

/* Takes the label. */
static EbTypeNode *
add_node (EbTypeTree *self, EbTypeNode *parent, char *label)
{
  EbTypeNode *node = g_new0 (EbTypeNode, 1);

  node->link.data = node;
  node->label = label;
  attach (self, parent, node);
  return node;
}

/* Returns: a node above @node that has the first @length bytes of its label */
static EbTypeNode *
split (EbTypeTree *self, EbTypeNode *node, gsize length)
{
  g_autofree char *label = node->label;
  EbTypeNode *upper;

  detach (self, node);
  upper = add_node (self, node->parent, g_strndup (label, length));
  node->label = g_strdup (label + length + 1);
  attach (self, upper, node);
  return upper;
}

static void
merge (EbTypeTree *self, EbTypeNode *upper, EbTypeNode *node)
{
  g_autofree char *label = node->label;

  detach (self, node);
  detach (self, upper);
  node->label = g_strconcat (upper->label, ".", label, NULL);
  attach (self, upper->parent, node);
  node_free (upper);
}

/**
 * eb_type_tree_prune:
 * @node: one where a pattern ended, which may be gone afterwards
 *
 * Takes away what nothing ends at and nothing parts at.
 */
void
eb_type_tree_prune (EbTypeTree *self, EbTypeNode *node)
{
  EbTypeNode *parent = node->parent;

  if (parent == NULL || node->places.length > 0 || node->children.length > 1)
    return;
  if (node->children.length == 1)
    {
      merge (self, node, node->children.head->data);
      return;
    }
  detach (self, node);
  node_free (node);
  eb_type_tree_prune (self, parent);
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

/**
 * eb_type_tree_obtain:
 * @pattern: a type pattern as checked by eb_types_check()
 *
 * Returns: (transfer none): the node where it ends, which is to have a place in it before
 *   anything else is done with the tree
 */
EbTypeNode *
eb_type_tree_obtain (EbTypeTree *self, const char *pattern)
{
  EbTypeNode *node = &self->root;

  while (pattern != NULL)
    {
      EbTypeNode *child = eb_type_tree_lookup_child (self, node, pattern);
      gsize common;

      if (child == NULL)
        return add_node (self, node, g_strdup (pattern));
      common = get_common_length (child->label, pattern);
      node = child->label[common] != '\0' ? split (self, child, common) : child;
      pattern = pattern[common] != '\0' ? pattern + common + 1 : NULL;
    }
  return node;
}

/**
 * eb_type_tree_new:
 *
 * Returns: (transfer full): a tree of nothing but its root
 */
EbTypeTree *
eb_type_tree_new (void)
{
  EbTypeTree *self = g_new0 (EbTypeTree, 1);

  self->nodes = g_hash_table_new_full (node_hash, node_equal, (GDestroyNotify) node_free, NULL);
  return self;
}

void
eb_type_tree_free (EbTypeTree *self)
{
  g_hash_table_unref (self->nodes);
  g_free (self);
}

/**
 * eb_type_tree_get_root:
 *
 * Returns: (transfer none): the node where nothing ends and every pattern begins
 */
EbTypeNode *
eb_type_tree_get_root (EbTypeTree *self)
{
  return &self->root;
}

/**
 * eb_type_tree_get_size:
 *
 * Returns: how many nodes it has below the root
 */
guint
eb_type_tree_get_size (const EbTypeTree *self)
{
  return g_hash_table_size (self->nodes);
}
