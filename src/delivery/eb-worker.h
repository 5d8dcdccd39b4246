/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-worker-pool.h"

G_BEGIN_DECLS

typedef struct _EbWorker EbWorker;

/**
 * EbWorkerOwner:
 * @report: what it has done; the floor in @report is the last event that it has offered to all,
 *   and covers the first @n_started subscriptions that it was given; @report is valid during the
 *   call, and may be changed
 * @gone: nobody is behind @subscription any more, as an attempt has shown that began at @sent_us
 *   (monotonic); @reason is valid during the call
 * @failing: for so long the attempts of @subscription have failed; empty if they do not any more
 * @fix: the ledger is to be told of @batch, which is valid during the call, and then
 *   eb_worker_confirm_batch() to be called
 *
 * Who is told, in the context that made the worker.
 */
typedef struct
{
  void (*report) (EbReport *report, guint64 n_started, gpointer user_data);
  void (*gone) (EbSubscription *subscription,
                const char *reason,
                gint64 sent_us,
                gpointer user_data);
  void (*failing) (EbSubscription *subscription, const EbStreak *streak, gpointer user_data);
  void (*fix) (EbSubscription *subscription, const EbBatchRange *batch, gpointer user_data);
} EbWorkerOwner;

typedef struct _EbDispatcher EbDispatcher;

/**
 * EbWorkerFunc:
 * @task: is to be answered, now or later
 *
 * Called in the worker's thread.
 */
typedef void (*EbWorkerFunc) (EbDispatcher *dispatcher, GTask *task);

EbWorker *eb_worker_new (EbClock *clock,
                         EbLog *log,
                         EbDeliverySettings *settings,
                         EbTransportFactory factory,
                         gpointer factory_data,
                         const EbWorkerOwner *owner,
                         gpointer user_data);
void eb_worker_free (EbWorker *self);
void eb_worker_configure (EbWorker *self, EbDeliverySettings *settings);
void eb_worker_add (EbWorker *self, EbSubscription *subscription, const EbStart *start);
void eb_worker_fix_batches (EbWorker *self);
void
eb_worker_confirm_batch (EbWorker *self, EbSubscription *subscription, const EbBatchRange *batch);
void eb_worker_nudge (EbWorker *self, EbSubscription *subscription);
void eb_worker_redrive (EbWorker *self, EbSubscription *subscription, GPtrArray *exceptions);
void eb_worker_replace (EbWorker *self, EbSubscription *subscription);
void eb_worker_run (EbWorker *self, EbWorkerFunc func, GTask *task);
void eb_worker_deliver_notices (EbWorker *self);
void eb_worker_remove (EbWorker *self, EbSubscription *subscription, GTask *task);
void eb_worker_finish (EbWorker *self);
void eb_worker_drain (EbWorker *self, guint64 up_to, GTask *task);

G_END_DECLS
