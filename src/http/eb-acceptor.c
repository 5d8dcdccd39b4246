/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-acceptor.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/socket.h>

/* Where there is no room for a client, by number or for want of a descriptor, an idle one goes, but
 * only if somebody really waits; where none can go, who waits stays in the backlog, and nothing is
 * accepted for a while.
 *
 * Lives in the main thread. */

#define MAX_ACCEPTS 64 /* a turn and listener; the others have their turn too */

/* Or less: eb_acceptor_resume() ends a pause as soon as it has a chance. */
#define PAUSE (100 * G_TIME_SPAN_MILLISECOND)

struct _EbAcceptor
{
  EbClock *clock; /* (owned) */
  const EbAcceptorFuncs *funcs;
  gpointer user_data;
  GPtrArray *listeners;  /* (owned) (element-type EbListener) */
  GPtrArray *sources;    /* (owned) (element-type GSource) one a listener; empty while paused */
  GSource *resume_timer; /* (owned) ends the pause */
  gboolean short_of_fds; /* the descriptors ran out, which was said */
};

static gboolean
has_waiting (EbListener *listener)
{
  struct pollfd poll_fd = { .fd = listener->fd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN) != 0;
}

static void
pause_accepting (EbAcceptor *self)
{
  g_ptr_array_set_size (self->sources, 0);
  eb_clock_set_timer (self->clock, self->resume_timer,
                      eb_clock_get_monotonic (self->clock) + PAUSE);
}

static gboolean
is_out_of_descriptors (int problem)
{
  return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM;
}

/* What accept4() says even if nobody waits: it begins with the descriptor.
 *
 * Returns: whether there may be more */
static gboolean
handle_shortage (EbAcceptor *self, EbListener *listener, int problem)
{
  if (!has_waiting (listener))
    return FALSE;
  if (self->funcs->make_room (self->user_data))
    return TRUE;
  if (!self->short_of_fds)
    g_warning ("Cannot accept clients for now: %s", g_strerror (problem));
  self->short_of_fds = TRUE;
  pause_accepting (self);
  return FALSE;
}

/* Returns: whether there may be more */
static gboolean
accept_one (EbAcceptor *self, EbListener *listener)
{
  int fd = accept4 (listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0)
    {
      self->short_of_fds = FALSE;
      self->funcs->accepted (fd, eb_listener_is_local (listener), self->user_data);
      return TRUE;
    }
  if (is_out_of_descriptors (errno))
    return handle_shortage (self, listener, errno);
  return errno == ECONNABORTED || errno == EINTR;
}

/* Returns: FALSE if nobody waits, or has to go on waiting */
static gboolean
has_room (EbAcceptor *self, EbListener *listener)
{
  if (!self->funcs->is_full (self->user_data))
    return TRUE;
  if (!has_waiting (listener))
    return FALSE;
  if (self->funcs->make_room (self->user_data))
    return TRUE;
  pause_accepting (self);
  return FALSE;
}

typedef struct
{
  EbAcceptor *acceptor; /* (unowned) */
  EbListener *listener; /* (unowned) the acceptor's */
} Readiness;

static gboolean
ready_cb (int fd, GIOCondition condition, gpointer user_data)
{
  const Readiness *ready = user_data;
  EbAcceptor *self = ready->acceptor;
  EbListener *listener = ready->listener;

  for (guint i = 0; i < MAX_ACCEPTS; i++)
    if (!has_room (self, listener) || !accept_one (self, listener))
      break;
  return G_SOURCE_CONTINUE;
}

static GSource *
create_source (EbAcceptor *self, EbListener *listener)
{
  GSource *source = g_unix_fd_source_new (listener->fd, G_IO_IN);
  Readiness *ready = g_new (Readiness, 1);

  ready->acceptor = self;
  ready->listener = listener;
  g_source_set_callback (source, G_SOURCE_FUNC (ready_cb), ready, g_free);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/**
 * eb_acceptor_resume:
 *
 * A client has gone, or could go: if the acceptor paused, it tries again.
 */
void
eb_acceptor_resume (EbAcceptor *self)
{
  if (self->sources->len > 0)
    return;
  for (guint i = 0; i < self->listeners->len; i++)
    g_ptr_array_add (self->sources, create_source (self, g_ptr_array_index (self->listeners, i)));
}

static gboolean
resume_cb (gpointer user_data)
{
  eb_acceptor_resume (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_acceptor_add_listener:
 * @listener: (transfer full): its clients are taken from now on
 */
void
eb_acceptor_add_listener (EbAcceptor *self, EbListener *listener)
{
  g_ptr_array_add (self->listeners, listener);
  g_ptr_array_set_size (self->sources, 0);
  eb_acceptor_resume (self);
}

/**
 * eb_acceptor_get_listeners:
 *
 * Returns: (transfer none) (element-type EbListener): all that were added
 */
GPtrArray *
eb_acceptor_get_listeners (EbAcceptor *self)
{
  return self->listeners;
}

/**
 * eb_acceptor_stop:
 *
 * Closes the listeners; there are no clients any more.
 */
void
eb_acceptor_stop (EbAcceptor *self)
{
  g_ptr_array_set_size (self->sources, 0);
  g_ptr_array_set_size (self->listeners, 0);
}

static void
source_free (gpointer data)
{
  GSource *source = data;

  g_source_destroy (source);
  g_source_unref (source);
}

/**
 * eb_acceptor_new:
 * @funcs: (transfer none): must stay
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): an acceptor without listeners
 */
EbAcceptor *
eb_acceptor_new (EbClock *clock, const EbAcceptorFuncs *funcs, gpointer user_data)
{
  EbAcceptor *self = g_new0 (EbAcceptor, 1);

  self->clock = g_object_ref (clock);
  self->funcs = funcs;
  self->user_data = user_data;
  self->listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_listener_free);
  self->sources = g_ptr_array_new_with_free_func (source_free);
  self->resume_timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->resume_timer, resume_cb, self, NULL);
  g_source_attach (self->resume_timer, g_main_context_get_thread_default ());
  return self;
}

void
eb_acceptor_free (EbAcceptor *self)
{
  g_ptr_array_unref (self->sources);
  g_ptr_array_unref (self->listeners);
  source_free (self->resume_timer);
  g_object_unref (self->clock);
  g_free (self);
}
