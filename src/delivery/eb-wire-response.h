/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "codec/eb-chunked.h"

G_BEGIN_DECLS

#define EB_MAX_RESPONSE_HEAD (32 * 1024) /* bytes, interim responses included */
#define EB_MAX_RESPONSE_BODY (16 * 1024) /* bytes that are read and dropped */

/* Interim responses. A sink that was not asked to go on says so once, if at all, and one that hints
 * at what comes does so once or twice; whoever sends more never ends. */
#define EB_MAX_INTERIM_RESPONSES 8

/**
 * EbWireResponseStatus:
 * @EB_WIRE_RESPONSE_MORE: it goes on
 * @EB_WIRE_RESPONSE_DONE: it ended, or there is more body than is worth reading
 * @EB_WIRE_RESPONSE_BAD: it is no HTTP response, or is beyond the limits above
 */
typedef enum
{
  EB_WIRE_RESPONSE_MORE,
  EB_WIRE_RESPONSE_DONE,
  EB_WIRE_RESPONSE_BAD,
} EbWireResponseStatus;

/* A head is remembered up to this size; most servers' are half of it. */
#define EB_WIRE_REMEMBERED_SIZE 512

/**
 * EbWireParser:
 *
 * What responses are parsed with, one after the other. It remembers the last head: sinks say the
 * same again and again, at least until their Date changes, and so do others with the same server.
 */
typedef struct
{
  SoupMessageHeaders *headers; /* (owned) of type response; of the head at hand */
  guint8 last[EB_WIRE_REMEMBERED_SIZE];
  gsize last_length; /* 0 while there is nothing to remember */
  guint status;
  gboolean keep_alive;
  gboolean chunked;
  guint64 left;
  EbWireResponseStatus result;
} EbWireParser;

EbWireParser *eb_wire_parser_new (void);
void eb_wire_parser_free (EbWireParser *self);

/**
 * EbWireResponse:
 * @status: HTTP status; 0 until the head is complete
 * @keep_alive: another request may follow on the connection, once this is done
 * @retry_after: (nullable) (owned): the field's value
 *
 * Reads one HTTP/1.1 response from the bytes of a connection. Begins zero-filled; the other fields
 * are its own.
 */
typedef struct
{
  guint status;
  gboolean keep_alive;
  char *retry_after;

  GByteArray *head; /* (owned) (nullable): of an incomplete head */
  gsize head_size;  /* of interim responses */
  guint n_interim;
  gboolean chunked;
  EbChunked chunks;
  guint64 left; /* of a body with a length */
} EbWireResponse;

EbWireResponseStatus eb_wire_response_feed (EbWireResponse *self,
                                            EbWireParser *parser,
                                            const guint8 *bytes,
                                            gsize n_bytes);
EbWireResponseStatus eb_wire_response_end (EbWireResponse *self);
void eb_wire_response_clear (EbWireResponse *self);

G_END_DECLS
