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

  if (sink == NULL || !eb_bus_check_open (self, error) || !eb_bus_check_literal (self, sink, error)
      || !eb_bus_check_room (self, error))
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

/**
 * eb_bus_renew:
 * @subscription: whose lease started again when it asked for that
 * @task: (transfer full): done when it is tried again, if nobody was there or it was disabled
 */
void
eb_bus_renew (EbBus *self, EbSubscription *subscription, GTask *task)
{
  if (eb_subscription_is_disabled (subscription))
    {
      eb_bus_enable (self, subscription, task);
      return;
    }
  eb_worker_pool_nudge (self->workers, subscription);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

typedef struct
{
  char *address; /* (owned) */
  guint64 after; /* a sequence, or EB_START_NOW: a new one gets what comes after */
} Registration;

static void
registration_free (Registration *registration)
{
  g_free (registration->address);
  g_free (registration);
}

static void
commit_registration (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task)
{
  guint64 head = eb_bus_get_head (self);
  guint64 start = MIN (after, head);

  eb_bus_begin (self, subscription, &(EbStart){ .after = start, .has_cursor = start < head });
  eb_bus_commit (self, subscription, start, task);
}

/* Takes @task. */
static void
register_anew (EbBus *self, GTask *task)
{
  const Registration *registration = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (EbSubscription) subscription =
      create_registration (self, registration->address, &error);

  if (subscription == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  commit_registration (self, subscription, registration->after, task);
}

/* Whether the id is one that no registration made. */
static gboolean
is_anothers (EbBus *self, const char *address)
{
  EbSubscription *known = eb_registry_lookup (self->registry, address);

  if (known == NULL)
    known = eb_bus_find_expired (self, address);
  return known != NULL && !eb_bus_is_registration (known, address);
}

/* Policy may have changed since it was registered, and a success would say that events come. */
static gboolean
check_known (EbBus *self, const char *address, GError **error)
{
  EbSubscription *known = eb_registry_lookup (self->registry, address);

  if (!is_anothers (self, address))
    return known == NULL || eb_bus_check_literal (self, eb_subscription_get_sink (known), error);
  g_set_error (error, EB_ERROR, EB_ERROR_FORBIDDEN,
               "“%s” is the id of a subscription with another sink", address);
  return FALSE;
}

static void register_now (EbBus *self, GTask *task);

static void
forgotten_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const char *address = ((const Registration *) g_task_get_task_data (task))->address;
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    eb_bus_await_turn (EB_BUS (source), address, EB_BUS_TURN_FIRST, register_now,
                       g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/* Takes @task. Who may come back, and registers instead, begins anew; unless that is refused. */
static void
forget_expired (EbBus *self, const char *address, GTask *task)
{
  GError *error = NULL;
  g_autoptr (EbSubscription) subscription = create_registration (self, address, &error);

  if (subscription == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  eb_bus_remove (self, address, "registered", g_task_new (self, NULL, forgotten_cb, task));
}

/* Takes @task. */
static void
register_now (EbBus *self, GTask *task)
{
  const char *address = ((const Registration *) g_task_get_task_data (task))->address;
  EbSubscription *known = eb_registry_lookup (self->registry, address);
  GError *error = NULL;

  if (!check_known (self, address, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
    }
  else if (known != NULL)
    eb_bus_renew (self, known, task);
  else if (eb_bus_find_expired (self, address) != NULL)
    forget_expired (self, address, task);
  else
    register_anew (self, task);
}

static void
begin_registration (
    EbBus *self, const char *address, guint64 after, EbBusTurnPlace place, GTask *task)
{
  Registration *registration = g_new (Registration, 1);

  registration->address = g_strdup (address);
  registration->after = after;
  g_task_set_task_data (task, registration, (GDestroyNotify) registration_free);
  eb_bus_await_turn (self, address, place, register_now, task);
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
  GTask *task = g_task_new (self, NULL, callback, user_data);
  EbSubscription *known = eb_registry_lookup (self->registry, address);

  g_task_set_source_tag (task, eb_bus_register_async);
  /* A sign of life counts from when it comes, however late its turn is. */
  if (known != NULL && check_known (self, address, NULL))
    eb_registry_renew (self->registry, address);
  begin_registration (self, address, EB_START_NOW, EB_BUS_TURN_LAST, task);
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

static void
registered_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!eb_bus_register_finish (EB_BUS (source), result, &error))
    g_warning ("Cannot register again who just did: %s", error->message);
}

/**
 * eb_bus_register_again:
 * @address: of one that has ended, but was told that it is registered
 *
 * It gets what comes after now, although it begins only when the ledger has forgotten the other.
 */
void
eb_bus_register_again (EbBus *self, const char *address)
{
  GTask *task = g_task_new (self, NULL, registered_again_cb, NULL);

  g_task_set_source_tag (task, eb_bus_register_again);
  begin_registration (self, address, eb_bus_get_head (self), EB_BUS_TURN_FIRST, task);
}

/* Takes @task. */
static void
deregister_now (EbBus *self, GTask *task)
{
  const char *address = g_task_get_task_data (task);

  if (!is_anothers (self, address) && eb_bus_is_kept (self, address))
    {
      eb_bus_remove (self, address, "deregistered", task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * eb_bus_deregister_async:
 * @address: as it was registered
 *
 * Done when the ledger has forgotten it, no delivery to it is under way, and none will start. If
 * the ledger refuses, nothing has changed. Nobody known is no error.
 */
void
eb_bus_deregister_async (EbBus *self,
                         const char *address,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (EbSink) sink = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, eb_bus_deregister_async);
  sink = eb_sink_new_for_address (address, &error);
  if (sink == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_task_set_task_data (task, g_strdup (address), g_free);
  eb_bus_await_turn (self, address, EB_BUS_TURN_LAST, deregister_now, g_steal_pointer (&task));
}

/**
 * eb_bus_deregister_finish:
 *
 * Returns: FALSE with %EB_ERROR_INVALID for an impossible address, or what the store says
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
