/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

void eb_paging_add_next (EbExchange *exchange, const char *after, guint64 limit);

G_END_DECLS
