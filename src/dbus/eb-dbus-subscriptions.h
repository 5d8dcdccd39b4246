/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"
#include "eb-dbus-generated.h"

G_BEGIN_DECLS

#define EB_TYPE_DBUS_SUBSCRIPTIONS (eb_dbus_subscriptions_get_type ())
G_DECLARE_FINAL_TYPE (EbDbusSubscriptions, eb_dbus_subscriptions, EB, DBUS_SUBSCRIPTIONS, GObject)

EbDbusSubscriptions *eb_dbus_subscriptions_new (EbBus *bus, GDBusConnection *connection);
void eb_dbus_subscriptions_subscribe (EbDbusSubscriptions *self,
                                      EbDbusEventBus *object,
                                      GDBusMethodInvocation *invocation,
                                      const char *const *types,
                                      GVariant *options);
void eb_dbus_subscriptions_unsubscribe (EbDbusSubscriptions *self,
                                        EbDbusEventBus *object,
                                        GDBusMethodInvocation *invocation,
                                        const char *id);

G_END_DECLS
