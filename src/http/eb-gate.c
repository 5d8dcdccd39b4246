/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-gate.h"

#include <errno.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/eb-acceptor.h"

/* Stands between the clients and SoupServer. All connections are behind one epoll descriptor,
 * which is one source of the main context. A connection costs the main loop something only while
 * it has a request: the gate reads it until a request is complete, checks its framing, and lends
 * the connection out for the time of the answer. An idle client costs a descriptor and some bytes.
 *
 * Lives in the main thread. */

#define MAX_EVENTS  256           /* a turn */
#define MAX_BATCH   16            /* at once; epoll has the others wait their turn */
#define MAX_TURN    (1024 * 1024) /* bytes, beyond which a turn begins no batch */
#define MAX_LOOKS   16            /* for a client to part with, each a system call */
#define MAX_READS   2             /* a turn and client, so that one cannot occupy the thread */
#define BUFFER_SIZE (64 * 1024)
#define LINGER      (2 * G_TIME_SPAN_SECOND) /* to read why one was refused */

/* What all clients together have sent of requests that are not answered yet. */
#define MAX_BUFFERED (256 * 1024 * 1024)

#define N_STATES (EB_CLIENT_CLOSED + 1)

typedef struct
{
  GSource source;
  EbGate *gate; /* (unowned) destroys the source before it goes */
} EpollSource;

struct _EbGate
{
  EbGateFunc request;
  EbGateDrainedFunc drained; /* (nullable): NULL once it was called */
  gpointer user_data;
  EbHttpLimits limits;

  int epoll_fd;
  GSource *source;          /* (owned) an EpollSource */
  EbAcceptor *acceptor;     /* (owned) */
  gboolean stopped;         /* accepts never again */
  EbDeadlines *deadlines;   /* (owned) of clients in every state */
  GQueue clients[N_STATES]; /* (element-type EbClient) by state; who is longest in it first */
  guint n_clients;
  gsize buffered; /* the clients' charges together */
  gsize n_read;   /* bytes in this turn */
  guint8 *buffer; /* (owned) to read into */
};

static void proceed (EbGate *self, EbClient *client);

/* Clients */

static GTimeSpan
get_limit (EbGate *self, EbClient *client)
{
  switch (client->state)
    {
    case EB_CLIENT_IDLE:
      return self->limits.idle_timeout;
    case EB_CLIENT_READING:
      return client->framing.head_length == 0 ? self->limits.header_timeout
                                              : self->limits.body_timeout;
    case EB_CLIENT_SERVED:
      return self->limits.body_timeout;
    case EB_CLIENT_LINGERING:
    case EB_CLIENT_CLOSED:
    default:
      return LINGER;
    }
}

/* The one place where a client's state changes. */
static void
set_state (EbGate *self, EbClient *client, EbClientState state)
{
  g_queue_unlink (&self->clients[client->state], &client->link);
  g_queue_push_tail_link (&self->clients[state], &client->link);
  client->state = state;
  eb_deadlines_set (self->deadlines, &client->deadline, get_limit (self, client));
}

static void
charge (EbGate *self, EbClient *client)
{
  gsize size = client->input != NULL ? client->input->len : 0;

  self->buffered += size - client->charged;
  client->charged = size;
}

static void
check_drained (EbGate *self)
{
  EbGateDrainedFunc drained = self->drained;

  if (!self->stopped || drained == NULL || self->clients[EB_CLIENT_SERVED].length > 0)
    return;
  self->drained = NULL;
  drained (self->user_data);
}

static void
forget (EbGate *self, EbClient *client)
{
  g_queue_unlink (&self->clients[client->state], &client->link);
  eb_deadlines_clear (self->deadlines, &client->deadline);
  client->state = EB_CLIENT_CLOSED;
  eb_client_close (client);
  charge (self, client);
  self->n_clients--;
  eb_client_unref (client);
  eb_acceptor_resume (self->acceptor);
  check_drained (self);
}

/* Has epoll tell of its next event, once. */
static gboolean
watch (EbGate *self, EbClient *client, int operation)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = client };

  return epoll_ctl (self->epoll_fd, operation, client->fd, &event) == 0;
}

