/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"

G_BEGIN_DECLS

/* As many as one call may name, or gets. */
#define EB_DEAD_LETTERS_MAX 1000

void eb_dead_letter_query_choose_async (EbLedger *ledger,
                                        const char *id,
                                        GArray *sequences,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
GPtrArray *
eb_dead_letter_query_choose_finish (EbLedger *ledger, GAsyncResult *result, GError **error);

G_END_DECLS
