/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"

G_BEGIN_DECLS

#define EB_TYPE_DBUS_SERVICE (eb_dbus_service_get_type ())
G_DECLARE_FINAL_TYPE (EbDbusService, eb_dbus_service, EB, DBUS_SERVICE, GObject)

EbDbusService *eb_dbus_service_new (EbBus *bus, GDBusConnection *connection);
gboolean eb_dbus_service_start (EbDbusService *self, GError **error);
void eb_dbus_service_stop (EbDbusService *self);

G_END_DECLS
