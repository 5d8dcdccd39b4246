/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-ledger.h"

G_BEGIN_DECLS

#define EB_TYPE_BATCH_WRITER (eb_batch_writer_get_type ())
G_DECLARE_FINAL_TYPE (EbBatchWriter, eb_batch_writer, EB, BATCH_WRITER, GObject)

EbBatchWriter *eb_batch_writer_new (EbClock *clock, EbLedger *ledger);
void eb_batch_writer_start (EbBatchWriter *self, guint64 epoch);
void
eb_batch_writer_fix (EbBatchWriter *self, EbSubscription *subscription, const EbBatchRange *batch);

G_END_DECLS
