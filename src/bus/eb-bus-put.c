/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "bus/eb-bus-subscriptions.h"
#include "core/eb-error.h"

/* The use cases that make subscriptions, or put others into their place. */

static void
return_missing (EbBus *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_return_new_error (task, EB_ERROR, EB_ERROR_CLOSED, "This is not there yet");
}

/**
 * eb_bus_put_async:
 * @subscription: never an ephemeral one
 * @mode: what becomes of one that has its id
 * @after: a sequence: it gets what comes after; or %EB_START_NOW. It counts only for one that there
 *   was not; one that is replaced, or comes back after its lease had ended, goes on where it was.
 *
 * What replaces another one takes over its secrets and its token, where it has none of its own.
 *
 * Done when the ledger has it: what is published after that is delivered to it.
 */
void
eb_bus_put_async (EbBus *self,
                  EbSubscription *subscription,
                  EbPutMode mode,
                  guint64 after,
                  GAsyncReadyCallback callback,
                  gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_put_finish:
 * @created: (out): whether there was none with its id
 *
 * Returns: (transfer full): what is known of it now; NULL with an #EbError, and nothing changed:
 *   %EB_ERROR_EXISTS if it was to be created, %EB_ERROR_BUSY if one with its id is just being
 *   changed, %EB_ERROR_FORBIDDEN for a sink that policy excludes, %EB_ERROR_LIMIT,
 *   %EB_ERROR_INVALID, or what the store says
 */
EbSubscriptionInfo *
eb_bus_put_finish (EbBus *self, GAsyncResult *result, gboolean *created, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_bus_list_subscriptions_async:
 * @after_id: (nullable): those whose ids sort after it; NULL for the beginning
 * @limit: how many at most, from 1 to %EB_SUBSCRIPTIONS_MAX
 */
void
eb_bus_list_subscriptions_async (EbBus *self,
                                 const char *after_id,
                                 guint limit,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_list_subscriptions_finish:
 * @more: (out): whether there are more of them after the last one
 *
 * Returns: (transfer full) (element-type EbSubscriptionInfo): those that are stored, sorted by id,
 *   byte for byte
 */
GPtrArray *
eb_bus_list_subscriptions_finish (EbBus *self, GAsyncResult *result, gboolean *more, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
eb_bus_get_subscription_async (EbBus *self,
                               const char *id,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_get_subscription_finish:
 *
 * Returns: (transfer full): what is known of it; NULL with %EB_ERROR_NOT_FOUND, also if it is never
 *   stored
 */
EbSubscriptionInfo *
eb_bus_get_subscription_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
eb_bus_list_attempts_async (EbBus *self,
                            const char *id,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_list_attempts_finish:
 *
 * Returns: (transfer full) (element-type EbAttemptRecord): the last %EB_ATTEMPTS_KEPT attempts
 *   since the daemon started, the newest first; NULL with %EB_ERROR_NOT_FOUND
 */
GPtrArray *
eb_bus_list_attempts_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_bus_keep_alive_async:
 *
 * Its lease starts again, in full.
 */
void
eb_bus_keep_alive_async (EbBus *self,
                         const char *id,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  return_missing (self, callback, user_data);
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
 * eb_bus_pause_async:
 * @paused: whether nothing is to be sent from now on; what is under way ends. Events are kept.
 */
void
eb_bus_pause_async (
    EbBus *self, const char *id, gboolean paused, GAsyncReadyCallback callback, gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_pause_finish:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, %EB_ERROR_BUSY if it is just being changed, or what the
 *   store says
 */
gboolean
eb_bus_pause_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_rotate_secret_async:
 * @secret: (nullable): the new one; NULL to have one made
 *
 * The old one signs too for %EB_SECRET_GRACE.
 */
void
eb_bus_rotate_secret_async (EbBus *self,
                            const char *id,
                            const char *secret,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_rotate_secret_finish:
 *
 * Returns: (transfer full): the new secret; NULL with %EB_ERROR_INVALID if it cannot be one, or
 *   the errors of eb_bus_pause_finish()
 */
char *
eb_bus_rotate_secret_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * eb_bus_replay_async:
 *
 * It goes back to a place in the log: what is after that is delivered again, with attempts counted
 * from 1. What waited aside after that is dropped, and what is under way is broken off.
 */
void
eb_bus_replay_async (EbBus *self,
                     const char *id,
                     const EbReplayFrom *from,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_replay_finish:
 * @after: (out): the sequence that it went back to
 *
 * Returns: FALSE with %EB_ERROR_INVALID for a place after the newest event, or the errors of
 *   eb_bus_pause_finish()
 */
gboolean
eb_bus_replay_finish (EbBus *self, GAsyncResult *result, guint64 *after, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_ping_async:
 *
 * Delivers one event of type %EB_PING_EVENT_TYPE now, whatever types it wants and even if it is
 * paused. It is not in the log, not counted and not repeated.
 */
void
eb_bus_ping_async (EbBus *self, const char *id, GAsyncReadyCallback callback, gpointer user_data)
{
  return_missing (self, callback, user_data);
}

/**
 * eb_bus_ping_finish:
 * @ping: (out caller-allocates): what the sink said; to be cleared with eb_ping_clear()
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, or %EB_ERROR_BUSY if one is under way
 */
gboolean
eb_bus_ping_finish (EbBus *self, GAsyncResult *result, EbPing *ping, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
eb_subscription_info_free (EbSubscriptionInfo *self)
{
  eb_subscription_unref (self->subscription);
  g_free (self->last_error);
  g_free (self);
}
