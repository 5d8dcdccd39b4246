/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include <string.h>

#include "core/eb-error.h"

/* The bus's use cases around addresses, the tutorial's subscriptions: register or keep alive,
 * deregister, list. */

void
eb_subscriber_free (EbSubscriber *self)
{
  g_free (self->label);
  g_free (self);
}

static EbSubscription *
create_registration (EbBus *self, const char *address, GError **error)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, error);
  EbSubscriptionSpec spec = {
    .id = address, .sink = sink, .lease = self->limits.lease, .concurrency = 1
  };

  if (sink == NULL || !eb_bus_check_literal (self, sink, error) || !eb_bus_check_room (self, error))
    return NULL;
  return eb_subscription_new (&spec, error);
}

/**
 * eb_bus_is_registration:
 *
 * Returns: whether @subscription is what registering @address made
 */
gboolean
eb_bus_is_registration (EbSubscription *subscription, const char *address)
{
  EbSink *sink = eb_subscription_get_sink (subscription);
  g_autofree char *label = eb_sink_dup_label (sink);

  return eb_sink_get_kind (sink) == EB_SINK_HTTP && g_str_equal (label, address);
}

/* Takes @task, which is done when it may be taken for stored. */
void
eb_bus_renew (EbBus *self, EbSubscription *subscription, GTask *task)
{
  const char *id = eb_subscription_get_id (subscription);

  eb_registry_renew (self->registry, id);
  eb_worker_pool_nudge (self->workers, subscription);
  if (g_hash_table_contains (self->uncommitted, id))
    {
      /* Not acked yet, so neither is this one; committing it twice does no harm. */
      eb_bus_commit (self, subscription, eb_bus_get_head (self), task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * eb_bus_register_async:
 * @address: `HOST[:PORT][/PREFIX]`, percent-decoded; is the subscription's id, byte for byte
 *
 * Registers `http://ADDRESS/event` for every event, or renews its lease.
 */
void
eb_bus_register_async (EbBus *self,
                       const char *address,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  EbSubscription *known = eb_registry_lookup (self->registry, address);
  g_autoptr (EbSubscription) subscription = NULL;
  GError *error = NULL;
  guint64 head;

  g_task_set_source_tag (task, eb_bus_register_async);
  if (known != NULL && eb_bus_is_registration (known, address))
    {
      eb_bus_renew (self, known, g_steal_pointer (&task));
      return;
    }
  if (known != NULL)
    g_set_error (&error, EB_ERROR, EB_ERROR_FORBIDDEN,
                 "“%s” is the id of a subscription with another sink", address);
  else if (eb_bus_check_open (self, &error))
    subscription = create_registration (self, address, &error);
  if (subscription == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  head = eb_bus_get_head (self);
  eb_bus_begin (self, subscription, &(EbStart){ .after = head });
  eb_bus_commit (self, subscription, head, g_steal_pointer (&task));
}

/**
 * eb_bus_register_finish:
 *
 * Returns: FALSE with an #EbError: %EB_ERROR_INVALID for an impossible address,
 *   %EB_ERROR_FORBIDDEN for one that policy excludes
 */
gboolean
eb_bus_register_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_bus_deregister_async:
 * @address: as it was registered
 *
 * Done when no delivery to it is under way, and none will start. Nobody known is no error.
 */
void
eb_bus_deregister_async (EbBus *self,
                         const char *address,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (EbSink) sink = NULL;
  EbSubscription *known = eb_registry_lookup (self->registry, address);
  g_autoptr (EbSubscription) subscription = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, eb_bus_deregister_async);
  sink = eb_sink_new_for_address (address, &error);
  if (sink == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (known == NULL)
    {
      eb_bus_forget (self, address, g_steal_pointer (&task));
      return;
    }
  if (!eb_bus_is_registration (known, address))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  subscription = eb_subscription_ref (known);
  eb_registry_remove (self->registry, address);
  eb_bus_end (self, subscription, "deregistered", g_steal_pointer (&task));
}

/**
 * eb_bus_deregister_finish:
 *
 * Returns: FALSE with %EB_ERROR_INVALID for an impossible address
 */
gboolean
eb_bus_deregister_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
add_subscriber (EbSubscription *subscription, gint64 renewed_us, gpointer user_data)
{
  EbSubscriber *subscriber;

  if (!eb_bus_is_listed (subscription))
    return;
  subscriber = g_new (EbSubscriber, 1);
  subscriber->label = eb_sink_dup_label (eb_subscription_get_sink (subscription));
  subscriber->renewed_us = renewed_us;
  g_ptr_array_add (user_data, subscriber);
}

static int
compare_subscribers (gconstpointer a, gconstpointer b)
{
  const EbSubscriber *const *x = a, *const *y = b;

  return strcmp ((*x)->label, (*y)->label);
}

/**
 * eb_bus_list_subscribers:
 *
 * Returns: (transfer full) (element-type EbSubscriber): all HTTP sinks, sorted by label
 */
GPtrArray *
eb_bus_list_subscribers (EbBus *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscriber_free);

  eb_registry_foreach (self->registry, add_subscriber, list);
  g_ptr_array_sort (list, compare_subscribers);
  return list;
}
