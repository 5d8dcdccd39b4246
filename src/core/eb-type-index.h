/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbTypeIndex:
 *
 * Finds whoever wants events of a type, without asking those who do not.
 */
typedef struct _EbTypeIndex EbTypeIndex;

EbTypeIndex *eb_type_index_new (void);
void eb_type_index_free (EbTypeIndex *self);
void eb_type_index_add (EbTypeIndex *self, const char *const *patterns, gpointer holder);
gboolean eb_type_index_remove (EbTypeIndex *self, gpointer holder);
void eb_type_index_match (EbTypeIndex *self, const char *type, GPtrArray *holders);
guint eb_type_index_get_size (const EbTypeIndex *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbTypeIndex, eb_type_index_free)

G_END_DECLS