static void
watch_again (EbGate *self, EbClient *client)
{
  if (!watch (self, client, EPOLL_CTL_MOD))
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
  charge (self, client);
  set_state (self, client, EB_CLIENT_LINGERING);
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
deadline_cb (EbDeadline *deadline, gpointer user_data)
{
  EbGate *self = user_data;
  EbClient *client = eb_deadline_get_owner (deadline, EbClient, deadline);

  if (client->state == EB_CLIENT_READING)
    refuse (self, client, 408, "The request took too long to arrive");
  else if (client->state == EB_CLIENT_SERVED)
    shutdown (client->fd, SHUT_RDWR); /* SoupServer finds it broken and lets go of it */
  else
    forget (self, client);
}

static gboolean
is_over_budget (EbGate *self, EbClient *client)
{
  gsize expected = client->framing.head_length + (gsize) client->framing.body_length;
  gsize missing = expected > client->charged ? expected - client->charged : 0;

  return self->buffered + missing > MAX_BUFFERED;
}

static void
begin_reading (EbGate *self, EbClient *client)
{
  gboolean in_body = client->framing.head_length > 0;

  /* The body's time begins where the header's ends; neither begins again with each byte. */
  if (client->state != EB_CLIENT_READING || client->in_body != in_body)
    {
      client->in_body = in_body;
      set_state (self, client, EB_CLIENT_READING);
    }
}

/* Returns: whether more can be read */
static gboolean
judge (EbGate *self, EbClient *client)
{
  EbFramingResult result = eb_client_frame (client);

  charge (self, client);
  if (client->input == NULL || client->input->len == 0)
    return TRUE;
  switch (result)
    {
    case EB_FRAMING_COMPLETE:
      set_state (self, client, EB_CLIENT_SERVED);
      self->request (client, self->user_data);
      return FALSE;
    case EB_FRAMING_BAD:
      refuse (self, client, client->framing.status, client->framing.reason);
      return FALSE;
    case EB_FRAMING_MORE:
    default:
      break;
    }
  if (is_over_budget (self, client))
    {
      refuse (self, client, 503, "Too many requests are on their way; try again in a moment");
      return FALSE;
    }
  begin_reading (self, client);
  if (client->framing.head_length > 0)
    eb_client_continue (client);
  return TRUE;
}

static void
read_requests (EbGate *self, EbClient *client)
{
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
          return;
        }
      self->n_read += (gsize) n;
      if (!judge (self, client))
        return;
      if (n < BUFFER_SIZE)
        break;
    }
  watch_again (self, client);
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

/* Returns: whether there may be more */
static gboolean
handle_batch (EbGate *self)
{
  struct epoll_event events[MAX_BATCH];
  int n_events = epoll_wait (self->epoll_fd, events, MAX_BATCH, 0);

  /* One that makes room for another may be among those that are still to come. */
  for (int i = 0; i < n_events; i++)
    eb_client_ref (events[i].data.ptr);
  for (int i = 0; i < n_events; i++)
    {
      EbClient *client = events[i].data.ptr;

      if (client->state == EB_CLIENT_IDLE || client->state == EB_CLIENT_READING)
        read_requests (self, client);
      else if (client->state == EB_CLIENT_LINGERING)
        drain_refused (self, client);
      eb_client_unref (client);
    }
  return n_events == MAX_BATCH;
}

/* Those that were heard stand last in epoll's queue, so all have their turn. */
static gboolean
epoll_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  EbGate *self = ((EpollSource *) source)->gate;

  self->n_read = 0;
  for (guint i = 0; i < MAX_EVENTS / MAX_BATCH && self->n_read < MAX_TURN; i++)
    if (!handle_batch (self))
      break;
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs epoll_funcs = { .dispatch = epoll_dispatch };

/* Accepting */

/* Nothing of its next request has come, not even to the socket. */
static gboolean
is_silent (EbClient *client)
{
  char byte;

  return recv (client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Returns: FALSE if nobody is idle */
static gboolean
make_room (gpointer user_data)
{
  EbGate *self = user_data;
  GList *link = self->clients[EB_CLIENT_IDLE].head;

  for (guint i = 0; link != NULL && i < MAX_LOOKS; link = link->next, i++)
    if (is_silent (link->data))
      {
        forget (self, link->data);
        return TRUE;
      }
  return FALSE;
}

static gboolean
is_full (gpointer user_data)
{
  EbGate *self = user_data;

  return self->n_clients >= self->limits.max_clients;
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
  self->n_clients++;
  g_queue_push_tail_link (&self->clients[EB_CLIENT_IDLE], &client->link);
  /* The first request has to begin as soon as one in mid-sentence has to go on. */
  eb_deadlines_set (self->deadlines, &client->deadline, self->limits.header_timeout);
  if (!watch (self, client, EPOLL_CTL_ADD))
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
  for (guint state = 0; state < N_STATES; state++)
    while (state != EB_CLIENT_SERVED && self->clients[state].head != NULL)
      forget (self, self->clients[state].head->data);
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
  charge (self, client);
  client->in_body = FALSE;
  set_state (self, client, EB_CLIENT_IDLE);
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
  self->limits = *limits;
  eb_acceptor_resume (self->acceptor);
}

static GSource *
create_source (EbGate *self)
{
  GSource *source = g_source_new (&epoll_funcs, sizeof (EpollSource));

  g_source_set_static_name (source, "EbGate");
  ((EpollSource *) source)->gate = self;
  g_source_add_unix_fd (source, self->epoll_fd, G_IO_IN);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
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
  self->limits = (EbHttpLimits){ 4096, 30 * G_TIME_SPAN_SECOND, 60 * G_TIME_SPAN_SECOND,
                                 75 * G_TIME_SPAN_SECOND };
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd < 0)
    g_error ("Cannot create an epoll descriptor: %s", g_strerror (errno));
  self->source = create_source (self);
  self->acceptor = eb_acceptor_new (clock, &acceptor_funcs, self);
  self->deadlines =
      eb_deadlines_new (clock, g_main_context_get_thread_default (), deadline_cb, self);
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
  for (guint state = 0; state < N_STATES; state++)
    while (self->clients[state].head != NULL)
      forget (self, self->clients[state].head->data);
  eb_acceptor_free (self->acceptor);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->epoll_fd);
  eb_deadlines_free (self->deadlines);
  g_free (self->buffer);
  g_free (self);
}
