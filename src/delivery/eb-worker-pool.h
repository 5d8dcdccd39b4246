/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-log.h"
#include "core/eb-subscription.h"
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
 * EbReport:
 *
 * What a worker has done since its last report.
 */
typedef struct
{
  guint64 delivered;
  guint64 failed;
} EbReport;

#define EB_TYPE_WORKER_POOL (eb_worker_pool_get_type ())
G_DECLARE_FINAL_TYPE (EbWorkerPool, eb_worker_pool, EB, WORKER_POOL, GObject)

EbWorkerPool *eb_worker_pool_new (guint n_workers,
                                  EbClock *clock,
                                  EbLog *log,
                                  EbDeliverySettings *settings,
                                  EbTransportFactory factory,
                                  gpointer user_data);
void eb_worker_pool_configure (EbWorkerPool *self, EbDeliverySettings *settings);
void eb_worker_pool_add (EbWorkerPool *self, EbSubscription *subscription, guint64 after);
void eb_worker_pool_remove_async (EbWorkerPool *self,
                                  EbSubscription *subscription,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean eb_worker_pool_remove_finish (EbWorkerPool *self, GAsyncResult *result, GError **error);
void eb_worker_pool_drain_async (EbWorkerPool *self,
                                 guint64 up_to,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean eb_worker_pool_drain_finish (EbWorkerPool *self, GAsyncResult *result);
void eb_worker_pool_stop (EbWorkerPool *self);

G_END_DECLS
