/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

#define EB_TYPE_SOUP_TRANSPORT (eb_soup_transport_get_type ())
G_DECLARE_FINAL_TYPE (EbSoupTransport, eb_soup_transport, EB, SOUP_TRANSPORT, GObject)

EbTransport *
eb_soup_transport_new (EbClock *clock, const char *log_id, EbDeliverySettings *settings);

G_END_DECLS
