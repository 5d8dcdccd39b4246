/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "delivery/eb-attempt-record.h"
#include "delivery/eb-delivery.h"

G_BEGIN_DECLS

/**
 * EbAttempts:
 *
 * The last attempts of one subscription, at most %EB_ATTEMPTS_KEPT.
 */
typedef struct _EbAttempts EbAttempts;

EbAttempts *eb_attempts_new (void);
void eb_attempts_free (EbAttempts *self);
void eb_attempts_add (EbAttempts *self,
                      const EbDelivery *delivery,
                      const EbAnswer *answer,
                      gint64 now_us);
const char *eb_attempts_get_error (EbAttempts *self);
GPtrArray *eb_attempts_list (EbAttempts *self, EbClock *clock);

G_END_DECLS
