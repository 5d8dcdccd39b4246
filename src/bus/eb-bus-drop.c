/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-dead-letter-job.h"
#include "bus/eb-dead-letter-query.h"

/* The use case that forgets dead letters. */

static void drop_next (GTask *task, EbDeadLetterJob *job);

static void
dropped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    eb_dead_letter_job_return_failure (task, error);
  else if (job->sequences == NULL && job->letters->len == EB_DEAD_LETTERS_MAX)
    drop_next (task, job);
  else
    eb_dead_letter_job_return_done (task);
}

static void
chosen_for_drop_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  GError *error = NULL;

  job->letters = eb_dead_letter_query_choose_finish (EB_LEDGER (source), result, &error);
  if (job->letters == NULL || !eb_dead_letter_job_is_current (job, &error))
    {
      eb_dead_letter_job_return_failure (task, error);
      return;
    }
  for (guint i = 0; i < job->letters->len; i++)
    {
      const EbException *letter = g_ptr_array_index (job->letters, i);

      g_ptr_array_add (changes, eb_change_new (EB_CHANGE_ENDED, job->id, letter->sequence));
    }
  eb_ledger_apply_async (job->bus->ledger, job->bus->epoch, changes, NULL, dropped_cb, task);
}

/* Takes @task. */
static void
drop_next (GTask *task, EbDeadLetterJob *job)
{
  g_clear_pointer (&job->letters, g_ptr_array_unref);
  eb_dead_letter_query_choose_async (job->bus->ledger, job->id, job->sequences, chosen_for_drop_cb,
                                     task);
}

/**
 * eb_bus_drop_dead_letters_async:
 * @id: of a subscription
 * @sequences: (nullable) (element-type guint64): which dead letters, at most %EB_DEAD_LETTERS_MAX;
 *   NULL for all
 *
 * They are forgotten: all that were named, or none.
 */
void
eb_bus_drop_dead_letters_async (EbBus *self,
                                const char *id,
                                GArray *sequences,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_drop_dead_letters_async);
  eb_dead_letter_job_run (self, id, sequences, 0, drop_next, task);
}

/**
 * eb_bus_drop_dead_letters_finish:
 *
 * Returns: FALSE with the errors of eb_bus_redrive_finish()
 */
gboolean
eb_bus_drop_dead_letters_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
