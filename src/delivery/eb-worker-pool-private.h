/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-worker-pool.h"
#include "delivery/eb-worker.h"

/* What the files of EbWorkerPool share. */

G_BEGIN_DECLS

EbWorker *eb_worker_pool_find_worker (EbWorkerPool *self, EbSubscription *subscription);

G_END_DECLS
