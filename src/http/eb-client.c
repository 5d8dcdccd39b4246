/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/eb-problem.h"
#include "http/eb-exchange.h"
#include "http/eb-tutorial-api.h"

/**
 * eb_client_new:
 * @fd: (transfer full): a connected socket, non-blocking
 * @local: it is a UNIX socket
 *
 * Returns: (transfer full): a client that has sent nothing yet
 */
EbClient *
eb_client_new (int fd, gboolean local)
{
  EbClient *self = g_rc_box_new0 (EbClient);

  self->fd = fd;
  self->local = local;
  self->link.data = self;
  return self;
}

EbClient *
eb_client_ref (EbClient *self)
{
  return g_rc_box_acquire (self);
}

static void
client_clear (gpointer data)
{
  eb_client_close (data);
}

void
eb_client_unref (EbClient *self)
{
  g_rc_box_release_full (self, client_clear);
}

/**
 * eb_client_close:
 *
 * Lets go of the socket and of all that came from it. Can be called again.
 */
void
eb_client_close (EbClient *self)
{
  if (self->stream != NULL)
    eb_gate_stream_release (self->stream);
  g_clear_object (&self->stream);
  if (self->connection == NULL && self->fd >= 0)
    close (self->fd);
  else if (self->connection != NULL)
    g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_clear_object (&self->connection);
  self->fd = -1;
  g_clear_pointer (&self->input, g_byte_array_unref);
}

/**
 * eb_client_receive:
 * @buffer: to read into; its content is of no meaning after
 *
 * Reads once and keeps what came.
 *
 * Returns: how many bytes came; 0 if the client has sent its last, -1 with errno
 */
gssize
eb_client_receive (EbClient *self, guint8 *buffer, gsize buffer_size)
{
  gssize n = recv (self->fd, buffer, buffer_size, 0);

  if (n <= 0)
    return n;
  if (self->input == NULL)
    self->input = g_byte_array_sized_new ((guint) n);
  g_byte_array_append (self->input, buffer, (guint) n);
  return n;
}

/* RFC 9112, 2.2: empty lines before a request are to be passed over. */
static void
skip_empty_lines (EbClient *self)
{
  guint n = 0;

  while (n + 2 <= self->input->len && memcmp (self->input->data + n, "\r\n", 2) == 0)
    n += 2;
  if (n > 0)
    g_byte_array_remove_range (self->input, 0, n);
}

/**
 * eb_client_frame:
 *
 * Returns: how the request at hand stands
 */
EbFramingResult
eb_client_frame (EbClient *self)
{
  EbFramingResult result;
  gsize n_bytes;

  if (self->input == NULL)
    return EB_FRAMING_MORE;
  if (self->framing.position <= 1)
    {
      self->framing.position = 0;
      skip_empty_lines (self);
    }
  n_bytes = self->input->len;
  result = eb_framing_feed (&self->framing, self->input->data, &n_bytes);
  g_byte_array_set_size (self->input, (guint) n_bytes);
  return result;
}

/* A few bytes to a socket that is mostly empty. Where they do not go out, the client was not
 * reading what it was sent before; it has to live without. */
