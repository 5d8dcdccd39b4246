/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "codec/eb-chunked.h"
#include "fuzz/eb-fuzz.h"

/* The largest body that is taken here; small, so that it is reached. */
#define LIMIT 64

/* Returns: what the data was; @status and @n_used say how it ended and where */
static GByteArray *
decode (const guint8 *bytes, gsize size, gsize step, EbChunkedStatus *status, gsize *n_used)
{
  GByteArray *data = g_byte_array_new ();
  EbChunked chunked = { .limit = LIMIT };

  *status = EB_CHUNKED_MORE;
  for (*n_used = 0; *n_used < size && *status == EB_CHUNKED_MORE;)
    {
      gsize n = MIN (step, size - *n_used), used, n_data;
      g_autofree guint8 *piece = g_memdup2 (bytes + *n_used, n);

      *status = eb_chunked_decode (&chunked, piece, n, &used, &n_data);
      g_assert_cmpuint (used, <=, n);
      g_assert_cmpuint (n_data, <=, used);
      g_assert_true (*status != EB_CHUNKED_MORE || used == n);
      g_byte_array_append (data, piece, (guint) n_data);
      *n_used += used;
    }
  g_assert_cmpuint (data->len, <=, LIMIT);
  return data;
}

/* How the bytes come must not change what they say. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EbChunkedStatus status, slow_status;
  gsize n_used, slow_n_used;
  g_autoptr (GByteArray) whole = decode (data, size, MAX (size, 1), &status, &n_used);
  g_autoptr (GByteArray) slow = decode (data, size, 1, &slow_status, &slow_n_used);

  g_assert_cmpint (status, ==, slow_status);
  if (status == EB_CHUNKED_BAD || status == EB_CHUNKED_TOO_LARGE)
    return 0;
  g_assert_cmpuint (n_used, ==, slow_n_used);
  g_assert_cmpmem (whole->data, whole->len, slow->data, slow->len);
  return 0;
}
