/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"

/* The use case that makes a subscription, or puts another one into its place. */

typedef struct
{
  EbSubscription *wanted;       /* (owned): what was asked for */
  EbSubscription *subscription; /* (owned) (nullable): what that becomes */
  EbPutMode mode;
  guint64 after;
  gboolean created;
} Put;

static void
put_free (Put *put)
{
  g_clear_pointer (&put->subscription, eb_subscription_unref);
  eb_subscription_unref (put->wanted);
  g_free (put);
}

static const char *
get_id (GTask *task)
{
  return eb_subscription_get_id (((const Put *) g_task_get_task_data (task))->wanted);
}

/* Takes @task and @error. */
static void
return_failure (GTask *task, GError *error)
{
  g_task_return_error (task, error);
  g_object_unref (task);
}

static void
described_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Put *put = g_task_get_task_data (task);
  g_autoptr (GPtrArray) infos = eb_bus_describe_finish (EB_BUS (source), result);

  /* Somebody may have ended it since: it was put all the same. */
  g_task_return_pointer (task,
                         infos->len > 0
                             ? g_ptr_array_steal_index (infos, 0)
                             : eb_bus_describe_ended (EB_BUS (source), put->subscription),
                         (GDestroyNotify) eb_subscription_info_free);
}

/* Takes @task. */
static void
describe (EbBus *self, GTask *task)
{
  const Put *put = g_task_get_task_data (task);
  g_autoptr (GPtrArray) one =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_subscription_unref);

  g_ptr_array_add (one, eb_subscription_ref (put->subscription));
  eb_bus_describe_async (self, one, described_cb, task);
}

/* Returns: (transfer full) (nullable): the options of @subscription, with the secrets and the token
 *   of @known where it leaves them out */
static EbDeliveryOptions *
merge_options (EbSubscription *subscription, EbSubscription *known)
{
  const EbDeliveryOptions *wanted = eb_subscription_get_options (subscription);
  const EbDeliveryOptions *had = eb_subscription_get_options (known);
  g_autoptr (EbDeliveryOptions) merged = eb_delivery_options_copy (wanted);
  g_autoptr (EbDeliveryOptions) kept = eb_delivery_options_copy (had);

  if (wanted->secrets == NULL)
    merged->secrets = g_steal_pointer (&kept->secrets);
  if (wanted->token == NULL)
    merged->token = g_steal_pointer (&kept->token);
  merged->keeps_token = FALSE;
  return g_steal_pointer (&merged);
}

/* @known: (nullable): what it takes the place of */
static gboolean
check_token (EbSubscription *subscription, EbSubscription *known, GError **error)
{
  if (!eb_subscription_get_options (subscription)->keeps_token
      || (known != NULL && eb_subscription_get_options (known)->token != NULL))
    return TRUE;
  g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                       "“sinkcredential.accesstoken” is missing, and there is none to keep");
  return FALSE;
}

static EbSubscription *
create_like (EbSubscription *subscription,
             EbSubscription *known,
             gboolean paused,
             EbSubscription *replaces,
             GError **error)
{
  const EbDeliveryOptions *had = eb_subscription_get_options (known);
  g_autoptr (EbDeliveryOptions) merged = NULL;
  EbSubscriptionSpec spec;

  if (!check_token (subscription, known, error))
    return NULL;
  eb_subscription_fill_spec (subscription, &spec);
  if (had->secrets != NULL || had->token != NULL)
    {
      merged = merge_options (subscription, known);
      spec.options = merged;
    }
  spec.paused |= paused;
  spec.replaces = replaces;
  return eb_subscription_new (&spec, error);
}

static void
created_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (eb_bus_resume_finish (EB_BUS (source), result, &error))
    describe (EB_BUS (source), task);
  else
    return_failure (task, error);
}

/* Takes @task. It is not paused any more, whatever it was when its lease ended. */
static void
create_again (EbBus *self, EbSubscription *expired, GTask *task)
{
  Put *put = g_task_get_task_data (task);
  GError *error = NULL;

  put->subscription = create_like (put->wanted, expired, FALSE, NULL, &error);
  put->created = TRUE;
  if (put->subscription != NULL)
    eb_bus_resume_async (self, put->subscription, created_again_cb, task);
  else
    return_failure (task, error);
}

/* One that there was not */

static void
created_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (eb_bus_subscribe_finish (EB_BUS (source), result, &error))
    describe (EB_BUS (source), task);
  else
    return_failure (task, error);
}

