/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* The beginning and the end of a bus. */

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) entries =
      eb_ledger_load_finish (EB_LEDGER (source), result, &self->epoch, &error);

  if (entries == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      eb_bus_begin (self, entry->subscription, entry->cursor);
    }
  g_task_return_boolean (task, TRUE);
}

/**
 * eb_bus_start_async:
 *
 * Goes on with the subscriptions that the ledger has. To be done before anything else.
 */
void
eb_bus_start_async (EbBus *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_start_async);
  eb_ledger_load_async (self->ledger, NULL, loaded_cb, task);
}

/**
 * eb_bus_start_finish:
 *
 * Returns: FALSE with %EB_ERROR_IO if the ledger cannot be read
 */
gboolean
eb_bus_start_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

typedef struct
{
  EbWorkerPool *workers; /* (owned) */
  GSource *timer;        /* (owned) */
} Drain;

static void
drain_free (Drain *drain)
{
  g_source_destroy (drain->timer);
  g_source_unref (drain->timer);
  g_object_unref (drain->workers);
  g_free (drain);
}

static gboolean
drain_timer_cb (gpointer user_data)
{
  Drain *drain = user_data;

  eb_worker_pool_stop (drain->workers);
  return G_SOURCE_CONTINUE;
}

static void
drained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (!eb_worker_pool_drain_finish (EB_WORKER_POOL (source), result))
    g_message ("Some deliveries were still under way when the bus ended");
  eb_worker_pool_stop (EB_WORKER_POOL (source));
  g_task_return_boolean (task, TRUE);
}

/**
 * eb_bus_drain_async:
 * @limit: microseconds after which deliveries that are still under way are broken off
 *
 * From now on nothing is taken. Done when all that was taken is delivered, or at the limit.
 */
void
eb_bus_drain_async (EbBus *self, GTimeSpan limit, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Drain *drain = g_new (Drain, 1);

  g_task_set_source_tag (task, eb_bus_drain_async);
  self->closing = TRUE;
  drain->workers = g_object_ref (self->workers);
  drain->timer = eb_clock_create_timer (self->clock);
  g_source_set_callback (drain->timer, drain_timer_cb, drain, NULL);
  g_source_attach (drain->timer, g_main_context_get_thread_default ());
  g_task_set_task_data (task, drain, (GDestroyNotify) drain_free);
  eb_clock_set_timer (self->clock, drain->timer, eb_clock_get_monotonic (self->clock) + limit);
  eb_worker_pool_drain_async (self->workers, eb_bus_get_head (self), drained_cb, task);
}

void
eb_bus_drain_finish (EbBus *self, GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}
