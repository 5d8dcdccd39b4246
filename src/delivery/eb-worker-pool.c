/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker-pool.h"

#include "delivery/eb-worker.h"

/* The delivery workers, and which of them has which subscription.
 *
 * Lives in the thread that made it, where its signals are emitted too. */
struct _EbWorkerPool
{
  GObject parent_instance;

  GPtrArray *workers; /* (owned) (element-type EbWorker); empty once stopped */
};

enum
{
  REPORT,
  GONE,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbWorkerPool, eb_worker_pool, G_TYPE_OBJECT)

static void
report_cb (const EbReport *report, gpointer user_data)
{
  g_signal_emit (user_data, signals[REPORT], 0, report);
}

static void
gone_cb (EbSubscription *subscription, const char *reason, gpointer user_data)
{
  g_signal_emit (user_data, signals[GONE], 0, subscription, reason);
}

static const EbWorkerOwner worker_owner = { .report = report_cb, .gone = gone_cb };

static GPtrArray *
new_workers (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) eb_worker_free);
}

void
eb_step_free (EbStep *self)
{
  eb_subscription_unref (self->subscription);
  eb_change_free (self->change);
  g_free (self);
}

/* A subscription never changes its address while anybody holds it, so no table is needed. */
static EbWorker *
find_worker (EbWorkerPool *self, EbSubscription *subscription)
{
  guint64 scattered = (guint64) (gsize) subscription * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return g_ptr_array_index (self->workers, (scattered >> 32) % self->workers->len);
}

/**
 * eb_worker_pool_configure:
 * @settings: for attempts that start from now on
 */
void
eb_worker_pool_configure (EbWorkerPool *self, EbDeliverySettings *settings)
{
  for (guint i = 0; i < self->workers->len; i++)
    eb_worker_configure (g_ptr_array_index (self->workers, i), settings);
}

/**
 * eb_worker_pool_add:
 * @subscription: not added yet
 * @start: where it begins, or goes on
 */
void
eb_worker_pool_add (EbWorkerPool *self, EbSubscription *subscription, const EbStart *start)
{
  if (self->workers->len > 0)
    eb_worker_add (find_worker (self, subscription), subscription, start->after);
}

/**
 * eb_worker_pool_remove_async:
 * @subscription: one that was added
 *
 * Done once no delivery of it is under way, and none will start.
 */
void
eb_worker_pool_remove_async (EbWorkerPool *self,
                             EbSubscription *subscription,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_worker_pool_remove_async);
  if (self->workers->len > 0)
    eb_worker_remove (find_worker (self, subscription), subscription, task);
  else
    g_task_return_boolean (task, TRUE);
}

gboolean
eb_worker_pool_remove_finish (EbWorkerPool *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

typedef struct
{
  guint n_left; /* workers that are not done */
  gboolean drained;
} Drain;

static void
worker_drained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Drain *drain = g_task_get_task_data (task);

  drain->drained &= g_task_propagate_boolean (G_TASK (result), NULL);
  if (--drain->n_left == 0)
    g_task_return_boolean (task, drain->drained);
}

/**
 * eb_worker_pool_drain_async:
 * @up_to: a sequence
 *
 * Done once every delivery of the events up to there has ended, or the pool was stopped.
 */
void
eb_worker_pool_drain_async (EbWorkerPool *self,
                            guint64 up_to,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Drain *drain = g_new0 (Drain, 1);

  g_task_set_source_tag (task, eb_worker_pool_drain_async);
  g_task_set_task_data (task, drain, g_free);
  drain->n_left = self->workers->len;
  drain->drained = TRUE;
  if (drain->n_left == 0)
    g_task_return_boolean (task, TRUE);
  for (guint i = 0; i < self->workers->len; i++)
    {
      g_autoptr (GTask) part = g_task_new (self, NULL, worker_drained_cb, g_object_ref (task));

      eb_worker_drain (g_ptr_array_index (self->workers, i), up_to, part);
    }
}

/**
 * eb_worker_pool_drain_finish:
 *
 * Returns: FALSE if the pool was stopped before everything had ended
 */
gboolean
eb_worker_pool_drain_finish (EbWorkerPool *self, GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}

/**
 * eb_worker_pool_stop:
 *
 * Ends the threads and whatever is under way in them. To be called before the pool is let go: the
 * threads hold references to it for as long as they have something to tell.
 */
void
eb_worker_pool_stop (EbWorkerPool *self)
{
  /* What they tell at the end may come back here, where they must not be found any more. */
  g_autoptr (GPtrArray) workers = g_steal_pointer (&self->workers);

  self->workers = new_workers ();
}

static void
eb_worker_pool_finalize (GObject *object)
{
  EbWorkerPool *self = EB_WORKER_POOL (object);

  g_ptr_array_unref (self->workers);

  G_OBJECT_CLASS (eb_worker_pool_parent_class)->finalize (object);
}

static void
eb_worker_pool_class_init (EbWorkerPoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_worker_pool_finalize;

  /**
   * EbWorkerPool::report:
   * @report: (type EbReport): what a worker has done; valid during the emission
   */
  signals[REPORT] = g_signal_new ("report", EB_TYPE_WORKER_POOL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  /**
   * EbWorkerPool::gone:
   * @subscription: (type EbSubscription): nobody is behind it any more; still to be removed
   * @reason: for people
   */
  signals[GONE] = g_signal_new ("gone", EB_TYPE_WORKER_POOL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_STRING);
}

static void
eb_worker_pool_init (EbWorkerPool *self)
{
  self->workers = new_workers ();
}

/**
 * eb_worker_pool_new:
 * @n_workers: threads, 1 or more
 * @factory: makes their transports, in their threads
 *
 * Returns: (transfer full): a pool that delivers what @log gets from now on
 */
EbWorkerPool *
eb_worker_pool_new (guint n_workers,
                    EbClock *clock,
                    EbLog *log,
                    EbDeliverySettings *settings,
                    EbTransportFactory factory,
                    gpointer user_data)
{
  EbWorkerPool *self = g_object_new (EB_TYPE_WORKER_POOL, NULL);

  for (guint i = 0; i < n_workers; i++)
    g_ptr_array_add (self->workers,
                     eb_worker_new (clock, log, settings, factory, user_data, &worker_owner, self));
  return self;
}
