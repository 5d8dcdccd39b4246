/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-dead-letter-job.h"

#include "bus/eb-dead-letter-query.h"
#include "core/eb-error.h"
#include "core/eb-sequence.h"

/* What the use cases that end dead letters, redrive and drop, have in common. The ledger always
 * comes first, so that what was answered holds after a restart. Each has its turn: a letter that
 * two redrives found at once would be delivered twice. */

static void
job_end (EbDeadLetterJob *job)
{
  if (job->begun)
    eb_bus_end_change (job->bus, job->id);
  job->begun = FALSE;
}

static void
job_free (EbDeadLetterJob *job)
{
  job_end (job);
  g_object_unref (job->bus);
  g_free (job->id);
  g_clear_pointer (&job->subscription, eb_subscription_unref);
  g_clear_pointer (&job->sequences, g_array_unref);
  g_clear_pointer (&job->letters, g_ptr_array_unref);
  g_free (job);
}

/**
 * eb_dead_letter_job_is_current:
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND if its subscription has ended: whoever has the id after
 * it has nothing to do with its letters
 */
gboolean
eb_dead_letter_job_is_current (EbDeadLetterJob *job, GError **error)
{
  if (eb_bus_has (job->bus, job->subscription))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_NOT_FOUND, "The subscription “%s” has ended", job->id);
  return FALSE;
}

/**
 * eb_dead_letter_job_return_done:
 * @task: (transfer full): whose data the job is
 */
void
eb_dead_letter_job_return_done (GTask *task)
{
  job_end (g_task_get_task_data (task));
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * eb_dead_letter_job_return_failure:
 * @task: (transfer full): whose data the job is
 * @error: (transfer full):
 */
void
eb_dead_letter_job_return_failure (GTask *task, GError *error)
{
  EbDeadLetterJob *job = g_task_get_task_data (task);

  eb_bus_tell_fenced (job->bus, error);
  job_end (job);
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Returns: (transfer full): in order, each once */
static GArray *
sort_sequences (GArray *sequences)
{
  GArray *sorted = g_array_copy (sequences);
  guint kept = 0;

  g_array_sort (sorted, eb_sequence_compare);
  for (guint i = 0; i < sorted->len; i++)
    if (i == 0 || g_array_index (sorted, guint64, i) != g_array_index (sorted, guint64, i - 1))
      g_array_index (sorted, guint64, kept++) = g_array_index (sorted, guint64, i);
  g_array_set_size (sorted, kept);
  return sorted;
}

static gboolean
check_sequences (GArray *sequences, GError **error)
{
  if (sequences == NULL || sequences->len <= EB_DEAD_LETTERS_MAX)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_INVALID,
               "“sequences” has %u of them, more than %d; call again for the rest", sequences->len,
               EB_DEAD_LETTERS_MAX);
  return FALSE;
}

/* Takes @task. */
static void
run_now (EbBus *self, GTask *task)
{
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;
  EbSubscription *subscription = eb_bus_find_stored (self, job->id, &error);

  if (subscription == NULL || !eb_bus_begin_change (self, job->id, &error))
    {
      eb_dead_letter_job_return_failure (task, error);
      return;
    }
  job->subscription = eb_subscription_ref (subscription);
  job->begun = TRUE;
  job->go_on (task, job);
}

/**
 * eb_dead_letter_job_run:
 * @sequences: (nullable) (element-type guint64): which dead letters; NULL for all
 * @after: of all, those after this sequence
 * @go_on: when it is its turn
 * @task: (transfer full): for @go_on, with the job as its data; or fails with %EB_ERROR_NOT_FOUND,
 *   %EB_ERROR_INVALID, or the errors of eb_bus_await_turn()
 */
void
eb_dead_letter_job_run (EbBus *self,
                        const char *id,
                        GArray *sequences,
                        guint64 after,
                        EbDeadLetterFunc go_on,
                        GTask *task)
{
  EbDeadLetterJob *job = g_new0 (EbDeadLetterJob, 1);
  GError *error = NULL;

  job->bus = g_object_ref (self);
  job->id = g_strdup (id);
  job->after = sequences == NULL ? after : 0;
  job->go_on = go_on;
  g_task_set_task_data (task, job, (GDestroyNotify) job_free);
  if (!check_sequences (sequences, &error))
    {
      eb_dead_letter_job_return_failure (task, error);
      return;
    }
  job->sequences = sequences != NULL ? sort_sequences (sequences) : NULL;
  eb_bus_await_turn (self, id, EB_BUS_TURN_LAST, run_now, task);
}
