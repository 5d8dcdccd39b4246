/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"

#include <string.h>

/* The use cases that look at subscriptions: what the bus knows, with what their workers know. */

/* One that is just moved within the log is with no worker for a moment. */
#define MAX_QUESTIONS 5

void
eb_subscription_info_free (EbSubscriptionInfo *self)
{
  eb_subscription_unref (self->subscription);
  g_free (self->last_error);
  g_free (self);
}

/* Describing */

typedef struct
{
  GPtrArray *ids;           /* (owned) (element-type utf8) */
  GPtrArray *subscriptions; /* (owned) (element-type EbSubscription) that there are of these */
  guint n_questions;
} Description;

static void
description_free (Description *description)
{
  g_ptr_array_unref (description->ids);
  g_clear_pointer (&description->subscriptions, g_ptr_array_unref);
  g_free (description);
}

static EbSubscriptionInfo *
info_new (EbBus *self, EbSubscription *subscription, EbInspection *inspection)
{
  EbSubscriptionInfo *info = g_new0 (EbSubscriptionInfo, 1);
  guint64 head = eb_bus_get_head (self);

  info->subscription = eb_subscription_ref (subscription);
  info->state = inspection != NULL ? inspection->state : "active";
  info->cursor = inspection != NULL ? inspection->cursor : 0;
  info->lag = head - MIN (info->cursor, head);
  info->last_error = inspection != NULL ? g_steal_pointer (&inspection->last_error) : NULL;
  return info;
}

static EbSubscriptionInfo *
info_new_current (EbBus *self, EbSubscription *subscription, EbInspection *inspection)
{
  EbSubscriptionInfo *info = info_new (self, subscription, inspection);

  info->expires_us = eb_registry_get_end (self->registry, eb_subscription_get_id (subscription));
  return info;
}

/**
 * eb_bus_describe_ended:
 * @subscription: that there was just now
 *
 * Returns: (transfer full): as it was before anything was delivered to it
 */
EbSubscriptionInfo *
eb_bus_describe_ended (EbBus *self, EbSubscription *subscription)
{
  return info_new (self, subscription, NULL);
}

static void ask_workers (EbBus *self, GTask *task);

static gboolean
is_worth_asking_again (EbBus *self, Description *description, GPtrArray *inspections)
{
  for (guint i = 0; i < inspections->len; i++)
    if (inspections->pdata[i] == NULL
        && eb_registry_lookup (self->registry, g_ptr_array_index (description->ids, i)) != NULL)
      return description->n_questions < MAX_QUESTIONS;
  return FALSE;
}

static void
described_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  Description *description = g_task_get_task_data (task);
  g_autoptr (GPtrArray) inspections =
      eb_worker_pool_inspect_finish (EB_WORKER_POOL (source), result);
  GPtrArray *infos;

  if (is_worth_asking_again (self, description, inspections))
    {
      ask_workers (self, g_steal_pointer (&task));
      return;
    }
  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_info_free);
  for (guint i = 0; i < inspections->len; i++)
    {
      EbSubscription *current =
          eb_registry_lookup (self->registry, g_ptr_array_index (description->ids, i));

      if (current != NULL)
        g_ptr_array_add (infos, info_new_current (self, current, inspections->pdata[i]));
    }
  g_task_return_pointer (task, infos, (GDestroyNotify) g_ptr_array_unref);
}

/* Takes @task. */
static void
ask_workers (EbBus *self, GTask *task)
{
  Description *description = g_task_get_task_data (task);

  description->n_questions++;
  g_clear_pointer (&description->subscriptions, g_ptr_array_unref);
  description->subscriptions =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
  for (guint i = 0; i < description->ids->len; i++)
    {
      EbSubscription *known =
          eb_registry_lookup (self->registry, g_ptr_array_index (description->ids, i));

      if (known != NULL)
        g_ptr_array_add (description->subscriptions, eb_subscription_ref (known));
      else
        g_ptr_array_remove_index (description->ids, i--);
    }
  eb_worker_pool_inspect_async (self->workers, description->subscriptions, described_cb, task);
}

/**
 * eb_bus_describe_async:
 * @subscriptions: (element-type EbSubscription): that there are
 */
void
eb_bus_describe_async (EbBus *self,
                       GPtrArray *subscriptions,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Description *description = g_new0 (Description, 1);

  g_task_set_source_tag (task, eb_bus_describe_async);
  description->ids = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < subscriptions->len; i++)
    g_ptr_array_add (description->ids,
                     g_strdup (eb_subscription_get_id (g_ptr_array_index (subscriptions, i))));
  g_task_set_task_data (task, description, (GDestroyNotify) description_free);
  ask_workers (self, g_steal_pointer (&task));
}

/**
 * eb_bus_describe_finish:
 *
 * Returns: (transfer full) (element-type EbSubscriptionInfo): of those that have not ended, in the
 *   same order
 */
