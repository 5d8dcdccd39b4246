/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-configuration.h"
#include "fuzz/eb-fuzz.h"

/* What the rest of the daemon relies on. */
static void
check_bounds (const EbConfiguration *configuration)
{
  g_assert_cmpint (configuration->timeout, >, 0);
  g_assert_cmpint (configuration->connect_timeout, >, 0);
  g_assert_cmpint (configuration->header_timeout, >, 0);
  g_assert_cmpint (configuration->body_timeout, >, 0);
  g_assert_cmpint (configuration->idle_timeout, >, 0);
  g_assert_cmpint (configuration->lease, >, 0);
  g_assert_cmpint (configuration->deduplication_window, >=, 0);
  g_assert_cmpuint (configuration->max_clients, >, 0);
  g_assert_cmpuint (configuration->max_subscriptions, >, 0);
  g_assert_cmpuint (configuration->max_event_size, >, 0);
  g_assert_cmpuint (configuration->workers, >, 0);
  g_assert_cmpuint (configuration->retry->len, >, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (EbConfiguration) configuration = NULL;
  g_autoptr (GError) error = NULL;

  if (size == 0 || !g_key_file_load_from_data (keys, (const char *) data, size, 0, NULL))
    return 0;
  configuration = eb_configuration_new (keys, &error);
  eb_fuzz_check_verdict (configuration != NULL, error);
  if (configuration != NULL)
    check_bounds (configuration);
  return 0;
}
