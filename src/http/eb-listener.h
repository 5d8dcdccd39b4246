/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbListener:
 * @fd: a listening socket, non-blocking
 * @address: (owned): what it is bound to
 * @path: (owned) (nullable): of the socket file that goes with it
 *
 * Where clients connect.
 */
typedef struct
{
  int fd;
  GSocketAddress *address;
  char *path;
} EbListener;

gboolean eb_listener_check (const char *spec, GError **error);
EbListener *eb_listener_new (const char *spec, GError **error);
EbListener *eb_listener_new_for_fd (int fd, GError **error);
void eb_listener_free (EbListener *self);
gboolean eb_listener_is_local (EbListener *self);
char *eb_listener_dup_uri (EbListener *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbListener, eb_listener_free)

G_END_DECLS
