/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench/eb-load-loop.h"

#include <netinet/in.h>

G_BEGIN_DECLS

/* The largest request that a client sends. */
#define EB_LOAD_REQUEST_MAX 1024

typedef struct _EbLoadClient EbLoadClient;

/**
 * EbLoadClientHandler:
 * @next: writes the next request into @buffer and returns its length; 0 when there is none now
 * @answered: the request of connection @slot has its answer; @status is 0 when the connection broke
 *
 * What a client sends, and who is told.
 */
typedef struct
{
  gsize (*next) (gpointer data, guint slot, char buffer[EB_LOAD_REQUEST_MAX]);
  void (*answered) (gpointer data, guint slot, int status);
} EbLoadClientHandler;

EbLoadClient *eb_load_client_new (EbLoadLoop *loop,
                                  const struct sockaddr_in *server,
                                  guint n_connections,
                                  const EbLoadClientHandler *handler,
                                  gpointer data);
void eb_load_client_free (EbLoadClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbLoadClient, eb_load_client_free)

void eb_load_client_kick (EbLoadClient *client);
guint eb_load_client_get_n_broken (EbLoadClient *client);

gboolean eb_load_client_parse_server (const char *text, struct sockaddr_in *server);

G_END_DECLS
