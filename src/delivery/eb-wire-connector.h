/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "delivery/eb-delivery-settings.h"
#include "delivery/eb-wire-pool.h"

G_BEGIN_DECLS

typedef struct _EbWireConnector EbWireConnector;

/**
 * EbWireFailFunc:
 * @error: (transfer full): why @connection could not be made
 */
typedef void (*EbWireFailFunc) (EbWireConnection *connection, GError *error, gpointer user_data);

EbWireConnector *eb_wire_connector_new (EbClock *clock,
                                        GResolver *resolver,
                                        EbWirePool *pool,
                                        int epoll_fd,
                                        EbWireFailFunc failed,
                                        gpointer user_data);
void eb_wire_connector_free (EbWireConnector *self);
void eb_wire_connector_configure (EbWireConnector *self, EbDeliverySettings *settings);
gboolean eb_wire_connector_allows (EbWireConnector *self, EbWireConnection *connection);
void eb_wire_connector_start (EbWireConnector *self, EbWireConnection *connection);
void eb_wire_connector_go_on (EbWireConnector *self, EbWireConnection *connection, GError *error);
void eb_wire_connector_stop (EbWireConnector *self, EbWireConnection *connection);

G_END_DECLS
