/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-wire-response.h"
#include "fuzz/eb-fuzz.h"

static EbWireResponseStatus
feed (EbWireResponse *response, const guint8 *bytes, gsize size, gsize step)
{
  EbWireParser *parser = eb_wire_parser_new ();
  EbWireResponseStatus status = EB_WIRE_RESPONSE_MORE;

  for (gsize fed = 0; fed < size && status == EB_WIRE_RESPONSE_MORE; fed += step)
    status = eb_wire_response_feed (response, parser, bytes + fed, MIN (step, size - fed));
  if (status == EB_WIRE_RESPONSE_MORE)
    status = eb_wire_response_end (response);
  eb_wire_parser_free (parser);
  return status;
}

/* How the bytes come must not change what the sink said. Whether the connection may be used again
 * may differ: only whoever sees more bytes than the answer has knows that they are there. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  EbWireResponse whole = { 0 }, slow = { 0 };
  EbWireResponseStatus status = feed (&whole, data, size, MAX (size, 1));
  EbWireResponseStatus slow_status = feed (&slow, data, size, 1);

  g_assert_cmpint (status, ==, slow_status);
  if (status == EB_WIRE_RESPONSE_DONE)
    {
      g_assert_cmpuint (whole.status, >=, 200);
      g_assert_cmpuint (whole.status, ==, slow.status);
      g_assert_cmpstr (whole.retry_after, ==, slow.retry_after);
    }
  eb_wire_response_clear (&whole);
  eb_wire_response_clear (&slow);
  return 0;
}
