/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"

G_BEGIN_DECLS

#define EB_HISTORY_MAX 1000 /* events at once */

/**
 * EbHistory:
 * @events: (owned) (element-type EbEvent): in order; there may be none although more follow
 * @next: the sequence to read on after; 0 if the log has no more
 *
 * A part of what was published.
 */
typedef struct
{
  GPtrArray *events;
  guint64 next;
} EbHistory;

void eb_history_free (EbHistory *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbHistory, eb_history_free)

void eb_bus_read_async (EbBus *self,
                        guint64 after,
                        const char *const *types,
                        guint limit,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
EbHistory *eb_bus_read_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_get_event_async (EbBus *self,
                             guint64 sequence,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
EbEvent *eb_bus_get_event_finish (EbBus *self, GAsyncResult *result, GError **error);

G_END_DECLS
