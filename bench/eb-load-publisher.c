/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-publisher.h"

#include "bench/eb-load-client.h"
#include "bench/eb-load-payload.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Publishes the events of a run by POST /sendMessage: as fast as they are delivered, with a bound
 * on those that are not delivered everywhere yet, or at a fixed rate. An event that was refused
 * (429, 503, a broken connection) is published again. Owned by the run; lives in its one thread. */

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)
#define NS_PER_MS     G_GUINT64_CONSTANT (1000000)

/* How long a refused event waits: no storm, and no rest that would show in a rate. */
#define REFUSED_REST_NS (5 * NS_PER_MS)

struct _EbLoadPublisher
{
  EbLoadWatch timer;    /* ticks once for each event that is due; disarmed without a rate */
  EbLoadTally *tally;   /* (unowned) */
  EbLoadClient *client; /* (owned) */
  char *head;           /* (owned): of every request */
  gsize head_size;
  guint *slot_events; /* (owned): by slot, the event that it is sending */
  GQueue *again;      /* (owned) (element-type guint): events to publish again */
  guint64 rest_until_ns;
  guint next_event;
  guint end_event;    /* of the phase */
  guint due_end;      /* events before this one may be sent: end_event without a rate */
  guint window;       /* how many events may be under way; 0: any number */
  guint forgiven;     /* events of the window that are not waited for any more */
  guint64 give_up_ns; /* forgive when nothing arrives for so long; 0: never */
  guint64 last_answer_ns;
  guint n_waiting; /* requests without an answer */
  guint n_refused;
  guint n_late; /* events that were due while every connection was busy */
};

static void
timer_ready (EbLoadWatch *watch)
{
  EbLoadPublisher *self = (EbLoadPublisher *) watch;
  guint64 ticks;

  if (read (watch->fd, &ticks, sizeof ticks) != sizeof ticks)
    return;
  if (self->next_event < self->due_end)
    self->n_late++;
  self->due_end = (guint) MIN (self->due_end + ticks, self->end_event);
}

static gboolean
window_is_full (EbLoadPublisher *self)
{
  guint over = eb_load_tally_get_n_complete (self->tally) + self->forgiven;

  return self->window > 0 && self->next_event >= over + self->window;
}

static gboolean
take_next_event (EbLoadPublisher *self, guint64 now, guint *event)
{
  if (!g_queue_is_empty (self->again))
    {
      if (now < self->rest_until_ns)
        return FALSE;
      *event = GPOINTER_TO_UINT (g_queue_pop_head (self->again));
      return TRUE;
    }

  if (self->next_event >= self->due_end || window_is_full (self))
    return FALSE;
  *event = self->next_event++;
  return TRUE;
}

static gsize
publisher_next (gpointer data, guint slot, char buffer[EB_LOAD_REQUEST_MAX])
{
  EbLoadPublisher *self = data;
  guint64 now = eb_load_now_ns ();
  EbLoadPayload payload;
  guint event;

  if (!take_next_event (self, now, &event))
    return 0;

  self->slot_events[slot] = event;
  self->n_waiting++;
  eb_load_payload_init (&payload, event, now);
  memcpy (buffer, self->head, self->head_size);
  memcpy (buffer + self->head_size, &payload, sizeof payload);
  return self->head_size + sizeof payload;
}

static void
publisher_answered (gpointer data, guint slot, int status)
{
  EbLoadPublisher *self = data;

  self->n_waiting--;
  self->last_answer_ns = eb_load_now_ns ();
  if (status / 100 == 2)
    {
      eb_load_tally_acked (self->tally, self->slot_events[slot]);
      return;
    }

  self->n_refused++;
  self->rest_until_ns = self->last_answer_ns + REFUSED_REST_NS;
  g_queue_push_tail (self->again, GUINT_TO_POINTER (self->slot_events[slot]));
}

/* What a program has lost would fill the window for ever. */
static void
forgive_when_stalled (EbLoadPublisher *self)
{
  guint64 last = MAX (eb_load_tally_get_last_arrival_ns (self->tally), self->last_answer_ns);

  if (self->give_up_ns > 0 && window_is_full (self) && last > 0
      && eb_load_now_ns () > last + self->give_up_ns)
    self->forgiven = self->next_event - eb_load_tally_get_n_complete (self->tally);
}

/**
 * eb_load_publisher_new:
 * @loop: where it is served; must outlive it
 * @tally: told what is acked, asked what is delivered; must outlive it
 * @server: whom to publish to
 * @n_connections: how many requests may wait for an answer at the same time
 * @window: how many events may be published and not delivered everywhere; 0 for any number
 * @give_up_ms: when nothing happens for so long, a full window is emptied; 0 for never
 *
 * Returns: (transfer full): a publisher that waits for its first phase
 */
