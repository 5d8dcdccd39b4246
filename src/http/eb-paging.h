/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

/* How much is on a page, unless somebody asks for more or less. */
#define EB_PAGING_LIMIT 100

void eb_paging_add_next (EbExchange *exchange, const char *after, guint64 limit);
void eb_paging_add_next_number (EbExchange *exchange, guint64 after, guint64 limit);

G_END_DECLS
