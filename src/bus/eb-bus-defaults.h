/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"

G_BEGIN_DECLS

GTimeSpan eb_bus_get_lease (EbBus *self);
EbDeliverySettings *eb_bus_get_delivery_settings (EbBus *self);

G_END_DECLS
