/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-notices.h"

G_BEGIN_DECLS

/**
 * EbDispatcher:
 *
 * What a worker does: it delivers to its share of the subscriptions. Every call is made in the
 * worker's thread, except for the first and the last.
 */
typedef struct _EbDispatcher EbDispatcher;

EbDispatcher *eb_dispatcher_new (GMainContext *context,
                                 EbClock *clock,
                                 EbLog *log,
                                 EbDeliverySettings *settings,
                                 EbTransportFactory factory,
                                 gpointer factory_data,
                                 EbNotices *notices);
void eb_dispatcher_free (EbDispatcher *self);
void eb_dispatcher_start (EbDispatcher *self);
void eb_dispatcher_stop (EbDispatcher *self);
void eb_dispatcher_configure (EbDispatcher *self, EbDeliverySettings *settings);
void eb_dispatcher_add (EbDispatcher *self, EbSubscription *subscription, const EbStart *start);
void eb_dispatcher_fix_batches (EbDispatcher *self);
void eb_dispatcher_confirm_batch (EbDispatcher *self,
                                  EbSubscription *subscription,
                                  const EbBatchRange *batch);
void eb_dispatcher_nudge (EbDispatcher *self, EbSubscription *subscription);
void
eb_dispatcher_redrive (EbDispatcher *self, EbSubscription *subscription, GPtrArray *exceptions);
void eb_dispatcher_replace (EbDispatcher *self, EbSubscription *subscription);
EbInspection *eb_dispatcher_inspect (EbDispatcher *self, EbSubscription *subscription);
EbStart *eb_dispatcher_detach (EbDispatcher *self, EbSubscription *subscription);
void
eb_dispatcher_ping (EbDispatcher *self, EbSubscription *subscription, EbEvent *event, GTask *task);
void eb_dispatcher_remove (EbDispatcher *self, EbSubscription *subscription);
void eb_dispatcher_finish (EbDispatcher *self);
void eb_dispatcher_drain (EbDispatcher *self, guint64 up_to, GTask *task);

G_END_DECLS
