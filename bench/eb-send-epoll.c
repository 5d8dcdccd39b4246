/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* The limit: what one thread can deliver when it does nothing but one sendmsg() and one recv() a
 * delivery behind one epoll descriptor, with a head made once and an answer of which only the first
 * digit is looked at. Everything that a real sender must do besides is what it is compared for. */

#define READY_AT_ONCE 256

/* How many hosts may be on their first event: fewer than the sinks' backlog, since a lost SYN costs
 * a second that has nothing to do with the limit. */
#define STARTING_MAX 512

typedef struct
{
  int fd;
  guint next; /* the next event of the phase */
  char *head; /* (owned) */
  gsize head_size;
} Host;

struct _EbSendEpoll
{
  int epoll_fd; /* (owned) */
  guint n_hosts;
  guint n_open;
  Host *hosts;        /* (owned) (array length=n_hosts) */
  guint n_unfinished; /* hosts that have not all events of the phase */
};

static char *
make_head (struct in_addr address, guint16 port, guint head_bytes)
{
  char text[INET_ADDRSTRLEN];
  GString *head = g_string_new ("POST /event HTTP/1.1\r\n");

  g_string_append_printf (head,
                          "Host: %s:%u\r\n"
                          "User-Agent: eb-send\r\n"
                          "Content-Type: application/octet-stream\r\n"
                          "Content-Length: %u\r\n"
                          "x-padding: ",
                          inet_ntop (AF_INET, &address, text, sizeof text), port,
                          EB_LOAD_PAYLOAD_SIZE);
  while (head->len + 4 < head_bytes)
    g_string_append_c (head, 'x');
  g_string_append (head, "\r\n\r\n");

  return g_string_free (head, FALSE);
}

static void
host_send (Host *host, const EbSendPlan *plan)
{
  const EbLoadPayload *event = eb_send_plan_get_event (plan, host->next++);
  struct iovec parts[] = { { host->head, host->head_size }, { (gpointer) event, sizeof *event } };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = G_N_ELEMENTS (parts) };

  if (sendmsg (host->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
      != (ssize_t) (host->head_size + sizeof *event))
    g_error ("Cannot send a delivery: %s", g_strerror (errno));
}

static void
host_open (EbSendEpoll *self, Host *host, const EbSendPlan *plan)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (plan->port) };
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = host };
  int one = 1;

  address.sin_addr = eb_load_sink_address ((guint) (host - self->hosts));
  host->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  /* On loopback the handshake is done within the call: there is nothing to wait for. */
  if (host->fd < 0 || connect (host->fd, (struct sockaddr *) &address, sizeof address) != 0)
    g_error ("Cannot connect to a sink: %s", g_strerror (errno));
  setsockopt (host->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, host->fd, &event);

  host->head = make_head (address.sin_addr, plan->port, plan->head_bytes);
  host->head_size = strlen (host->head);
}

static void
open_next_host (EbSendEpoll *self, const EbSendPlan *plan)
{
  Host *host = &self->hosts[self->n_open++];

  host_open (self, host, plan);
  host_send (host, plan);
}

static void
host_ready (EbSendEpoll *self, Host *host, const EbSendPlan *plan)
{
  char answer[4096];
  ssize_t n = recv (host->fd, answer, sizeof answer, MSG_DONTWAIT);

  if (n < 12 || answer[9] != '2')
    g_error ("A sink did not accept a delivery");

  if (host->next == 1 && self->n_open < self->n_hosts)
    open_next_host (self, plan);
  if (host->next < plan->n_events)
    host_send (host, plan);
  else
    self->n_unfinished--;
}

/**
 * eb_send_epoll_new:
 * @plan: the first phase
 *
 * Returns: (transfer full): a sender without a connection
 */
EbSendEpoll *
eb_send_epoll_new (const EbSendPlan *plan)
{
  EbSendEpoll *self = g_new0 (EbSendEpoll, 1);

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->n_hosts = plan->n_sinks;
  self->hosts = g_new0 (Host, plan->n_sinks);
  return self;
}

/**
 * eb_send_epoll_run:
 * @sender: a sender
 * @plan: what to send; the first plan connects as well
 *
 * Sends the events of a phase to every sink and waits for the last answer.
 */
void
eb_send_epoll_run (EbSendEpoll *sender, const EbSendPlan *plan)
{
  struct epoll_event events[READY_AT_ONCE];

  sender->n_unfinished = plan->n_events > 0 ? sender->n_hosts : 0;
  for (guint i = 0; i < sender->n_open && plan->n_events > 0; i++)
    {
      sender->hosts[i].next = 0;
      host_send (&sender->hosts[i], plan);
    }
  while (plan->n_events > 0 && sender->n_open < MIN (sender->n_hosts, STARTING_MAX))
    open_next_host (sender, plan);

  while (sender->n_unfinished > 0)
    {
      int n = epoll_wait (sender->epoll_fd, events, READY_AT_ONCE, -1);

      for (int i = 0; i < n; i++)
        host_ready (sender, events[i].data.ptr, plan);
    }
}

/**
 * eb_send_epoll_free:
 * @sender: (transfer full): a sender
 */
void
eb_send_epoll_free (EbSendEpoll *sender)
{
  for (guint i = 0; i < sender->n_open; i++)
    {
      close (sender->hosts[i].fd);
      g_free (sender->hosts[i].head);
    }
  close (sender->epoll_fd);
  g_free (sender->hosts);
  g_free (sender);
}
