/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-chunked.h"

#include <string.h>

/* RFC 9112, 7.1. Sizes beyond this many digits do not fit 64 bits, leading zeros or not. */
#define MAX_SIZE_DIGITS 16

/* Chunk extensions and the trailer section say nothing to us. */
#define MAX_OVERHEAD 4096

enum
{
  SIZE,      /* the digits of a chunk's size */
  EXTENSION, /* between the size and its line's CR */
  SIZE_LF,   /* after that CR */
  DATA,
  DATA_CR, /* after the data */
  DATA_LF,
  TRAILER_START, /* at the beginning of a line of the trailer section */
  TRAILER,       /* within such a line */
  TRAILER_LF,    /* after its CR */
  END_LF,        /* after the CR of the empty line */
  ENDED,
  TOO_LARGE,
  BROKEN,
};

static gboolean
is_allowed_in_line (guint8 byte)
{
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

static guint
feed_size (EbChunked *self, guint8 byte)
{
  int digit = g_ascii_xdigit_value ((char) byte);

  if (digit >= 0)
    {
      if (++self->n_digits > MAX_SIZE_DIGITS)
        return BROKEN;
      self->left = self->left << 4 | (guint64) digit;
      return SIZE;
    }
  if (self->n_digits == 0)
    return BROKEN;
  if (byte == '\r')
    return SIZE_LF;
  return byte == ';' ? EXTENSION : BROKEN;
}

static guint
feed_overhead (EbChunked *self, guint8 byte, guint after_cr)
{
  if (byte == '\r')
    return after_cr;
  if (++self->overhead > MAX_OVERHEAD || !is_allowed_in_line (byte))
    return BROKEN;
  return self->state == TRAILER_START ? TRAILER : self->state;
}

static guint
begin_data (EbChunked *self)
{
  self->n_digits = 0;
  if (self->limit > 0 && self->left > self->limit - self->size)
    return TOO_LARGE;
  return self->left == 0 ? TRAILER_START : DATA;
}

/* Returns: the next state; for a byte that is not data */
static guint
feed_byte (EbChunked *self, guint8 byte)
{
  switch (self->state)
    {
    case SIZE:
      return feed_size (self, byte);
    case EXTENSION:
      return feed_overhead (self, byte, SIZE_LF);
    case SIZE_LF:
      return byte == '\n' ? begin_data (self) : BROKEN;
    case DATA_CR:
      return byte == '\r' ? DATA_LF : BROKEN;
    case DATA_LF:
      return byte == '\n' ? SIZE : BROKEN;
    case TRAILER_START:
      return feed_overhead (self, byte, END_LF);
    case TRAILER:
      return feed_overhead (self, byte, TRAILER_LF);
    case TRAILER_LF:
      return byte == '\n' ? TRAILER_START : BROKEN;
    case END_LF:
      return byte == '\n' ? ENDED : BROKEN;
    default:
      return BROKEN;
    }
}

/* Returns: how many of these bytes are the chunk's at hand */
static gsize
feed_data (EbChunked *self, gsize n_bytes)
{
  gsize n = (gsize) MIN (self->left, n_bytes);

  self->left -= n;
  self->size += n;
  if (self->left == 0)
    self->state = DATA_CR;
  return n;
}

static EbChunkedStatus
get_status (const EbChunked *self)
{
  switch (self->state)
    {
    case ENDED:
      return EB_CHUNKED_DONE;
    case TOO_LARGE:
      return EB_CHUNKED_TOO_LARGE;
    case BROKEN:
      return EB_CHUNKED_BAD;
    default:
      return EB_CHUNKED_MORE;
    }
}

/**
 * eb_chunked_feed:
 * @bytes: the next bytes of the body
 * @n_used: (out): how many of them belong to it
 *
 * Bare line feeds, signs, spaces and sizes beyond 64 bits are refused, chunk extensions and
 * trailers passed over up to 4 KiB.
 *
 * Returns: how it stands; after anything but MORE there is nothing more to feed
 */
EbChunkedStatus
eb_chunked_feed (EbChunked *self, const guint8 *bytes, gsize n_bytes, gsize *n_used)
{
  gsize i = 0;

  while (i < n_bytes && self->state < ENDED)
    {
      if (self->state == DATA)
        i += feed_data (self, n_bytes - i);
      else
        self->state = feed_byte (self, bytes[i++]);
    }
  *n_used = i;
  return get_status (self);
}

/**
 * eb_chunked_decode:
 * @bytes: (inout): the next bytes of the body; the data among them are moved to the front
 * @n_used: (out): how many of them belong to the body
 * @n_data: (out): how many of them were data
 *
 * Like eb_chunked_feed(), and takes the coding off.
 *
 * Returns: how it stands; after anything but MORE there is nothing more to feed
 */
EbChunkedStatus
eb_chunked_decode (EbChunked *self, guint8 *bytes, gsize n_bytes, gsize *n_used, gsize *n_data)
{
  gsize i = 0, to = 0;

  while (i < n_bytes && self->state < ENDED)
    {
      if (self->state == DATA)
        {
          gsize n = feed_data (self, n_bytes - i);

          memmove (bytes + to, bytes + i, n);
          i += n;
          to += n;
        }
      else
        self->state = feed_byte (self, bytes[i++]);
    }
  *n_used = i;
  *n_data = to;
  return get_status (self);
}
