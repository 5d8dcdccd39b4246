/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include "core/eb-error.h"

/* The bus's use cases around events: publish. */

static gboolean
check_draft (EbBus *self, EbDraft *draft, GError **error)
{
  gsize size = g_bytes_get_size (draft->data);

  if (size > self->limits.max_event_size)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                   "The event has %" G_GSIZE_FORMAT " bytes of data, more than %" G_GSIZE_FORMAT
                   " (limits.max-event-size)",
                   size, self->limits.max_event_size);
      return FALSE;
    }
  return eb_draft_complete (draft, error);
}

static void
appended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  GError *error = NULL;
  GArray *receipts = eb_log_append_finish (EB_LOG (source), result, &error);

  if (receipts == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < receipts->len; i++)
    if (!g_array_index (receipts, EbReceipt, i).duplicate)
      self->stats.published++;
  g_task_return_pointer (task, receipts, (GDestroyNotify) g_array_unref);
}

/**
 * eb_bus_publish_async:
 * @drafts: (element-type EbDraft): completed here; all or none of them are published
 *
 * Done when the log has them.
 */
void
eb_bus_publish_async (EbBus *self,
                      GPtrArray *drafts,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  gboolean valid = eb_bus_check_open (self, &error);

  g_task_set_source_tag (task, eb_bus_publish_async);
  for (guint i = 0; valid && i < drafts->len; i++)
    {
      valid = check_draft (self, g_ptr_array_index (drafts, i), &error);
      if (!valid && drafts->len > 1)
        g_prefix_error (&error, "Event %u of the batch: ", i);
    }
  if (valid)
    eb_log_append_async (self->log, drafts, NULL, appended_cb, g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_publish_finish:
 *
 * Returns: (transfer full) (element-type EbReceipt): one for each draft; NULL, and nothing
 *   published, with an #EbError
 */
GArray *
eb_bus_publish_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
