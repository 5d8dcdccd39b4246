/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include "core/eb-error.h"

/* How a subscription begins and ends, whoever asked for it: what the registry, the ledger, the
 * workers and those who listen to the bus are told, and in which order. */

/* D-Bus peers and streams are nobody's address: the tutorial's list does not show them. */
gboolean
eb_bus_is_listed (EbSubscription *subscription)
{
  return eb_sink_get_kind (eb_subscription_get_sink (subscription)) != EB_SINK_PEER;
}

static void
apply_change (EbBus *self, EbChange *change, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, callback, user_data);
}

void
eb_bus_begin (EbBus *self, EbSubscription *subscription, const EbStart *start)
{
  eb_registry_add (self->registry, subscription);
  eb_worker_pool_add (self->workers, subscription, start);
  eb_bus_tell_begun (self, subscription);
}

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  GError *error;                /* (owned) (nullable) why the ledger has it still */
} Ending;

static void
ending_free (Ending *ending)
{
  eb_subscription_unref (ending->subscription);
  g_clear_error (&ending->error);
  g_free (ending);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Ending *ending = g_task_get_task_data (task);

  eb_worker_pool_remove_finish (EB_WORKER_POOL (source), result, NULL);
  if (ending->error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&ending->error));
}

/* Takes @task. */
static void
stop_deliveries (EbBus *self, GTask *task)
{
  Ending *ending = g_task_get_task_data (task);

  eb_worker_pool_remove_async (self->workers, ending->subscription, stopped_cb, task);
}

/* Whoever asked is told that it failed; it is tried again all the same, because nobody may ask
 * again. */
static void
note_unforgotten (EbBus *self, const char *id, const GError *error)
{
  eb_bus_tell_fenced (self, error);
  eb_progress_add_ended (eb_progress_writer_get_progress (self->progress), id);
  eb_progress_writer_write (self->progress);
}

static void
forgotten_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbBus *self = g_task_get_source_object (task);
  Ending *ending = g_task_get_task_data (task);

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &ending->error))
    note_unforgotten (self, eb_subscription_get_id (ending->subscription), ending->error);
  stop_deliveries (self, task);
}

/* Of a subscription that the registry does not have any more. Takes @task, which is done when no
 * delivery is under way and the ledger has forgotten it. */
void
eb_bus_end (EbBus *self, EbSubscription *subscription, const char *reason, GTask *task)
{
  Ending *ending = g_new0 (Ending, 1);

  ending->subscription = eb_subscription_ref (subscription);
  g_task_set_task_data (task, ending, (GDestroyNotify) ending_free);
  eb_progress_forget (eb_progress_writer_get_progress (self->progress), subscription);
  eb_bus_tell_ended (self, subscription, reason);

  /* The ledger first: whoever takes the id next comes after. */
  if (eb_subscription_is_ephemeral (subscription))
    stop_deliveries (self, task);
  else
    apply_change (self, eb_change_new (EB_CHANGE_REMOVE, eb_subscription_get_id (subscription), 0),
                  forgotten_cb, task);
}

static void
forgotten_late_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  note_unforgotten (g_task_get_source_object (task), g_task_get_task_data (task), error);
  g_task_return_error (task, error);
}

/* Of an id that nobody has. It may have had one that the ledger would not forget so far. Takes
 * @task. */
void
eb_bus_forget (EbBus *self, const char *id, GTask *task)
{
  gboolean expired = eb_bus_forget_expired (self, id);

  if (eb_progress_take_ended (eb_progress_writer_get_progress (self->progress), id) || expired)
    {
      g_task_set_task_data (task, g_strdup (id), g_free);
      apply_change (self, eb_change_new (EB_CHANGE_REMOVE, id, 0), forgotten_late_cb, task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
ended_by_itself_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_warning ("Cannot forget a subscription that has ended: %s", error->message);
}

void
eb_bus_expired_cb (EbRegistry *registry, EbSubscription *subscription, EbBus *self)
{
  if (eb_subscription_get_options (subscription)->resume
      && !eb_subscription_is_ephemeral (subscription))
    {
      eb_bus_expire (self, subscription);
      return;
    }
  g_message ("%s has not kept alive and is removed",
             eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  eb_bus_end (self, subscription, "expired", g_task_new (self, NULL, ended_by_itself_cb, NULL));
}

static void
registered_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!eb_bus_register_finish (EB_BUS (source), result, &error))
    g_warning ("Cannot register again who just did: %s", error->message);
}

/* Who answers 410 and registers again at once may be heard in the other order: its registration
 * here, before its answer in a worker. Then it renewed what ends now, and was told that it is
 * registered. So one that came after the attempt had begun makes a new subscription. If it was
 * meant before the answer, the next event's 410 ends it again. */
void
eb_bus_gone_cb (EbWorkerPool *workers,
                EbSubscription *subscription,
                const char *reason,
                gint64 sent_us,
                EbBus *self)
{
  const char *id = eb_subscription_get_id (subscription);
  gboolean again;

  if (eb_registry_lookup (self->registry, id) != subscription)
    return;
  again = eb_bus_is_registration (subscription, id)
          && eb_registry_get_renewed (self->registry, id) > sent_us;
  eb_registry_remove (self->registry, id);
  eb_bus_end (self, subscription, reason, g_task_new (self, NULL, ended_by_itself_cb, NULL));
  if (again)
    eb_bus_register_async (self, id, registered_again_cb, NULL);
}

/* Takes @task and @error. */
static void
end_uncommitted (EbBus *self, EbSubscription *subscription, GTask *task, GError *error)
{
  const char *id = eb_subscription_get_id (subscription);

  eb_bus_tell_fenced (self, error);
  if (eb_bus_has (self, subscription))
    {
      eb_registry_remove (self->registry, id);
      eb_bus_end (self, subscription, "not stored",
                  g_task_new (self, NULL, ended_by_itself_cb, NULL));
    }
  g_task_return_error (task, error);
}

static void
committed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  EbSubscription *subscription = g_task_get_task_data (task);
  const char *id = eb_subscription_get_id (subscription);
  GError *error = NULL;

  g_hash_table_remove (self->uncommitted, id);
  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    end_uncommitted (self, subscription, task, error);
  else if (!eb_bus_has (self, subscription))
    g_task_return_new_error (task, EB_ERROR, EB_ERROR_BUSY,
                             "“%s” has ended while it was being stored; register it again", id);
  else
    g_task_return_boolean (task, TRUE);
}

/* Takes @task, which is done when the ledger has it. */
void
eb_bus_commit (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task)
{
  const char *id = eb_subscription_get_id (subscription);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  gboolean expired = eb_bus_forget_expired (self, id);

  g_hash_table_add (self->uncommitted, g_strdup (id));
  g_task_set_task_data (task, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  /* Nothing may be left to it by one that had its id and could not be forgotten, or is not to be
   * gone on for. */
  if (eb_progress_take_ended (eb_progress_writer_get_progress (self->progress), id) || expired)
    g_ptr_array_add (changes, eb_change_new (EB_CHANGE_REMOVE, id, 0));
  g_ptr_array_add (changes, eb_change_new_put (subscription, after));
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, committed_cb, task);
}
