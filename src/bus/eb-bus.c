/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus.h"

#include <string.h>

#include "core/eb-error.h"
#include "core/eb-registry.h"

#define DEFAULT_LEASE             (120 * G_TIME_SPAN_SECOND)
#define DEFAULT_MAX_SUBSCRIPTIONS 10000
#define DEFAULT_MAX_EVENT_SIZE    (1024 * 1024)

/* The use cases, once for every front end: publish, register, subscribe, and their ends. It puts
 * events into the log and subscriptions into the registry, the ledger and the workers; it delivers
 * nothing itself.
 *
 * Lives in the main thread. */
struct _EbBus
{
  GObject parent_instance;

  EbClock *clock;          /* (owned) */
  EbLog *log;              /* (owned) */
  EbLedger *ledger;        /* (owned) */
  EbWorkerPool *workers;   /* (owned) */
  EbRegistry *registry;    /* (owned) */
  EbAddressPolicy *policy; /* (owned) (nullable) until configured: everything is allowed */
  EbBusLimits limits;
  guint64 epoch;           /* of the ledger; 0 until started */
  GHashTable *uncommitted; /* (owned) (element-type utf8): ids whose PUT is on its way */
  gboolean closing;        /* takes nothing any more */
  guint64 published;
  guint64 delivered;
  guint64 failed;
};

enum
{
  SUBSCRIBER_ADDED,
  SUBSCRIBER_REMOVED,
  SUBSCRIPTION_ENDED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbBus, eb_bus, G_TYPE_OBJECT)

void
eb_subscriber_free (EbSubscriber *self)
{
  g_free (self->label);
  g_free (self);
}

static gboolean
check_open (EbBus *self, GError **error)
{
  if (!self->closing)
    return TRUE;
  g_set_error_literal (error, EB_ERROR, EB_ERROR_CLOSED, "The bus is shutting down");
  return FALSE;
}

/* D-Bus peers and streams are nobody's address: the tutorial's list does not show them. */
static gboolean
is_listed (EbSubscription *subscription)
{
  return eb_sink_get_kind (eb_subscription_get_sink (subscription)) != EB_SINK_PEER;
}

/* Publish */

static gboolean
check_draft (EbBus *self, EbDraft *draft, GError **error)
{
  gsize size = g_bytes_get_size (draft->data);

  if (size > self->limits.max_event_size)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_TOO_LARGE,
                   "The event has %" G_GSIZE_FORMAT " bytes of data, more than %" G_GSIZE_FORMAT
                   " (limits.max-event-size)",
                   size, self->limits.max_event_size);
      return FALSE;
    }
  return eb_draft_complete (draft, error);
}

static void
appended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  GError *error = NULL;
  GArray *receipts = eb_log_append_finish (EB_LOG (source), result, &error);

  if (receipts == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < receipts->len; i++)
    if (!g_array_index (receipts, EbReceipt, i).duplicate)
      self->published++;
  g_task_return_pointer (task, receipts, (GDestroyNotify) g_array_unref);
}

/**
 * eb_bus_publish_async:
 * @drafts: (element-type EbDraft): completed here; all or none of them are published
 *
 * Done when the log has them.
 */
void
eb_bus_publish_async (EbBus *self,
                      GPtrArray *drafts,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  gboolean valid = check_open (self, &error);

  g_task_set_source_tag (task, eb_bus_publish_async);
  for (guint i = 0; valid && i < drafts->len; i++)
    valid = check_draft (self, g_ptr_array_index (drafts, i), &error);
  if (valid)
    eb_log_append_async (self->log, drafts, NULL, appended_cb, g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_publish_finish:
 *
 * Returns: (transfer full) (element-type EbReceipt): one for each draft; NULL, and nothing
 *   published, with an #EbError
 */
GArray *
eb_bus_publish_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Begin and end of subscriptions */

static void
apply_change (EbBus *self, EbChange *change, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);

  g_ptr_array_add (changes, change);
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, callback, user_data);
}

static void
begin_subscription (EbBus *self, EbSubscription *subscription, guint64 after)
{
  eb_registry_add (self->registry, subscription);
  eb_worker_pool_add (self->workers, subscription, &(EbStart){ .after = after });
  if (is_listed (subscription))
    {
      g_autofree char *label = eb_sink_dup_label (eb_subscription_get_sink (subscription));

      g_signal_emit (self, signals[SUBSCRIBER_ADDED], 0, label);
    }
}

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  GError *error;                /* (owned) (nullable) why the ledger has it still */
} Ending;

static void
ending_free (Ending *ending)
{
  eb_subscription_unref (ending->subscription);
  g_clear_error (&ending->error);
  g_free (ending);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Ending *ending = g_task_get_task_data (task);

  eb_worker_pool_remove_finish (EB_WORKER_POOL (source), result, NULL);
  if (ending->error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&ending->error));
}

