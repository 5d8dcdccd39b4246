/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-client.h"

G_BEGIN_DECLS

/**
 * EbClientReadyFunc:
 *
 * @client has sent something, or has gone. It is not watched until eb_client_poll_watch().
 *
 * Returns: how many bytes were read
 */
typedef gsize (*EbClientReadyFunc) (EbClient *client, gpointer user_data);

/**
 * EbClientPoll:
 *
 * Waits for all clients at once, behind one source of the main context.
 */
typedef struct _EbClientPoll EbClientPoll;

EbClientPoll *eb_client_poll_new (EbClientReadyFunc ready, gpointer user_data);
void eb_client_poll_free (EbClientPoll *self);
gboolean eb_client_poll_add (EbClientPoll *self, EbClient *client);
gboolean eb_client_poll_watch (EbClientPoll *self, EbClient *client);

G_END_DECLS
