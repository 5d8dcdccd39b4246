/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-json.h"
#include "codec/eb-sequences.h"
#include "codec/eb-subscription-actions-json.h"
#include "fuzz/eb-fuzz.h"

static void
check_replay (GBytes *body)
{
  EbReplayRequest request;
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_replay_request_parse (body, &request, &error);

  eb_fuzz_check_verdict (fine, error);
  if (fine && !request.by_time)
    g_assert_cmpuint (request.after, <=, G_MAXINT64);
}

static void
check_secret (GBytes *body)
{
  g_autofree char *secret = NULL;
  g_autofree char *written = NULL;
  g_autofree char *again = NULL;
  g_autoptr (GBytes) copy = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_secret_request_parse (body, &secret, &error);

  eb_fuzz_check_verdict (fine, error);
  g_assert_true (fine || secret == NULL);
  if (secret == NULL)
    return;
  written = eb_secret_to_json (secret);
  copy = g_bytes_new (written, strlen (written));
  eb_secret_request_parse (copy, &again, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (secret, ==, again);
}

/* Returns: (transfer full): what names these */
static GBytes *
write_sequences (GArray *sequences)
{
  GString *text = g_string_new ("{\"sequences\":[");

  for (guint i = 0; i < sequences->len; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? "," : "",
                            g_array_index (sequences, guint64, i));
  g_string_append (text, "]}");
  return g_string_free_to_bytes (text);
}

static void
check_sequences (GBytes *body, gboolean is_json)
{
  g_autoptr (GArray) sequences = NULL;
  g_autoptr (GArray) again = NULL;
  g_autoptr (GBytes) written = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_sequences_parse_json (body, &sequences, &error);

  eb_fuzz_check_verdict (fine, error);
  g_assert_true (is_json || !fine);
  g_assert_true (fine || sequences == NULL);
  if (sequences == NULL)
    return;
  written = write_sequences (sequences);
  eb_sequences_parse_json (written, &again, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (sequences->data, sequences->len * sizeof (guint64), again->data,
                   again->len * sizeof (guint64));
}

/* The body of a request that asks something of a subscription. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  gboolean is_json = eb_json_scan ((const char *) data, size, EB_JSON_STRICT, NULL, NULL);
  g_autoptr (GError) error = NULL;
  gboolean fine = eb_empty_request_check (body, &error);

  eb_fuzz_check_verdict (fine, error);
  check_replay (body);
  check_secret (body);
  check_sequences (body, is_json);
  return 0;
}
