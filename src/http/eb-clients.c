/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-clients.h"

#include <errno.h>
#include <sys/socket.h>

/* Each client stands in the queue of its state and has one deadline, both of which only
 * eb_clients_set_state() changes.
 *
 * Belongs to the gate, in the main thread. */

#define MAX_LOOKS 16                       /* for a client to part with, each a system call */
#define LINGER    (2 * G_TIME_SPAN_SECOND) /* to read why one was refused */

/* What all clients together have sent of requests that are not answered yet. */
#define MAX_BUFFERED (256 * 1024 * 1024)

#define N_STATES (EB_CLIENT_CLOSED + 1)

struct _EbClients
{
  EbClientLateFunc late;
  gpointer user_data;
  EbHttpLimits limits;
  EbDeadlines *deadlines;  /* (owned) of clients in every state */
  GQueue queues[N_STATES]; /* (element-type EbClient) by state; who is longest in it first */
  guint n_clients;
  gsize buffered; /* the clients' charges together */
};

static GTimeSpan
get_limit (EbClients *self, EbClient *client)
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

/**
 * eb_clients_set_state:
 *
 * The one place where a client's state changes. Its time begins.
 */
void
eb_clients_set_state (EbClients *self, EbClient *client, EbClientState state)
{
  g_queue_unlink (&self->queues[client->state], &client->link);
  g_queue_push_tail_link (&self->queues[state], &client->link);
  client->state = state;
  eb_deadlines_set (self->deadlines, &client->deadline, get_limit (self, client));
}

/**
 * eb_clients_charge:
 *
 * Counts what is kept of @client's requests by now.
 */
void
eb_clients_charge (EbClients *self, EbClient *client)
{
  gsize size = client->input != NULL ? client->input->len : 0;

  self->buffered += size - client->charged;
  client->charged = size;
}

/**
 * eb_clients_add:
 * @client: (transfer full): has just connected
 */
void
eb_clients_add (EbClients *self, EbClient *client)
{
  self->n_clients++;
  g_queue_push_tail_link (&self->queues[EB_CLIENT_IDLE], &client->link);
  /* The first request has to begin as soon as one in mid-sentence has to go on. */
  eb_deadlines_set (self->deadlines, &client->deadline, self->limits.header_timeout);
}

/**
 * eb_clients_remove:
 *
 * Closes @client and lets go of it.
 */
void
eb_clients_remove (EbClients *self, EbClient *client)
{
  g_queue_unlink (&self->queues[client->state], &client->link);
  eb_deadlines_clear (self->deadlines, &client->deadline);
  client->state = EB_CLIENT_CLOSED;
  eb_client_close (client);
  eb_clients_charge (self, client);
  self->n_clients--;
  eb_client_unref (client);
}

gboolean
eb_clients_is_full (EbClients *self)
{
  return self->n_clients >= self->limits.max_clients;
}

/**
 * eb_clients_is_over_budget:
 *
 * Returns: whether the rest of @client's request is more than there is memory for
 */
gboolean
eb_clients_is_over_budget (EbClients *self, EbClient *client)
{
  gsize expected = client->framing.head_length + (gsize) client->framing.body_length;
  gsize missing = expected > client->charged ? expected - client->charged : 0;

  return self->buffered + missing > MAX_BUFFERED;
}

/**
 * eb_clients_peek:
 *
 * Returns: (transfer none) (nullable): who has been in @state for longest
 */
EbClient *
eb_clients_peek (EbClients *self, EbClientState state)
{
  return g_queue_peek_head (&self->queues[state]);
}

/* Nothing of its next request has come, not even to the socket. */
static gboolean
is_silent (EbClient *client)
{
  char byte;

  return recv (client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/**
 * eb_clients_find_silent:
 *
 * Returns: (transfer none) (nullable): who has been idle for longest, and still is; NULL if nobody
 *   is among the first
 */
EbClient *
eb_clients_find_silent (EbClients *self)
{
  GList *link = self->queues[EB_CLIENT_IDLE].head;

  for (guint i = 0; link != NULL && i < MAX_LOOKS; link = link->next, i++)
    if (is_silent (link->data))
      return link->data;
  return NULL;
}

/**
 * eb_clients_configure:
 * @limits: for what begins from now on
 */
void
eb_clients_configure (EbClients *self, const EbHttpLimits *limits)
{
  self->limits = *limits;
}

static void
deadline_cb (EbDeadline *deadline, gpointer user_data)
{
  EbClients *self = user_data;

  self->late (eb_deadline_get_owner (deadline, EbClient, deadline), self->user_data);
}

/**
 * eb_clients_new:
 * @late: is told when a client's time is over
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): nobody yet
 */
EbClients *
eb_clients_new (EbClock *clock, EbClientLateFunc late, gpointer user_data)
{
  EbClients *self = g_new0 (EbClients, 1);

  self->late = late;
  self->user_data = user_data;
  self->limits = (EbHttpLimits){ 4096, 30 * G_TIME_SPAN_SECOND, 60 * G_TIME_SPAN_SECOND,
                                 75 * G_TIME_SPAN_SECOND };
  self->deadlines =
      eb_deadlines_new (clock, g_main_context_get_thread_default (), deadline_cb, self);
  return self;
}

/**
 * eb_clients_free:
 *
 * All must have been removed.
 */
void
eb_clients_free (EbClients *self)
{
  g_return_if_fail (self->n_clients == 0);

  eb_deadlines_free (self->deadlines);
  g_free (self);
}
