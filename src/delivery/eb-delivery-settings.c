/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery-settings.h"

#define DEFAULT_TIMEOUT         (15 * G_TIME_SPAN_SECOND)
#define DEFAULT_CONNECT_TIMEOUT (5 * G_TIME_SPAN_SECOND)

/* A sink's idle connection costs a descriptor here and one there; above this the least recently
 * used ones are closed. */
#define DEFAULT_MAX_CONNECTIONS 4096

/**
 * eb_delivery_settings_new:
 * @policy: (transfer none): where deliveries may go
 *
 * Returns: (transfer full): the defaults, to be changed before anybody else sees them
 */
EbDeliverySettings *
eb_delivery_settings_new (EbAddressPolicy *policy)
{
  EbDeliverySettings *self = g_new0 (EbDeliverySettings, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->timeout = DEFAULT_TIMEOUT;
  self->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
  self->max_connections = DEFAULT_MAX_CONNECTIONS;
  self->policy = eb_address_policy_ref (policy);
  return self;
}

EbDeliverySettings *
eb_delivery_settings_ref (EbDeliverySettings *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_delivery_settings_unref (EbDeliverySettings *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  eb_address_policy_unref (self->policy);
  g_free (self->ca_file);
  g_free (self);
}
