/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-epoll-source.h"

#include <errno.h>
#include <unistd.h>

/* Thousands of descriptors that are one source to the main loop, which looks at each of its sources
 * in every turn. Belongs to the thread of its context. */

#define MAX_EVENTS 256 /* a turn; keeps the context's other sources alive */

typedef struct
{
  GSource source;
  int epoll_fd; /* (owned) */
  EbEpollFunc func;
  gpointer user_data;
} EpollSource;

static gboolean
epoll_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  EpollSource *self = (EpollSource *) source;
  struct epoll_event events[MAX_EVENTS];
  int n_events = epoll_wait (self->epoll_fd, events, MAX_EVENTS, 0);

  g_source_set_ready_time (source, -1);
  self->func (events, (guint) MAX (n_events, 0), self->user_data);
  return G_SOURCE_CONTINUE;
}

static void
epoll_finalize (GSource *source)
{
  close (((EpollSource *) source)->epoll_fd);
}

static GSourceFuncs epoll_funcs = { .dispatch = epoll_dispatch, .finalize = epoll_finalize };

/**
 * eb_epoll_source_new:
 * @func: (scope forever): called until the source is destroyed
 *
 * Returns: (transfer full): a source with an epoll descriptor of its own, which it closes in the
 * end
 */
GSource *
eb_epoll_source_new (EbEpollFunc func, gpointer user_data)
{
  GSource *source = g_source_new (&epoll_funcs, sizeof (EpollSource));
  EpollSource *self = (EpollSource *) source;

  self->func = func;
  self->user_data = user_data;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd < 0)
    g_error ("Cannot create an epoll descriptor: %s", g_strerror (errno));
  g_source_add_unix_fd (source, self->epoll_fd, G_IO_IN);
  return source;
}

/**
 * eb_epoll_source_get_fd:
 *
 * Returns: the epoll descriptor, which stays the source's
 */
int
eb_epoll_source_get_fd (GSource *source)
{
  return ((EpollSource *) source)->epoll_fd;
}

/**
 * eb_epoll_source_kick:
 *
 * Makes it have a turn soon, whether or not something happens.
 */
void
eb_epoll_source_kick (GSource *source)
{
  g_source_set_ready_time (source, 0);
}
