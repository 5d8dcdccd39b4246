/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"

G_BEGIN_DECLS

/* What a sink gets at once: a request that any server takes, and yet a hundred times fewer. */
#define EB_BATCH_MAX_LENGTH 100
#define EB_BATCH_MAX_SIZE   (256 * 1024) /* of the body; one event that is larger goes alone */

/* The shares of its events, see eb_delivery_get_share(), and a bracket. */
#define EB_BATCH_MAX_SHARES (EB_BATCH_MAX_SIZE - 1)

/**
 * EbPlannedBatch:
 * @range: what it consists of
 * @fixed: the ledger knows
 */
typedef struct
{
  EbBatchRange range;
  gboolean fixed;
} EbPlannedBatch;

/**
 * EbBatchPlan:
 *
 * Which of one subscription's events will travel together: known before they are sent, so that the
 * ledger can know it, too.
 */
typedef struct _EbBatchPlan EbBatchPlan;

EbBatchPlan *eb_batch_plan_new (void);
void eb_batch_plan_free (EbBatchPlan *self);
void eb_batch_plan_add (EbBatchPlan *self, const EbBatchRange *range, gboolean fixed);
void eb_batch_plan_confirm (EbBatchPlan *self, const EbBatchRange *range);
const EbPlannedBatch *eb_batch_plan_find (EbBatchPlan *self, guint64 sequence);
void eb_batch_plan_drop_first (EbBatchPlan *self);
guint64 eb_batch_plan_get_end (EbBatchPlan *self);
void eb_batch_plan_list (EbBatchPlan *self, GArray *ranges);
gboolean eb_batch_plan_count (EbBatchPlan *self, guint64 sequence, gsize share, EbBatchRange *full);
void eb_batch_plan_count_anew (EbBatchPlan *self);

G_END_DECLS
