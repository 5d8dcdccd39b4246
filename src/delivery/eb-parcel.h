/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-delivery-options.h"
#include "delivery/eb-content.h"

G_BEGIN_DECLS

/**
 * EbParcel:
 *
 * An event as one worker handles it: the event, and the part of a request that is the same for
 * every subscriber, written once in each mode. Reference-counted within its worker's thread.
 */
typedef struct _EbParcel EbParcel;

GHashTable *eb_parcels_new (void);
EbParcel *eb_parcels_obtain (GHashTable *self, EbEvent *event);

EbParcel *eb_parcel_ref (EbParcel *self);
void eb_parcel_unref (EbParcel *self);
EbEvent *eb_parcel_get_event (EbParcel *self);
EbContent *eb_parcel_get_content (EbParcel *self, EbMode mode);
const GString *eb_parcel_get_json (EbParcel *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbParcel, eb_parcel_unref)

G_END_DECLS
