/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-gate.h"

#include <errno.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "http/eb-acceptor.h"
#include "http/eb-client-poll.h"

/* Stands between the clients and SoupServer. A connection costs the main loop something only while
 * it has a request: the gate reads it until a request is complete, checks its framing, and lends
 * the connection out for the time of the answer. An idle client costs a descriptor and some bytes.
 *
 * Lives in the main thread. */

#define MAX_READS   2 /* a turn and client, so that one cannot occupy the thread */
#define BUFFER_SIZE (64 * 1024)

struct _EbGate
{
  EbGateFunc request;
  EbGateDrainedFunc drained; /* (nullable): NULL once it was called */
  gpointer user_data;

  EbClientPoll *poll;   /* (owned) */
  EbAcceptor *acceptor; /* (owned) */
  EbClients *clients;   /* (owned) */
  gboolean stopped;     /* accepts never again */
  guint8 *buffer;       /* (owned) to read into */
};

static void
check_drained (EbGate *self)
{
  EbGateDrainedFunc drained = self->drained;

  if (!self->stopped || drained == NULL
      || eb_clients_peek (self->clients, EB_CLIENT_SERVED) != NULL)
    return;
  self->drained = NULL;
  drained (self->user_data);
}

static void
forget (EbGate *self, EbClient *client)
{
  eb_clients_remove (self->clients, client);
  eb_acceptor_resume (self->acceptor);
  check_drained (self);
}

static void
watch_again (EbGate *self, EbClient *client)
{
  if (!eb_client_poll_watch (self->poll, client))
    {
      g_warning ("Cannot watch a client: %s", g_strerror (errno));
      forget (self, client);
    }
}

/* RFC 6585's, which libsoup does not have. */
static const char *
get_phrase (guint status)
{
  return status == 431 ? "Request Header Fields Too Large" : soup_status_get_phrase (status);
}

static void
refuse (EbGate *self, EbClient *client, guint status, const char *reason)
{
  eb_client_refuse (client, status, get_phrase (status), reason);
  g_clear_pointer (&client->input, g_byte_array_unref);
  eb_clients_charge (self->clients, client);
  eb_clients_set_state (self->clients, client, EB_CLIENT_LINGERING);
  watch_again (self, client);
}

/* A client that is closed while its answer is on its way: the stream tells SoupServer. */
static void
stream_closed_cb (gpointer user_data)
{
  EbClient *client = user_data;

  forget (client->gate, client);
}

static void
late_cb (EbClient *client, gpointer user_data)
{
  EbGate *self = user_data;

  if (client->state == EB_CLIENT_READING)
    refuse (self, client, 408, "The request took too long to arrive");
  else if (client->state == EB_CLIENT_SERVED)
    shutdown (client->fd, SHUT_RDWR); /* SoupServer finds it broken and lets go of it */
  else
    forget (self, client);
}

static void
begin_reading (EbGate *self, EbClient *client)
{
  gboolean in_body = client->framing.head_length > 0;

  /* The body's time begins where the header's ends; neither begins again with each byte. */
  if (client->state != EB_CLIENT_READING || client->in_body != in_body)
    {
      client->in_body = in_body;
      eb_clients_set_state (self->clients, client, EB_CLIENT_READING);
    }
}

/* Returns: whether more can be read */
static gboolean
judge (EbGate *self, EbClient *client)
{
  EbFramingResult result = eb_client_frame (client);

  eb_clients_charge (self->clients, client);
  if (client->input == NULL || client->input->len == 0)
    return TRUE;
  switch (result)
    {
    case EB_FRAMING_COMPLETE:
      eb_clients_set_state (self->clients, client, EB_CLIENT_SERVED);
      self->request (client, self->user_data);
      return FALSE;
    case EB_FRAMING_BAD:
      refuse (self, client, client->framing.status, client->framing.reason);
      return FALSE;
    case EB_FRAMING_MORE:
    default:
      break;
    }
  if (eb_clients_is_over_budget (self->clients, client))
    {
      refuse (self, client, 503, "Too many requests are on their way; try again in a moment");
      return FALSE;
    }
  begin_reading (self, client);
  if (client->framing.head_length > 0)
    eb_client_continue (client);
  return TRUE;
}

/* Returns: how many bytes were read */
static gsize
read_requests (EbGate *self, EbClient *client)
{
  gsize n_read = 0;

  for (guint i = 0; i < MAX_READS; i++)
    {
      gssize n = eb_client_receive (client, self->buffer, BUFFER_SIZE);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        break;
      if (n <= 0)
        {
          forget (self, client);
          return n_read;
        }
      n_read += (gsize) n;
      if (!judge (self, client))
        return n_read;
      if (n < BUFFER_SIZE)
        break;
    }
  watch_again (self, client);
  return n_read;
}

static void
drain_refused (EbGate *self, EbClient *client)
{
  for (guint i = 0; i < MAX_READS; i++)
    {
      gssize n = recv (client->fd, self->buffer, BUFFER_SIZE, 0);

      if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        {
          forget (self, client);
          return;
        }
      if (n < 0 && errno != EINTR)
        break;
    }
  watch_again (self, client);
}

