/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"

void
eb_bus_replay_async (EbBus *self,
                     const char *id,
                     const EbReplayFrom *from,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_return_new_error (task, EB_ERROR, EB_ERROR_CLOSED, "This is not there yet");
}

gboolean
eb_bus_replay_finish (EbBus *self, GAsyncResult *result, guint64 *after, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
