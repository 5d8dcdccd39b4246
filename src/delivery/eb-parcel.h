/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <sys/uio.h>

#include "core/eb-event.h"

G_BEGIN_DECLS

/**
 * EbParcel:
 *
 * An event as one worker handles it: the event, and the part of a request that is the same for
 * every subscriber, written once. Reference-counted within its worker's thread.
 */
typedef struct _EbParcel EbParcel;

#define EB_PARCEL_MAX_PARTS 2

GHashTable *eb_parcels_new (void);
EbParcel *eb_parcels_obtain (GHashTable *self, EbEvent *event);

EbParcel *eb_parcel_ref (EbParcel *self);
void eb_parcel_unref (EbParcel *self);
EbEvent *eb_parcel_get_event (EbParcel *self);
guint eb_parcel_get_parts (EbParcel *self, struct iovec parts[EB_PARCEL_MAX_PARTS]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbParcel, eb_parcel_unref)

G_END_DECLS
