/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define EB_TYPE_BUS_CLIENT (eb_bus_client_get_type ())
G_DECLARE_FINAL_TYPE (EbBusClient, eb_bus_client, EB, BUS_CLIENT, GObject)

EbBusClient *eb_bus_client_new (const char *url, GError **error);

const char *eb_bus_client_get_name (EbBusClient *self);
gboolean eb_bus_client_is_local (EbBusClient *self);

void eb_bus_client_connect_async (EbBusClient *self,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
GIOStream *eb_bus_client_connect_finish (EbBusClient *self, GAsyncResult *result, GError **error);

void eb_bus_client_register_async (EbBusClient *self,
                                   const char *address,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean eb_bus_client_register_finish (EbBusClient *self, GAsyncResult *result, GError **error);

void eb_bus_client_deregister_async (EbBusClient *self,
                                     const char *address,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean eb_bus_client_deregister_finish (EbBusClient *self, GAsyncResult *result, GError **error);

GBytes *eb_bus_client_call (EbBusClient *self,
                            const char *method,
                            const char *target,
                            GBytes *json,
                            char **link,
                            GError **error);

gboolean
eb_bus_client_publish (EbBusClient *self, GBytes *data, const char *content_type, GError **error);
GBytes *eb_bus_client_list (EbBusClient *self, GError **error);

G_END_DECLS
