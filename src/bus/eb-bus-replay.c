/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "bus/eb-replay-place.h"
#include "core/eb-error.h"

/* The use case that sends a subscription back to a place in the log.
 *
 * The ledger comes first: nothing changes if it refuses, and after a crash the replay either has
 * not begun or goes on. It learns of all that has become an exception before the new place, which
 * the worker has told when it was asked where it stands. Until the worker has let go, nothing of
 * what it says is told to the ledger, where it would stand above the new place. What goes on from
 * there is another subscription than before to all who keep something about it (so an answer, or a
 * page of the log, that comes late is nobody's), although it is the same to its subscriber. */

typedef struct
{
  EbBus *bus;            /* (owned) */
  char *id;              /* (owned) */
  EbSubscription *known; /* (owned) (nullable): that has @id; NULL until it is its turn */
  guint64 after;
  guint64 previous;
  gboolean begun;   /* its id is in the bus's table */
  gboolean holding; /* the progress writer */
  EbReplayFrom from;
} Replay;

static void
replay_end (Replay *replay)
{
  if (replay->holding)
    eb_progress_writer_release (replay->bus->progress);
  if (replay->begun)
    eb_bus_end_change (replay->bus, replay->id);
  replay->holding = replay->begun = FALSE;
}

static void
replay_free (Replay *replay)
{
  replay_end (replay);
  g_clear_pointer (&replay->known, eb_subscription_unref);
  g_free (replay->id);
  g_object_unref (replay->bus);
  g_free (replay);
}

/* Takes @task and @error. */
static void
return_failure (GTask *task, GError *error)
{
  replay_end (g_task_get_task_data (task));
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Takes @task. */
static void
return_ended (GTask *task, Replay *replay)
{
  return_failure (task, g_error_new (EB_ERROR, EB_ERROR_NOT_FOUND,
                                     "The subscription “%s” has ended", replay->id));
}

static gboolean
is_kept (const Replay *replay, const EbChange *change)
{
  return change->kind != EB_CHANGE_CURSOR && change->exception.sequence <= replay->after;
}

/* Exceptions before the new place stay. */
static void
move_progress (const Replay *replay, EbSubscription *next)
{
  EbProgress *progress = eb_progress_writer_get_progress (replay->bus->progress);
  g_autoptr (GPtrArray) changes = eb_progress_list (progress, replay->known);

  eb_progress_forget (progress, replay->known);
  for (guint i = 0; i < changes->len; i++)
    if (is_kept (replay, g_ptr_array_index (changes, i)))
      eb_progress_add (progress, next, g_ptr_array_index (changes, i));
}

/* Returns: (transfer full) (element-type EbException): those that go on waiting */
static GPtrArray *
keep_aside (const Replay *replay, const EbStart *stood)
{
  GPtrArray *kept = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);

  for (guint i = 0; stood != NULL && i < stood->aside->len; i++)
    {
      const EbException *exception = g_ptr_array_index (stood->aside, i);

      if (exception->sequence <= replay->after && !exception->dead)
        g_ptr_array_add (kept, eb_exception_copy (exception));
    }
  return kept;
}

static void
go_on (const Replay *replay, const EbStart *stood)
{
  EbBus *bus = replay->bus;
  g_autoptr (GPtrArray) aside = keep_aside (replay, stood);
  g_autoptr (EbSubscription) next = NULL;
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (replay->known, &spec);
  spec.replaces = NULL;
  next = eb_subscription_new (&spec, NULL);
  move_progress (replay, next);
  eb_registry_replace (bus->registry, next, EB_LEASE_GOES_ON);
  eb_worker_pool_add (
      bus->workers, next,
      &(EbStart){ replay->after, replay->previous, .has_cursor = TRUE, .aside = aside });
}

static void
detached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Replay *replay = g_task_get_task_data (task);
  g_autoptr (EbStart) stood = eb_worker_pool_detach_finish (EB_WORKER_POOL (source), result);

  if (!eb_bus_has (replay->bus, replay->known))
    {
      return_ended (task, replay);
      return;
    }
  go_on (replay, stood);
  replay_end (replay);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
