/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

#include "core/eb-error.h"

#define DEFAULT_LEASE             (120 * G_TIME_SPAN_SECOND)
#define DEFAULT_MAX_SUBSCRIPTIONS 10000
#define DEFAULT_MAX_EVENT_SIZE    (1024 * 1024)

/* The use cases, once for every front end: publish, register, subscribe, and their ends. It puts
 * events into the log and subscriptions into the registry, the ledger and the workers; it delivers
 * nothing itself.
 *
 * Lives in the main thread. */

enum
{
  SUBSCRIBER_ADDED,
  SUBSCRIBER_REMOVED,
  SUBSCRIPTION_ENDED,
  FENCED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbBus, eb_bus, G_TYPE_OBJECT)

gboolean
eb_bus_check_open (EbBus *self, GError **error)
{
  if (!self->closing)
    return TRUE;
  g_set_error_literal (error, EB_ERROR, EB_ERROR_CLOSED, "The bus is shutting down");
  return FALSE;
}

guint64
eb_bus_get_head (EbBus *self)
{
  EbExtent extent;

  eb_log_get_extent (self->log, &extent);
  return extent.head;
}

void
eb_bus_tell_begun (EbBus *self, EbSubscription *subscription)
{
  if (eb_bus_is_listed (subscription))
    {
      g_autofree char *label = eb_sink_dup_label (eb_subscription_get_sink (subscription));

      g_signal_emit (self, signals[SUBSCRIBER_ADDED], 0, label);
    }
}

/**
 * eb_bus_tell_ended:
 * @reason: for people
 */
void
eb_bus_tell_ended (EbBus *self, EbSubscription *subscription, const char *reason)
{
  if (eb_bus_is_listed (subscription))
    {
      g_autofree char *label = eb_sink_dup_label (eb_subscription_get_sink (subscription));

      g_signal_emit (self, signals[SUBSCRIBER_REMOVED], 0, label, reason);
    }
  g_signal_emit (self, signals[SUBSCRIPTION_ENDED], 0, subscription, reason);
}

/**
 * eb_bus_tell_replaced:
 *
 * For those who know subscriptions by their labels, another sink is another one.
 */
void
eb_bus_tell_replaced (EbBus *self, EbSubscription *before, EbSubscription *subscription)
{
  g_autofree char *label_before = eb_sink_dup_label (eb_subscription_get_sink (before));
  g_autofree char *label = eb_sink_dup_label (eb_subscription_get_sink (subscription));

  if (g_str_equal (label_before, label))
    return;
  if (eb_bus_is_listed (before))
    g_signal_emit (self, signals[SUBSCRIBER_REMOVED], 0, label_before, "replaced");
  eb_bus_tell_begun (self, subscription);
}

/**
 * eb_bus_tell_fenced:
 * @error: of the ledger's; of no interest if it is another one than %EB_ERROR_FENCED
 *
 * Another daemon has taken the ledger over: what this one still does is not kept.
 */
void
eb_bus_tell_fenced (EbBus *self, const GError *error)
{
  if (g_error_matches (error, EB_ERROR, EB_ERROR_FENCED))
    g_signal_emit (self, signals[FENCED], 0, error->message);
}

static void
fenced_cb (GObject *writer, const char *reason, EbBus *self)
{
  g_signal_emit (self, signals[FENCED], 0, reason);
}

/**
 * eb_bus_has:
 *
 * Returns: whether @subscription, or one that has taken its place, is there; not another one that
 *   has its id after its end
 */
gboolean
eb_bus_has (EbBus *self, EbSubscription *subscription)
{
  EbSubscription *known =
      eb_registry_lookup (self->registry, eb_subscription_get_id (subscription));

  return known != NULL
         && eb_subscription_get_identity (known) == eb_subscription_get_identity (subscription);
}

