/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

gboolean eb_load_register (const struct sockaddr_in *server,
                           guint first_sink,
                           guint n_sinks,
                           guint16 port,
                           GError **error);

G_END_DECLS
