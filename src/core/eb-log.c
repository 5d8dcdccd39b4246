/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-log.h"

G_DEFINE_INTERFACE (EbLog, eb_log, G_TYPE_OBJECT)

static void
eb_log_default_init (EbLogInterface *iface)
{
}

/**
 * eb_page_new:
 *
 * Returns: (transfer full): a page without events, for a log to fill before anybody else has it
 */
EbPage *
eb_page_new (guint64 lost_up_to)
{
  EbPage *self = g_new0 (EbPage, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  self->lost_up_to = lost_up_to;
  return self;
}

EbPage *
eb_page_ref (EbPage *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_page_unref (EbPage *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->events);
  g_free (self);
}

/**
 * eb_log_append_async:
 * @drafts: (element-type EbDraft): complete; all or none of them are appended, in this order and
 *   without others between them. The log holds a reference and changes none of them.
 *
 * Done when the events are as durable as the log makes them. Over the bound on what waits it fails
 * with %EB_ERROR_BUSY at once.
 */
void
eb_log_append_async (EbLog *self,
                     GPtrArray *drafts,
                     GCancellable *cancellable,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  EB_LOG_GET_IFACE (self)->append_async (self, drafts, cancellable, callback, user_data);
}

/**
 * eb_log_append_finish:
 *
 * Returns: (transfer full) (element-type EbReceipt): one for each draft, in order; NULL with
 *   %EB_ERROR_BUSY, %EB_ERROR_IO, %EB_ERROR_NO_SPACE or %EB_ERROR_CLOSED
 */
GArray *
eb_log_append_finish (EbLog *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_log_read_async:
 * @after: a sequence; the page begins with the first event after it that there is
 * @max_bytes: bound on the events' charges together; the first event comes whatever its size
 * @wait: what to do when there is no event after @after
 *
 * The tail, a lagging subscription, a replay, the history and a live stream all read so.
 */
void
eb_log_read_async (EbLog *self,
                   guint64 after,
                   gsize max_bytes,
                   EbLogWait wait,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  EB_LOG_GET_IFACE (self)->read_async (self, after, max_bytes, wait, cancellable, callback,
                                       user_data);
}

/**
 * eb_log_read_finish:
 *
 * Returns: (transfer full): the events; NULL with %EB_ERROR_IO or %G_IO_ERROR_CANCELLED
 */
EbPage *
eb_log_read_finish (EbLog *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_log_get_extent:
 * @extent: (out): what the log holds at this moment
 */
void
eb_log_get_extent (EbLog *self, EbExtent *extent)
{
  EB_LOG_GET_IFACE (self)->get_extent (self, extent);
}
