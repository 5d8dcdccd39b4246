/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "http/eb-client.h"

G_BEGIN_DECLS

/**
 * EbHttpLimits:
 * @max_clients: connected at the same time
 * @header_timeout: from a request's first byte to the end of its head
 * @body_timeout: from there to its end, and from its end to the answer's
 * @idle_timeout: between requests
 */
typedef struct
{
  guint max_clients;
  GTimeSpan header_timeout;
  GTimeSpan body_timeout;
  GTimeSpan idle_timeout;
} EbHttpLimits;

/**
 * EbClientLateFunc:
 *
 * @client has been in its state for as long as it may.
 */
typedef void (*EbClientLateFunc) (EbClient *client, gpointer user_data);

/**
 * EbClients:
 *
 * All who are connected, by what they are doing: how many they are, since when, and how much of
 * their requests is kept for them.
 */
typedef struct _EbClients EbClients;

EbClients *eb_clients_new (EbClock *clock, EbClientLateFunc late, gpointer user_data);
void eb_clients_free (EbClients *self);
void eb_clients_configure (EbClients *self, const EbHttpLimits *limits);
void eb_clients_add (EbClients *self, EbClient *client);
void eb_clients_remove (EbClients *self, EbClient *client);
void eb_clients_set_state (EbClients *self, EbClient *client, EbClientState state);
void eb_clients_charge (EbClients *self, EbClient *client);
gboolean eb_clients_is_full (EbClients *self);
gboolean eb_clients_is_over_budget (EbClients *self, EbClient *client);
EbClient *eb_clients_peek (EbClients *self, EbClientState state);
EbClient *eb_clients_find_silent (EbClients *self);

G_END_DECLS
