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
eb_bus_begin (EbBus *self, EbSubscription *subscription, guint64 after)
{
  eb_registry_add (self->registry, subscription);
  eb_worker_pool_add (self->workers, subscription, &(EbStart){ .after = after });
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

static void
forgotten_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Ending *ending = g_task_get_task_data (task);

  eb_ledger_apply_finish (EB_LEDGER (source), result, &ending->error);
  stop_deliveries (g_task_get_source_object (task), task);
}

/* Of a subscription that the registry does not have any more. Takes @task, which is done when no
 * delivery is under way and the ledger has forgotten it. */
void
eb_bus_end (EbBus *self, EbSubscription *subscription, const char *reason, GTask *task)
{
  Ending *ending = g_new0 (Ending, 1);

  ending->subscription = eb_subscription_ref (subscription);
  g_task_set_task_data (task, ending, (GDestroyNotify) ending_free);
  eb_bus_tell_ended (self, subscription, reason);

  /* The ledger first: whoever takes the id next comes after. */
  if (eb_subscription_is_ephemeral (subscription))
    stop_deliveries (self, task);
  else
    apply_change (self, eb_change_new (EB_CHANGE_REMOVE, eb_subscription_get_id (subscription), 0),
                  forgotten_cb, task);
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
  g_message ("%s has not kept alive and is removed",
             eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  eb_bus_end (self, subscription, "expired", g_task_new (self, NULL, ended_by_itself_cb, NULL));
}

void
eb_bus_gone_cb (EbWorkerPool *workers,
                EbSubscription *subscription,
                const char *reason,
                EbBus *self)
{
  const char *id = eb_subscription_get_id (subscription);

  if (eb_registry_lookup (self->registry, id) != subscription)
    return;
  eb_registry_remove (self->registry, id);
  eb_bus_end (self, subscription, reason, g_task_new (self, NULL, ended_by_itself_cb, NULL));
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
  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (eb_registry_lookup (self->registry, id) == subscription)
    {
      eb_registry_remove (self->registry, id);
      eb_bus_end (self, subscription, "not stored",
                  g_task_new (self, NULL, ended_by_itself_cb, NULL));
    }
  g_task_return_error (task, error);
}

/* Takes @task, which is done when the ledger has it. */
void
eb_bus_commit (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task)
{
  g_hash_table_add (self->uncommitted, g_strdup (eb_subscription_get_id (subscription)));
  g_task_set_task_data (task, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  apply_change (self, eb_change_new_put (subscription, after), committed_cb, task);
}
