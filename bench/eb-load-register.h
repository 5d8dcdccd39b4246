/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/**
 * EbLoadRegistration:
 * @first_sink: the number of the first sink
 * @n_sinks: how many to register from there on
 * @port: the port that they are registered with
 * @config: (nullable): JSON, the config of subscriptions by the bus's own API; NULL for the
 *   tutorial's API
 * @again: they are registered already, and keep alive
 *
 * Which sinks, and how.
 */
typedef struct
{
  guint first_sink;
  guint n_sinks;
  guint16 port;
  const char *config;
  gboolean again;
} EbLoadRegistration;

gboolean
eb_load_register (const struct sockaddr_in *server, const EbLoadRegistration *what, GError **error);

G_END_DECLS
