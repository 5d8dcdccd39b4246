/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker-pool-private.h"

#include "core/eb-error.h"
#include "delivery/eb-dispatcher.h"

/* The part of EbWorkerPool that asks workers about single subscriptions, or has them changed. */

static void
return_stopped (GTask *task)
{
  g_task_return_new_error (task, EB_ERROR, EB_ERROR_CLOSED, "The bus is shutting down");
}

/**
 * eb_worker_pool_replace:
 * @subscription: takes the place of the one that was added and that it replaces
 *
 * What is under way ends as it began.
 */
void
eb_worker_pool_replace (EbWorkerPool *self, EbSubscription *subscription)
{
  EbWorker *worker = eb_worker_pool_find_worker (self, subscription);

  if (worker != NULL)
    eb_worker_replace (worker, subscription);
}

/* Detaching. */

static void
detach (EbDispatcher *dispatcher, GTask *task)
{
  g_task_return_pointer (task, eb_dispatcher_detach (dispatcher, g_task_get_task_data (task)),
                         (GDestroyNotify) eb_start_free);
}

/* The worker's reports may be on their way to this thread by another road. */
static void
detached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbWorkerPool *self = EB_WORKER_POOL (source);
  g_autoptr (GTask) task = user_data;
  EbWorker *worker = eb_worker_pool_find_worker (self, g_task_get_task_data (task));

  if (worker != NULL)
    eb_worker_deliver_notices (worker);
  g_task_return_pointer (task, g_task_propagate_pointer (G_TASK (result), NULL),
                         (GDestroyNotify) eb_start_free);
}

/**
 * eb_worker_pool_detach_async:
 * @subscription: one that was added
 *
 * Like eb_worker_pool_remove_async(), but says where it stood.
 */
void
eb_worker_pool_detach_async (EbWorkerPool *self,
                             EbSubscription *subscription,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  EbWorker *worker = eb_worker_pool_find_worker (self, subscription);
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GTask) part = NULL;

  g_task_set_source_tag (task, eb_worker_pool_detach_async);
  g_task_set_task_data (task, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  if (worker == NULL)
    {
      g_task_return_pointer (task, NULL, NULL);
      return;
    }
  part = g_task_new (self, NULL, detached_cb, g_object_ref (task));
  g_task_set_task_data (part, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  eb_worker_run (worker, detach, part);
}

/**
 * eb_worker_pool_detach_finish:
 *
 * Everything that the worker has to say of it was reported before.
 *
 * Returns: (transfer full) (nullable): where it would go on; NULL if it was not there, or the pool
 *   is stopped
 */
EbStart *
eb_worker_pool_detach_finish (EbWorkerPool *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* Inspecting. */

typedef struct
{
  GPtrArray *subscriptions; /* (owned) (element-type EbSubscription) */
  GPtrArray *inspections;   /* (owned) (element-type EbInspection) by the same index; NULL in it */
  guint n_left;             /* workers that have not answered */
} Survey;

/* What one worker is asked. */
typedef struct
{
  GPtrArray *subscriptions; /* (owned) (element-type EbSubscription) */
  GArray *indexes;          /* (owned) (element-type guint) of each in the survey */
} Share;

static void
inspection_clear (EbInspection *inspection)
{
  if (inspection != NULL)
    eb_inspection_free (inspection);
}

static void
survey_free (Survey *survey)
{
  g_ptr_array_unref (survey->subscriptions);
  g_clear_pointer (&survey->inspections, g_ptr_array_unref);
  g_free (survey);
}

static void
share_free (Share *share)
{
  g_ptr_array_unref (share->subscriptions);
  g_array_unref (share->indexes);
  g_free (share);
}

static Share *
share_new (void)
{
  Share *share = g_new (Share, 1);

  share->subscriptions = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
  share->indexes = g_array_new (FALSE, FALSE, sizeof (guint));
  return share;
}

static void
inspect (EbDispatcher *dispatcher, GTask *task)
{
  Share *share = g_task_get_task_data (task);
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) inspection_clear);

  for (guint i = 0; i < share->subscriptions->len; i++)
    g_ptr_array_add (
        found, eb_dispatcher_inspect (dispatcher, g_ptr_array_index (share->subscriptions, i)));
  g_task_return_pointer (task, found, (GDestroyNotify) g_ptr_array_unref);
}

/* As in detached_cb(). */
static void
inspected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) found = g_task_propagate_pointer (G_TASK (result), NULL);
  Share *share = g_task_get_task_data (G_TASK (result));
  Survey *survey = g_task_get_task_data (task);
  EbWorker *worker =
      eb_worker_pool_find_worker (EB_WORKER_POOL (source), share->subscriptions->pdata[0]);

  if (worker != NULL)
    eb_worker_deliver_notices (worker);
  for (guint i = 0; i < found->len; i++)
    survey->inspections->pdata[g_array_index (share->indexes, guint, i)] =
        g_steal_pointer (&found->pdata[i]);
  if (--survey->n_left == 0)
    g_task_return_pointer (task, g_steal_pointer (&survey->inspections),
                           (GDestroyNotify) g_ptr_array_unref);
}

