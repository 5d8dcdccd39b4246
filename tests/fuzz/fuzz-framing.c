/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz/eb-fuzz.h"
#include "http/eb-framing.h"

/* Returns: what is left of the request; @result says how it ended */
static GByteArray *
frame (EbFraming *framing, EbFramingResult *result, const guint8 *bytes, gsize size, gsize step)
{
  GByteArray *input = g_byte_array_new ();

  *result = EB_FRAMING_MORE;
  for (gsize fed = 0; fed < size && *result == EB_FRAMING_MORE;)
    {
      gsize n = MIN (step, size - fed), n_bytes;

      g_byte_array_append (input, bytes + fed, (guint) n);
      fed += n;
      n_bytes = input->len;
      *result = eb_framing_feed (framing, input->data, &n_bytes);
      g_assert_cmpuint (n_bytes, <=, input->len);
      g_byte_array_set_size (input, (guint) n_bytes);
      g_assert_cmpuint (framing->position, <=, input->len);
    }
  return input;
}

static void
check_slice (const EbSlice *slice, const EbFraming *framing)
{
  g_assert_cmpuint (slice->start + slice->length, <=, framing->head_length);
}

/* How the bytes come must not change what the request is. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EbFraming framing = { 0 }, slow_framing = { 0 };
  EbFramingResult result, slow_result;
  g_autoptr (GByteArray) whole = frame (&framing, &result, data, size, MAX (size, 1));
  g_autoptr (GByteArray) slow = frame (&slow_framing, &slow_result, data, size, 1);

  g_assert_cmpint (result, ==, slow_result);
  if (result == EB_FRAMING_BAD)
    {
      g_assert_cmpuint (framing.status, ==, slow_framing.status);
      g_assert_cmpstr (framing.reason, ==, slow_framing.reason);
    }
  if (result != EB_FRAMING_COMPLETE)
    return 0;
  g_assert_cmpuint (framing.length, <=, whole->len);
  g_assert_cmpmem (whole->data, framing.length, slow->data, slow_framing.length);
  check_slice (&framing.method, &framing);
  check_slice (&framing.target, &framing);
  check_slice (&framing.host, &framing);
  check_slice (&framing.origin, &framing);
  check_slice (&framing.content_type, &framing);
  return 0;
}
