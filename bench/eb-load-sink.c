/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-sink.h"

#include "bench/eb-load-http.h"
#include "bench/eb-load-payload.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All sinks of a run behind one listening socket: a sink is the loopback address that a connection
 * came in on. An answer is constant and a request is looked at no more than its framing needs,
 * since the sinks use the same processors as what is measured. Owned by the run; one thread. */

/* Deliveries of the measured size fit many times; a request that does not is cut into pieces. */
#define READ_SIZE 65536

/* Thousands connect in the same millisecond, and the kernel repeats a lost SYN after a second. */
#define BACKLOG 65535

/* One that every client reuses its connection after. */
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct _EbLoadSink
{
  EbLoadWatch listener;
  EbLoadLoop *loop;         /* (unowned) */
  EbLoadTally *tally;       /* (unowned) */
  GHashTable *peers;        /* (owned) (element-type Peer): the open connections */
  GPtrArray *owing;         /* (owned) (element-type Peer): those that wait for an answer */
  struct sockaddr_in local; /* the address of @listener */
  int refusing_fd; /* (owned): bound but not listening, so that nobody else can take its port */
  guint16 refusing_port;
  guint n_sinks;    /* those from here on take connections and never answer */
  guint drop_every; /* each so many-th request is not counted: to see that the tally notices; 0:
                       none */
  guint n_requests; /* for @drop_every */
  guint n_accepted;
  guint n_malformed;
  char buffer[READ_SIZE];
};

typedef struct
{
  EbLoadWatch watch;
  EbLoadSink *owner; /* (unowned) */
  guint index;
  guint n_owed;     /* answers to requests that were taken */
  GByteArray *rest; /* (owned) (nullable): the beginning of a request that has not arrived whole */
} Peer;

static void
peer_free (Peer *peer)
{
  if (peer->n_owed > 0)
    g_ptr_array_remove_fast (peer->owner->owing, peer);
  close (peer->watch.fd);
  g_clear_pointer (&peer->rest, g_byte_array_unref);
  g_free (peer);
}

/* Answers come when everything that has arrived is taken: a hundred sinks share this thread, and an
 * answer of one must not count as latency of another. */
static void
peer_owe (Peer *peer)
{
  if (peer->n_owed++ == 0)
    g_ptr_array_add (peer->owner->owing, peer);
}

static void
peer_answer (Peer *peer)
{
  for (; peer->n_owed > 0; peer->n_owed--)
    if (send (peer->watch.fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) != sizeof ANSWER - 1)
      {
        g_hash_table_remove (peer->owner->peers, peer);
        return;
      }
}

/* What an event's data is in a JSON object that says nothing of it but its type. */
static const char DATA_MEMBER[] = "\"data_base64\":\"";

/* A batch is as many deliveries as it has events; what is looked for in it is nothing that our
 * events have anywhere else. */
static void
take_batch (EbLoadSink *self, guint sink, const char *body, gsize size, gsize head)
{
  const char *end = body + size, *at = body;

  while ((at = memmem (at, (gsize) (end - at), DATA_MEMBER, sizeof DATA_MEMBER - 1)) != NULL)
    {
      EbLoadPayload payload[2]; /* room for what is too long to be one of ours */
      int state = 0;
      guint save = 0;
      const char *encoded = at + sizeof DATA_MEMBER - 1;
      const char *quote = memchr (encoded, '"', (gsize) (end - encoded));
      gsize length = quote != NULL ? (gsize) (quote - encoded) : 0;

      length = MIN (length, sizeof payload);
      length = g_base64_decode_step (encoded, length, (guchar *) payload, &state, &save);
      eb_load_tally_arrived (self->tally, sink, (const char *) payload, length, head);
      head = 0;
      at = encoded;
    }
}

static void
take_request (EbLoadSink *self, guint sink, const char *body, gsize size, gsize head)
{
  if (size > 0 && body[0] == '[')
    take_batch (self, sink, body, size, head);
  else
    eb_load_tally_arrived (self->tally, sink, body, size, head);
}

/* Takes every whole request out of @data. Returns how many bytes that was; -1 when the peer is to
 * be closed. */
static gssize
peer_take_requests (Peer *peer, const char *data, gsize size)
{
  EbLoadSink *self = peer->owner;
  gsize used = 0;

  while (used < size)
    {
      gsize head, body;

      if (!eb_load_http_frame (data + used, size - used, &head, &body))
        {
          self->n_malformed++;
          return -1;
        }
      if (head == 0 || size - used - head < body)
        break;

      self->n_requests++;
      if (self->drop_every == 0 || self->n_requests % self->drop_every != 0)
        take_request (self, peer->index, data + used + head, body, head);
      used += head + body;
      peer_owe (peer);
    }

  return (gssize) used;
}

/* Returns whether the connection goes on. */
static gboolean
peer_take (Peer *peer, const char *data, gsize size)
{
  g_autoptr (GByteArray) joined = g_steal_pointer (&peer->rest);
  gssize used;

  if (joined != NULL)
    {
      g_byte_array_append (joined, (const guint8 *) data, (guint) size);
      data = (const char *) joined->data;
      size = joined->len;
    }

  used = peer_take_requests (peer, data, size);
  if (used < 0)
    return FALSE;

  if ((gsize) used < size)
    {
      peer->rest = g_byte_array_new ();
      g_byte_array_append (peer->rest, (const guint8 *) data + used, (guint) (size - (gsize) used));
    }
  return TRUE;
}

