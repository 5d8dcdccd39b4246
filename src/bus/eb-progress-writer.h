/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-progress.h"
#include "core/eb-clock.h"

G_BEGIN_DECLS

#define EB_TYPE_PROGRESS_WRITER (eb_progress_writer_get_type ())
G_DECLARE_FINAL_TYPE (EbProgressWriter, eb_progress_writer, EB, PROGRESS_WRITER, GObject)

EbProgressWriter *eb_progress_writer_new (EbClock *clock, EbLedger *ledger);
EbProgress *eb_progress_writer_get_progress (EbProgressWriter *self);
void eb_progress_writer_start (EbProgressWriter *self, guint64 epoch);
void eb_progress_writer_hold (EbProgressWriter *self);
void eb_progress_writer_release (EbProgressWriter *self);
void eb_progress_writer_write (EbProgressWriter *self);
void eb_progress_writer_flush_async (EbProgressWriter *self,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean
eb_progress_writer_flush_finish (EbProgressWriter *self, GAsyncResult *result, GError **error);

G_END_DECLS
