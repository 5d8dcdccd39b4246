/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-register.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-payload.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

/* Registers sinks as fast as a few connections go: by the tutorial's API, or, where they want more
 * than that has, by the bus's own. */

/* Enough to keep the server busy. */
#define CONNECTIONS 8

typedef struct
{
  const EbLoadRegistration *what; /* (unowned) */
  EbLoadLoop *loop;               /* (unowned) */
  EbLoadClient *client;           /* (unowned) */
  guint next_sink;
  guint n_waiting;
  int refused; /* the first status that was no success; 0 for a broken connection; -1: none */
} Registrar;

static gsize
write_registration (const char *address, char buffer[EB_LOAD_REQUEST_MAX])
{
  return (gsize) g_snprintf (buffer, EB_LOAD_REQUEST_MAX,
                             "POST /registerAndKeepAlive?address=%s HTTP/1.1\r\n"
                             "Host: 127.0.0.1\r\n"
                             "Content-Length: 0\r\n\r\n",
                             address);
}

static gsize
write_keepalive (const char *address, char buffer[EB_LOAD_REQUEST_MAX])
{
  return (gsize) g_snprintf (buffer, EB_LOAD_REQUEST_MAX,
                             "POST /v1/subscriptions/%s/keepalive HTTP/1.1\r\n"
                             "Host: 127.0.0.1\r\n"
                             "Content-Length: 0\r\n\r\n",
                             address);
}

static gsize
write_subscription (const char *address, const char *config, char buffer[EB_LOAD_REQUEST_MAX])
{
  g_autofree char *body =
      g_strdup_printf ("{\"sink\":\"http://%s/event\",\"config\":%s}", address, config);

  return (gsize) g_snprintf (buffer, EB_LOAD_REQUEST_MAX,
                             "PUT /v1/subscriptions/%s HTTP/1.1\r\n"
                             "Host: 127.0.0.1\r\n"
                             "Content-Type: application/json\r\n"
                             "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
                             address, strlen (body), body);
}

static gsize
registrar_next (gpointer data, guint slot, char buffer[EB_LOAD_REQUEST_MAX])
{
  Registrar *self = data;
  const EbLoadRegistration *what = self->what;
  char host[INET_ADDRSTRLEN], address[INET_ADDRSTRLEN + 8];
  struct in_addr sink;

  if (self->next_sink == what->first_sink + what->n_sinks || self->refused != -1)
    return 0;

  sink = eb_load_sink_address (self->next_sink++);
  inet_ntop (AF_INET, &sink, host, sizeof host);
  g_snprintf (address, sizeof address, "%s:%u", host, what->port);
  self->n_waiting++;
  if (what->config == NULL)
    return write_registration (address, buffer);
  if (what->again)
    return write_keepalive (address, buffer);
  return write_subscription (address, what->config, buffer);
}

static void
registrar_answered (gpointer data, guint slot, int status)
{
  Registrar *self = data;

  self->n_waiting--;
  if (status / 100 != 2 && self->refused == -1)
    self->refused = status;
}

static void
registrar_turn (gpointer data)
{
  Registrar *self = data;

  eb_load_client_kick (self->client);
  if (self->n_waiting == 0)
    eb_load_loop_stop (self->loop);
}

/**
 * eb_load_register:
 * @server: where to register
 * @what: which sinks, and how
 * @error: return location for an error
 *
 * Registers sinks and waits until all of them are.
 *
 * Returns: whether every registration was accepted
 */
gboolean
eb_load_register (const struct sockaddr_in *server, const EbLoadRegistration *what, GError **error)
{
  static const EbLoadClientHandler handler = { registrar_next, registrar_answered };
  Registrar self = { .what = what, .next_sink = what->first_sink, .refused = -1 };
  g_autoptr (EbLoadLoop) loop = NULL;
  g_autoptr (EbLoadClient) client = NULL;

  if (what->n_sinks == 0)
    return TRUE;

  loop = eb_load_loop_new (registrar_turn, &self);
  client = eb_load_client_new (loop, server, MIN (CONNECTIONS, what->n_sinks), &handler, &self);
  self.loop = loop;
  self.client = client;
  eb_load_client_kick (client);
  eb_load_loop_run (loop);

  if (self.refused == -1)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "A registration was answered with %d",
               self.refused);
  return FALSE;
}
