/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "ctl/eb-arrival.h"

G_BEGIN_DECLS

#define EB_TYPE_LISTEN_SERVER (eb_listen_server_get_type ())
G_DECLARE_FINAL_TYPE (EbListenServer, eb_listen_server, EB, LISTEN_SERVER, GObject)

/**
 * EbListenServerFunc:
 * @arrival: (transfer full): what has come
 * @user_data: what was given to [ctor@ListenServer.new]
 */
typedef void (*EbListenServerFunc) (EbArrival *arrival, gpointer user_data);

EbListenServer *eb_listen_server_new (const char *address,
                                      EbListenServerFunc func,
                                      gpointer user_data,
                                      GError **error);
const char *eb_listen_server_get_address (EbListenServer *self);

G_END_DECLS
