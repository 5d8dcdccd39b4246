/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "codec/eb-chunked.h"

G_BEGIN_DECLS

#define EB_MAX_REQUEST_HEAD   (32 * 1024)
#define EB_MAX_REQUEST_FIELDS 256
#define EB_MAX_REQUEST_BODY   (8 * 1024 * 1024)

/**
 * EbFramingResult:
 * @EB_FRAMING_MORE: the request goes on
 * @EB_FRAMING_COMPLETE: it is there, all of it
 * @EB_FRAMING_BAD: it breaks the rules; nothing on its connection can be trusted any more
 */
typedef enum
{
  EB_FRAMING_MORE,
  EB_FRAMING_COMPLETE,
  EB_FRAMING_BAD,
} EbFramingResult;

/**
 * EbSlice:
 * @start: its offset from the beginning of the request
 * @length: in bytes; 0 for what is not there
 */
typedef struct
{
  gsize start;
  gsize length;
} EbSlice;

/**
 * EbFraming:
 * @head_length: bytes of the head, its empty line included; 0 until it is complete
 * @body_length: bytes of the body, for one with a length
 * @length: bytes of the request, once it is complete and without chunked coding
 * @method: once the head is complete
 * @target: once the head is complete
 * @host: whom the request is for, by its target or else its field `Host`, once the head is complete
 * @origin: field value, once the head is complete
 * @content_type: field value, once the head is complete
 * @expect: the name of the field `Expect`, once the head is complete
 * @waits: the client may wait for `100 Continue` before it sends the body, once the head is
 * complete
 * @coding: the field `Transfer-Encoding: chunked`, once the head is complete; `Content-Length`
 *   stands in its place once the request is
 * @status: HTTP status to answer with, if it is bad
 * @reason: what is wrong, if it is bad
 *
 * Finds where an HTTP/1 request ends, and refuses every one whose end two readers could see in
 * different places. Begins zero-filled; the other fields are its own.
 */
typedef struct
{
  gsize head_length;
  guint64 body_length;
  gsize length;
  EbSlice method;
  EbSlice target;
  EbSlice host;
  EbSlice origin;
  EbSlice content_type;
  EbSlice expect;
  gboolean waits;
  EbSlice coding;
  guint status;
  const char *reason;

  gsize position; /* bytes that were looked at */
  EbChunked chunks;
} EbFraming;

EbFramingResult eb_framing_feed (EbFraming *self, guint8 *request, gsize *n_bytes);

G_END_DECLS
