/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-subscription.h"
#include "delivery/eb-handshake.h"
#include "delivery/eb-retry-policy.h"
#include "delivery/eb-worker-pool.h"

G_BEGIN_DECLS

/**
 * EbJudge:
 *
 * Says for a worker what sinks' answers mean: it asks eb_retry_policy_judge() with what that does
 * not know, and counts and logs what failed.
 */
typedef struct _EbJudge EbJudge;

EbJudge *eb_judge_new (EbClock *clock, EbDeliverySettings *settings);
void eb_judge_free (EbJudge *self);
void eb_judge_configure (EbJudge *self, EbDeliverySettings *settings);
EbVerdict eb_judge_delivery (EbJudge *self,
                             EbSubscription *subscription,
                             const EbDelivery *delivery,
                             const EbAnswer *answer,
                             guint n_probes,
                             EbReport *report);
GTimeSpan
eb_judge_consent (EbJudge *self, const EbAnswer *answer, guint n_asked, EbConsent *consent);
void eb_judge_forget (EbJudge *self, EbSubscription *subscription);

G_END_DECLS
