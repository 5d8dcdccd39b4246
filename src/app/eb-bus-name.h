/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "app/eb-configuration.h"

G_BEGIN_DECLS

#define EB_TYPE_BUS_NAME (eb_bus_name_get_type ())
G_DECLARE_FINAL_TYPE (EbBusName, eb_bus_name, EB, BUS_NAME, GObject)

gboolean eb_bus_name_is_wanted (EbBusType type);
EbBusName *eb_bus_name_new (EbBusType type);
void eb_bus_name_connect_async (EbBusName *self, GAsyncReadyCallback callback, gpointer user_data);
GDBusConnection *eb_bus_name_connect_finish (EbBusName *self, GAsyncResult *result, GError **error);
void eb_bus_name_own_async (EbBusName *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_bus_name_own_finish (EbBusName *self, GAsyncResult *result, GError **error);

G_END_DECLS
