/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-dead-letter-job.h"
#include "bus/eb-dead-letter-query.h"
#include "core/eb-error.h"
#include "delivery/eb-aside.h"

/* The use case that delivers dead letters again. */

static void
set_aside_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    {
      eb_dead_letter_job_return_failure (task, error);
      return;
    }
  if (eb_dead_letter_job_is_current (job, NULL))
    eb_worker_pool_redrive (job->bus->workers, job->subscription, job->letters);
  eb_dead_letter_job_return_done (task);
}

/* As if it had never been tried, and due. */
static void
revive (EbException *letter, gint64 now_us)
{
  letter->dead = FALSE;
  letter->attempts = 0;
  letter->failures = 0;
  letter->last_status = 0;
  letter->first_us = 0;
  letter->last_us = letter->due_us = now_us; /* no delay, whatever the clock says after a restart */
  g_clear_pointer (&letter->reason, g_free);
}

static EbChange *
create_aside (const char *id, const EbException *letter)
{
  EbChange *change = eb_change_new (EB_CHANGE_ASIDE, id, letter->sequence);

  change->exception = *letter; /* it has no reason any more that would have to be copied */
  return change;
}

static void
set_aside (GTask *task, EbDeadLetterJob *job)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  gint64 now_us = eb_clock_get_real (job->bus->clock);

  for (guint i = 0; i < job->letters->len; i++)
    {
      EbException *letter = g_ptr_array_index (job->letters, i);

      revive (letter, now_us);
      g_ptr_array_add (changes, create_aside (job->id, letter));
    }
  eb_ledger_apply_async (job->bus->ledger, job->bus->epoch, changes, NULL, set_aside_cb, task);
}

/* Of all, those that there is room for; the others are left. */
static void
take_letters (EbDeadLetterJob *job, GPtrArray *found)
{
  if (job->letters == NULL)
    {
      job->letters = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
      for (guint i = 0; i < MIN (found->len, job->room); i++)
        g_ptr_array_add (job->letters, eb_exception_copy (g_ptr_array_index (found, i)));
    }
  job->left = MIN (found->len - MIN (found->len, job->letters->len), EB_DEAD_LETTERS_MAX);
}

static void
listed_for_redrive_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) found =
      eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);

  if (found == NULL || !eb_dead_letter_job_is_current (job, &error))
    {
      eb_dead_letter_job_return_failure (task, error);
      return;
    }
  take_letters (job, found);
  if (job->letters->len > 0)
    set_aside (task, job);
  else
    eb_dead_letter_job_return_done (task);
}

/* Takes @task. Lists those that may be redriven, and as many more as are counted. */
static void
list_for_redrive (GTask *task, EbDeadLetterJob *job)
{
  guint n = job->letters != NULL ? job->letters->len : job->room;

  eb_ledger_list_exceptions_async (job->bus->ledger, job->id, EB_EXCEPTIONS_DEAD, job->after,
                                   n + EB_DEAD_LETTERS_MAX, NULL, listed_for_redrive_cb, task);
}

static void
chosen_for_redrive_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;

  job->letters = eb_dead_letter_query_choose_finish (EB_LEDGER (source), result, &error);
  if (job->letters == NULL)
    eb_dead_letter_job_return_failure (task, error);
  else
    list_for_redrive (task, job);
}

static gboolean
check_room (EbDeadLetterJob *job, GError **error)
{
  if (job->sequences == NULL || job->sequences->len <= job->room)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_BUSY,
               "“%s” has room for %u more retries; try again when others have ended", job->id,
               job->room);
  return FALSE;
}

static void
room_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbDeadLetterJob *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GPtrArray) aside =
      eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);

  if (aside != NULL)
    job->room = EB_MAX_ASIDE - MIN (aside->len, EB_MAX_ASIDE);
  if (aside == NULL || !check_room (job, &error))
    eb_dead_letter_job_return_failure (task, error);
  else if (job->sequences != NULL)
    eb_dead_letter_query_choose_async (job->bus->ledger, job->id, job->sequences,
                                       chosen_for_redrive_cb, task);
  else
    list_for_redrive (task, job);
}

/* Takes @task. */
static void
look_for_room (GTask *task, EbDeadLetterJob *job)
{
  eb_ledger_list_exceptions_async (job->bus->ledger, job->id, EB_EXCEPTIONS_ASIDE, 0, EB_MAX_ASIDE,
                                   NULL, room_cb, task);
}

/**
 * eb_bus_redrive_async:
 * @id: of a subscription
 * @sequences: (nullable) (element-type guint64): which dead letters, at most %EB_DEAD_LETTERS_MAX;
 *   NULL for as many as there is room for
 * @after: if @sequences is NULL, of those after this sequence; 0 for the beginning
 *
 * They are delivered next, with their attempts counted from 1. All that were named, or none.
 *
 * Of those that wait aside there are %EB_MAX_ASIDE at most: they are in memory.
 */
void
eb_bus_redrive_async (EbBus *self,
                      const char *id,
                      GArray *sequences,
                      guint64 after,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_redrive_async);
  eb_dead_letter_job_run (self, id, sequences, after, look_for_room, task);
}

static void
fill_result (EbDeadLetterJob *job, EbRedriven *redriven)
{
  guint n = job->letters->len;
  const EbException *last = n > 0 ? g_ptr_array_index (job->letters, n - 1) : NULL;

  redriven->n = n;
  redriven->left = job->left;
  redriven->last = last != NULL ? last->sequence : job->after;
}

/**
 * eb_bus_redrive_finish:
 * @redriven: (out): what was done
 *
 * Returns: FALSE with %EB_ERROR_NOT_FOUND, which names what there is not, %EB_ERROR_INVALID,
 *   %EB_ERROR_BUSY, also if there is no room for those that were named, %EB_ERROR_IO or
 *   %EB_ERROR_NO_SPACE
 */
gboolean
eb_bus_redrive_finish (EbBus *self, GAsyncResult *result, EbRedriven *redriven, GError **error)
{
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  fill_result (g_task_get_task_data (G_TASK (result)), redriven);
  return TRUE;
}