GPtrArray *
eb_bus_describe_finish (EbBus *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* All */

/* The first of the ids, without sorting all of them. */
typedef struct
{
  const char *after_id;
  guint limit;
  GPtrArray *found; /* (owned) (element-type EbSubscription) */
  const char *last; /* (unowned) (nullable): nothing after it is of interest any more */
} Search;

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  return strcmp (eb_subscription_get_id (*(EbSubscription *const *) a),
                 eb_subscription_get_id (*(EbSubscription *const *) b));
}

static void
search_narrow (Search *search)
{
  g_ptr_array_sort (search->found, compare_ids);
  if (search->found->len <= search->limit)
    return;
  g_ptr_array_set_size (search->found, (int) search->limit);
  search->last = eb_subscription_get_id (g_ptr_array_index (search->found, search->limit - 1));
}

static void
search_see (EbSubscription *subscription, gint64 renewed_us, gpointer user_data)
{
  Search *search = user_data;
  const char *id = eb_subscription_get_id (subscription);

  if (eb_subscription_is_ephemeral (subscription)
      || (search->after_id != NULL && strcmp (id, search->after_id) <= 0)
      || (search->last != NULL && strcmp (id, search->last) > 0))
    return;
  g_ptr_array_add (search->found, eb_subscription_ref (subscription));
  if (search->found->len >= 4 * search->limit)
    search_narrow (search);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  g_task_return_pointer (task, eb_bus_describe_finish (EB_BUS (source), result),
                         (GDestroyNotify) g_ptr_array_unref);
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
  GTask *task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GPtrArray) found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
  Search search = { after_id, limit + 1, found, NULL };

  g_return_if_fail (limit > 0 && limit <= EB_SUBSCRIPTIONS_MAX);

  g_task_set_source_tag (task, eb_bus_list_subscriptions_async);
  eb_registry_foreach (self->registry, search_see, &search);
  search_narrow (&search);
  g_task_set_task_data (task, GINT_TO_POINTER (found->len > limit), NULL);
  g_ptr_array_set_size (found, (int) MIN (found->len, limit));
  eb_bus_describe_async (self, found, listed_cb, task);
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
  *more = GPOINTER_TO_INT (g_task_get_task_data (G_TASK (result)));
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* One */

/* Returns: FALSE, and @task was answered, if there is no such subscription */
static GPtrArray *
find_one (EbBus *self, const char *id, GTask *task)
{
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, id, &error);
  GPtrArray *one;

  if (known == NULL)
    {
      g_task_return_error (task, error);
      return NULL;
    }
  one = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);
  g_ptr_array_add (one, eb_subscription_ref (known));
  g_task_set_task_data (task, g_strdup (id), g_free);
  return one;
}

static void
return_ended (GTask *task)
{
  g_task_return_new_error (task, EB_ERROR, EB_ERROR_NOT_FOUND, "The subscription “%s” has ended",
                           (const char *) g_task_get_task_data (task));
}

static void
got_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) infos = eb_bus_describe_finish (EB_BUS (source), result);

  if (infos->len > 0)
    g_task_return_pointer (task, g_ptr_array_steal_index (infos, 0),
                           (GDestroyNotify) eb_subscription_info_free);
  else
    return_ended (task);
}

/**
 * eb_bus_get_subscription_async:
 *
 * Looks at one that is stored, as it is.
 */
void
eb_bus_get_subscription_async (EbBus *self,
                               const char *id,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GPtrArray) one = find_one (self, id, task);

  g_task_set_source_tag (task, eb_bus_get_subscription_async);
  if (one != NULL)
    eb_bus_describe_async (self, one, got_cb, g_steal_pointer (&task));
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

/**
 * eb_bus_check_known:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND as eb_bus_get_subscription_finish(), if it has not ended
 *   until then
 */
gboolean
eb_bus_check_known (EbBus *self, const char *id, GError **error)
{
  return eb_bus_find_stored (self, id, error) != NULL;
}

static void
inspected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) inspections =
      eb_worker_pool_inspect_finish (EB_WORKER_POOL (source), result);
  EbInspection *inspection = g_ptr_array_index (inspections, 0);

  if (inspection != NULL)
    g_task_return_pointer (task, g_steal_pointer (&inspection->attempts),
                           (GDestroyNotify) g_ptr_array_unref);
  else
    return_ended (task);
}

/**
 * eb_bus_list_attempts_async:
 *
 * Looks at what its sink said last.
 */
void
eb_bus_list_attempts_async (EbBus *self,
                            const char *id,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GPtrArray) one = find_one (self, id, task);

  g_task_set_source_tag (task, eb_bus_list_attempts_async);
  if (one != NULL)
    eb_worker_pool_inspect_async (self->workers, one, inspected_cb, g_steal_pointer (&task));
}

/**
 * eb_bus_list_attempts_finish:
 *
 * Returns: (transfer full) (element-type EbAttemptRecord): the last %EB_ATTEMPTS_KEPT attempts
 *   since the daemon started or it was replayed, the newest first; NULL with %EB_ERROR_NOT_FOUND
 */
GPtrArray *
eb_bus_list_attempts_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
