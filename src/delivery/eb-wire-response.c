/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-response.h"

#include <string.h>

/**
 * eb_wire_parser_new:
 *
 * Returns: (transfer full): a parser that remembers nothing
 */
EbWireParser *
eb_wire_parser_new (void)
{
  EbWireParser *self = g_new0 (EbWireParser, 1);

  self->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  return self;
}

void
eb_wire_parser_free (EbWireParser *self)
{
  soup_message_headers_unref (self->headers);
  g_free (self);
}

static gboolean
is_remembered (EbWireParser *self, const guint8 *bytes, gsize n_bytes)
{
  return self->last_length > 0 && n_bytes >= self->last_length
         && memcmp (bytes, self->last, self->last_length) == 0;
}

static void
remember (EbWireParser *self,
          const guint8 *bytes,
          gsize n_bytes,
          const EbWireResponse *response,
          EbWireResponseStatus result)
{
  if (n_bytes > sizeof self->last || response->retry_after != NULL)
    return;
  memcpy (self->last, bytes, n_bytes);
  self->last_length = n_bytes;
  self->status = response->status;
  self->keep_alive = response->keep_alive;
  self->chunked = response->chunked;
  self->left = response->left;
  self->result = result;
}

static EbWireResponseStatus
recall (EbWireParser *self, EbWireResponse *response)
{
  response->status = self->status;
  response->keep_alive = self->keep_alive;
  response->chunked = self->chunked;
  response->left = self->left;
  return self->result;
}

/* Returns: the size of the head that begins @bytes, its empty line included; 0 if that is not
 * there yet */
static gsize
find_head_end (const guint8 *bytes, gsize n_bytes)
{
  const guint8 *end = memmem (bytes, n_bytes, "\r\n\r\n", 4);
  const guint8 *bare = memmem (bytes, end != NULL ? (gsize) (end - bytes) : n_bytes, "\n\n", 2);

  if (bare != NULL)
    return (gsize) (bare - bytes) + 2;
  return end != NULL ? (gsize) (end - bytes) + 4 : 0;
}

static gboolean
has_body (guint status)
{
  return status != SOUP_STATUS_NO_CONTENT && status != SOUP_STATUS_NOT_MODIFIED;
}

static gboolean
is_keep_alive (SoupMessageHeaders *headers, SoupHTTPVersion version)
{
  const char *connection = soup_message_headers_get_list (headers, "Connection");

  if (connection == NULL)
    return version == SOUP_HTTP_1_1;
  if (version == SOUP_HTTP_1_1)
    return !soup_header_contains (connection, "close");
  return soup_header_contains (connection, "keep-alive");
}

static EbWireResponseStatus
begin_body (EbWireResponse *self, SoupMessageHeaders *headers)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);

  if (!has_body (self->status))
    return EB_WIRE_RESPONSE_DONE;

  if (encoding == SOUP_ENCODING_CHUNKED)
    {
      self->chunked = TRUE;
      return EB_WIRE_RESPONSE_MORE;
    }

  /* A body that ends with the connection ends it now: nobody reads it. */
  self->left = encoding == SOUP_ENCODING_CONTENT_LENGTH
                   ? (guint64) soup_message_headers_get_content_length (headers)
                   : G_MAXUINT64;
  if (self->left > EB_MAX_RESPONSE_BODY)
    self->keep_alive = FALSE;
  if (self->left == 0 || self->left > EB_MAX_RESPONSE_BODY)
    return EB_WIRE_RESPONSE_DONE;
  return EB_WIRE_RESPONSE_MORE;
}

static EbWireResponseStatus
parse_head (EbWireResponse *self, EbWireParser *parser, const guint8 *bytes, gsize n_bytes)
{
  gsize empty_line = bytes[n_bytes - 2] == '\r' ? 2 : 1;
  EbWireResponseStatus result;
  SoupHTTPVersion version;
  guint status;

  soup_message_headers_clear (parser->headers);
  if (!soup_headers_parse_response ((const char *) bytes, (int) (n_bytes - empty_line),
                                    parser->headers, &version, &status, NULL)
      || status < 100 || status > 999 || status == SOUP_STATUS_SWITCHING_PROTOCOLS)
    return EB_WIRE_RESPONSE_BAD;

  self->head_size += n_bytes;
  if (self->head_size > EB_MAX_RESPONSE_HEAD)
    return EB_WIRE_RESPONSE_BAD;
  if (status < 200)
    return ++self->n_interim <= EB_MAX_INTERIM_RESPONSES ? EB_WIRE_RESPONSE_MORE
                                                         : EB_WIRE_RESPONSE_BAD;

  self->status = status;
  self->keep_alive = is_keep_alive (parser->headers, version);
  self->retry_after = g_strdup (soup_message_headers_get_one (parser->headers, "Retry-After"));
  result = begin_body (self, parser->headers);
  remember (parser, bytes, n_bytes, self, result);
  return result;
}