static void
send_line (EbClient *self, const char *text)
{
  if (send (self->fd, text, strlen (text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    g_debug ("Cannot answer a client: %s", g_strerror (errno));
}

/**
 * eb_client_continue:
 *
 * Sends `100 Continue`, once for a request, to a client that waits for it before it sends the body.
 */
void
eb_client_continue (EbClient *self)
{
  if (!self->framing.waits || self->continued)
    return;
  self->continued = TRUE;
  send_line (self, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* A head is taken apart when it is complete, and it is refused before that if it is too large or
 * too late. Returns: (transfer full) (nullable): NULL if the request line has not come either */
static char *
peek_target (EbClient *self)
{
  const guint8 *end =
      self->input != NULL ? memchr (self->input->data, '\r', self->input->len) : NULL;
  g_autofree char *line = NULL;
  g_auto (GStrv) parts = NULL;

  if (end == NULL)
    return NULL;
  line = g_strndup ((const char *) self->input->data, (gsize) (end - self->input->data));
  parts = g_strsplit (line, " ", 3);
  return parts[0] != NULL ? g_strdup (parts[1]) : NULL;
}

static gboolean
asks_for_tutorial (EbClient *self)
{
  g_autofree char *target = peek_target (self);
  g_autofree char *path = target != NULL ? eb_exchange_dup_path (target) : NULL;

  return path != NULL && eb_tutorial_api_has_path (path);
}

/* Its answer has no body, whatever it is (RFC 9110, 9.3.2): what came after the head would pass
 * for the next answer. */
static gboolean
asks_for_head (EbClient *self)
{
  static const char method[] = { 'H', 'E', 'A', 'D', ' ' };

  return self->input != NULL && self->input->len >= sizeof method
         && memcmp (self->input->data, method, sizeof method) == 0;
}

/**
 * eb_client_refuse:
 * @phrase: of @status
 * @reason: for people
 *
 * Answers in SoupServer's stead, and ends the connection's sending half.
 */
void
eb_client_refuse (EbClient *self, guint status, const char *phrase, const char *reason)
{
  gboolean is_problem = !asks_for_tutorial (self);
  g_autofree char *body = is_problem ? eb_problem_to_json (status, phrase, reason)
                                     : g_strdup_printf ("Error: %s\n", reason);
  g_autofree char *answer = g_strdup_printf (
      "HTTP/1.1 %u %s\r\n"
      "Content-Type: %s\r\n"
      "Content-Length: %" G_GSIZE_FORMAT "\r\n"
      "%s"
      "Connection: close\r\n"
      "\r\n"
      "%s",
      status, phrase, is_problem ? EB_PROBLEM_TYPE : "text/plain; charset=utf-8", strlen (body),
      status == 503 ? "Retry-After: 1\r\n" : "", asks_for_head (self) ? "" : body);

  send_line (self, answer);
  shutdown (self->fd, SHUT_WR);
}

static gboolean
ensure_connection (EbClient *self, GError **error)
{
  g_autoptr (GSocket) socket = NULL;

  if (self->connection != NULL)
    return TRUE;
  socket = g_socket_new_from_fd (self->fd, error);
  if (socket == NULL)
    return FALSE;
  g_socket_set_blocking (socket, FALSE);
  self->connection = g_socket_connection_factory_create_connection (socket);
  return TRUE;
}

/**
 * eb_client_lend:
 * @closed: is called with @self if the stream is closed before it is taken back
 *
 * Returns: (transfer none): a stream over the request at hand, which is complete
 */
GIOStream *
eb_client_lend (EbClient *self, EbGateClosedFunc closed, GError **error)
{
  const EbSlice *expect = &self->framing.expect;

  if (!ensure_connection (self, error))
    return NULL;
  /* SoupServer would answer 100 a second time, with the body already here. */
  if (expect->length > 0)
    memcpy (self->input->data + expect->start, "X-Sent", expect->length);
  self->stream = eb_gate_stream_new (self->input->data, self->framing.length,
                                     g_io_stream_get_output_stream (G_IO_STREAM (self->connection)),
                                     closed, self);
  return G_IO_STREAM (self->stream);
}

/**
 * eb_client_take_back:
 *
 * The request at hand is done; what the client has sent after it comes next.
 */
void
eb_client_take_back (EbClient *self)
{
  if (self->stream != NULL)
    eb_gate_stream_release (self->stream);
  g_clear_object (&self->stream);
  if (self->input->len == self->framing.length)
    g_clear_pointer (&self->input, g_byte_array_unref);
  else
    g_byte_array_remove_range (self->input, 0, (guint) self->framing.length);
  self->framing = (EbFraming){ 0 };
  self->continued = FALSE;
}

/**
 * eb_client_dup_slice:
 *
 * Returns: (transfer full) (nullable): that part of the request at hand; NULL if it has none
 */
char *
eb_client_dup_slice (EbClient *self, EbSlice slice)
{
  if (slice.length == 0)
    return NULL;
  return g_strndup ((const char *) self->input->data + slice.start, slice.length);
}