/* Returns: (transfer full) (element-type EbWorker Share) */
static GHashTable *
share_out (EbWorkerPool *self, GPtrArray *subscriptions)
{
  GHashTable *shares = g_hash_table_new_full (NULL, NULL, NULL, NULL);

  for (guint i = 0; i < subscriptions->len; i++)
    {
      EbSubscription *subscription = g_ptr_array_index (subscriptions, i);
      EbWorker *worker = eb_worker_pool_find_worker (self, subscription);
      Share *share = g_hash_table_lookup (shares, worker);

      if (worker == NULL)
        continue;
      if (share == NULL)
        g_hash_table_insert (shares, worker, share = share_new ());
      g_ptr_array_add (share->subscriptions, eb_subscription_ref (subscription));
      g_array_append_val (share->indexes, i);
    }
  return shares;
}

static void
ask_workers (EbWorkerPool *self, GTask *task, GHashTable *shares)
{
  GHashTableIter iter;
  EbWorker *worker;
  Share *share;

  g_hash_table_iter_init (&iter, shares);
  while (g_hash_table_iter_next (&iter, (gpointer *) &worker, (gpointer *) &share))
    {
      g_autoptr (GTask) part = g_task_new (self, NULL, inspected_cb, g_object_ref (task));

      g_task_set_task_data (part, share, (GDestroyNotify) share_free);
      eb_worker_run (worker, inspect, part);
    }
}

/**
 * eb_worker_pool_inspect_async:
 * @subscriptions: (element-type EbSubscription): that were added, and may have been removed; must
 *   not change any more
 */
void
eb_worker_pool_inspect_async (EbWorkerPool *self,
                              GPtrArray *subscriptions,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GHashTable) shares = share_out (self, subscriptions);
  Survey *survey = g_new0 (Survey, 1);

  g_task_set_source_tag (task, eb_worker_pool_inspect_async);
  survey->subscriptions = g_ptr_array_ref (subscriptions);
  survey->inspections = g_ptr_array_new_with_free_func ((GDestroyNotify) inspection_clear);
  g_ptr_array_set_size (survey->inspections, (int) subscriptions->len);
  survey->n_left = g_hash_table_size (shares);
  g_task_set_task_data (task, survey, (GDestroyNotify) survey_free);
  if (survey->n_left == 0)
    g_task_return_pointer (task, g_steal_pointer (&survey->inspections),
                           (GDestroyNotify) g_ptr_array_unref);
  ask_workers (self, task, shares);
}

/**
 * eb_worker_pool_inspect_finish:
 *
 * Everything up to where they stand was reported before.
 *
 * Returns: (transfer full) (element-type EbInspection): of each that was asked about, in the same
 *   order; NULL in it for those that are not there any more
 */
GPtrArray *
eb_worker_pool_inspect_finish (EbWorkerPool *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* Pinging. */

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  EbEvent *event;               /* (owned) */
} PingRequest;

static void
ping_request_free (PingRequest *request)
{
  eb_subscription_unref (request->subscription);
  eb_event_unref (request->event);
  g_free (request);
}

static void
ping (EbDispatcher *dispatcher, GTask *task)
{
  PingRequest *request = g_task_get_task_data (task);

  eb_dispatcher_ping (dispatcher, request->subscription, request->event, task);
}

/**
 * eb_worker_pool_ping_async:
 * @event: what is sent to the sink of @subscription, once, and on a connection of its own
 */
void
eb_worker_pool_ping_async (EbWorkerPool *self,
                           EbSubscription *subscription,
                           EbEvent *event,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  EbWorker *worker = eb_worker_pool_find_worker (self, subscription);
  PingRequest *request = g_new (PingRequest, 1);

  g_task_set_source_tag (task, eb_worker_pool_ping_async);
  request->subscription = eb_subscription_ref (subscription);
  request->event = eb_event_ref (event);
  g_task_set_task_data (task, request, (GDestroyNotify) ping_request_free);
  if (worker != NULL)
    eb_worker_run (worker, ping, task);
  else
    return_stopped (task);
}

/**
 * eb_worker_pool_ping_finish:
 *
 * Returns: (transfer full): what the sink said; NULL with %EB_ERROR_BUSY, or %EB_ERROR_CLOSED if
 *   the pool was stopped
 */
EbPing *
eb_worker_pool_ping_finish (EbWorkerPool *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
