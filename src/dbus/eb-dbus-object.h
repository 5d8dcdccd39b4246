/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"
#include "dbus/eb-dbus-subscriptions.h"
#include "eb-dbus-generated.h"

G_BEGIN_DECLS

#define EB_TYPE_DBUS_OBJECT (eb_dbus_object_get_type ())
G_DECLARE_FINAL_TYPE (EbDbusObject, eb_dbus_object, EB, DBUS_OBJECT, EbDbusEventBusSkeleton)

EbDbusObject *eb_dbus_object_new (EbBus *bus, EbDbusSubscriptions *subscriptions);
void eb_dbus_object_close (EbDbusObject *self);

G_END_DECLS
