/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* The beginning and the end of a bus. */

/* Of the time that a drain may take, this part is kept for writing down what was delivered. */
#define WRITING_SHARE 8

/* And where events outlive the daemon, new deliveries start only in the first part: it ends an idle
 * bus without repeats, and whoever waits for the daemon to start again does not wait for long. */
#define STARTING_SHARE 4

/* The log is another one than the ledger speaks of: nothing is known but that it goes on. */
static EbStart
start_anew (const EbLedgerEntry *entry, guint64 head)
{
  g_warning ("“%s” got up to event %" G_GUINT64_FORMAT ", but the newest is %" G_GUINT64_FORMAT
             ": the log was replaced, and it goes on with the events from now on",
             eb_subscription_get_id (entry->subscription), entry->cursor, head);
  return (EbStart){ .after = head, .has_cursor = TRUE };
}

/* One that takes every event has matched the one at its cursor, so that need not be written. */
static guint64
get_previous (const EbLedgerEntry *entry)
{
  if (!eb_subscription_takes_all (entry->subscription))
    return entry->previous;
  return entry->cursor > entry->start ? entry->cursor : 0;
}

static void
go_on (EbBus *self, const EbLedgerEntry *entry, guint64 head)
{
  EbStart start = { entry->cursor, get_previous (entry), entry->has_cursor, entry->aside,
                    entry->batches };

  if (entry->expired_us != 0)
    {
      eb_bus_load_expired (self, entry);
      return;
    }
  if (entry->cursor > head)
    start = start_anew (entry, head);
  eb_bus_begin (self, entry->subscription, &start);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) entries =
      eb_ledger_load_finish (EB_LEDGER (source), result, &self->epoch, &error);
  guint64 head = eb_bus_get_head (self);

  if (entries == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < entries->len; i++)
    go_on (self, g_ptr_array_index (entries, i), head);
  eb_progress_writer_start (self->progress, self->epoch);
  eb_batch_writer_start (self->batches, self->epoch);
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
  EbBus *bus;             /* (owned) */
  GSource *timer;         /* (owned) due when no delivery is to start any more, when they must be
                             over, and when all must be */
  GCancellable *flushing; /* (owned) cancelled at the limit */
  gint64 stop_us;         /* when deliveries must be over, on the monotonic clock */
  gint64 end_us;          /* the limit */
  gboolean starting;      /* deliveries do, and will not any more when the timer is due */
  gboolean stopped;       /* the workers are */
} Drain;

static void
drain_free (Drain *drain)
{
  g_source_destroy (drain->timer);
  g_source_unref (drain->timer);
  g_object_unref (drain->flushing);
  g_object_unref (drain->bus);
  g_free (drain);
}

/* What the workers have to tell comes while they stop. */
static void
drain_stop (Drain *drain)
{
  drain->stopped = TRUE;
  eb_clock_set_timer (drain->bus->clock, drain->timer, drain->end_us);
  eb_worker_pool_stop (drain->bus->workers);
}

static void
drain_finish (Drain *drain)
{
  drain->starting = FALSE;
  eb_clock_set_timer (drain->bus->clock, drain->timer, drain->stop_us);
  eb_worker_pool_finish (drain->bus->workers);
}

static gboolean
drain_timer_cb (gpointer user_data)
{
  Drain *drain = user_data;

  if (drain->starting && !drain->stopped)
    drain_finish (drain);
  else if (!drain->stopped)
    drain_stop (drain);
  else
    {
      eb_clock_set_timer (drain->bus->clock, drain->timer, -1);
      g_cancellable_cancel (drain->flushing);
    }
  return G_SOURCE_CONTINUE;
}

static Drain *
drain_new (EbBus *bus, GTimeSpan limit)
{
  Drain *drain = g_new0 (Drain, 1);

  drain->bus = g_object_ref (bus);
  drain->flushing = g_cancellable_new ();
  drain->end_us = eb_clock_get_monotonic (bus->clock) + limit;
  drain->stop_us = drain->end_us - limit / WRITING_SHARE;
  drain->timer = eb_clock_create_timer (bus->clock);
  g_source_set_callback (drain->timer, drain_timer_cb, drain, NULL);
  g_source_attach (drain->timer, g_main_context_get_thread_default ());
  return drain;
}

static void
flushed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (!eb_progress_writer_flush_finish (EB_PROGRESS_WRITER (source), result, NULL))
    g_warning ("Some of what was delivered could not be stored and is delivered again after the "
               "next start");
  g_task_return_boolean (task, TRUE);
}

static void
drained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Drain *drain = g_task_get_task_data (task);

  if (!eb_worker_pool_drain_finish (EB_WORKER_POOL (source), result))
    g_message ("Some deliveries were still under way when the bus ended");
  drain_stop (drain);
  eb_progress_writer_flush_async (drain->bus->progress, drain->flushing, flushed_cb, task);
}

/**
 * eb_bus_drain_async:
 * @kind: what becomes of what is still to be sent
 * @limit: microseconds after which deliveries that are still under way are broken off
 *
 * From now on nothing is taken. Done when all that was taken is delivered, or is left, and the
 * ledger knows, or at the limit.
 */
void
eb_bus_drain_async (
    EbBus *self, EbDrain kind, GTimeSpan limit, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Drain *drain = drain_new (self, limit);

  g_task_set_source_tag (task, eb_bus_drain_async);
  g_task_set_task_data (task, drain, (GDestroyNotify) drain_free);
  self->closing = TRUE;
  eb_bus_end_turns (self);
  drain->starting = kind == EB_DRAIN_LEAVE;
  eb_clock_set_timer (self->clock, drain->timer,
                      drain->starting ? drain->end_us - limit + limit / STARTING_SHARE
                                      : drain->stop_us);
  eb_worker_pool_drain_async (self->workers, eb_bus_get_head (self), drained_cb, task);
}

void
eb_bus_drain_finish (EbBus *self, GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}