/* Takes @task. */
static void
stop_deliveries (EbBus *self, GTask *task)
{
  Ending *ending = g_task_get_task_data (task);

  eb_worker_pool_remove_async (self->workers, ending->subscription, stopped_cb, task);
}

static void
forgotten_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Ending *ending = g_task_get_task_data (task);

  eb_ledger_apply_finish (EB_LEDGER (source), result, &ending->error);
  stop_deliveries (g_task_get_source_object (task), task);
}

/* Of a subscription that the registry does not have any more. Takes @task, which is done when no
 * delivery is under way and the ledger has forgotten it. */
static void
end_subscription (EbBus *self, EbSubscription *subscription, const char *reason, GTask *task)
{
  Ending *ending = g_new0 (Ending, 1);

  ending->subscription = eb_subscription_ref (subscription);
  g_task_set_task_data (task, ending, (GDestroyNotify) ending_free);
  if (is_listed (subscription))
    {
      g_autofree char *label = eb_sink_dup_label (eb_subscription_get_sink (subscription));

      g_signal_emit (self, signals[SUBSCRIBER_REMOVED], 0, label, reason);
    }
  g_signal_emit (self, signals[SUBSCRIPTION_ENDED], 0, subscription, reason);

  /* The ledger first: whoever takes the id next comes after. */
  if (eb_subscription_is_ephemeral (subscription))
    stop_deliveries (self, task);
  else
    apply_change (self, eb_change_new (EB_CHANGE_REMOVE, eb_subscription_get_id (subscription), 0),
                  forgotten_cb, task);
}

static void
ended_by_itself_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_warning ("Cannot forget a subscription that has ended: %s", error->message);
}

static void
expired_cb (EbRegistry *registry, EbSubscription *subscription, EbBus *self)
{
  g_message ("%s has not kept alive and is removed",
             eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  end_subscription (self, subscription, "expired",
                    g_task_new (self, NULL, ended_by_itself_cb, NULL));
}

static void
gone_cb (EbWorkerPool *workers, EbSubscription *subscription, const char *reason, EbBus *self)
{
  const char *id = eb_subscription_get_id (subscription);

  if (eb_registry_lookup (self->registry, id) != subscription)
    return;
  eb_registry_remove (self->registry, id);
  end_subscription (self, subscription, reason, g_task_new (self, NULL, ended_by_itself_cb, NULL));
}

static void
report_cb (EbWorkerPool *workers, const EbReport *report, EbBus *self)
{
  self->delivered += report->delivered;
  self->failed += report->failed;
}

/* Create */

static guint64
get_head (EbBus *self)
{
  EbExtent extent;

  eb_log_get_extent (self->log, &extent);
  return extent.head;
}

static void
committed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  EbSubscription *subscription = g_task_get_task_data (task);
  const char *id = eb_subscription_get_id (subscription);
  GError *error = NULL;

  g_hash_table_remove (self->uncommitted, id);
  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (eb_registry_lookup (self->registry, id) == subscription)
    {
      eb_registry_remove (self->registry, id);
      end_subscription (self, subscription, "not stored",
                        g_task_new (self, NULL, ended_by_itself_cb, NULL));
    }
  g_task_return_error (task, error);
}

/* Takes @task, which is done when the ledger has it. */
static void
commit_subscription (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task)
{
  g_hash_table_add (self->uncommitted, g_strdup (eb_subscription_get_id (subscription)));
  g_task_set_task_data (task, eb_subscription_ref (subscription),
                        (GDestroyNotify) eb_subscription_unref);
  apply_change (self, eb_change_new_put (subscription, after), committed_cb, task);
}

static gboolean
check_room (EbBus *self, GError **error)
{
  if (eb_registry_get_size (self->registry) < self->limits.max_subscriptions)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_LIMIT,
               "There are %u subscriptions already (limits.max-subscriptions)",
               self->limits.max_subscriptions);
  return FALSE;
}

/* A name is resolved, and its addresses are checked, at every attempt to connect. */
static gboolean
check_literal (EbBus *self, EbSink *sink, GError **error)
{
  g_autoptr (GInetAddress) literal = eb_sink_dup_literal (sink);

  return literal == NULL || self->policy == NULL
         || eb_address_policy_check (self->policy, literal, eb_sink_get_port (sink), error);
}

static EbSubscription *
create_registration (EbBus *self, const char *address, GError **error)
{
  g_autoptr (EbSink) sink = eb_sink_new_for_address (address, error);
  EbSubscriptionSpec spec = {
    .id = address, .sink = sink, .lease = self->limits.lease, .concurrency = 1
  };

  if (sink == NULL || !check_literal (self, sink, error) || !check_room (self, error))
    return NULL;
  return eb_subscription_new (&spec, error);
}

