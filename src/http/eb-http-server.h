/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"
#include "http/eb-gate.h"

G_BEGIN_DECLS

#define EB_TYPE_HTTP_SERVER (eb_http_server_get_type ())
G_DECLARE_FINAL_TYPE (EbHttpServer, eb_http_server, EB, HTTP_SERVER, GObject)

EbHttpServer *eb_http_server_new (EbBus *bus, EbClock *clock, GError **error);
void eb_http_server_configure (EbHttpServer *self,
                               const EbHttpLimits *limits,
                               const char *const *names,
                               const char *const *origins);
gboolean eb_http_server_listen (EbHttpServer *self, const char *spec, GError **error);
gboolean eb_http_server_listen_fd (EbHttpServer *self, int fd, GError **error);
char **eb_http_server_dup_uris (EbHttpServer *self);
GPtrArray *eb_http_server_dup_addresses (EbHttpServer *self);
void
eb_http_server_drain_async (EbHttpServer *self, GAsyncReadyCallback callback, gpointer user_data);
void eb_http_server_drain_finish (EbHttpServer *self, GAsyncResult *result);

G_END_DECLS
