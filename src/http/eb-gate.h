/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "http/eb-clients.h"
#include "http/eb-listener.h"

G_BEGIN_DECLS

/**
 * EbGateFunc:
 * @client: has a complete request; given back with eb_gate_take_back(), unless its stream is closed
 */
typedef void (*EbGateFunc) (EbClient *client, gpointer user_data);

/**
 * EbGateDrainedFunc:
 *
 * The gate was stopped, and nobody waits for an answer any more.
 */
typedef void (*EbGateDrainedFunc) (gpointer user_data);

typedef struct _EbGate EbGate;

EbGate *
eb_gate_new (EbClock *clock, EbGateFunc request, EbGateDrainedFunc drained, gpointer user_data);
void eb_gate_free (EbGate *self);
void eb_gate_configure (EbGate *self, const EbHttpLimits *limits);
void eb_gate_add_listener (EbGate *self, EbListener *listener);
void eb_gate_stop (EbGate *self);
GIOStream *eb_gate_lend (EbGate *self, EbClient *client, GError **error);
void eb_gate_take_back (EbGate *self, EbClient *client);
GPtrArray *eb_gate_get_listeners (EbGate *self);

G_END_DECLS
