/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

gboolean eb_cors_check_origin (const char *origin);
gboolean eb_cors_allows (const char *const *origins, const char *origin);
void eb_cors_add_headers (EbExchange *exchange, const char *const *origins, const char *origin);
gboolean
eb_cors_reply_preflight (EbExchange *exchange, const char *const *origins, const char *origin);

G_END_DECLS
