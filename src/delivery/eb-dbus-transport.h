/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-clock.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

#define EB_TYPE_DBUS_TRANSPORT (eb_dbus_transport_get_type ())
G_DECLARE_FINAL_TYPE (EbDbusTransport, eb_dbus_transport, EB, DBUS_TRANSPORT, GObject)

EbTransport *
eb_dbus_transport_new (GDBusConnection *connection, EbClock *clock, EbDeliverySettings *settings);

G_END_DECLS
