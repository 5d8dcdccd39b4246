/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-worker.h"

G_BEGIN_DECLS

/**
 * EbNotices:
 *
 * What a worker's thread has to tell its owner, on the way to the owner's thread.
 */
typedef struct _EbNotices EbNotices;

EbNotices *eb_notices_new (const EbWorkerOwner *owner, gpointer user_data);
void eb_notices_free (EbNotices *self);
void eb_notices_report (EbNotices *self, const EbReport *report, guint64 n_started);
void
eb_notices_gone (EbNotices *self, EbSubscription *subscription, const char *reason, gint64 sent_us);
void eb_notices_failing (EbNotices *self, EbSubscription *subscription, const EbStreak *streak);
void eb_notices_fix (EbNotices *self, EbSubscription *subscription, const EbBatchRange *batch);
void eb_notices_deliver (EbNotices *self);

G_END_DECLS