/* Returns: how many of @bytes belong to the head; @result is MORE while there is no final one */
static gsize
feed_head (EbWireResponse *self,
           EbWireParser *parser,
           const guint8 *bytes,
           gsize n_bytes,
           EbWireResponseStatus *result)
{
  gsize size;

  if (is_remembered (parser, bytes, n_bytes))
    {
      *result = recall (parser, self);
      return parser->last_length;
    }

  size = find_head_end (bytes, n_bytes);
  if (size == 0)
    {
      *result = self->head_size + n_bytes <= EB_MAX_RESPONSE_HEAD ? EB_WIRE_RESPONSE_MORE
                                                                  : EB_WIRE_RESPONSE_BAD;
      return 0;
    }
  *result = parse_head (self, parser, bytes, size);
  return size;
}

static EbWireResponseStatus
feed_body (EbWireResponse *self, const guint8 *bytes, gsize n_bytes)
{
  EbChunkedStatus status;
  gsize n_used = n_bytes;

  if (n_bytes == 0)
    return EB_WIRE_RESPONSE_MORE;

  if (self->chunked)
    {
      status = eb_chunked_feed (&self->chunks, bytes, n_bytes, &n_used);
      if (status == EB_CHUNKED_BAD || self->chunks.size > EB_MAX_RESPONSE_BODY)
        {
          /* The sink has answered; it is just the connection that is of no more use. */
          self->keep_alive = FALSE;
          return EB_WIRE_RESPONSE_DONE;
        }
      if (status == EB_CHUNKED_MORE)
        return EB_WIRE_RESPONSE_MORE;
    }
  else
    {
      n_used = (gsize) MIN (self->left, n_bytes);
      self->left -= n_used;
      if (self->left > 0)
        return EB_WIRE_RESPONSE_MORE;
    }

  if (n_used < n_bytes)
    self->keep_alive = FALSE; /* bytes that nobody asked for */
  return EB_WIRE_RESPONSE_DONE;
}

static EbWireResponseStatus
feed (EbWireResponse *self, EbWireParser *parser, const guint8 *bytes, gsize n_bytes, gsize *n_left)
{
  EbWireResponseStatus result = EB_WIRE_RESPONSE_MORE;
  gsize n_used = 0, size;

  while (self->status == 0)
    {
      size = feed_head (self, parser, bytes + n_used, n_bytes - n_used, &result);
      n_used += size;
      *n_left = n_bytes - n_used;
      if (size == 0 || result == EB_WIRE_RESPONSE_BAD)
        return result;
    }

  if (result == EB_WIRE_RESPONSE_DONE && n_used < n_bytes)
    self->keep_alive = FALSE;
  if (result == EB_WIRE_RESPONSE_MORE)
    result = feed_body (self, bytes + n_used, n_bytes - n_used);
  *n_left = 0;
  return result;
}

/**
 * eb_wire_response_feed:
 * @parser: shared by all responses of a thread
 * @bytes: the next bytes from the connection
 *
 * Returns: how it stands; after anything but MORE there is nothing more to feed
 */
EbWireResponseStatus
eb_wire_response_feed (EbWireResponse *self,
                       EbWireParser *parser,
                       const guint8 *bytes,
                       gsize n_bytes)
{
  EbWireResponseStatus result;
  gsize n_left;

  if (self->status != 0)
    return feed_body (self, bytes, n_bytes);

  if (self->head == NULL)
    {
      result = feed (self, parser, bytes, n_bytes, &n_left);
      if (result == EB_WIRE_RESPONSE_MORE && n_left > 0)
        self->head =
            g_byte_array_append (g_byte_array_new (), bytes + n_bytes - n_left, (guint) n_left);
      return result;
    }

  g_byte_array_append (self->head, bytes, (guint) n_bytes);
  result = feed (self, parser, self->head->data, self->head->len, &n_left);
  g_byte_array_remove_range (self->head, 0, self->head->len - (guint) n_left);
  return result;
}

/**
 * eb_wire_response_end:
 *
 * To be called when the connection has ended.
 *
 * Returns: DONE if there was a response, though its body may be cut short; else BAD
 */
EbWireResponseStatus
eb_wire_response_end (EbWireResponse *self)
{
  self->keep_alive = FALSE;
  return self->status != 0 ? EB_WIRE_RESPONSE_DONE : EB_WIRE_RESPONSE_BAD;
}

/**
 * eb_wire_response_clear:
 *
 * Makes it ready for the next response.
 */
void
eb_wire_response_clear (EbWireResponse *self)
{
  g_clear_pointer (&self->head, g_byte_array_unref);
  g_clear_pointer (&self->retry_after, g_free);
  memset (self, 0, sizeof *self);
}
