/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery-settings.h"

#define DEFAULT_TIMEOUT         (15 * G_TIME_SPAN_SECOND)
#define DEFAULT_CONNECT_TIMEOUT (5 * G_TIME_SPAN_SECOND)

/* A sink's idle connection costs a descriptor here and one there; above this the least recently
 * used ones are closed. */
#define DEFAULT_MAX_CONNECTIONS 4096

/* Ten attempts within a day: close together for what a restart mends, far apart for what needs a
 * person. */
static const GTimeSpan default_retry[] = {
  1 * G_TIME_SPAN_SECOND, 5 * G_TIME_SPAN_SECOND, 30 * G_TIME_SPAN_SECOND,
  2 * G_TIME_SPAN_MINUTE, 5 * G_TIME_SPAN_MINUTE, 30 * G_TIME_SPAN_MINUTE,
  2 * G_TIME_SPAN_HOUR,   6 * G_TIME_SPAN_HOUR,   12 * G_TIME_SPAN_HOUR,
};

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
  eb_delivery_settings_set_retry (self, default_retry, G_N_ELEMENTS (default_retry));
  self->max_connections = DEFAULT_MAX_CONNECTIONS;
  self->policy = eb_address_policy_ref (policy);
  self->origin = g_strdup (g_get_host_name ());
  return self;
}

/**
 * eb_delivery_settings_set_retry:
 * @delays: (array length=n_delays): what is waited after the first failed attempt, the second, …
 *
 * To be called before anybody else sees the settings.
 */
void
eb_delivery_settings_set_retry (EbDeliverySettings *self, const GTimeSpan *delays, guint n_delays)
{
  g_clear_pointer (&self->retry, g_array_unref);
  self->retry = g_array_sized_new (FALSE, FALSE, sizeof *delays, n_delays);
  if (n_delays > 0)
    g_array_append_vals (self->retry, delays, n_delays);
}

/**
 * eb_delivery_settings_get_timeout:
 * @options: of the subscription
 *
 * Returns: what an attempt for it may take, in microseconds
 */
GTimeSpan
eb_delivery_settings_get_timeout (const EbDeliverySettings *self, const EbDeliveryOptions *options)
{
  return options->timeout != 0 ? options->timeout : self->timeout;
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
  g_array_unref (self->retry);
  eb_address_policy_unref (self->policy);
  g_free (self->ca_file);
  g_free (self->origin);
  g_free (self);
}
