/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-json.h"
#include "codec/eb-subscription-json.h"
#include "fuzz/eb-fuzz.h"

/* What is written is JSON, and read again and written it is the same. */
static void
check_round_trip (EbSubscription *subscription)
{
  g_autofree char *written = eb_subscription_to_json (subscription);
  g_autofree char *again = NULL;
  g_autoptr (EbSubscription) copy = NULL;
  g_autoptr (GError) error = NULL;

  eb_json_scan (written, strlen (written), EB_JSON_STRICT, NULL, &error);
  g_assert_no_error (error);
  copy = eb_subscription_from_json (written, &error);
  g_assert_no_error (error);
  again = eb_subscription_to_json (copy);
  g_assert_cmpstr (written, ==, again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (EbSubscription) asked = NULL;
  g_autoptr (EbSubscription) row = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) row_error = NULL;
  guint64 start;

  asked = eb_subscription_parse (body, NULL, G_TIME_SPAN_MINUTE, &start, &error);
  eb_fuzz_check_verdict (asked != NULL, error);
  if (asked != NULL)
    check_round_trip (asked);
  row = eb_subscription_from_json (text, &row_error);
  eb_fuzz_check_verdict (row != NULL, row_error);
  if (row != NULL)
    check_round_trip (row);
  return 0;
}
