/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-test-log.h"

#include <string.h>

static GLogWriterOutput
drop_log_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    return g_log_writer_default (level, fields, n_fields, user_data);
  return G_LOG_WRITER_HANDLED;
}

/**
 * eb_test_drop_log:
 *
 * All that is logged from now on is expected, but for mistakes of the program. To be called once.
 */
void
eb_test_drop_log (void)
{
  g_log_set_writer_func (drop_log_cb, NULL, NULL);
}

static GLogWriterOutput
drop_failure_cb (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  g_autofree char *message = g_log_writer_format_fields (level, fields, n_fields, FALSE);

  if (strstr (message, "The store does not work") != NULL
      || strstr (message, "cannot write the log back") != NULL)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, user_data);
}

/**
 * eb_test_drop_store_failures:
 *
 * That the store fails is expected from now on. To be called once.
 */
void
eb_test_drop_store_failures (void)
{
  g_log_set_writer_func (drop_failure_cb, NULL, NULL);
}
