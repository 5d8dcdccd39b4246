/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include "core/eb-error.h"

/* The bus's use cases around subscriptions of every kind: subscribe, keep alive,
 * unsubscribe, delete. */

/**
 * eb_bus_find_stored:
 *
 * Returns: (transfer none) (nullable): the subscription with that id, if it is one that is stored;
 *   NULL with %EB_ERROR_NOT_FOUND
 */
EbSubscription *
eb_bus_find_stored (EbBus *self, const char *id, GError **error)
{
  EbSubscription *subscription = eb_registry_lookup (self->registry, id);

  if (subscription != NULL && !eb_subscription_is_ephemeral (subscription))
    return subscription;
  g_propagate_error (error, eb_error_new_no_subscription (id));
  return NULL;
}

/**
 * eb_bus_check_room:
 *
 * Returns: FALSE with %EB_ERROR_LIMIT if there are as many subscriptions as there may be
 */
gboolean
eb_bus_check_room (EbBus *self, GError **error)
{
  if (eb_registry_get_size (self->registry) < self->limits.max_subscriptions)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_LIMIT,
               "There are %u subscriptions already (limits.max-subscriptions)",
               self->limits.max_subscriptions);
  return FALSE;
}

/**
 * eb_bus_check_literal:
 *
 * A name is resolved, and its addresses are checked, at every attempt to connect.
 *
 * Returns: FALSE with %EB_ERROR_FORBIDDEN if @sink is an address that policy excludes
 */
gboolean
eb_bus_check_literal (EbBus *self, EbSink *sink, GError **error)
{
  g_autoptr (GInetAddress) literal = eb_sink_dup_literal (sink);

  return literal == NULL || self->policy == NULL
         || eb_address_policy_check (self->policy, literal, eb_sink_get_port (sink), error);
}

/**
 * eb_bus_check_subscription:
 * @after: as for eb_bus_subscribe_async()
 *
 * Returns: FALSE with the error with which eb_bus_subscribe_async() would fail now
 */
gboolean
eb_bus_check_subscription (EbBus *self, EbSubscription *subscription, guint64 after, GError **error)
{
  const char *id = eb_subscription_get_id (subscription);
  guint64 head = eb_bus_get_head (self);

  if (!eb_bus_check_open (self, error) || !eb_bus_check_room (self, error)
      || !eb_bus_check_literal (self, eb_subscription_get_sink (subscription), error))
    return FALSE;
  if (eb_registry_lookup (self->registry, id) != NULL)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There is a subscription “%s” already", id);
      return FALSE;
    }
  if (after != EB_START_NOW && after > head)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "Nothing comes after event %" G_GUINT64_FORMAT
                   " yet: the newest event is %" G_GUINT64_FORMAT,
                   after, head);
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_bus_subscribe_async:
 * @after: a sequence: it gets what comes after; 0 for all that there is; or %EB_START_NOW
 */
void
eb_bus_subscribe_async (EbBus *self,
                        EbSubscription *subscription,
                        guint64 after,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  EbExtent extent;

  g_task_set_source_tag (task, eb_bus_subscribe_async);
  if (!eb_bus_check_subscription (self, subscription, after, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  eb_log_get_extent (self->log, &extent);
  if (after == EB_START_NOW)
    after = extent.head;
  else if (after == 0)
    after = extent.first - 1; /* the earliest there is, so nothing before it is lost */
  eb_bus_begin (self, subscription,
                &(EbStart){ .after = after, .has_cursor = after < extent.head });
  if (eb_subscription_is_ephemeral (subscription))
    g_task_return_boolean (task, TRUE);
  else
    eb_bus_commit (self, subscription, after, g_steal_pointer (&task));
}

/**
 * eb_bus_subscribe_finish:
 *
 * Returns: FALSE with an #EbError
 */
gboolean
eb_bus_subscribe_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Takes @task. */
static void
keep_alive_now (EbBus *self, GTask *task)
{
  const char *id = g_task_get_task_data (task);
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, id, &error);

  if (known != NULL)
    {
      eb_bus_renew (self, known, task);
      return;
    }
  g_task_return_error (task, error);
  g_object_unref (task);
}

/**
 * eb_bus_keep_alive_async:
 *
 * Its lease starts again, in full; and if nobody was there a moment ago, it is tried again at once,
 * as one that was disabled is.
 */
void
eb_bus_keep_alive_async (EbBus *self,
                         const char *id,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_keep_alive_async);
  g_task_set_task_data (task, g_strdup (id), g_free);
  /* A sign of life counts from when it comes, however late its turn is. */
  if (eb_bus_find_stored (self, id, NULL) != NULL)
    eb_registry_renew (self->registry, id);
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, keep_alive_now, task);
}

/**
 * eb_bus_keep_alive_finish:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND
 */
gboolean
eb_bus_keep_alive_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_unsubscribe_async:
 * @id: of one that is never stored
 * @reason: for those who are told
 *
 * Done when no delivery of it is under way, and none will start.
 */
void
eb_bus_unsubscribe_async (EbBus *self,
                          const char *id,
                          const char *reason,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  EbSubscription *known = eb_registry_lookup (self->registry, id);
  g_autoptr (EbSubscription) subscription = NULL;

  g_task_set_source_tag (task, eb_bus_unsubscribe_async);
  if (known == NULL || !eb_subscription_is_ephemeral (known))
    {
      g_task_return_error (task, eb_error_new_no_subscription (id));
      return;
    }
  subscription = eb_subscription_ref (known);
  eb_bus_end_peers (self, subscription, reason, g_steal_pointer (&task));
}

/**
 * eb_bus_unsubscribe_finish:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND
 */
gboolean
eb_bus_unsubscribe_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Takes @task. */
static void
delete_now (EbBus *self, GTask *task)
{
  const char *id = g_task_get_task_data (task);

  if (eb_bus_is_kept (self, id))
    {
      eb_bus_remove (self, id, "unsubscribed", task);
      return;
    }
  g_task_return_error (task, eb_error_new_no_subscription (id));
  g_object_unref (task);
}

/**
 * eb_bus_delete_async:
 * @id: of one that is stored; its lease may have ended, if it may come back
 *
 * Done when the ledger has forgotten it, no delivery of it is under way, and none will start. If
 * the ledger refuses, nothing has changed.
 */
void
eb_bus_delete_async (EbBus *self, const char *id, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_delete_async);
  g_task_set_task_data (task, g_strdup (id), g_free);
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, delete_now, task);
}

/**
 * eb_bus_delete_finish:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, also if it is never stored, or what the store says
 */
gboolean
eb_bus_delete_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
