/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

#define EB_TYPE_WIRE_TRANSPORT (eb_wire_transport_get_type ())
G_DECLARE_FINAL_TYPE (EbWireTransport, eb_wire_transport, EB, WIRE_TRANSPORT, GObject)

EbTransport *eb_wire_transport_new (EbClock *clock,
                                    GResolver *resolver,
                                    const char *log_id,
                                    EbDeliverySettings *settings);

G_END_DECLS
