/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The thinnest loop that serves ten thousand sockets: the load generator must cost little of the
 * machine that it shares with what it measures, so it does not use GLib's. One thread. */

/* As many as one turn may serve: few enough that what the turn's end looks after is not late. */
#define READY_AT_ONCE 256

/* How long a turn may wait: what the turn's end decides (quiet, deadline) needs no finer clock. */
#define TURN_MS 10

struct _EbLoadLoop
{
  int epoll_fd; /* (owned) */
  gboolean running;
  void (*turn) (gpointer data);
  gpointer data; /* (unowned): for @turn */
};

/**
 * eb_load_loop_new:
 * @turn: (scope notified): called after each turn, at least every 10 ms
 * @data: for @turn
 *
 * Returns: (transfer full): a loop that watches nothing
 */
EbLoadLoop *
eb_load_loop_new (void (*turn) (gpointer data), gpointer data)
{
  EbLoadLoop *loop = g_new0 (EbLoadLoop, 1);

  loop->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  g_assert (loop->epoll_fd >= 0);
  loop->turn = turn;
  loop->data = data;
  return loop;
}

/**
 * eb_load_loop_free:
 * @loop: (transfer full): a loop
 */
void
eb_load_loop_free (EbLoadLoop *loop)
{
  close (loop->epoll_fd);
  g_free (loop);
}

/**
 * eb_load_loop_add:
 * @loop: a loop
 * @watch: (transfer none): lives until its descriptor is closed
 *
 * Watches a descriptor for something to read. Closing the descriptor ends it.
 */
void
eb_load_loop_add (EbLoadLoop *loop, EbLoadWatch *watch)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

  if (epoll_ctl (loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) != 0)
    g_error ("Cannot watch a socket: %s", g_strerror (errno));
}

/**
 * eb_load_loop_run:
 * @loop: a loop
 *
 * Serves what is watched until eb_load_loop_stop().
 */
void
eb_load_loop_run (EbLoadLoop *loop)
{
  struct epoll_event events[READY_AT_ONCE];

  loop->running = TRUE;
  while (loop->running)
    {
      int n = epoll_wait (loop->epoll_fd, events, READY_AT_ONCE, TURN_MS);

      for (int i = 0; i < n; i++)
        {
          EbLoadWatch *watch = events[i].data.ptr;

          watch->ready (watch);
        }
      loop->turn (loop->data);
    }
}

/**
 * eb_load_loop_stop:
 * @loop: a loop
 *
 * Ends eb_load_loop_run() after the present turn.
 */
void
eb_load_loop_stop (EbLoadLoop *loop)
{
  loop->running = FALSE;
}
