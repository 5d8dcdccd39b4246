/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-delivery-options.h"
#include "delivery/eb-address-policy.h"

G_BEGIN_DECLS

/**
 * EbDeliverySettings:
 * @timeout: for an attempt, from its start to the end of the answer, in microseconds
 * @connect_timeout: for the part of it until the connection stands
 * @retry: (owned) (element-type GTimeSpan): what is waited after the first failed attempt, the
 *   second, …; a delivery is given up when it is used up
 * @max_connections: open connections of one worker
 * @policy: (owned): where deliveries may go
 * @ca_file: (owned) (nullable): PEM file of the authorities that https:// sinks are checked
 *   against; NULL for the system's
 * @origin: (owned): who the daemon says it is to sinks that want to be asked first
 *
 * How deliveries are made. Immutable and atomically reference-counted; a changed configuration is
 * a new one.
 */
typedef struct
{
  gatomicrefcount ref_count;
  GTimeSpan timeout;
  GTimeSpan connect_timeout;
  GArray *retry;
  guint max_connections;
  EbAddressPolicy *policy;
  char *ca_file;
  char *origin;
} EbDeliverySettings;

EbDeliverySettings *eb_delivery_settings_new (EbAddressPolicy *policy);
EbDeliverySettings *eb_delivery_settings_ref (EbDeliverySettings *self);
void
eb_delivery_settings_set_retry (EbDeliverySettings *self, const GTimeSpan *delays, guint n_delays);
GTimeSpan eb_delivery_settings_get_timeout (const EbDeliverySettings *self,
                                            const EbDeliveryOptions *options);
void eb_delivery_settings_unref (EbDeliverySettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDeliverySettings, eb_delivery_settings_unref)

G_END_DECLS
