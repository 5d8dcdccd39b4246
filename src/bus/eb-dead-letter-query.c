/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-dead-letter-query.h"

#include "core/eb-error.h"

/* Those dead letters that a caller named, page by page of the ledger: letters that are named
 * together often lie close together. Each step is bounded, so the ledger stays free for others in
 * between. */

typedef struct
{
  char *id;          /* (owned) of the subscription */
  GArray *sequences; /* (owned) (nullable) (element-type guint64); NULL for all */
  GPtrArray *chosen; /* (owned) (element-type EbException) */
} Choice;

static void
choice_free (Choice *choice)
{
  g_free (choice->id);
  g_clear_pointer (&choice->sequences, g_array_unref);
  g_ptr_array_unref (choice->chosen);
  g_free (choice);
}

static void find_next (EbLedger *ledger, GTask *task);

/* Returns: (transfer none) (nullable): what is wanted next */
static const guint64 *
get_wanted (Choice *choice)
{
  guint index = choice->chosen->len;

  return index < choice->sequences->len ? &g_array_index (choice->sequences, guint64, index) : NULL;
}

/* Takes those that are wanted from @found, which begins where the next one must be.
 *
 * Returns: FALSE if one is not there */
static gboolean
take_found (Choice *choice, GPtrArray *found, GError **error)
{
  const guint64 *wanted = NULL;
  guint64 last = 0;

  for (guint i = 0; i < found->len && (wanted = get_wanted (choice)) != NULL; i++)
    {
      const EbException *exception = g_ptr_array_index (found, i);

      last = exception->sequence;
      if (last == *wanted)
        g_ptr_array_add (choice->chosen, eb_exception_copy (exception));
      else if (last > *wanted)
        break;
    }
  wanted = get_wanted (choice);
  if (wanted == NULL || (found->len == EB_DEAD_LETTERS_MAX && *wanted > last))
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_NOT_FOUND,
               "“%s” has no dead letter with the sequence %" G_GUINT64_FORMAT, choice->id, *wanted);
  return FALSE;
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (GPtrArray) found =
      eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);

  if (found == NULL || !take_found (g_task_get_task_data (task), found, &error))
    g_task_return_error (task, error);
  else
    find_next (EB_LEDGER (source), g_steal_pointer (&task));
}

/* Takes @task. */
static void
find_next (EbLedger *ledger, GTask *task)
{
  Choice *choice = g_task_get_task_data (task);
  const guint64 *wanted = get_wanted (choice);

  if (wanted == NULL)
    {
      g_task_return_pointer (task, g_ptr_array_ref (choice->chosen),
                             (GDestroyNotify) g_ptr_array_unref);
      g_object_unref (task);
      return;
    }
  eb_ledger_list_exceptions_async (ledger, choice->id, EB_EXCEPTIONS_DEAD, *wanted - 1,
                                   EB_DEAD_LETTERS_MAX, NULL, found_cb, task);
}

static void
all_found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GPtrArray *found = eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);

  if (found != NULL)
    g_task_return_pointer (task, found, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

/**
 * eb_dead_letter_query_choose_async:
 * @id: of a subscription
 * @sequences: (nullable) (element-type guint64): which, from 1; NULL for the first
 *   %EB_DEAD_LETTERS_MAX
 */
void
eb_dead_letter_query_choose_async (EbLedger *ledger,
                                   const char *id,
                                   GArray *sequences,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  GTask *task = g_task_new (ledger, NULL, callback, user_data);
  Choice *choice = g_new0 (Choice, 1);

  g_task_set_source_tag (task, eb_dead_letter_query_choose_async);
  g_task_set_task_data (task, choice, (GDestroyNotify) choice_free);
  choice->id = g_strdup (id);
  choice->sequences = sequences != NULL ? g_array_ref (sequences) : NULL;
  choice->chosen = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  if (sequences != NULL)
    find_next (ledger, task);
  else
    eb_ledger_list_exceptions_async (ledger, id, EB_EXCEPTIONS_DEAD, 0, EB_DEAD_LETTERS_MAX, NULL,
                                     all_found_cb, task);
}

/**
 * eb_dead_letter_query_choose_finish:
 *
 * Returns: (transfer full) (element-type EbException): those chosen, in the order in which they
 *   were; NULL with %EB_ERROR_NOT_FOUND, which names what is not there, or %EB_ERROR_IO
 */
GPtrArray *
eb_dead_letter_query_choose_finish (EbLedger *ledger, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
