/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/eb-bus-client.h"

G_BEGIN_DECLS

#define EB_TYPE_BUS_WATCH (eb_bus_watch_get_type ())
G_DECLARE_FINAL_TYPE (EbBusWatch, eb_bus_watch, EB, BUS_WATCH, GObject)

EbBusWatch *eb_bus_watch_new (EbBusClient *client);

void eb_bus_watch_start (EbBusWatch *self);
void eb_bus_watch_stop (EbBusWatch *self);
gboolean eb_bus_watch_is_on (EbBusWatch *self);

G_END_DECLS
