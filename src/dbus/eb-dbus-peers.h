/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbDbusPeers:
 *
 * Who on the bus has which subscriptions.
 */
typedef struct _EbDbusPeers EbDbusPeers;

/**
 * EbDbusLeftFunc:
 * @id: a subscription whose owner has left the bus; it is forgotten here already
 */
typedef void (*EbDbusLeftFunc) (const char *id, gpointer user_data);

EbDbusPeers *
eb_dbus_peers_new (GDBusConnection *connection, EbDbusLeftFunc left, gpointer user_data);
void eb_dbus_peers_free (EbDbusPeers *self);
gboolean eb_dbus_peers_add (EbDbusPeers *self, const char *name, const char *id, GError **error);
void eb_dbus_peers_remove (EbDbusPeers *self, const char *id);
const char *eb_dbus_peers_get_owner (EbDbusPeers *self, const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDbusPeers, eb_dbus_peers_free)

G_END_DECLS
