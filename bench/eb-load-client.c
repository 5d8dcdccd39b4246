/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-client.h"

#include "bench/eb-load-http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* A closed loop: a number of keep-alive connections to one server, each with one request at a time
 * and none in between when there is nothing to send. Owned by a run; lives in its one thread. */

/* The answers are a word long. */
#define ANSWER_MAX 8192

/* A server that breaks this many connections is not one to measure. */
#define BROKEN_MAX 10000

typedef struct
{
  EbLoadWatch watch;    /* its descriptor is -1 while there is no connection */
  EbLoadClient *client; /* (unowned) */
  gboolean busy;
  gsize size;
  char answer[ANSWER_MAX];
} Connection;

struct _EbLoadClient
{
  EbLoadLoop *loop; /* (unowned) */
  struct sockaddr_in server;
  const EbLoadClientHandler *handler;
  gpointer data; /* (unowned): for @handler */
  guint n_connections;
  Connection *connections; /* (owned) (array length=n_connections) */
  guint *idle;             /* (owned): a stack of the slots that have nothing to do */
  guint n_idle;
  guint n_broken;
};

static void connection_ready (EbLoadWatch *watch);

static void
connection_open (Connection *connection)
{
  EbLoadClient *self = connection->client;
  int one = 1;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  /* Waiting for loopback costs less than the states that not waiting would need. */
  if (fd < 0 || connect (fd, (struct sockaddr *) &self->server, sizeof self->server) != 0)
    g_error ("Cannot connect to what is measured: %s", g_strerror (errno));
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  connection->watch.fd = fd;
  connection->watch.ready = connection_ready;
  eb_load_loop_add (self->loop, &connection->watch);
}

static void
connection_break (Connection *connection)
{
  if (++connection->client->n_broken > BROKEN_MAX)
    g_error ("The server breaks one connection after the other");
  close (connection->watch.fd);
  connection->watch.fd = -1;
}

static void
connection_finish (Connection *connection, int status)
{
  EbLoadClient *self = connection->client;
  guint slot = (guint) (connection - self->connections);

  connection->busy = FALSE;
  connection->size = 0;
  self->idle[self->n_idle++] = slot;
  self->handler->answered (self->data, slot, status);
}

/* The server closed the connection, or what it says makes no sense. */
static void
connection_fail (Connection *connection)
{
  gboolean busy = connection->busy;

  connection_break (connection);
  if (busy)
    connection_finish (connection, 0);
}

static void
connection_ready (EbLoadWatch *watch)
{
  Connection *connection = (Connection *) watch;
  gsize head, body;
  ssize_t n = recv (watch->fd, connection->answer + connection->size,
                    sizeof connection->answer - connection->size, MSG_DONTWAIT);

  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0 || !connection->busy)
    {
      connection_fail (connection);
      return;
    }

  connection->size += (gsize) n;
  if (!eb_load_http_frame (connection->answer, connection->size, &head, &body)
      || (head == 0 && connection->size == sizeof connection->answer))
    connection_fail (connection);
  else if (head > 0 && connection->size >= head + body)
    connection_finish (connection, eb_load_http_status (connection->answer, connection->size));
}

static void
connection_send (Connection *connection, const char *request, gsize size)
{
  connection->busy = TRUE;
  if (connection->watch.fd < 0)
    connection_open (connection);
  if (send (connection->watch.fd, request, size, MSG_NOSIGNAL) != (ssize_t) size)
    connection_fail (connection);
}

/**
 * eb_load_client_new:
 * @loop: where it is served; must outlive it
 * @server: whom to talk to
 * @n_connections: how many connections to keep
 * @handler: what to send
 * @data: for @handler
 *
 * Connects. Nothing is sent before eb_load_client_kick().
 *
 * Returns: (transfer full): the client
 */
EbLoadClient *
eb_load_client_new (EbLoadLoop *loop,
                    const struct sockaddr_in *server,
                    guint n_connections,
                    const EbLoadClientHandler *handler,
                    gpointer data)
{
  EbLoadClient *self = g_new0 (EbLoadClient, 1);

  self->loop = loop;
  self->server = *server;
  self->handler = handler;
  self->data = data;
  self->n_connections = n_connections;
  self->connections = g_new0 (Connection, n_connections);
  self->idle = g_new (guint, n_connections);
  for (guint i = 0; i < n_connections; i++)
    {
      self->connections[i].client = self;
      connection_open (&self->connections[i]);
      self->idle[self->n_idle++] = n_connections - 1 - i;
    }

  return self;
}

/**
 * eb_load_client_free:
 * @client: (transfer full): a client
 */
void
eb_load_client_free (EbLoadClient *client)
{
  for (guint i = 0; i < client->n_connections; i++)
    if (client->connections[i].watch.fd >= 0)
      close (client->connections[i].watch.fd);
  g_free (client->connections);
  g_free (client->idle);
  g_free (client);
}

/**
 * eb_load_client_kick:
 * @client: a client
 *
 * Lets every idle connection send, until there is nothing to send.
 */
void
eb_load_client_kick (EbLoadClient *client)
{
  /* A send that fails puts its slot back, so count: no slot is tried twice in one call. */
  for (guint left = client->n_idle; left > 0 && client->n_idle > 0; left--)
    {
      char request[EB_LOAD_REQUEST_MAX];
      guint slot = client->idle[client->n_idle - 1];
      gsize size = client->handler->next (client->data, slot, request);

      if (size == 0)
        return;
      client->n_idle--;
      connection_send (&client->connections[slot], request, size);
    }
}

/**
 * eb_load_client_get_n_broken:
 * @client: a client
 *
 * Returns: how many connections the server has broken
 */
guint
eb_load_client_get_n_broken (EbLoadClient *client)
{
  return client->n_broken;
}

/**
 * eb_load_client_parse_server:
 * @text: `ADDRESS:PORT`
 * @server: (out caller-allocates): the same
 *
 * Returns: whether @text is the address of a port on loopback: no other machine gets a load
 */
gboolean
eb_load_client_parse_server (const char *text, struct sockaddr_in *server)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);
  guint64 port;

  *server = (struct sockaddr_in){ .sin_family = AF_INET };
  if (g_strv_length (parts) != 2 || inet_pton (AF_INET, parts[0], &server->sin_addr) != 1
      || !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXUINT16, &port, NULL))
    return FALSE;

  server->sin_port = htons ((guint16) port);
  return ntohl (server->sin_addr.s_addr) >> 24 == 127;
}
