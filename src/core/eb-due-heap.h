/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbDue:
 * @due_us: when it is due; to be read only
 *
 * One thing's due time. Embed it in the thing, zero-filled.
 */
typedef struct
{
  gint64 due_us;
  guint place; /* in the heap, from 1; 0 while it is in none */
} EbDue;

/**
 * EbDueHeap:
 *
 * Due times of any length, the earliest first.
 */
typedef struct _EbDueHeap EbDueHeap;

EbDueHeap *eb_due_heap_new (void);
void eb_due_heap_free (EbDueHeap *self);
void eb_due_heap_set (EbDueHeap *self, EbDue *due, gint64 due_us);
void eb_due_heap_clear (EbDueHeap *self, EbDue *due);
EbDue *eb_due_heap_first (EbDueHeap *self);

static inline gboolean
eb_due_is_set (const EbDue *due)
{
  return due->place > 0;
}

/**
 * eb_due_get_owner:
 * @Type: the struct that @due is embedded in
 * @field: its name there
 *
 * Returns: (type gpointer): that struct
 */
#define eb_due_get_owner(due, Type, field)                                                         \
  ((Type *) (gpointer) ((char *) (due) -G_STRUCT_OFFSET (Type, field)))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDueHeap, eb_due_heap_free)

G_END_DECLS
