/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-connection.h"

#include <errno.h>
#include <linux/tcp.h> /* netinet/tcp.h knows less of struct tcp_info */
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/eb-error.h"

/* Of a request: what depends on the subscription, what on the event, and the body. */
#define MAX_PARTS 3

/**
 * eb_wire_connection_new:
 *
 * Returns: (transfer full): a connection without a socket
 */
EbWireConnection *
eb_wire_connection_new (void)
{
  EbWireConnection *self = g_new0 (EbWireConnection, 1);

  self->fd = -1;
  self->link.data = self;
  self->channel_link.data = self;
  return self;
}

void
eb_wire_connection_free (EbWireConnection *self)
{
  eb_wire_connection_close (self);
  g_clear_pointer (&self->settings, eb_delivery_settings_unref);
  g_clear_pointer (&self->policy, eb_address_policy_unref);
  eb_wire_head_clear (&self->head);
  g_free (self);
}

/**
 * eb_wire_connection_close:
 *
 * Lets go of all that it holds; it can connect anew.
 */
void
eb_wire_connection_close (EbWireConnection *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  if (self->lookup != NULL)
    g_cancellable_cancel (self->lookup);
  g_clear_object (&self->lookup);
  g_clear_list (&self->addresses, g_object_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->content, eb_content_unref);
  eb_wire_response_clear (&self->response);
}

static void
set_error_from_errno (GError **error, int saved_errno)
{
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                       g_strerror (saved_errno));
}

typedef union
{
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
} Native;

/* A GSocketAddress would take longer to make than all else here that is not the kernel's.
 *
 * Returns: the size of what is in @native */
static socklen_t
fill_native (Native *native, GInetAddress *address, guint16 port)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    {
      native->ipv6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons (port) };
      memcpy (&native->ipv6.sin6_addr, bytes, sizeof native->ipv6.sin6_addr);
      return sizeof native->ipv6;
    }
  native->ipv4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (port) };
  memcpy (&native->ipv4.sin_addr, bytes, sizeof native->ipv4.sin_addr);
  return sizeof native->ipv4;
}

static int
open_socket (int family)
{
  int fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  int yes = 1;

  /* A request is one sendmsg(): waiting for more would only delay it. */
  if (fd >= 0)
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

/**
 * eb_wire_connection_connect:
 * @epoll_fd: tells of its events from now on, edge-triggered, with @self as their data
 *
 * Begins to connect; what comes of it, eb_wire_connection_handle() says.
 *
 * Returns: FALSE with a #GIOError if it failed at once
 */
gboolean
eb_wire_connection_connect (
    EbWireConnection *self, int epoll_fd, GInetAddress *address, guint16 port, GError **error)
{
  Native native;
  struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                               .data.ptr = self };
  socklen_t size = fill_native (&native, address, port);

  if (self->fd >= 0)
    close (self->fd);
  self->used = FALSE;
  self->n_sent = 0;
  self->fd = open_socket (native.any.sa_family);
  if (self->fd < 0 || epoll_ctl (epoll_fd, EPOLL_CTL_ADD, self->fd, &event) < 0
      || (connect (self->fd, &native.any, size) < 0 && errno != EINPROGRESS))
    {
      set_error_from_errno (error, errno);
      return FALSE;
    }
  return TRUE;
}

/**
 * eb_wire_connection_dup_address:
 *
 * Returns: (transfer full) (nullable): where it leads; NULL if it does not stand any more
 */
GInetAddress *
eb_wire_connection_dup_address (EbWireConnection *self)
{
  Native native;
  socklen_t size = sizeof native;

  if (getpeername (self->fd, &native.any, &size) < 0)
    return NULL;
  if (native.any.sa_family == AF_INET6)
    return g_inet_address_new_from_bytes ((const guint8 *) &native.ipv6.sin6_addr,
                                          G_SOCKET_FAMILY_IPV6);
  return g_inet_address_new_from_bytes ((const guint8 *) &native.ipv4.sin_addr,
                                        G_SOCKET_FAMILY_IPV4);
}

