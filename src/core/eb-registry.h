/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-subscription.h"

G_BEGIN_DECLS

#define EB_TYPE_REGISTRY (eb_registry_get_type ())
G_DECLARE_FINAL_TYPE (EbRegistry, eb_registry, EB, REGISTRY, GObject)

EbRegistry *eb_registry_new (EbClock *clock, GMainContext *context);
gboolean eb_registry_add (EbRegistry *self, EbSubscription *subscription);

/**
 * EbRenewal:
 * @EB_LEASE_STARTS_AGAIN: in full
 * @EB_LEASE_GOES_ON: as it was
 */
typedef enum
{
  EB_LEASE_STARTS_AGAIN,
  EB_LEASE_GOES_ON,
} EbRenewal;

gboolean eb_registry_replace (EbRegistry *self, EbSubscription *subscription, EbRenewal renewal);
gboolean eb_registry_renew (EbRegistry *self, const char *id);
gint64 eb_registry_get_renewed (EbRegistry *self, const char *id);
gint64 eb_registry_get_end (EbRegistry *self, const char *id);
gboolean eb_registry_remove (EbRegistry *self, const char *id);
EbSubscription *eb_registry_lookup (EbRegistry *self, const char *id);
guint eb_registry_get_size (EbRegistry *self);

/**
 * EbRegistryFunc:
 * @renewed_us: real time of its last keep-alive
 */
typedef void (*EbRegistryFunc) (EbSubscription *subscription,
                                gint64 renewed_us,
                                gpointer user_data);

void eb_registry_foreach (EbRegistry *self, EbRegistryFunc func, gpointer user_data);

G_END_DECLS
