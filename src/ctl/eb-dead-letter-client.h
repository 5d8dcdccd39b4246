/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/eb-bus-client.h"
#include "ctl/eb-table.h"

G_BEGIN_DECLS

gboolean eb_dead_letter_client_list (
    EbBusClient *client, const char *address, guint64 *after, EbTable *table, GError **error);
gboolean eb_dead_letter_client_redrive (EbBusClient *client,
                                        const char *address,
                                        GArray *sequences,
                                        guint64 *after,
                                        guint64 *redriven,
                                        guint64 *left,
                                        GError **error);
gboolean eb_dead_letter_client_drop (EbBusClient *client,
                                     const char *address,
                                     GArray *sequences,
                                     GError **error);

G_END_DECLS
