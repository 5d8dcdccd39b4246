/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-ledger.h"
#include "core/eb-log.h"
#include "core/eb-subscription.h"
#include "delivery/eb-inspection.h"
#include "delivery/eb-ping.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/**
 * EbTransportFactory:
 * @kind: what the transport must reach
 * @context: the worker's, which is the thread-default one
 *
 * Called in a worker's thread when its first subscription of that kind comes.
 *
 * Returns: (transfer full): a transport of its own for that worker
 */
typedef EbTransport *(*EbTransportFactory) (EbSinkKind kind,
                                            GMainContext *context,
                                            EbDeliverySettings *settings,
                                            gpointer user_data);

/**
 * EbStep:
 * @subscription: (owned): whose it is; another one may have its id by now
 * @change: (owned): CURSOR, ASIDE, DEAD or ENDED
 *
 * How far a delivery, or a subscription, got: what the ledger is to be told. Ephemeral
 * subscriptions make none.
 */
typedef struct
{
  EbSubscription *subscription;
  EbChange *change;
} EbStep;

void eb_step_free (EbStep *self);

/**
 * EbReport:
 * @delivered: deliveries that were delivered
 * @failed: attempts that failed
 * @dead: deliveries that were given up
 * @lost: deliveries that retention took away; those of one subscription are counted by sequence
 * @floor: every subscription that has no cursor of its own after @steps has passed it
 * @steps: (element-type EbStep): in the order in which they took place
 *
 * What the workers have done since the last report.
 */
typedef struct
{
  guint64 delivered;
  guint64 failed;
  guint64 dead;
  guint64 lost;
  guint64 floor;
  GPtrArray *steps;
} EbReport;

/**
 * EbStart:
 * @after: a sequence: deliveries begin with the event after it
 * @previous: sequence of the last event that it matched and that has ended, or is an exception; 0
 *   for none. It may be after @after, which may be a floor that lags: then it is what counts.
 * @has_cursor: the ledger may have a cursor of its own for it
 * @aside: (nullable) (element-type EbException): deliveries that wait for their retry, and those
 *   after @after that were given up
 * @batches: (nullable) (element-type EbBatchRange): what the ledger knows of batches after @after,
 *   in order
 *
 * Where a subscription goes on.
 */
typedef struct
{
  guint64 after;
  guint64 previous;
  gboolean has_cursor;
  GPtrArray *aside;
  GArray *batches;
} EbStart;

/* Of one from eb_worker_pool_detach_finish(). */
void eb_start_free (EbStart *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbStart, eb_start_free)

#define EB_TYPE_WORKER_POOL (eb_worker_pool_get_type ())
G_DECLARE_FINAL_TYPE (EbWorkerPool, eb_worker_pool, EB, WORKER_POOL, GObject)

EbWorkerPool *eb_worker_pool_new (guint n_workers,
                                  EbClock *clock,
                                  EbLog *log,
                                  EbDeliverySettings *settings,
                                  EbTransportFactory factory,
                                  gpointer user_data);
void eb_worker_pool_configure (EbWorkerPool *self, EbDeliverySettings *settings);
EbDeliverySettings *eb_worker_pool_get_settings (EbWorkerPool *self);
void eb_worker_pool_add (EbWorkerPool *self, EbSubscription *subscription, const EbStart *start);
void eb_worker_pool_fix_batches (EbWorkerPool *self);
void eb_worker_pool_confirm_batch (EbWorkerPool *self,
                                   EbSubscription *subscription,
                                   const EbBatchRange *batch);
void eb_worker_pool_nudge (EbWorkerPool *self, EbSubscription *subscription);
void
eb_worker_pool_redrive (EbWorkerPool *self, EbSubscription *subscription, GPtrArray *exceptions);
void eb_worker_pool_remove_async (EbWorkerPool *self,
                                  EbSubscription *subscription,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean eb_worker_pool_remove_finish (EbWorkerPool *self, GAsyncResult *result, GError **error);
void eb_worker_pool_replace (EbWorkerPool *self, EbSubscription *subscription);
void eb_worker_pool_detach_async (EbWorkerPool *self,
                                  EbSubscription *subscription,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
EbStart *eb_worker_pool_detach_finish (EbWorkerPool *self, GAsyncResult *result);
void eb_worker_pool_inspect_async (EbWorkerPool *self,
                                   GPtrArray *subscriptions,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
GPtrArray *eb_worker_pool_inspect_finish (EbWorkerPool *self, GAsyncResult *result);
void eb_worker_pool_ping_async (EbWorkerPool *self,
                                EbSubscription *subscription,
                                EbEvent *event,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
EbPing *eb_worker_pool_ping_finish (EbWorkerPool *self, GAsyncResult *result, GError **error);
void eb_worker_pool_finish (EbWorkerPool *self);
void eb_worker_pool_drain_async (EbWorkerPool *self,
                                 guint64 up_to,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean eb_worker_pool_drain_finish (EbWorkerPool *self, GAsyncResult *result);
void eb_worker_pool_stop (EbWorkerPool *self);

G_END_DECLS
