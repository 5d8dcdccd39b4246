/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* A subscription without lease whose attempts fail for too long is disabled: nothing is sent until
 * somebody asks for it, and its events are kept. For how long they have failed is part of it, as
 * whether it is paused; so it survives restarts. */

/* Returns: (transfer full): one like @known */
static EbSubscription *
create_with_streak (EbSubscription *known, const EbStreak *streak, GError **error)
{
  EbSubscriptionSpec spec;

  eb_subscription_fill_spec (known, &spec);
  spec.streak = *streak;
  return eb_subscription_new (&spec, error);
}

static void
failing_stored_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbSubscription) subscription = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *streak = NULL;

  if (!eb_bus_swap_finish (EB_BUS (source), result, &error))
    {
      /* Its worker tells it again. */
      g_debug ("Cannot note how the attempts of “%s” fail: %s",
               eb_subscription_get_id (subscription), error->message);
      return;
    }
  if (!eb_subscription_is_disabled (subscription))
    return;
  streak = eb_streak_describe (eb_subscription_get_streak (subscription));
  g_warning ("%s is disabled: %s. Events are kept; resume “%s” when it can work again",
             eb_sink_get_uri (eb_subscription_get_sink (subscription)), streak,
             eb_subscription_get_id (subscription));
}

/**
 * eb_bus_failing_cb:
 * @streak: how its attempts have failed so far
 *
 * Makes that a part of @subscription. What a worker has seen of one that somebody has replaced
 * since may not be what it would say of the one that is there now.
 */
void
eb_bus_failing_cb (EbWorkerPool *workers,
                   EbSubscription *subscription,
                   const EbStreak *streak,
                   EbBus *self)
{
  const char *id = eb_subscription_get_id (subscription);
  g_autoptr (EbSubscription) next = NULL;

  if (eb_registry_lookup (self->registry, id) != subscription)
    return;
  next = create_with_streak (subscription, streak, NULL);
  eb_bus_swap_async (self, next, EB_LEASE_GOES_ON, failing_stored_cb, eb_subscription_ref (next));
}

/**
 * eb_bus_enable:
 * @task: (transfer full): done when the ledger has it
 *
 * Tries @disabled again.
 */
void
eb_bus_enable (EbBus *self, EbSubscription *disabled, GTask *task)
{
  GError *error = NULL;
  g_autoptr (EbSubscription) next = create_with_streak (disabled, &(EbStreak){ 0 }, &error);

  if (next != NULL)
    {
      eb_bus_swap_for (self, next, EB_LEASE_STARTS_AGAIN, task);
      return;
    }
  g_task_return_error (task, error);
  g_object_unref (task);
}