static void
peer_ready (EbLoadWatch *watch)
{
  Peer *peer = (Peer *) watch;
  EbLoadSink *self = peer->owner;
  ssize_t n = recv (watch->fd, self->buffer, sizeof self->buffer, 0);

  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0 || (peer->index < self->n_sinks && !peer_take (peer, self->buffer, (gsize) n)))
    g_hash_table_remove (self->peers, peer);
}

static void
listener_ready (EbLoadWatch *watch)
{
  EbLoadSink *self = (EbLoadSink *) watch;
  int fd;

  while ((fd = accept4 (watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    {
      struct sockaddr_in local;
      socklen_t size = sizeof local;
      Peer *peer;
      guint index;

      /* Only loopback is served, although the socket is bound to every address. */
      if (getsockname (fd, (struct sockaddr *) &local, &size) != 0
          || !eb_load_sink_index (local.sin_addr, &index))
        {
          close (fd);
          continue;
        }

      peer = g_new0 (Peer, 1);
      peer->watch.fd = fd;
      peer->watch.ready = peer_ready;
      peer->owner = self;
      peer->index = index;
      g_hash_table_add (self->peers, peer);
      eb_load_loop_add (self->loop, &peer->watch);
      self->n_accepted++;
    }
}

static int
bind_any_port (guint32 address, struct sockaddr_in *bound)
{
  socklen_t size = sizeof *bound;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  *bound = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl (address) };
  if (fd < 0 || bind (fd, (struct sockaddr *) bound, size) != 0
      || getsockname (fd, (struct sockaddr *) bound, &size) != 0)
    g_error ("Cannot bind a socket for the sinks: %s", g_strerror (errno));
  return fd;
}

/**
 * eb_load_sink_new:
 * @loop: where it is served; must outlive it
 * @tally: where every delivery is counted; must outlive it
 * @n_sinks: how many sinks answer; those beyond take connections and never answer
 * @drop_every: to try the tally: each so many-th delivery is answered but not counted; 0 for none
 *
 * Takes a port that the system chooses. It refuses connections before eb_load_sink_open().
 *
 * Returns: (transfer full): the sinks
 */
EbLoadSink *
eb_load_sink_new (EbLoadLoop *loop, EbLoadTally *tally, guint n_sinks, guint drop_every)
{
  EbLoadSink *self = g_new0 (EbLoadSink, 1);
  struct sockaddr_in refusing;
  int one = 1;

  self->loop = loop;
  self->tally = tally;
  self->n_sinks = n_sinks;
  self->drop_every = drop_every;
  self->owing = g_ptr_array_new ();
  self->peers = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) peer_free, NULL);

  self->listener.ready = listener_ready;
  self->listener.fd = bind_any_port (INADDR_ANY, &self->local);
  /* Accepted sockets inherit it. */
  setsockopt (self->listener.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

  self->refusing_fd = bind_any_port (INADDR_ANY, &refusing);
  self->refusing_port = ntohs (refusing.sin_port);

  return self;
}

/**
 * eb_load_sink_open:
 * @sink: the sinks
 *
 * Starts to listen.
 */
void
eb_load_sink_open (EbLoadSink *sink)
{
  if (listen (sink->listener.fd, BACKLOG) != 0)
    g_error ("Cannot listen: %s", g_strerror (errno));
  eb_load_loop_add (sink->loop, &sink->listener);
}

/**
 * eb_load_sink_free:
 * @sink: (transfer full): the sinks
 */
void
eb_load_sink_free (EbLoadSink *sink)
{
  close (sink->listener.fd);
  close (sink->refusing_fd);
  g_hash_table_unref (sink->peers);
  g_ptr_array_unref (sink->owing);
  g_free (sink);
}

/**
 * eb_load_sink_answer:
 * @sink: the sinks
 *
 * Answers what has been taken.
 */
void
eb_load_sink_answer (EbLoadSink *sink)
{
  while (sink->owing->len > 0)
    {
      Peer *peer = g_ptr_array_steal_index_fast (sink->owing, sink->owing->len - 1);

      peer_answer (peer);
    }
}

/**
 * eb_load_sink_get_port:
 * @sink: the sinks
 *
 * Returns: the port that all of them listen on
 */
guint16
eb_load_sink_get_port (EbLoadSink *sink)
{
  return ntohs (sink->local.sin_port);
}

/**
 * eb_load_sink_get_refusing_port:
 * @sink: the sinks
 *
 * Returns: a port that refuses every connection
 */
guint16
eb_load_sink_get_refusing_port (EbLoadSink *sink)
{
  return sink->refusing_port;
}

/**
 * eb_load_sink_get_n_accepted:
 * @sink: the sinks
 *
 * Returns: how many connections have been accepted so far
 */
guint
eb_load_sink_get_n_accepted (EbLoadSink *sink)
{
  return sink->n_accepted;
}

/**
 * eb_load_sink_get_n_malformed:
 * @sink: the sinks
 *
 * Returns: how many requests had no length that can be understood
 */
guint
eb_load_sink_get_n_malformed (EbLoadSink *sink)
{
  return sink->n_malformed;
}
