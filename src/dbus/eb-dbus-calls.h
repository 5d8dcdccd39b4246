/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * EbDbusCalls:
 *
 * The calls that are under way, by sender. Reference-counted.
 */
typedef struct _EbDbusCalls EbDbusCalls;

EbDbusCalls *eb_dbus_calls_new (void);
void eb_dbus_calls_unref (EbDbusCalls *self);
gboolean eb_dbus_calls_begin (EbDbusCalls *self, GDBusMethodInvocation *invocation, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDbusCalls, eb_dbus_calls_unref)

G_END_DECLS
