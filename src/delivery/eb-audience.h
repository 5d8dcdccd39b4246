/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-consumer.h"

G_BEGIN_DECLS

/**
 * EbAudience:
 *
 * The consumers of a worker, by what they want of the tail that it reads for all.
 */
typedef struct _EbAudience EbAudience;

EbAudience *eb_audience_new (void);
void eb_audience_free (EbAudience *self);
void eb_audience_add (EbAudience *self, EbConsumer *consumer);
void eb_audience_remove (EbAudience *self, EbConsumer *consumer);
void eb_audience_reindex (EbAudience *self, EbConsumer *consumer);
EbConsumer *eb_audience_get_first (EbAudience *self);
void eb_audience_offer (EbAudience *self, EbParcel *parcel);
void eb_audience_lose (EbAudience *self, guint64 tail, guint64 up_to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbAudience, eb_audience_free)

G_END_DECLS
