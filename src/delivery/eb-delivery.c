/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery.h"

/**
 * eb_delivery_new:
 * @consumer: whose it is
 * @parcel: is referenced
 * @previous: sequence of the matching event before it
 *
 * Returns: (transfer full): a delivery that was not attempted yet
 */
EbDelivery *
eb_delivery_new (gpointer consumer, EbParcel *parcel, guint64 previous)
{
  EbDelivery *self = g_new0 (EbDelivery, 1);

  self->link.data = self;
  self->consumer = consumer;
  self->parcel = eb_parcel_ref (parcel);
  self->previous = previous;
  return self;
}

void
eb_delivery_free (EbDelivery *self)
{
  eb_parcel_unref (self->parcel);
  g_free (self);
}