rewound_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Replay *replay = g_task_get_task_data (task);
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      eb_bus_tell_fenced (replay->bus, error);
      return_failure (task, error);
    }
  else if (!eb_bus_has (replay->bus, replay->known))
    return_ended (task, replay);
  else
    eb_worker_pool_detach_async (replay->bus->workers, replay->known, detached_cb, task);
}

/* Takes @task. The new place may be after the cursor that the ledger has, so it must know of the
 * exceptions before it. */
static void
rewind_ledger (Replay *replay, GTask *task)
{
  EbBus *bus = replay->bus;
  EbChange *change =
      eb_change_new_position (EB_CHANGE_REWIND, replay->id, replay->after, replay->previous, 0);
  g_autoptr (GPtrArray) pending =
      eb_progress_list (eb_progress_writer_get_progress (bus->progress), replay->known);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  eb_progress_writer_hold (bus->progress);
  replay->holding = TRUE;
  for (guint i = 0; i < pending->len;)
    if (is_kept (replay, g_ptr_array_index (pending, i)))
      g_ptr_array_add (changes, g_ptr_array_steal_index (pending, i));
    else
      i++;
  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (bus->ledger, bus->epoch, changes, NULL, rewound_cb, task);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Replay *replay = g_task_get_task_data (task);
  GError *error = NULL;

  if (!eb_replay_place_find_finish (EB_LOG (source), result, &replay->after, &replay->previous,
                                    &error))
    return_failure (task, error);
  else if (!eb_bus_has (replay->bus, replay->known))
    return_ended (task, replay);
  else
    rewind_ledger (replay, task);
}

static void
inspected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Replay *replay = g_task_get_task_data (task);
  g_autoptr (GPtrArray) found = eb_worker_pool_inspect_finish (EB_WORKER_POOL (source), result);
  const EbInspection *inspection = found->len > 0 ? found->pdata[0] : NULL;

  if (inspection == NULL || !eb_bus_has (replay->bus, replay->known))
    return_ended (task, replay);
  else
    eb_replay_place_find_async (replay->bus->log, replay->known, &replay->from, inspection->cursor,
                                found_cb, task);
}

/* Takes @task. */
static void
replay_now (EbBus *self, GTask *task)
{
  Replay *replay = g_task_get_task_data (task);
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, replay->id, &error);

  if (known == NULL || !eb_bus_begin_change (self, replay->id, &error))
    {
      return_failure (task, error);
      return;
    }
  replay->known = eb_subscription_ref (known);
  replay->begun = TRUE;
  g_ptr_array_add (wanted, known);
  eb_worker_pool_inspect_async (self->workers, wanted, inspected_cb, task);
}

/**
 * eb_bus_replay_async:
 *
 * It goes back to a place in the log, or stays where it is if that comes first: what is after that
 * is delivered (again), with attempts counted from 1, and dead letters and retries after it are
 * dropped. What is under way is broken off.
 */
void
eb_bus_replay_async (EbBus *self,
                     const char *id,
                     const EbReplayFrom *from,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Replay *replay = g_new0 (Replay, 1);

  g_task_set_source_tag (task, eb_bus_replay_async);
  replay->bus = g_object_ref (self);
  replay->id = g_strdup (id);
  replay->from = *from;
  g_task_set_task_data (task, replay, (GDestroyNotify) replay_free);
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, replay_now, task);
}

/**
 * eb_bus_replay_finish:
 * @after: (out): the sequence that it went to
 *
 * Returns: FALSE with %EB_ERROR_INVALID for a place after the newest event, or the errors of
 *   eb_bus_pause_finish()
 */
gboolean
eb_bus_replay_finish (EbBus *self, GAsyncResult *result, guint64 *after, GError **error)
{
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  *after = ((const Replay *) g_task_get_task_data (G_TASK (result)))->after;
  return TRUE;
}
