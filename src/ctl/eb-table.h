/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbTable:
 *
 * Rows of text in columns.
 */
typedef struct _EbTable EbTable;

EbTable *eb_table_new (const char *const *heading);
void eb_table_free (EbTable *self);
void eb_table_take_row (EbTable *self, char **row);
guint eb_table_get_n_rows (EbTable *self);
char *eb_table_format (EbTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbTable, eb_table_free)

G_END_DECLS
