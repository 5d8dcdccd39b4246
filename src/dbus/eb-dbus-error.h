/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void eb_dbus_return_error (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
