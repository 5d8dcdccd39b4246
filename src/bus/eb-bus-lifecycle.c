/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include "core/eb-error.h"

/* How a subscription begins, whoever asked for it, and what ends it by itself: what the registry,
 * the ledger, the workers and those who listen to the bus are told, and in which order. */

/**
 * eb_bus_is_listed:
 *
 * Returns: whether the tutorial's list shows it: a D-Bus peer is nobody's address
 */
gboolean
eb_bus_is_listed (EbSubscription *subscription)
{
  return eb_sink_get_kind (eb_subscription_get_sink (subscription)) != EB_SINK_PEER;
}

/**
 * eb_bus_begin:
 * @subscription: whose id nobody has
 * @start: where it begins
 *
 * There is @subscription from now on; what the ledger has to know of it is the caller's.
 */
void
eb_bus_begin (EbBus *self, EbSubscription *subscription, const EbStart *start)
{
  eb_registry_add (self->registry, subscription);
  eb_worker_pool_add (self->workers, subscription, start);
  eb_bus_tell_begun (self, subscription);
}

/**
 * eb_bus_expired_cb:
 * @subscription: the registry does not have it any more
 *
 * Its lease has ended.
 */
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
  eb_bus_end (self, subscription, "expired");
}

/**
 * eb_bus_gone_cb:
 * @reason: for those who are told
 * @sent_us: monotonic time at which the attempt began that has shown it
 *
 * Who answers 410 and registers again at once may be heard in the other order: its registration
 * here, before its answer in a worker. Then it renewed what ends now, and was told that it is
 * registered. So one that came after the attempt had begun makes a new subscription. If it was
 * meant before the answer, the next event's 410 ends it again. Who deregisters by now has changed
 * their mind since.
 */
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
  again = eb_bus_is_registration (subscription, id) && !eb_bus_is_removing (self, id)
          && eb_registry_get_renewed (self->registry, id) > sent_us;
  eb_bus_end (self, subscription, reason);
  if (again)
    eb_bus_register_again (self, id);
}

/* Takes @task and @error. */
static void
end_uncommitted (EbBus *self, EbSubscription *subscription, GTask *task, GError *error)
{
  eb_bus_tell_fenced (self, error);
  if (eb_bus_has (self, subscription))
    eb_bus_end (self, subscription, "not stored");
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

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    end_uncommitted (self, subscription, task, error);
  else if (!eb_bus_has (self, subscription))
    g_task_return_new_error (task, EB_ERROR, EB_ERROR_BUSY,
                             "“%s” has ended while it was being stored; register it again", id);
  else
    g_task_return_boolean (task, TRUE);
  eb_bus_end_change (self, id);
}

/**
 * eb_bus_commit:
 * @subscription: has begun
 * @after: a sequence: it gets what comes after
 * @task: (transfer full): whose turn it is; done when the ledger has it
 */
void
eb_bus_commit (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task)
{
  const char *id = eb_subscription_get_id (subscription);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_hash_table_add (self->changing, g_strdup (id));
  g_task_set_task_data (task, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  /* Nothing may be left to it by one that had its id and could not be forgotten. */
  if (eb_progress_take_ended (eb_progress_writer_get_progress (self->progress), id))
    g_ptr_array_add (changes, eb_change_new (EB_CHANGE_REMOVE, id, 0));
  g_ptr_array_add (changes, eb_change_new_put (subscription, after));
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, committed_cb, task);
}
