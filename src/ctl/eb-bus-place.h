/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbBusPlace:
 *
 * Where a bus is: an address or a UNIX socket.
 */
typedef struct
{
  GUri *base;                      /* (owned) */
  GSocketConnectable *connectable; /* (owned) (nullable): a socket to talk to instead of @base */
  char *name;                      /* (owned) what the user calls it */
} EbBusPlace;

EbBusPlace *eb_bus_place_new (const char *url, GError **error);
void eb_bus_place_free (EbBusPlace *self);
gboolean eb_bus_place_is_local (EbBusPlace *self);
GUri *eb_bus_place_resolve (EbBusPlace *self, const char *route, const char *query);
GSocketConnectable *eb_bus_place_dup_connectable (EbBusPlace *self);
gboolean eb_bus_place_is_secure (EbBusPlace *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbBusPlace, eb_bus_place_free)

G_END_DECLS
