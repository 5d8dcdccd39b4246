/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* How a subscription ends.
 *
 * One that somebody wants to end is forgotten by the ledger first, and ends once it is: when the
 * ledger refuses, nothing has changed. One that ends by itself (its lease has ended, its sink is
 * gone) has ended at once, and the ledger forgets it when it can.
 *
 * Either way that is a removal, one at a time for each id. Whoever wants anything of the id
 * meanwhile waits for their turn, since what the ledger was told before would still be taken away
 * by it. What workers report of it meanwhile does no harm: a ledger has no use for news of one that
 * it does not have. */

typedef struct
{
  EbBus *bus;    /* (owned) */
  char *id;      /* (owned) */
  char *reason;  /* (owned) for those who are told */
  GTask *asking; /* (owned) (nullable) of who wants it to end */
  GError *error; /* (owned) (nullable) why the ledger has it still */
  guint n_left;  /* answers of the ledger, and of workers that are to stop deliveries */
} Removal;

static Removal *
removal_new (EbBus *bus, const char *id, const char *reason)
{
  Removal *removal = g_new0 (Removal, 1);

  removal->bus = g_object_ref (bus);
  removal->id = g_strdup (id);
  removal->reason = g_strdup (reason);
  g_hash_table_insert (bus->removals, removal->id, removal);
  return removal;
}

static void
removal_free (Removal *removal)
{
  g_clear_error (&removal->error);
  g_clear_object (&removal->asking);
  g_free (removal->reason);
  g_free (removal->id);
  g_object_unref (removal->bus);
  g_free (removal);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Removal, removal_free)

/* Whoever's turn is next may begin the next one. */
static void
removal_end (Removal *ended)
{
  g_autoptr (Removal) removal = ended;

  g_hash_table_remove (removal->bus->removals, removal->id);
  if (removal->asking != NULL && removal->error == NULL)
    g_task_return_boolean (removal->asking, TRUE);
  else if (removal->asking != NULL)
    g_task_return_error (removal->asking, g_steal_pointer (&removal->error));
  eb_bus_next_turn (removal->bus, removal->id);
}

static void
removal_note_answer (Removal *removal)
{
  if (--removal->n_left == 0)
    removal_end (removal);
}

/* Of all but its deliveries that are under way. */
static void
end_now (EbBus *self, EbSubscription *subscription, const char *reason)
{
  eb_registry_remove (self->registry, eb_subscription_get_id (subscription));
  eb_progress_forget (eb_progress_writer_get_progress (self->progress), subscription);
  eb_bus_tell_ended (self, subscription, reason);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  eb_worker_pool_remove_finish (EB_WORKER_POOL (source), result, NULL);
  removal_note_answer (user_data);
}

static void
removal_stop (Removal *removal, EbSubscription *subscription)
{
  removal->n_left++;
  eb_worker_pool_remove_async (removal->bus->workers, subscription, stopped_cb, removal);
}

/* What the ledger says */

static void
removal_succeed (Removal *removal)
{
  EbBus *self = removal->bus;
  EbSubscription *known = eb_registry_lookup (self->registry, removal->id);
  g_autoptr (EbSubscription) subscription = NULL;

  eb_bus_forget_expired (self, removal->id);
  eb_progress_take_ended (eb_progress_writer_get_progress (self->progress), removal->id);
  if (known == NULL)
    return;
  subscription = eb_subscription_ref (known);
  end_now (self, subscription, removal->reason);
  removal_stop (removal, subscription);
}

/* One that has ended all the same is still to be forgotten: nobody may ask for that again. */
static void
removal_fail (Removal *removal)
{
  EbBus *self = removal->bus;

  eb_bus_tell_fenced (self, removal->error);
  if (eb_registry_lookup (self->registry, removal->id) == NULL
      && eb_bus_find_expired (self, removal->id) == NULL)
    {
      g_warning ("Cannot forget “%s”, which has ended: %s", removal->id, removal->error->message);
      eb_progress_add_ended (eb_progress_writer_get_progress (self->progress), removal->id);
      eb_progress_writer_write (self->progress);
    }
}

static void
forgotten_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Removal *removal = user_data;

  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &removal->error))
    removal_succeed (removal);
  else
    removal_fail (removal);
  removal_note_answer (removal);
}

static Removal *
begin_removal (EbBus *self, const char *id, const char *reason)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  Removal *removal = g_hash_table_lookup (self->removals, id);

  if (removal != NULL)
    return removal;
  removal = removal_new (self, id, reason);
  removal->n_left = 1;
  g_ptr_array_add (changes, eb_change_new (EB_CHANGE_REMOVE, id, 0));
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, forgotten_cb, removal);
  return removal;
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  eb_worker_pool_remove_finish (EB_WORKER_POOL (source), result, NULL);
  g_task_return_boolean (task, TRUE);
}

/**
 * eb_bus_end_peers:
 * @subscription: never stored
 * @reason: for those who are told
 * @task: (transfer full): done when no delivery is under way
 */
void
eb_bus_end_peers (EbBus *self, EbSubscription *subscription, const char *reason, GTask *task)
{
  end_now (self, subscription, reason);
  eb_worker_pool_remove_async (self->workers, subscription, ended_cb, task);
}

/**
 * eb_bus_end:
 * @subscription: has ended by itself
 * @reason: for those who are told
 */
void
eb_bus_end (EbBus *self, EbSubscription *subscription, const char *reason)
{
  end_now (self, subscription, reason);
  if (eb_subscription_is_ephemeral (subscription))
    eb_worker_pool_remove_async (self->workers, subscription, NULL, NULL);
  else
    removal_stop (begin_removal (self, eb_subscription_get_id (subscription), reason),
                  subscription);
}

/**
 * eb_bus_is_kept:
 *
 * Returns: whether the ledger may have something under that id: a subscription, one that may come
 *   back, or what it could not forget so far
 */
gboolean
eb_bus_is_kept (EbBus *self, const char *id)
{
  return eb_bus_find_stored (self, id, NULL) != NULL || eb_bus_find_expired (self, id) != NULL
         || g_hash_table_contains (self->removals, id)
         || eb_progress_has_ended (eb_progress_writer_get_progress (self->progress), id);
}

/**
 * eb_bus_remove:
 * @id: for which eb_bus_is_kept(), and of which nothing is under way
 * @reason: for those who are told
 * @task: (transfer full): done when the ledger has forgotten it and no delivery is under way; if
 *   the ledger refuses, nothing has changed
 */
void
eb_bus_remove (EbBus *self, const char *id, const char *reason, GTask *task)
{
  begin_removal (self, id, reason)->asking = task;
}

/* While it is being removed */

/**
 * eb_bus_is_removing:
 *
 * Returns: whether it is not known yet if there will be one with that id
 */
gboolean
eb_bus_is_removing (EbBus *self, const char *id)
{
  return g_hash_table_contains (self->removals, id);
}
