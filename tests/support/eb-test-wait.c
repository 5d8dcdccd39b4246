/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-test-wait.h"

/* How long a test waits for what must happen before it says that it did not; generous, because
 * machines under sanitizers and load are slow. Nothing ever waits for it to pass. */
#define PATIENCE_SECONDS 60

static gboolean
out_of_patience_cb (gpointer user_data)
{
  g_error ("What the test waits for has not happened within %d s", PATIENCE_SECONDS);
  return G_SOURCE_REMOVE;
}

/**
 * eb_test_wait_for:
 * @condition: what must become true; asked after each turn of the default main context, which
 *   whatever changes it must wake
 */
void
eb_test_wait_for (gboolean (*condition) (gpointer data), gpointer data)
{
  guint patience_id = g_timeout_add_seconds (PATIENCE_SECONDS, out_of_patience_cb, NULL);

  while (!condition (data))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (patience_id);
}

/**
 * eb_test_run:
 *
 * Runs the default main context until it has nothing to do.
 *
 * Returns: how many turns that took
 */
guint
eb_test_run (void)
{
  guint n_turns = 0;

  while (g_main_context_iteration (NULL, FALSE))
    n_turns++;
  return n_turns;
}

static gboolean
is_there (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

/**
 * eb_test_wait_for_result:
 * @result: what eb_test_result_cb() was given as user data
 *
 * Returns: (transfer none): the result, once it is there
 */
GAsyncResult *
eb_test_wait_for_result (GAsyncResult **result)
{
  eb_test_wait_for (is_there, result);
  return *result;
}

/**
 * eb_test_result_cb:
 * @user_data: a `GAsyncResult **`, NULL so far, which gets a reference
 *
 * A #GAsyncReadyCallback.
 */
void
eb_test_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **place = user_data;

  g_assert_null (*place);
  *place = g_object_ref (result);
}
