/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-subscriptions.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

void eb_replay_place_find_async (EbLog *log,
                                 EbSubscription *subscription,
                                 const EbReplayFrom *from,
                                 guint64 limit,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean eb_replay_place_find_finish (
    EbLog *log, GAsyncResult *result, guint64 *after, guint64 *previous, GError **error);

G_END_DECLS