/* Whether @subscription is what registering @address made. */
static gboolean
is_registration (EbSubscription *subscription, const char *address)
{
  EbSink *sink = eb_subscription_get_sink (subscription);
  g_autofree char *label = eb_sink_dup_label (sink);

  return eb_sink_get_kind (sink) == EB_SINK_HTTP && g_str_equal (label, address);
}

/* Takes @task. */
static void
renew (EbBus *self, EbSubscription *subscription, GTask *task)
{
  const char *id = eb_subscription_get_id (subscription);

  eb_registry_renew (self->registry, id);
  if (g_hash_table_contains (self->uncommitted, id))
    {
      /* Not acked yet, so neither is this one; committing it twice does no harm. */
      commit_subscription (self, subscription, get_head (self), task);
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
  if (known != NULL && is_registration (known, address))
    {
      renew (self, known, g_steal_pointer (&task));
      return;
    }
  if (known != NULL)
    g_set_error (&error, EB_ERROR, EB_ERROR_FORBIDDEN,
                 "“%s” is the id of a subscription with another sink", address);
  else if (check_open (self, &error))
    subscription = create_registration (self, address, &error);
  if (subscription == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  head = get_head (self);
  begin_subscription (self, subscription, head);
  commit_subscription (self, subscription, head, g_steal_pointer (&task));
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
  if (known == NULL || !is_registration (known, address))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  subscription = eb_subscription_ref (known);
  eb_registry_remove (self->registry, address);
  end_subscription (self, subscription, "deregistered", g_steal_pointer (&task));
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
  guint64 head = get_head (self);

  if (!check_open (self, error) || !check_room (self, error)
      || !check_literal (self, eb_subscription_get_sink (subscription), error))
    return FALSE;
  if (eb_registry_lookup (self->registry, id) != NULL)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID, "There is a subscription “%s” already", id);
      return FALSE;
    }
  if (after != EB_START_NOW && after > head)
    {
      g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
                   "“after” is %" G_GUINT64_FORMAT ", but the newest event is %" G_GUINT64_FORMAT,
                   after, head);
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_bus_subscribe_async:
 * @after: a sequence: it gets what comes after; or %EB_START_NOW
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

  g_task_set_source_tag (task, eb_bus_subscribe_async);
  if (!eb_bus_check_subscription (self, subscription, after, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (after == EB_START_NOW)
    after = get_head (self);
  begin_subscription (self, subscription, after);
  if (eb_subscription_is_ephemeral (subscription))
    g_task_return_boolean (task, TRUE);
  else
    commit_subscription (self, subscription, after, g_steal_pointer (&task));
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

/**
 * eb_bus_unsubscribe_async:
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
  if (known == NULL)
    {
      g_task_return_new_error (task, EB_ERROR, EB_ERROR_NOT_FOUND, "There is no subscription “%s”",
                               id);
      return;
    }
  subscription = eb_subscription_ref (known);
  eb_registry_remove (self->registry, eb_subscription_get_id (subscription));
  end_subscription (self, subscription, reason, g_steal_pointer (&task));
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

/* Look */

static void
add_subscriber (EbSubscription *subscription, gint64 renewed_us, gpointer user_data)
{
  EbSubscriber *subscriber;

  if (!is_listed (subscription))
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

/**
 * eb_bus_get_stats:
 * @stats: (out): as of now; deliveries are up to a tenth of a second late
 */
void
eb_bus_get_stats (EbBus *self, EbBusStats *stats)
{
  stats->subscriptions = eb_registry_get_size (self->registry);
  stats->published = self->published;
  stats->delivered = self->delivered;
  stats->failed = self->failed;
  stats->head = get_head (self);
}

/* Start and end of the bus */

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  EbBus *self = g_task_get_source_object (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) entries =
      eb_ledger_load_finish (EB_LEDGER (source), result, &self->epoch, &error);

  if (entries == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < entries->len; i++)
    {
      const EbLedgerEntry *entry = g_ptr_array_index (entries, i);

      begin_subscription (self, entry->subscription, entry->cursor);
    }
  g_task_return_boolean (task, TRUE);
}

/**
 * eb_bus_start_async:
 *
 * Goes on with the subscriptions that the ledger has. To be done before anything else.
 */
void
eb_bus_start_async (EbBus *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_start_async);
  eb_ledger_load_async (self->ledger, NULL, loaded_cb, task);
}

/**
 * eb_bus_start_finish:
 *
 * Returns: FALSE with %EB_ERROR_IO if the ledger cannot be read
 */
gboolean
eb_bus_start_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

typedef struct
{
  EbWorkerPool *workers; /* (owned) */
  GSource *timer;        /* (owned) */
} Drain;

static void
drain_free (Drain *drain)
{
  g_source_destroy (drain->timer);
  g_source_unref (drain->timer);
  g_object_unref (drain->workers);
  g_free (drain);
}

static gboolean
drain_timer_cb (gpointer user_data)
{
  Drain *drain = user_data;

  eb_worker_pool_stop (drain->workers);
  return G_SOURCE_CONTINUE;
}

static void
drained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (!eb_worker_pool_drain_finish (EB_WORKER_POOL (source), result))
    g_message ("Some deliveries were still under way when the bus ended");
  eb_worker_pool_stop (EB_WORKER_POOL (source));
  g_task_return_boolean (task, TRUE);
}

/**
 * eb_bus_drain_async:
 * @limit: microseconds after which deliveries that are still under way are broken off
 *
 * From now on nothing is taken. Done when all that was taken is delivered, or at the limit.
 */
void
eb_bus_drain_async (EbBus *self, GTimeSpan limit, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Drain *drain = g_new (Drain, 1);

  g_task_set_source_tag (task, eb_bus_drain_async);
  self->closing = TRUE;
  drain->workers = g_object_ref (self->workers);
  drain->timer = eb_clock_create_timer (self->clock);
  g_source_set_callback (drain->timer, drain_timer_cb, drain, NULL);
  g_source_attach (drain->timer, g_main_context_get_thread_default ());
  g_task_set_task_data (task, drain, (GDestroyNotify) drain_free);
  eb_clock_set_timer (self->clock, drain->timer, eb_clock_get_monotonic (self->clock) + limit);
  eb_worker_pool_drain_async (self->workers, get_head (self), drained_cb, task);
}

void
eb_bus_drain_finish (EbBus *self, GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}

/**
 * eb_bus_configure:
 * @policy: what addresses may be registered
 *
 * For what comes from now on: leases and subscriptions that there are stay as they are.
 */
void
eb_bus_configure (EbBus *self, const EbBusLimits *limits, EbAddressPolicy *policy)
{
  self->limits = *limits;
  eb_address_policy_ref (policy);
  g_clear_pointer (&self->policy, eb_address_policy_unref);
  self->policy = policy;
}

/**
 * eb_bus_get_limits:
 *
 * Returns: (transfer none): those in force
 */
const EbBusLimits *
eb_bus_get_limits (EbBus *self)
{
  return &self->limits;
}

static void
eb_bus_finalize (GObject *object)
{
  EbBus *self = EB_BUS (object);

  g_signal_handlers_disconnect_by_data (self->workers, self);
  g_signal_handlers_disconnect_by_data (self->registry, self);
  g_clear_object (&self->registry);
  g_clear_object (&self->workers);
  g_clear_object (&self->ledger);
  g_clear_object (&self->log);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->policy, eb_address_policy_unref);
  g_clear_pointer (&self->uncommitted, g_hash_table_unref);

  G_OBJECT_CLASS (eb_bus_parent_class)->finalize (object);
}