static void
report_cb (EbWorkerPool *workers, const EbReport *report, EbBus *self)
{
  EbProgress *progress = eb_progress_writer_get_progress (self->progress);

  self->stats.delivered += report->delivered;
  self->stats.failed += report->failed;
  self->stats.dead += report->dead;
  self->stats.lost += report->lost;
  for (guint i = 0; report->steps != NULL && i < report->steps->len; i++)
    {
      const EbStep *step = g_ptr_array_index (report->steps, i);

      if (eb_bus_has (self, step->subscription)
          || eb_expired_has (self->expired, step->subscription))
        eb_progress_add (progress, step->subscription, step->change);
    }
  eb_progress_raise_floor (progress, report->floor);
  eb_progress_writer_write (self->progress);
}

static void
fix_cb (EbWorkerPool *workers, EbSubscription *subscription, const EbBatchRange *batch, EbBus *self)
{
  if (eb_bus_has (self, subscription))
    eb_batch_writer_fix (self->batches, subscription, batch);
}

static void
fixed_cb (EbBatchWriter *batches,
          EbSubscription *subscription,
          const EbBatchRange *batch,
          EbBus *self)
{
  eb_worker_pool_confirm_batch (self->workers, subscription, batch);
}

/**
 * eb_bus_get_stats:
 * @stats: (out): as of now; deliveries are up to a tenth of a second late
 */
void
eb_bus_get_stats (EbBus *self, EbBusStats *stats)
{
  *stats = self->stats;
  stats->subscriptions = eb_registry_get_size (self->registry);
  stats->head = eb_bus_get_head (self);
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

static void
eb_bus_finalize (GObject *object)
{
  EbBus *self = EB_BUS (object);

  g_signal_handlers_disconnect_by_data (self->workers, self);
  g_signal_handlers_disconnect_by_data (self->registry, self);
  g_signal_handlers_disconnect_by_data (self->progress, self);
  g_signal_handlers_disconnect_by_data (self->batches, self);
  g_clear_object (&self->registry);
  g_clear_object (&self->progress);
  g_clear_object (&self->batches);
  g_clear_object (&self->workers);
  g_clear_object (&self->ledger);
  g_clear_object (&self->log);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->policy, eb_address_policy_unref);
  g_clear_pointer (&self->expired, eb_expired_free);
  g_clear_pointer (&self->changing, g_hash_table_unref);
  g_clear_pointer (&self->removals, g_hash_table_unref);
  g_clear_pointer (&self->turns, g_hash_table_unref);

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
  /**
   * EbBus::fenced:
   * @reason: for people
   *
   * Another daemon has taken the ledger over, so this one should end.
   */
  signals[FENCED] = g_signal_new ("fenced", EB_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
eb_bus_init (EbBus *self)
{
  self->limits = (EbBusLimits){ DEFAULT_LEASE, DEFAULT_MAX_SUBSCRIPTIONS, DEFAULT_MAX_EVENT_SIZE };
  self->expired = eb_expired_new ();
  self->removals = g_hash_table_new (g_str_hash, g_str_equal);
  self->changing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->turns =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_queue_free);
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
  self->progress = eb_progress_writer_new (clock, ledger);
  g_signal_connect (self->progress, "fenced", G_CALLBACK (fenced_cb), self);
  self->batches = eb_batch_writer_new (clock, ledger);
  g_signal_connect (self->batches, "fixed", G_CALLBACK (fixed_cb), self);
  g_signal_connect (self->batches, "fenced", G_CALLBACK (fenced_cb), self);
  g_signal_connect (workers, "fix", G_CALLBACK (fix_cb), self);
  if (eb_ledger_is_durable (ledger))
    eb_worker_pool_fix_batches (workers);
  g_signal_connect (self->registry, "expired", G_CALLBACK (eb_bus_expired_cb), self);
  g_signal_connect (workers, "gone", G_CALLBACK (eb_bus_gone_cb), self);
  g_signal_connect (workers, "failing", G_CALLBACK (eb_bus_failing_cb), self);
  g_signal_connect (workers, "report", G_CALLBACK (report_cb), self);
  return self;
}
