/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

/**
 * EbEpollFunc:
 * @events: (array length=n_events): what has happened; may be none
 *
 * A turn of an epoll source.
 */
typedef void (*EbEpollFunc) (const struct epoll_event *events, guint n_events, gpointer user_data);

GSource *eb_epoll_source_new (EbEpollFunc func, gpointer user_data);
int eb_epoll_source_get_fd (GSource *source);
void eb_epoll_source_kick (GSource *source);

G_END_DECLS
