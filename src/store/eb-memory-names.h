/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-event-name.h"

G_BEGIN_DECLS

typedef struct _EbMemoryNames EbMemoryNames;

EbMemoryNames *eb_memory_names_new (void);
void eb_memory_names_free (EbMemoryNames *self);
guint64 eb_memory_names_find (EbMemoryNames *self, const EbEventName *name);
void eb_memory_names_add (EbMemoryNames *self,
                          const EbEventName *name,
                          guint64 sequence,
                          gint64 accepted_us);
void eb_memory_names_forget (EbMemoryNames *self, gint64 last_us, guint64 limit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbMemoryNames, eb_memory_names_free)

G_END_DECLS
