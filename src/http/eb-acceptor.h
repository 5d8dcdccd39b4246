/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "http/eb-listener.h"

G_BEGIN_DECLS

/**
 * EbAcceptorFuncs:
 * @is_full: whether a client must go before another comes
 * @make_room: has one go; FALSE if none can
 * @accepted: has a new one: @fd is its own now, and @local says that it came by a UNIX socket
 *
 * What the acceptor asks of whoever has the clients.
 */
typedef struct
{
  gboolean (*is_full) (gpointer user_data);
  gboolean (*make_room) (gpointer user_data);
  void (*accepted) (int fd, gboolean local, gpointer user_data);
} EbAcceptorFuncs;

/**
 * EbAcceptor:
 *
 * Takes clients from listening sockets while there is room for them.
 */
typedef struct _EbAcceptor EbAcceptor;

EbAcceptor *eb_acceptor_new (EbClock *clock, const EbAcceptorFuncs *funcs, gpointer user_data);
void eb_acceptor_free (EbAcceptor *self);
void eb_acceptor_add_listener (EbAcceptor *self, EbListener *listener);
GPtrArray *eb_acceptor_get_listeners (EbAcceptor *self);
void eb_acceptor_resume (EbAcceptor *self);
void eb_acceptor_stop (EbAcceptor *self);

G_END_DECLS
