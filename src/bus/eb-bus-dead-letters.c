/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"

/* The use case of looking at dead letters: what the ledger knows of them, with what the log knows
 * of their events. */

/* Letters often lie close together, so that one read serves several. Bytes. */
#define READ_SIZE (64 * 1024)

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  guint limit;
  GPtrArray
      *exceptions;    /* (owned) (nullable) (element-type EbException) still without their event */
  guint index;        /* of the one whose event is looked for */
  EbPage *page;       /* (owned) (nullable) the last that was read */
  guint64 page_start; /* the sequence it was read for */
  GPtrArray *letters; /* (owned) (element-type EbDeadLetter) */
  guint64 next;       /* where to go on; 0 at the end */
} Listing;

static void
listing_free (Listing *listing)
{
  eb_subscription_unref (listing->subscription);
  g_clear_pointer (&listing->exceptions, g_ptr_array_unref);
  g_clear_pointer (&listing->page, eb_page_unref);
  g_clear_pointer (&listing->letters, g_ptr_array_unref);
  g_free (listing);
}

/* Returns: (transfer none) (nullable): NULL if the page does not hold it */
static EbEvent *
find_in_page (EbPage *page, guint64 sequence)
{
  guint64 first;

  if (page == NULL || page->events->len == 0)
    return NULL;
  first = eb_event_get_sequence (g_ptr_array_index (page->events, 0));
  if (sequence < first || sequence - first >= page->events->len)
    return NULL;
  return g_ptr_array_index (page->events, sequence - first);
}

/* An exception goes with its event. */
static void
end_exception (EbBus *self, EbSubscription *subscription, guint64 sequence)
{
  const char *id = eb_subscription_get_id (subscription);
  g_autoptr (EbChange) change = eb_change_new (EB_CHANGE_ENDED, id, sequence);

  if (!eb_bus_has (self, subscription))
    return;
  eb_progress_add (eb_progress_writer_get_progress (self->progress), subscription, change);
  eb_progress_writer_write (self->progress);
}

static void look_up_events (GTask *task);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Listing *listing = g_task_get_task_data (task);
  GError *error = NULL;

  g_clear_pointer (&listing->page, eb_page_unref);
  listing->page = eb_log_read_finish (EB_LOG (source), result, &error);
  if (listing->page == NULL)
    g_task_return_error (task, error);
  else
    look_up_events (g_steal_pointer (&task));
}

/* Returns: FALSE if the log must be asked */
static gboolean
add_letter (EbBus *self, Listing *listing, const EbException *exception)
{
  EbEvent *event = find_in_page (listing->page, exception->sequence);

  if (event != NULL)
    g_ptr_array_add (listing->letters, eb_dead_letter_new (eb_event_get_id (event), exception));
  else if (listing->page_start == exception->sequence)
    end_exception (self, listing->subscription, exception->sequence);
  else
    return FALSE;
  return TRUE;
}

/* Takes @task. */
static void
look_up_events (GTask *task)
{
  EbBus *self = g_task_get_source_object (task);
  Listing *listing = g_task_get_task_data (task);

  for (; listing->index < listing->exceptions->len; listing->index++)
    {
      const EbException *exception = g_ptr_array_index (listing->exceptions, listing->index);

      if (add_letter (self, listing, exception))
        continue;
      listing->page_start = exception->sequence;
      eb_log_read_async (self->log, exception->sequence - 1, READ_SIZE, EB_LOG_NO_WAIT, NULL,
                         read_cb, task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Listing *listing = g_task_get_task_data (task);
  GError *error = NULL;

  listing->exceptions = eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);
  if (listing->exceptions == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (listing->exceptions->len > listing->limit)
    {
      const EbException *last = g_ptr_array_index (listing->exceptions, listing->limit - 1);

      listing->next = last->sequence;
      g_ptr_array_set_size (listing->exceptions, (int) listing->limit);
    }
  look_up_events (g_steal_pointer (&task));
}

/**
 * eb_bus_list_dead_letters_async:
 * @id: of a subscription
 * @after: a sequence; 0 for the beginning
 * @limit: how many at most, from 1 to %EB_DEAD_LETTERS_MAX
 */
void
eb_bus_list_dead_letters_async (EbBus *self,
                                const char *id,
                                guint64 after,
                                guint limit,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  EbSubscription *subscription = eb_bus_find_stored (self, id, &error);
  Listing *listing;

  g_task_set_source_tag (task, eb_bus_list_dead_letters_async);
  if (subscription == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  listing = g_new0 (Listing, 1);
  listing->subscription = eb_subscription_ref (subscription);
  listing->limit = limit;
  listing->letters = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_dead_letter_free);
  g_task_set_task_data (task, listing, (GDestroyNotify) listing_free);
  /* One more than wanted tells whether there are more. */
  eb_ledger_list_exceptions_async (self->ledger, id, EB_EXCEPTIONS_DEAD, after, limit + 1, NULL,
                                   listed_cb, g_steal_pointer (&task));
}

/**
 * eb_bus_list_dead_letters_finish:
 * @next: (out): the sequence after which there are more; 0 if there are none
 *
 * Returns: (transfer full) (element-type EbDeadLetter): by sequence; NULL with %EB_ERROR_NOT_FOUND
 *   if there is no such subscription, or it is never stored, or with %EB_ERROR_IO
 */
GPtrArray *
eb_bus_list_dead_letters_finish (EbBus *self, GAsyncResult *result, guint64 *next, GError **error)
{
  Listing *listing = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  *next = listing->next;
  return g_steal_pointer (&listing->letters);
}
