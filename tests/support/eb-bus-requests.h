/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-subscriptions.h"
#include "support/eb-bus-rig.h"

G_BEGIN_DECLS

/* What is asked of a rig's bus, at random; its model is told, and told again of the answer. */

void eb_bus_requests_publish (EbBusRig *rig);
void eb_bus_requests_register (EbBusRig *rig, guint subscriber);
void eb_bus_requests_deregister (EbBusRig *rig);
void eb_bus_requests_put (EbBusRig *rig, guint subscriber);
void eb_bus_requests_pause (EbBusRig *rig, guint subscriber, gboolean paused);
void eb_bus_requests_replay (EbBusRig *rig);
void eb_bus_requests_change_dead (EbBusRig *rig);

G_END_DECLS