static void
eb_bus_class_init (EbBusClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_bus_finalize;

  /**
   * EbBus::subscriber-added:
   * @label: how the list shows it
   */
  signals[SUBSCRIBER_ADDED] = g_signal_new ("subscriber-added", EB_TYPE_BUS, G_SIGNAL_RUN_LAST, 0,
                                            NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * EbBus::subscriber-removed:
   * @label: how the list showed it
   * @reason: `deregistered`, `expired`, or what else ended it
   */
  signals[SUBSCRIBER_REMOVED] =
      g_signal_new ("subscriber-removed", EB_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * EbBus::subscription-ended:
   * @subscription: (type EbSubscription): one of any kind; the bus has it no more
   * @reason: what ended it
   */
  signals[SUBSCRIPTION_ENDED] =
      g_signal_new ("subscription-ended", EB_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_STRING);
}

static void
eb_bus_init (EbBus *self)
{
  self->limits = (EbBusLimits){ DEFAULT_LEASE, DEFAULT_MAX_SUBSCRIPTIONS, DEFAULT_MAX_EVENT_SIZE };
  self->uncommitted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * eb_bus_new:
 * @workers: delivers what @log gets
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a bus that eb_bus_start_async() starts
 */
EbBus *
eb_bus_new (EbClock *clock, EbLog *log, EbLedger *ledger, EbWorkerPool *workers)
{
  EbBus *self = g_object_new (EB_TYPE_BUS, NULL);

  self->clock = g_object_ref (clock);
  self->log = g_object_ref (log);
  self->ledger = g_object_ref (ledger);
  self->workers = g_object_ref (workers);
  self->registry = eb_registry_new (clock, g_main_context_get_thread_default ());
  g_signal_connect (self->registry, "expired", G_CALLBACK (expired_cb), self);
  g_signal_connect (workers, "gone", G_CALLBACK (gone_cb), self);
  g_signal_connect (workers, "report", G_CALLBACK (report_cb), self);
  return self;
}
