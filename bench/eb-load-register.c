/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-register.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-payload.h"

#include <arpa/inet.h>
#include <gio/gio.h>

/* Registers sinks by the tutorial's API, as fast as a few connections go. */

/* Enough to keep the server busy. */
#define CONNECTIONS 8

typedef struct
{
  EbLoadLoop *loop;     /* (unowned) */
  EbLoadClient *client; /* (unowned) */
  guint next_sink;
  guint end_sink;
  guint n_waiting;
  guint16 port;
  int refused; /* the first status that was not 200; 0 for a broken connection; -1: none */
} Registration;

static gsize
registration_next (gpointer data, guint slot, char buffer[EB_LOAD_REQUEST_MAX])
{
  Registration *self = data;
  char address[INET_ADDRSTRLEN];
  struct in_addr sink;

  if (self->next_sink == self->end_sink || self->refused != -1)
    return 0;

  sink = eb_load_sink_address (self->next_sink++);
  self->n_waiting++;
  return (gsize) g_snprintf (buffer, EB_LOAD_REQUEST_MAX,
                             "POST /registerAndKeepAlive?address=%s:%u HTTP/1.1\r\n"
                             "Host: 127.0.0.1\r\n"
                             "Content-Length: 0\r\n\r\n",
                             inet_ntop (AF_INET, &sink, address, sizeof address), self->port);
}

static void
registration_answered (gpointer data, guint slot, int status)
{
  Registration *self = data;

  self->n_waiting--;
  if (status != 200 && self->refused == -1)
    self->refused = status;
}

static void
registration_turn (gpointer data)
{
  Registration *self = data;

  eb_load_client_kick (self->client);
  if (self->n_waiting == 0)
    eb_load_loop_stop (self->loop);
}

/**
 * eb_load_register:
 * @server: where to register
 * @first_sink: the number of the first sink
 * @n_sinks: how many to register from there on
 * @port: the port that they are registered with
 * @error: return location for an error
 *
 * Registers sinks and waits until all of them are.
 *
 * Returns: whether every registration was accepted
 */
gboolean
eb_load_register (
    const struct sockaddr_in *server, guint first_sink, guint n_sinks, guint16 port, GError **error)
{
  static const EbLoadClientHandler handler = { registration_next, registration_answered };
  Registration self = {
    .next_sink = first_sink, .end_sink = first_sink + n_sinks, .port = port, .refused = -1
  };
  g_autoptr (EbLoadLoop) loop = NULL;
  g_autoptr (EbLoadClient) client = NULL;

  if (n_sinks == 0)
    return TRUE;

  loop = eb_load_loop_new (registration_turn, &self);
  client = eb_load_client_new (loop, server, MIN (CONNECTIONS, n_sinks), &handler, &self);
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
