/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbTypeTree:
 *
 * A tree whose ways down from the root are type patterns. A node adds one or more tokens to what
 * its parent stands for, and stands where a pattern ends or where several part. That bounds the
 * tree by twice the number of patterns, however many tokens they have.
 */
typedef struct _EbTypeTree EbTypeTree;

typedef struct _EbTypeNode EbTypeNode;

/**
 * EbTypeNode:
 * @link: among its parent's children; data is the node
 * @parent: (unowned) (nullable): NULL for the root
 * @label: (owned): the tokens that it adds
 * @children: (element-type EbTypeNode): no two of which begin with the same token
 * @places: the tree's owner's: something for each pattern that ends here
 *
 * Only @places is for others to change.
 */
struct _EbTypeNode
{
  GList link;
  EbTypeNode *parent;
  char *label;
  GQueue children;
  GQueue places;
};

EbTypeTree *eb_type_tree_new (void);
void eb_type_tree_free (EbTypeTree *self);
EbTypeNode *eb_type_tree_get_root (EbTypeTree *self);
guint eb_type_tree_get_size (const EbTypeTree *self);
EbTypeNode *eb_type_tree_obtain (EbTypeTree *self, const char *pattern);
void eb_type_tree_prune (EbTypeTree *self, EbTypeNode *node);
EbTypeNode *eb_type_tree_lookup_child (EbTypeTree *self, EbTypeNode *parent, const char *tokens);

G_END_DECLS
