/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-worker-pool-private.h"

/* The delivery workers, and which of them has which subscription.
 *
 * Lives in the thread that made it, where its signals are emitted too. */
struct _EbWorkerPool
{
  GObject parent_instance;

  EbLog *log;                   /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  GPtrArray *members;           /* (owned) (element-type Member) */
  gboolean stopped;             /* none of them has a worker any more, or will soon */
};

/* What every subscription of a worker without a cursor of its own has passed is what the worker
 * said last; but a subscription that it was given since, and that begins before that, counts until
 * it says so itself. */
typedef struct
{
  EbWorkerPool *pool; /* (unowned) */
  EbWorker *worker;   /* (owned) (nullable) until the pool is stopped */
  guint64 passed;
  guint64 n_added;   /* subscriptions that it was given */
  guint64 n_awaited; /* a report counts when it covers so many of them */
} Member;

enum
{
  REPORT,
  GONE,
  FAILING,
  FIX,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbWorkerPool, eb_worker_pool, G_TYPE_OBJECT)

static guint64
get_floor (EbWorkerPool *self)
{
  guint64 floor = G_MAXUINT64;

  for (guint i = 0; i < self->members->len; i++)
    floor = MIN (floor, ((Member *) g_ptr_array_index (self->members, i))->passed);
  return floor;
}

static void
report_cb (EbReport *report, guint64 n_started, gpointer user_data)
{
  Member *member = user_data;
  EbWorkerPool *self = member->pool;

  if (n_started >= member->n_awaited)
    member->passed = report->floor;
  report->floor = get_floor (self);
  g_signal_emit (self, signals[REPORT], 0, report);
}

static void
gone_cb (EbSubscription *subscription, const char *reason, gint64 sent_us, gpointer user_data)
{
  Member *member = user_data;

  g_signal_emit (member->pool, signals[GONE], 0, subscription, reason, sent_us);
}

static void
failing_cb (EbSubscription *subscription, const EbStreak *streak, gpointer user_data)
{
  Member *member = user_data;

  g_signal_emit (member->pool, signals[FAILING], 0, subscription, streak);
}

static void
fix_cb (EbSubscription *subscription, const EbBatchRange *batch, gpointer user_data)
{
  Member *member = user_data;

  g_signal_emit (member->pool, signals[FIX], 0, subscription, batch);
}

static const EbWorkerOwner worker_owner = {
  .report = report_cb, .gone = gone_cb, .failing = failing_cb, .fix = fix_cb
};

void
eb_step_free (EbStep *self)
{
  eb_subscription_unref (self->subscription);
  eb_change_free (self->change);
  g_free (self);
}

void
eb_start_free (EbStart *self)
{
  g_clear_pointer (&self->aside, g_ptr_array_unref);
  g_clear_pointer (&self->batches, g_array_unref);
  g_free (self);
}

/* An identity never changes its address while anybody holds one that has it, so no table is
 * needed. */
static Member *
find_member (EbWorkerPool *self, EbSubscription *subscription)
{
  guint64 identity = (guint64) (gsize) eb_subscription_get_identity (subscription);
  guint64 scattered = identity * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return g_ptr_array_index (self->members, (scattered >> 32) % self->members->len);
}

/**
 * eb_worker_pool_find_worker:
 *
 * Returns: (transfer none) (nullable): whose @subscription is, or would be; NULL once the pool is
 *   stopped
 */
EbWorker *
eb_worker_pool_find_worker (EbWorkerPool *self, EbSubscription *subscription)
{
  return self->stopped ? NULL : find_member (self, subscription)->worker;
}

static guint
get_n_workers (EbWorkerPool *self)
{
  return self->stopped ? 0 : self->members->len;
}

static EbWorker *
get_worker (EbWorkerPool *self, guint i)
{
  return ((Member *) g_ptr_array_index (self->members, i))->worker;
}

/**
 * eb_worker_pool_get_settings:
 *
 * Returns: (transfer none): for attempts that start now
 */
EbDeliverySettings *
eb_worker_pool_get_settings (EbWorkerPool *self)
{
  return self->settings;
}

/**
 * eb_worker_pool_configure:
 * @settings: for attempts that start from now on
 */
void
eb_worker_pool_configure (EbWorkerPool *self, EbDeliverySettings *settings)
{
  eb_delivery_settings_ref (settings);
  eb_delivery_settings_unref (self->settings);
  self->settings = settings;
  for (guint i = 0; i < get_n_workers (self); i++)
    eb_worker_configure (get_worker (self, i), settings);
}

/* What begins at the head is passed by no report that is on its way. For all else the ledger may
 * have no cursor of its own until the worker has told one. */
static void
await_start (Member *member, EbSubscription *subscription, const EbStart *start)
{
  EbExtent extent;

  member->n_added++;
  eb_log_get_extent (member->pool->log, &extent);
  if (eb_subscription_is_ephemeral (subscription) || start->after >= extent.head)
    return;
  member->passed = MIN (member->passed, start->after);
  member->n_awaited = member->n_added;
}

/**
 * eb_worker_pool_add:
 * @subscription: not added yet
 * @start: where it begins, or goes on; what is in it is referenced and must not change any more
 */
