/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbChunkedStatus:
 * @EB_CHUNKED_MORE: the body goes on
 * @EB_CHUNKED_DONE: it ended, trailer section included
 * @EB_CHUNKED_TOO_LARGE: a chunk's size goes beyond the limit
 * @EB_CHUNKED_BAD: it broke the rules; nothing after it can be trusted
 */
typedef enum
{
  EB_CHUNKED_MORE,
  EB_CHUNKED_DONE,
  EB_CHUNKED_TOO_LARGE,
  EB_CHUNKED_BAD,
} EbChunkedStatus;

/**
 * EbChunked:
 * @size: bytes of data so far, the framing not counted
 * @limit: what @size may become; 0 for anything
 *
 * Finds the end of a body in HTTP/1.1 chunked coding (RFC 9112, 7.1). Begins zero-filled but for
 * @limit; the other fields are its own.
 */
typedef struct
{
  guint64 size;
  guint64 limit;
  guint64 left; /* of the chunk at hand */
  guint state;
  guint n_digits; /* of the chunk size at hand */
  guint overhead; /* bytes of chunk extension or trailer seen; bounded */
} EbChunked;

EbChunkedStatus
eb_chunked_feed (EbChunked *self, const guint8 *bytes, gsize n_bytes, gsize *n_used);
EbChunkedStatus
eb_chunked_decode (EbChunked *self, guint8 *bytes, gsize n_bytes, gsize *n_used, gsize *n_data);

G_END_DECLS
