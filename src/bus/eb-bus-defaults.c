/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-defaults.h"

#include "bus/eb-bus-private.h"

/* What counts for a subscription that does not ask for something else. */

/**
 * eb_bus_get_lease:
 *
 * Returns: microseconds
 */
GTimeSpan
eb_bus_get_lease (EbBus *self)
{
  return self->limits.lease;
}

/**
 * eb_bus_get_delivery_settings:
 *
 * Returns: (transfer none): how deliveries are made
 */
EbDeliverySettings *
eb_bus_get_delivery_settings (EbBus *self)
{
  return eb_worker_pool_get_settings (self->workers);
}
