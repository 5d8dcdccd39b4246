/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-sink.h"
#include "fuzz/eb-fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (EbSink) sink = NULL;
  g_autoptr (EbSink) again = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  sink = eb_sink_new_for_uri (text, &error);
  eb_fuzz_check_verdict (sink != NULL, error);
  if (sink == NULL)
    return 0;
  g_assert_cmpuint (eb_sink_get_port (sink), >, 0);
  g_assert_cmpstr (eb_sink_get_host (sink), !=, "");
  again = eb_sink_new_for_uri (eb_sink_get_uri (sink), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (eb_sink_get_uri (again), ==, eb_sink_get_uri (sink));
  g_assert_cmpstr (eb_sink_get_host (again), ==, eb_sink_get_host (sink));
  g_assert_cmpstr (eb_sink_get_target (again), ==, eb_sink_get_target (sink));
  /* Goes into a request line: nothing in it may end one. */
  for (const char *c = eb_sink_get_target (sink); *c != '\0'; c++)
    g_assert_true (*c > ' ' && *c < 0x7f);
  return 0;
}
