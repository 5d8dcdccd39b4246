/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-client-poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* All connections are behind one epoll descriptor, which is one source of the main context, so that
 * an idle one costs a turn nothing.
 *
 * Belongs to the gate, in the main thread. */

#define MAX_EVENTS 256           /* a turn */
#define MAX_BATCH  16            /* at once; epoll has the others wait their turn */
#define MAX_TURN   (1024 * 1024) /* bytes, beyond which a turn begins no batch */

typedef struct
{
  GSource source;
  EbClientPoll *poll; /* (unowned) destroys the source before it goes */
} EpollSource;

struct _EbClientPoll
{
  EbClientReadyFunc ready;
  gpointer user_data;
  int epoll_fd;
  GSource *source; /* (owned) an EpollSource */
  gsize n_read;    /* bytes in this turn */
};

static gboolean
control (EbClientPoll *self, EbClient *client, int operation)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = client };

  return epoll_ctl (self->epoll_fd, operation, client->fd, &event) == 0;
}

/**
 * eb_client_poll_add:
 * @client: (transfer none): watched until something comes, or it is closed
 *
 * Returns: FALSE with `errno` if it cannot be watched
 */
gboolean
eb_client_poll_add (EbClientPoll *self, EbClient *client)
{
  return control (self, client, EPOLL_CTL_ADD);
}

/**
 * eb_client_poll_watch:
 * @client: one that was added
 *
 * Says the next time that something comes, once.
 *
 * Returns: FALSE with `errno` if it cannot be watched
 */
gboolean
eb_client_poll_watch (EbClientPoll *self, EbClient *client)
{
  return control (self, client, EPOLL_CTL_MOD);
}

/* Returns: whether there may be more */
static gboolean
handle_batch (EbClientPoll *self)
{
  struct epoll_event events[MAX_BATCH];
  int n_events = epoll_wait (self->epoll_fd, events, MAX_BATCH, 0);

  /* One that makes room for another may be among those that are still to come. */
  for (int i = 0; i < n_events; i++)
    eb_client_ref (events[i].data.ptr);
  for (int i = 0; i < n_events; i++)
    {
      EbClient *client = events[i].data.ptr;

      self->n_read += self->ready (client, self->user_data);
      eb_client_unref (client);
    }
  return n_events == MAX_BATCH;
}

/* Those that were heard stand last in epoll's queue, so all have their turn. */
static gboolean
epoll_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  EbClientPoll *self = ((EpollSource *) source)->poll;

  self->n_read = 0;
  for (guint i = 0; i < MAX_EVENTS / MAX_BATCH && self->n_read < MAX_TURN; i++)
    if (!handle_batch (self))
      break;
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs epoll_funcs = { .dispatch = epoll_dispatch };

static GSource *
create_source (EbClientPoll *self)
{
  GSource *source = g_source_new (&epoll_funcs, sizeof (EpollSource));

  g_source_set_static_name (source, "EbClientPoll");
  ((EpollSource *) source)->poll = self;
  g_source_add_unix_fd (source, self->epoll_fd, G_IO_IN);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/**
 * eb_client_poll_new:
 * @ready: is told of each client of which something can be read
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): nobody is watched yet
 */
EbClientPoll *
eb_client_poll_new (EbClientReadyFunc ready, gpointer user_data)
{
  EbClientPoll *self = g_new0 (EbClientPoll, 1);

  self->ready = ready;
  self->user_data = user_data;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd < 0)
    g_error ("Cannot create an epoll descriptor: %s", g_strerror (errno));
  self->source = create_source (self);
  return self;
}

void
eb_client_poll_free (EbClientPoll *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  close (self->epoll_fd);
  g_free (self);
}
