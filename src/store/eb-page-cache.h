/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-log.h"

G_BEGIN_DECLS

typedef struct _EbPageCache EbPageCache;

EbPageCache *eb_page_cache_new (guint max_pages, gsize max_bytes);
void eb_page_cache_free (EbPageCache *self);
void eb_page_cache_add (EbPageCache *self, guint64 start, EbPage *page);
EbPage *eb_page_cache_lookup (EbPageCache *self, guint64 start, gsize max_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbPageCache, eb_page_cache_free)

G_END_DECLS
