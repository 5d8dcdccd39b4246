/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "store/eb-sqlite-store.h"

G_BEGIN_DECLS

/**
 * EbBusType:
 * @EB_BUS_TYPE_AUTO: the session bus when there is one, else none
 */
typedef enum
{
  EB_BUS_TYPE_AUTO,
  EB_BUS_TYPE_SESSION,
  EB_BUS_TYPE_SYSTEM,
  EB_BUS_TYPE_NONE,
} EbBusType;

/**
 * EbTransportChoice:
 * @EB_TRANSPORT_AUTO: http:// by sockets of our own, https:// by libsoup
 * @EB_TRANSPORT_SOUP: everything by libsoup
 */
typedef enum
{
  EB_TRANSPORT_AUTO,
  EB_TRANSPORT_SOUP,
} EbTransportChoice;

/**
 * EbConfiguration:
 *
 * Everything that can be configured, checked. Times are in microseconds.
 */
typedef struct
{
  char **listen;       /* (owned) ADDRESS:PORT or unix:PATH */
  char **hosts;        /* (owned) names that a Host may be */
  char **cors_origins; /* (owned) whose pages may use the bus; “*” for all */
  guint max_clients;   /* http.max-connections */
  GTimeSpan header_timeout;
  GTimeSpan body_timeout;
  GTimeSpan idle_timeout;

  EbBusType bus;

  GTimeSpan lease;
  guint max_subscriptions;
  gsize max_event_size;

  char *store_path; /* (owned) (nullable) store.location: of the database; NULL for memory: */
  EbDurability durability;
  gsize retention_size; /* 0: what the store keeps by default */
  GTimeSpan retention_age;
  GTimeSpan deduplication_window; /* 0: nothing is a duplicate */

  EbTransportChoice transport;
  guint workers;
  guint max_sink_connections; /* delivery.max-connections; 0: what the descriptor limit leaves */
  GTimeSpan timeout;
  GTimeSpan connect_timeout;
  GArray *retry; /* (owned) (element-type GTimeSpan) how long to wait after each failed attempt */
  char **allow;  /* (owned) CIDRs */
  char **deny;   /* (owned) CIDRs */
  char *ca_file; /* (owned) (nullable) */
  char *origin;  /* (owned) (nullable): NULL for the host's name */
} EbConfiguration;

gboolean eb_configuration_check_keys (GKeyFile *keys, GError **error);
EbConfiguration *eb_configuration_new (GKeyFile *keys, GError **error);
char *eb_configuration_keep_fixed (EbConfiguration *self, const EbConfiguration *started);
void eb_configuration_free (EbConfiguration *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbConfiguration, eb_configuration_free)

G_END_DECLS