void
eb_worker_pool_add (EbWorkerPool *self, EbSubscription *subscription, const EbStart *start)
{
  Member *member;

  if (self->stopped)
    return;
  member = find_member (self, subscription);
  await_start (member, subscription, start);
  eb_worker_add (member->worker, subscription, start);
}

/**
 * eb_worker_pool_fix_batches:
 *
 * From now on no batch is sent before somebody has said what it consists of to a ledger that will
 * know it after a crash: see #EbWorkerPool::fix. To be called before anything is added.
 */
void
eb_worker_pool_fix_batches (EbWorkerPool *self)
{
  for (guint i = 0; i < get_n_workers (self); i++)
    eb_worker_fix_batches (get_worker (self, i));
}

/**
 * eb_worker_pool_confirm_batch:
 * @subscription: one that was added
 * @batch: of #EbWorkerPool::fix
 */
void
eb_worker_pool_confirm_batch (EbWorkerPool *self,
                              EbSubscription *subscription,
                              const EbBatchRange *batch)
{
  if (!self->stopped)
    eb_worker_confirm_batch (find_member (self, subscription)->worker, subscription, batch);
}

/**
 * eb_worker_pool_nudge:
 * @subscription: one that was added
 *
 * Its subscriber has said that it is alive: if nobody was there at the last attempt, the next one
 * is made at once.
 */
void
eb_worker_pool_nudge (EbWorkerPool *self, EbSubscription *subscription)
{
  if (!self->stopped)
    eb_worker_nudge (find_member (self, subscription)->worker, subscription);
}

/**
 * eb_worker_pool_redrive:
 * @subscription: one that was added
 * @exceptions: (element-type EbException): dead ones, which the ledger has been told to be aside;
 *   at most %EB_MAX_ASIDE. They are referenced and must not change any more.
 *
 * They are next in line, in this order, and their attempts count from 1.
 */
void
eb_worker_pool_redrive (EbWorkerPool *self, EbSubscription *subscription, GPtrArray *exceptions)
{
  if (!self->stopped)
    eb_worker_redrive (find_member (self, subscription)->worker, subscription, exceptions);
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
  if (!self->stopped)
    eb_worker_remove (find_member (self, subscription)->worker, subscription, task);
  else
    g_task_return_boolean (task, TRUE);
}

gboolean
eb_worker_pool_remove_finish (EbWorkerPool *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * eb_worker_pool_finish:
 *
 * No delivery to a subscription that is stored starts from now on, so eb_worker_pool_drain_async()
 * does not wait for what is still to be sent.
 */
void
eb_worker_pool_finish (EbWorkerPool *self)
{
  for (guint i = 0; i < get_n_workers (self); i++)
    eb_worker_finish (get_worker (self, i));
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
  drain->n_left = get_n_workers (self);
  drain->drained = TRUE;
  if (drain->n_left == 0)
    g_task_return_boolean (task, TRUE);
  for (guint i = 0; i < get_n_workers (self); i++)
    {
      g_autoptr (GTask) part = g_task_new (self, NULL, worker_drained_cb, g_object_ref (task));

      eb_worker_drain (get_worker (self, i), up_to, part);
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
  self->stopped = TRUE;
  for (guint i = 0; i < self->members->len; i++)
    {
      Member *member = g_ptr_array_index (self->members, i);

      g_clear_pointer (&member->worker, eb_worker_free);
    }
}

static void
eb_worker_pool_finalize (GObject *object)
{
  EbWorkerPool *self = EB_WORKER_POOL (object);

  eb_worker_pool_stop (self);
  g_ptr_array_unref (self->members);
  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_object_unref (self->log);

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
   * @sent_us: monotonic time at which the attempt began that has shown it
   */
  signals[GONE] = g_signal_new ("gone", EB_TYPE_WORKER_POOL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 3, G_TYPE_POINTER, G_TYPE_STRING, G_TYPE_INT64);
  /**
   * EbWorkerPool::failing:
   * @subscription: (type EbSubscription): one without lease
   * @streak: (type EbStreak): how its attempts have failed up to now; empty if they do not any more
   *
   * It is to be replaced with one that says so. If that cannot be, it is told again.
   */
  signals[FAILING] = g_signal_new ("failing", EB_TYPE_WORKER_POOL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_POINTER);
  /**
   * EbWorkerPool::fix:
   * @subscription: (type EbSubscription): whose it is
   * @batch: (type EbBatchRange): the ledger is to be told, and then
   *   eb_worker_pool_confirm_batch() to be called; valid during the emission
   */
  signals[FIX] = g_signal_new ("fix", EB_TYPE_WORKER_POOL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_POINTER);
}

static void
eb_worker_pool_init (EbWorkerPool *self)
{
  self->members = g_ptr_array_new_with_free_func (g_free);
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
  EbExtent extent;

  self->log = g_object_ref (log);
  self->settings = eb_delivery_settings_ref (settings);
  eb_log_get_extent (log, &extent);
  for (guint i = 0; i < n_workers; i++)
    {
      Member *member = g_new0 (Member, 1);

      member->pool = self;
      member->passed = extent.head;
      member->worker =
          eb_worker_new (clock, log, settings, factory, user_data, &worker_owner, member);
      g_ptr_array_add (self->members, member);
    }
  return self;
}