/* On to its next request, which may have come already with the one before. */
static void
proceed (EbGate *self, EbClient *client)
{
  if (client->input == NULL || judge (self, client))
    watch_again (self, client);
}

static gsize
ready_cb (EbClient *client, gpointer user_data)
{
  EbGate *self = user_data;

  if (client->state == EB_CLIENT_IDLE || client->state == EB_CLIENT_READING)
    return read_requests (self, client);
  if (client->state == EB_CLIENT_LINGERING)
    drain_refused (self, client);
  return 0;
}

/* Accepting */

/* Returns: FALSE if nobody is idle */
static gboolean
make_room (gpointer user_data)
{
  EbGate *self = user_data;
  EbClient *client = eb_clients_find_silent (self->clients);

  if (client == NULL)
    return FALSE;
  forget (self, client);
  return TRUE;
}

static gboolean
is_full (gpointer user_data)
{
  EbGate *self = user_data;

  return eb_clients_is_full (self->clients);
}

static void
accepted (int fd, gboolean local, gpointer user_data)
{
  EbGate *self = user_data;
  EbClient *client = eb_client_new (fd, local);
  int yes = 1;

  if (!local)
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  client->gate = self;
  eb_clients_add (self->clients, client);
  if (!eb_client_poll_add (self->poll, client))
    forget (self, client);
}

static const EbAcceptorFuncs acceptor_funcs = { is_full, make_room, accepted };

/**
 * eb_gate_add_listener:
 * @listener: (transfer full): its clients are taken from now on
 */
void
eb_gate_add_listener (EbGate *self, EbListener *listener)
{
  eb_acceptor_add_listener (self->acceptor, listener);
}

/**
 * eb_gate_get_listeners:
 *
 * Returns: (transfer none) (element-type EbListener): all that were added
 */
GPtrArray *
eb_gate_get_listeners (EbGate *self)
{
  return eb_acceptor_get_listeners (self->acceptor);
}

static void
forget_all (EbGate *self, EbClientState state)
{
  EbClient *client;

  while ((client = eb_clients_peek (self->clients, state)) != NULL)
    forget (self, client);
}

/**
 * eb_gate_stop:
 *
 * Takes no clients and no requests any more; #EbGateDrainedFunc is called when those that were
 * taken are answered, which may be from within this call.
 */
void
eb_gate_stop (EbGate *self)
{
  self->stopped = TRUE;
  eb_acceptor_stop (self->acceptor);
  forget_all (self, EB_CLIENT_IDLE);
  forget_all (self, EB_CLIENT_READING);
  forget_all (self, EB_CLIENT_LINGERING);
  check_drained (self);
}

/**
 * eb_gate_lend:
 * @client: one that #EbGateFunc was called with
 *
 * Returns: (transfer none): a stream over the request and for the answer; NULL if there cannot be
 *   one, and the client is gone
 */
GIOStream *
eb_gate_lend (EbGate *self, EbClient *client, GError **error)
{
  GIOStream *stream = eb_client_lend (client, stream_closed_cb, error);

  if (stream == NULL)
    forget (self, client);
  return stream;
}

/**
 * eb_gate_take_back:
 * @client: one that was lent out, and whose answer has been sent
 */
void
eb_gate_take_back (EbGate *self, EbClient *client)
{
  eb_client_take_back (client);
  eb_clients_charge (self->clients, client);
  client->in_body = FALSE;
  eb_clients_set_state (self->clients, client, EB_CLIENT_IDLE);
  if (self->stopped)
    forget (self, client);
  else
    proceed (self, client);
  eb_acceptor_resume (self->acceptor); /* it can make room */
}

/**
 * eb_gate_configure:
 * @limits: for what begins from now on
 */
void
eb_gate_configure (EbGate *self, const EbHttpLimits *limits)
{
  eb_clients_configure (self->clients, limits);
  eb_acceptor_resume (self->acceptor);
}

/**
 * eb_gate_new:
 * @request: is told of each complete request
 * @drained: is told once, after eb_gate_stop()
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a gate without listeners
 */
EbGate *
eb_gate_new (EbClock *clock, EbGateFunc request, EbGateDrainedFunc drained, gpointer user_data)
{
  EbGate *self = g_new0 (EbGate, 1);

  self->request = request;
  self->drained = drained;
  self->user_data = user_data;
  self->poll = eb_client_poll_new (ready_cb, self);
  self->acceptor = eb_acceptor_new (clock, &acceptor_funcs, self);
  self->clients = eb_clients_new (clock, late_cb, self);
  self->buffer = g_malloc (BUFFER_SIZE);
  return self;
}

/**
 * eb_gate_free:
 *
 * Cuts every client.
 */
void
eb_gate_free (EbGate *self)
{
  self->stopped = TRUE;
  self->drained = NULL;
  eb_acceptor_stop (self->acceptor);
  forget_all (self, EB_CLIENT_IDLE);
  forget_all (self, EB_CLIENT_READING);
  forget_all (self, EB_CLIENT_SERVED);
  forget_all (self, EB_CLIENT_LINGERING);
  eb_acceptor_free (self->acceptor);
  eb_client_poll_free (self->poll);
  eb_clients_free (self->clients);
  g_free (self->buffer);
  g_free (self);
}