/* Takes @task. */
static void
create (EbBus *self, GTask *task)
{
  Put *put = g_task_get_task_data (task);
  GError *error = NULL;

  put->subscription = eb_subscription_ref (put->wanted);
  put->created = TRUE;
  if (check_token (put->wanted, NULL, &error))
    eb_bus_subscribe_async (self, put->subscription, put->after, created_cb, task);
  else
    return_failure (task, error);
}

/* One that takes the place of another */

static void put_now (EbBus *self, GTask *task);

/* What ends while the ledger takes its replacement is nothing that could be replaced any more. */
static void
replaced_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (eb_bus_swap_finish (EB_BUS (source), result, &error))
    describe (EB_BUS (source), task);
  else if (g_error_matches (error, EB_ERROR, EB_ERROR_NOT_FOUND))
    {
      g_error_free (error);
      eb_bus_await_turn (EB_BUS (source), get_id (task), EB_BUS_TURN_FIRST, put_now, task);
    }
  else
    return_failure (task, error);
}

static gboolean
check_replacement (EbBus *self,
                   EbSubscription *subscription,
                   EbSubscription *known,
                   EbPutMode mode,
                   GError **error)
{
  const char *id = eb_subscription_get_id (subscription);

  if (mode == EB_PUT_REPLACE && !eb_subscription_is_ephemeral (known))
    return eb_bus_check_literal (self, eb_subscription_get_sink (subscription), error);
  g_set_error (error, EB_ERROR, EB_ERROR_EXISTS, "There is a subscription “%s” already", id);
  return FALSE;
}

/* Takes @task. What was paused stays so: that is not for a subscription's text to say. */
static void
replace (EbBus *self, EbSubscription *known, GTask *task)
{
  Put *put = g_task_get_task_data (task);
  GError *error = NULL;

  if (check_replacement (self, put->wanted, known, put->mode, &error))
    put->subscription =
        create_like (put->wanted, known, eb_subscription_is_paused (known), known, &error);
  if (put->subscription != NULL)
    eb_bus_swap_async (self, put->subscription, EB_LEASE_STARTS_AGAIN, replaced_cb, task);
  else
    return_failure (task, error);
}

/* Takes @task. */
static void
put_now (EbBus *self, GTask *task)
{
  Put *put = g_task_get_task_data (task);
  const char *id = eb_subscription_get_id (put->wanted);
  EbSubscription *known = eb_registry_lookup (self->registry, id);
  EbSubscription *expired = known == NULL ? eb_bus_find_expired (self, id) : NULL;

  g_clear_pointer (&put->subscription, eb_subscription_unref);
  if (known != NULL)
    replace (self, known, task);
  else if (expired != NULL)
    create_again (self, expired, task);
  else
    create (self, task);
}

/**
 * eb_bus_put_async:
 * @subscription: never an ephemeral one
 * @mode: what becomes of one that has its id
 * @after: a sequence: it gets what comes after; or %EB_START_NOW. It counts only for one that there
 *   was not; one that is replaced, or comes back after its lease had ended, goes on where it was.
 *
 * What replaces another one takes over its secrets and its token, where it has none of its own, and
 * stays paused if that was. Its lease starts anew, and if nobody was there, or it was disabled, it
 * is tried at once.
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
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Put *put = g_new0 (Put, 1);

  g_task_set_source_tag (task, eb_bus_put_async);
  put->wanted = eb_subscription_ref (subscription);
  put->mode = mode;
  put->after = after;
  g_task_set_task_data (task, put, (GDestroyNotify) put_free);
  eb_bus_await_turn (self, get_id (task), EB_BUS_TURN_LAST, put_now, task);
}

/**
 * eb_bus_put_finish:
 * @created: (out) (optional): whether there was none with its id
 *
 * Returns: (transfer full): what is known of it now; NULL with an #EbError, and nothing changed:
 *   %EB_ERROR_EXISTS if it was to be created, %EB_ERROR_FORBIDDEN for a sink that policy excludes,
 *   %EB_ERROR_LIMIT, %EB_ERROR_INVALID, the errors of eb_bus_await_turn(), or what the store says
 */
EbSubscriptionInfo *
eb_bus_put_finish (EbBus *self, GAsyncResult *result, gboolean *created, GError **error)
{
  const Put *put = g_task_get_task_data (G_TASK (result));

  if (created != NULL)
    *created = put->created;
  return g_task_propagate_pointer (G_TASK (result), error);
}
