/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-wire-connection.h"

G_BEGIN_DECLS

/**
 * EbWirePool:
 * @n_open: connections that have, or are about to have, a descriptor
 * @ready: (element-type EbWireConnection): whose request is to be sent
 * @idle: (element-type EbWireConnection): the longest idle first
 * @waiting: (element-type EbWireConnection): for @n_open to fall
 * @failed: (element-type EbWireConnection): whose answer is due
 * @closed: (element-type EbWireConnection): to be freed when nobody looks at them any more
 *
 * All connections of a transport, by their state. Begins zero-filled; to be read only.
 */
typedef struct
{
  guint n_open;
  GQueue ready;
  GQueue idle;
  GQueue waiting;
  GQueue failed;
  GQueue closed;
} EbWirePool;

void eb_wire_pool_add (EbWirePool *self, EbWireConnection *connection);
void eb_wire_pool_set_state (EbWirePool *self, EbWireConnection *connection, EbWireState state);
gboolean eb_wire_pool_has_room (const EbWirePool *self, guint max_open);
void eb_wire_pool_free_closed (EbWirePool *self);

G_END_DECLS