/* The parts of the request from @self->position on. */
static guint
build_parts (EbWireConnection *self, struct iovec parts[MAX_PARTS])
{
  const struct iovec all[MAX_PARTS] = { { self->head.text, self->head.length },
                                        *eb_content_get_head (self->content),
                                        *eb_content_get_body (self->content) };
  gsize skip = self->position;
  guint n_parts = 0;

  for (guint i = 0; i < MAX_PARTS; i++)
    {
      gsize skipped = MIN (skip, all[i].iov_len), length = all[i].iov_len - skipped;
      char *base = (char *) all[i].iov_base + skipped;
      struct iovec *last = n_parts > 0 ? &parts[n_parts - 1] : NULL;

      skip -= skipped;
      if (length == 0)
        continue;
      /* A small body is right behind its head. */
      if (last != NULL && (char *) last->iov_base + last->iov_len == base)
        last->iov_len += length;
      else
        parts[n_parts++] = (struct iovec){ base, length };
    }
  return n_parts;
}

/**
 * eb_wire_connection_prepare:
 * @content: (transfer full): of @self's delivery
 * @signer: (nullable): of its subscription
 * @now_us: real time
 *
 * Writes the request for @self's delivery, of which nothing is sent yet.
 */
void
eb_wire_connection_prepare (EbWireConnection *self,
                            EbContent *content,
                            EbSigner *signer,
                            gint64 now_us)
{
  const struct iovec *body = eb_content_get_body (content);

  g_clear_pointer (&self->content, eb_content_unref);
  self->content = content;
  eb_wire_head_write (&self->head, self->delivery, body, signer, now_us);
  self->length = self->head.length + eb_content_get_head (content)->iov_len + body->iov_len;
  self->position = 0;
}

/* It may have answered before it hung up. Its last event, which is still to come, finds that out.
 * Where nothing of the request was sent, whatever it said is no answer. */
static gboolean
hung_up_on_request (const EbWireConnection *self, int error_number)
{
  return self->position > 0 && (error_number == EPIPE || error_number == ECONNRESET);
}

/**
 * eb_wire_connection_send:
 *
 * Sends what is left of the request, or as much of it as the socket takes.
 *
 * Returns: FALSE with a #GIOError if the connection turned out to be dead
 */
gboolean
eb_wire_connection_send (EbWireConnection *self, GError **error)
{
  while (self->position < self->length)
    {
      struct iovec parts[MAX_PARTS];
      struct msghdr message = { .msg_iov = parts, .msg_iovlen = build_parts (self, parts) };
      gssize n = sendmsg (self->fd, &message, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && (errno == EAGAIN || hung_up_on_request (self, errno)))
        return TRUE;
      if (n < 0)
        {
          set_error_from_errno (error, errno);
          return FALSE;
        }
      self->position += (gsize) n;
    }
  return TRUE;
}

/* A socket with an error says so in its events; then it is worth a question which. */
static EbWireResult
finish_connect (EbWireConnection *self, guint32 events, GError **error)
{
  int problem = 0;
  socklen_t size = sizeof problem;

  if ((events & (EPOLLERR | EPOLLHUP)) == 0)
    return EB_WIRE_CONNECTED;
  if (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
    problem = errno;
  if (problem == 0)
    return EB_WIRE_CONNECTED;
  set_error_from_errno (error, problem);
  return EB_WIRE_BROKEN;
}

static EbWireResult
handle_bytes (EbWireConnection *self,
              EbWireParser *parser,
              const guint8 *bytes,
              gsize n_bytes,
              GError **error)
{
  switch (eb_wire_response_feed (&self->response, parser, bytes, n_bytes))
    {
    case EB_WIRE_RESPONSE_MORE:
      return EB_WIRE_NOTHING;
    case EB_WIRE_RESPONSE_DONE:
      return EB_WIRE_ANSWERED;
    case EB_WIRE_RESPONSE_BAD:
    default:
      g_set_error_literal (error, EB_ERROR, EB_ERROR_INVALID,
                           "What it answered is not an HTTP response, or has too long a head");
      return EB_WIRE_BROKEN;
    }
}

static EbWireResult
handle_end (EbWireConnection *self, GError **error)
{
  if (eb_wire_response_end (&self->response) == EB_WIRE_RESPONSE_DONE)
    return EB_WIRE_ANSWERED;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                       "The sink closed the connection without an answer");
  return EB_WIRE_BROKEN;
}

