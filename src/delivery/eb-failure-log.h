/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-subscription.h"
#include "delivery/eb-retry-policy.h"

G_BEGIN_DECLS

/**
 * EbFailureLog:
 *
 * Says in the log what failed and what happens next; of one sink at most once a second.
 */
typedef struct _EbFailureLog EbFailureLog;

EbFailureLog *eb_failure_log_new (EbClock *clock);
void eb_failure_log_free (EbFailureLog *self);
void eb_failure_log_add (EbFailureLog *self,
                         EbSubscription *subscription,
                         guint64 sequence,
                         const EbAttempt *attempt,
                         const EbVerdict *verdict);
void eb_failure_log_forget (EbFailureLog *self, EbSubscription *subscription);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbFailureLog, eb_failure_log_free)

G_END_DECLS
