/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "delivery/eb-worker-pool.h"

G_BEGIN_DECLS

/**
 * EbReporter:
 *
 * Gathers what a worker has to report, until there is enough of it, or time.
 */
typedef struct _EbReporter EbReporter;

/**
 * EbReporterFunc:
 *
 * It is time to report: eb_reporter_take() is to be called.
 */
typedef void (*EbReporterFunc) (gpointer user_data);

EbReporter *
eb_reporter_new (EbClock *clock, GMainContext *context, EbReporterFunc due, gpointer user_data);
void eb_reporter_free (EbReporter *self);
EbReport *eb_reporter_edit (EbReporter *self);
void eb_reporter_add_step (EbReporter *self, EbSubscription *subscription, EbChange *change);
void eb_reporter_add_progressed (EbReporter *self, EbSubscription *subscription);
gboolean eb_reporter_has_news (EbReporter *self);
GPtrArray *eb_reporter_take_progressed (EbReporter *self);
EbReport eb_reporter_take (EbReporter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbReporter, eb_reporter_free)

G_END_DECLS