static EbWireResult
receive (EbWireConnection *self,
         gboolean ended,
         EbWireParser *parser,
         guint8 *buffer,
         gsize buffer_size,
         GError **error)
{
  for (;;)
    {
      EbWireResult result;
      gssize n = recv (self->fd, buffer, buffer_size, 0);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return EB_WIRE_NOTHING;
      if (n == 0)
        return handle_end (self, error);
      if (n < 0)
        {
          int saved_errno = errno;

          if (self->response.status != 0)
            return handle_end (self, error);
          set_error_from_errno (error, saved_errno);
          return EB_WIRE_BROKEN;
        }

      result = handle_bytes (self, parser, buffer, (gsize) n, error);
      if (result == EB_WIRE_ANSWERED && ended)
        self->response.keep_alive = FALSE;
      if (result != EB_WIRE_NOTHING)
        return result;
      /* Less than there was room for means that it is empty: there will be another edge. */
      if ((gsize) n < buffer_size && !ended)
        return EB_WIRE_NOTHING;
    }
}

/**
 * eb_wire_connection_handle:
 * @events: from epoll
 * @parser: of the thread
 * @buffer: to read into; only for the time of this call
 *
 * Does what @events make possible.
 */
EbWireResult
eb_wire_connection_handle (EbWireConnection *self,
                           guint32 events,
                           EbWireParser *parser,
                           guint8 *buffer,
                           gsize buffer_size,
                           GError **error)
{
  EbWireResult result = EB_WIRE_NOTHING;

  if (self->state == EB_WIRE_CONNECTING)
    return events & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? finish_connect (self, events, error)
                                                     : EB_WIRE_NOTHING;

  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    result = receive (self, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0, parser, buffer,
                      buffer_size, error);
  /* An answer that did not wait for the whole request leaves a connection of no more use. */
  if (result == EB_WIRE_ANSWERED && self->position < self->length)
    self->response.keep_alive = FALSE;
  if (result == EB_WIRE_NOTHING && (events & EPOLLOUT) && !eb_wire_connection_send (self, error))
    return EB_WIRE_BROKEN;
  return result;
}

/**
 * eb_wire_connection_rest:
 *
 * To be called once the response is done and if it may be kept alive: another request may begin.
 */
void
eb_wire_connection_rest (EbWireConnection *self)
{
  self->used = TRUE;
  self->n_sent += self->length;
  self->length = 0;
  self->position = 0;
  self->delivery = NULL;
  g_clear_pointer (&self->content, eb_content_unref);
  eb_wire_response_clear (&self->response);
}

/**
 * eb_wire_connection_was_ignored:
 *
 * A sink may close an idle connection at the very moment when a request is sent on it. If its
 * kernel has acknowledged nothing of the request, the sink cannot have seen it either.
 *
 * Returns: whether that is so, and the request may be sent again as if it had never been sent
 */
gboolean
eb_wire_connection_was_ignored (EbWireConnection *self)
{
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;

  if (!self->used || self->response.status != 0 || self->response.head != NULL)
    return FALSE;
  if (getsockopt (self->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0
      || size < G_STRUCT_OFFSET (struct tcp_info, tcpi_bytes_received))
    return FALSE;
  /* It counts the SYN as a byte. */
  return info.tcpi_bytes_acked <= self->n_sent + 1;
}
