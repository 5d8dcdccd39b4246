/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

void
eb_load_posts_run (const struct sockaddr_in *server, guint connections, guint idle, guint seconds);

G_END_DECLS
