/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"

/* How another subscription takes the place of one, whoever asked for it: first in the ledger, and
 * nothing changes if that refuses; then in the registry and in its worker. */

typedef struct
{
  EbSubscription *subscription; /* (owned) that takes the place */
  EbRenewal renewal;
} Swap;

static void
swap_free (Swap *swap)
{
  eb_subscription_unref (swap->subscription);
  g_free (swap);
}

/* The ledger has it. */
static void
swap (EbBus *self, const Swap *swap)
{
  EbSubscription *subscription = swap->subscription;
  g_autoptr (EbSubscription) before = eb_subscription_ref (
      eb_registry_lookup (self->registry, eb_subscription_get_id (subscription)));

  eb_registry_replace (self->registry, subscription, swap->renewal);
  eb_worker_pool_replace (self->workers, subscription);
  /* Somebody expects it to work. One that was disabled is tried at once anyway. */
  if (swap->renewal == EB_LEASE_STARTS_AGAIN && !eb_subscription_is_disabled (before))
    eb_worker_pool_nudge (self->workers, subscription);
  eb_bus_tell_replaced (self, before, subscription);
}

static void
put_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  const Swap *data = g_task_get_task_data (task);
  const char *id = eb_subscription_get_id (data->subscription);
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      eb_bus_tell_fenced (self, error);
      g_task_return_error (task, error);
    }
  else if (!eb_bus_has (self, data->subscription))
    g_task_return_new_error (task, EB_ERROR, EB_ERROR_NOT_FOUND, "The subscription “%s” has ended",
                             id);
  else
    {
      swap (self, data);
      g_task_return_boolean (task, TRUE);
    }
  eb_bus_end_change (self, id);
}

/**
 * eb_bus_swap_async:
 * @subscription: replaces the one that has its id
 */
void
eb_bus_swap_async (EbBus *self,
                   EbSubscription *subscription,
                   EbRenewal renewal,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  GError *error = NULL;
  Swap *data = g_new (Swap, 1);

  g_task_set_source_tag (task, eb_bus_swap_async);
  data->subscription = eb_subscription_ref (subscription);
  data->renewal = renewal;
  g_task_set_task_data (task, data, (GDestroyNotify) swap_free);
  if (!eb_bus_begin_change (self, eb_subscription_get_id (subscription), &error))
    {
      g_task_return_error (task, error);
      return;
    }
  /* Where it begins says nothing of one that is there already. */
  g_ptr_array_add (changes, eb_change_new_put (subscription, eb_bus_get_head (self)));
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, put_cb, g_steal_pointer (&task));
}

/**
 * eb_bus_swap_finish:
 *
 * Returns: FALSE with %EB_ERROR_BUSY if something else of it is being changed, %EB_ERROR_NOT_FOUND
 *   if it has ended meanwhile, or what the store says
 */
gboolean
eb_bus_swap_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
swapped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (eb_bus_swap_finish (EB_BUS (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_swap_for:
 * @task: (transfer full): is done when eb_bus_swap_async() is
 */
void
eb_bus_swap_for (EbBus *self, EbSubscription *subscription, EbRenewal renewal, GTask *task)
{
  eb_bus_swap_async (self, subscription, renewal, swapped_cb, task);
}

/* Takes @task and @error. @subscription: (nullable): NULL with @error */
static void
swap_or_return (EbBus *self, EbSubscription *subscription, GTask *task, GError *error)
{
  if (subscription != NULL)
    {
      eb_bus_swap_for (self, subscription, EB_LEASE_GOES_ON, task);
      return;
    }
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Pausing */

typedef struct
{
  char *id; /* (owned) */
  gboolean paused;
} Pause;

static void
pause_free (Pause *pause)
{
  g_free (pause->id);
  g_free (pause);
}

static EbSubscription *
create_paused (EbSubscription *known, gboolean paused, GError **error)
{
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (known, &spec);
  spec.paused = paused;
  if (!paused)
    spec.streak = (EbStreak){ 0 };
  return eb_subscription_new (&spec, error);
}

/* Takes @task. */
static void
pause_now (EbBus *self, GTask *task)
{
  const Pause *pause = g_task_get_task_data (task);
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, pause->id, &error);
  g_autoptr (EbSubscription) subscription = NULL;

  if (known != NULL)
    subscription = create_paused (known, pause->paused, &error);
  swap_or_return (self, subscription, task, error);
}

/**
 * eb_bus_pause_async:
 * @paused: whether nothing is to be sent from now on; what is under way ends. Events are kept. If
 *   not, one that was disabled is tried again.
 */
void
eb_bus_pause_async (
    EbBus *self, const char *id, gboolean paused, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Pause *pause = g_new (Pause, 1);

  g_task_set_source_tag (task, eb_bus_pause_async);
  pause->id = g_strdup (id);
  pause->paused = paused;
  g_task_set_task_data (task, pause, (GDestroyNotify) pause_free);
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, pause_now, task);
}

/**
 * eb_bus_pause_finish:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, the errors of eb_bus_await_turn(), or what the store
 * says
 */
gboolean
eb_bus_pause_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Rotating secrets */

static EbSubscription *
create_rotated (EbBus *self, EbSubscription *known, const char *secret, GError **error)
{
  g_autoptr (EbDeliveryOptions) options =
      eb_delivery_options_copy (eb_subscription_get_options (known));
  EbSubscriptionSpec spec;

  eb_delivery_options_rotate (options, secret, eb_clock_get_real (self->clock));
  eb_subscription_fill_spec (known, &spec);
  spec.options = options;
  return eb_subscription_new (&spec, error);
}

typedef struct
{
  char *id;     /* (owned) */
  char *secret; /* (owned): the new one */
} Rotation;

static void
rotation_free (Rotation *rotation)
{
  g_free (rotation->secret);
  g_free (rotation->id);
  g_free (rotation);
}

/* Takes @task. */
static void
rotate_now (EbBus *self, GTask *task)
{
  const Rotation *rotation = g_task_get_task_data (task);
  GError *error = NULL;
  EbSubscription *known = eb_bus_find_stored (self, rotation->id, &error);
  g_autoptr (EbSubscription) subscription = NULL;

  if (known != NULL && eb_secret_check (rotation->secret, &error))
    subscription = create_rotated (self, known, rotation->secret, &error);
  swap_or_return (self, subscription, task, error);
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
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Rotation *rotation = g_new (Rotation, 1);

  g_task_set_source_tag (task, eb_bus_rotate_secret_async);
  rotation->id = g_strdup (id);
  rotation->secret = secret != NULL ? g_strdup (secret) : eb_secret_generate ();
  g_task_set_task_data (task, rotation, (GDestroyNotify) rotation_free);
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, rotate_now, task);
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
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  return g_strdup (((const Rotation *) g_task_get_task_data (G_TASK (result)))->secret);
}
