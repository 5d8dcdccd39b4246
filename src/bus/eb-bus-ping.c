/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* The use case that tries a subscription's sink. */

static EbEvent *
create_event (EbBus *self, GError **error)
{
  g_autoptr (GBytes) data = g_bytes_new_static ("{}", 2);
  g_autoptr (EbDraft) draft = eb_draft_new (data);

  if (!eb_draft_set (draft, "type", EB_PING_EVENT_TYPE, error)
      || !eb_draft_set_content_type (draft, "application/json", error)
      || !eb_draft_complete (draft, error))
    return NULL;
  return eb_event_new (draft, 0, eb_clock_get_real (self->clock));
}

static void
pinged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  EbPing *ping = eb_worker_pool_ping_finish (EB_WORKER_POOL (source), result, &error);

  if (ping != NULL)
    g_task_return_pointer (task, ping, (GDestroyNotify) eb_ping_free);
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_ping_async:
 *
 * Delivers one event of type %EB_PING_EVENT_TYPE now, whatever types it wants and even if it is
 * paused. It is not in the log (its sequence is 0), not counted and not repeated.
 */
void
eb_bus_ping_async (EbBus *self, const char *id, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, id, &error);
  g_autoptr (EbEvent) event = NULL;

  g_task_set_source_tag (task, eb_bus_ping_async);
  if (known != NULL && eb_bus_check_open (self, &error))
    event = create_event (self, &error);
  if (event != NULL)
    eb_worker_pool_ping_async (self->workers, known, event, pinged_cb, g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_ping_finish:
 * @ping: (out caller-allocates): what the sink said; to be cleared with eb_ping_clear()
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, or %EB_ERROR_BUSY if too many are under way
 */
gboolean
eb_bus_ping_finish (EbBus *self, GAsyncResult *result, EbPing *ping, GError **error)
{
  g_autofree EbPing *answer = g_task_propagate_pointer (G_TASK (result), error);

  if (answer == NULL)
    return FALSE;
  *ping = *answer;
  return TRUE;
}
