/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

gboolean eb_tutorial_api_has_path (const char *path);
gboolean eb_tutorial_api_handle (EbExchange *exchange);
char *eb_tutorial_api_explain (const char *method, const char *path, const char *bad_escape);

G_END_DECLS