EbLoadPublisher *
eb_load_publisher_new (EbLoadLoop *loop,
                       EbLoadTally *tally,
                       const struct sockaddr_in *server,
                       guint n_connections,
                       guint window,
                       guint give_up_ms)
{
  static const EbLoadClientHandler handler = { publisher_next, publisher_answered };
  EbLoadPublisher *self = g_new0 (EbLoadPublisher, 1);

  self->tally = tally;
  self->window = window;
  self->give_up_ns = give_up_ms * NS_PER_MS;
  self->again = g_queue_new ();
  self->slot_events = g_new0 (guint, n_connections);
  self->head = g_strdup_printf ("POST /sendMessage HTTP/1.1\r\n"
                                "Host: 127.0.0.1:%u\r\n"
                                "Content-Type: application/octet-stream\r\n"
                                "Content-Length: %u\r\n\r\n",
                                ntohs (server->sin_port), EB_LOAD_PAYLOAD_SIZE);
  self->head_size = strlen (self->head);
  self->client = eb_load_client_new (loop, server, n_connections, &handler, self);

  self->timer.fd = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  self->timer.ready = timer_ready;
  if (self->timer.fd < 0)
    g_error ("Cannot make a timer: %s", g_strerror (errno));
  eb_load_loop_add (loop, &self->timer);

  return self;
}

/**
 * eb_load_publisher_free:
 * @publisher: (transfer full): a publisher
 */
void
eb_load_publisher_free (EbLoadPublisher *publisher)
{
  close (publisher->timer.fd);
  eb_load_client_free (publisher->client);
  g_queue_free (publisher->again);
  g_free (publisher->slot_events);
  g_free (publisher->head);
  g_free (publisher);
}

/**
 * eb_load_publisher_start_phase:
 * @publisher: a publisher that is done with what it had
 * @phase: the events to publish
 * @rate: how many a second; 0 for as many as the window lets through
 */
void
eb_load_publisher_start_phase (EbLoadPublisher *publisher, const EbLoadPhase *phase, double rate)
{
  struct itimerspec period = { 0 };

  publisher->next_event = phase->first_event;
  publisher->forgiven = phase->first_event - eb_load_tally_get_n_complete (publisher->tally);
  publisher->end_event = phase->first_event + phase->n_events;
  publisher->due_end = rate > 0 ? publisher->next_event : publisher->end_event;

  if (rate > 0)
    {
      guint64 period_ns = (guint64) ((double) NS_PER_SECOND / rate);

      period.it_interval.tv_sec = (time_t) (period_ns / NS_PER_SECOND);
      period.it_interval.tv_nsec = (long) (period_ns % NS_PER_SECOND);
      period.it_value = period.it_interval;
    }
  timerfd_settime (publisher->timer.fd, 0, &period, NULL);
}

/**
 * eb_load_publisher_turn:
 * @publisher: a publisher
 *
 * To be called at each turn of the loop: sends what may be sent now.
 */
void
eb_load_publisher_turn (EbLoadPublisher *publisher)
{
  forgive_when_stalled (publisher);
  eb_load_client_kick (publisher->client);
}

/**
 * eb_load_publisher_is_done:
 * @publisher: a publisher
 *
 * Returns: whether every event of the phase was accepted
 */
gboolean
eb_load_publisher_is_done (EbLoadPublisher *publisher)
{
  return publisher->next_event == publisher->end_event && publisher->n_waiting == 0
         && g_queue_is_empty (publisher->again);
}

/**
 * eb_load_publisher_get_last_answer_ns:
 * @publisher: a publisher
 *
 * Returns: when the server last answered; 0 before it did
 */
guint64
eb_load_publisher_get_last_answer_ns (EbLoadPublisher *publisher)
{
  return publisher->last_answer_ns;
}

/**
 * eb_load_publisher_get_n_refused:
 * @publisher: a publisher
 *
 * Returns: how many requests got no 2xx
 */
guint
eb_load_publisher_get_n_refused (EbLoadPublisher *publisher)
{
  return publisher->n_refused;
}

/**
 * eb_load_publisher_get_n_broken:
 * @publisher: a publisher
 *
 * Returns: how many connections the server broke
 */
guint
eb_load_publisher_get_n_broken (EbLoadPublisher *publisher)
{
  return eb_load_client_get_n_broken (publisher->client);
}

/**
 * eb_load_publisher_get_n_late:
 * @publisher: a publisher
 *
 * Returns: how often an event was due while the one before could not be sent yet; a run at a fixed
 *   rate whose figure is not 0 did not keep its rate
 */
guint
eb_load_publisher_get_n_late (EbLoadPublisher *publisher)
{
  return publisher->n_late;
}
