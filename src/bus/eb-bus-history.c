/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-history.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"
#include "core/eb-types.h"

/* The use cases of looking at what was published. Whoever wants one event in a million gets an
 * answer with nothing in it and goes on: what one call reads is bounded, not just what it finds. */

#define READ_SIZE (256 * 1024) /* bytes of a page of the log: a fraction of the bounds below */

#define MAX_FOUND   (1024 * 1024)     /* bytes of events in an answer, beyond which none is added */
#define MAX_SCANNED (4 * 1024 * 1024) /* bytes of events looked at for an answer */
#define MAX_READS   64                /* pages, some of which may be nothing but lost events */

typedef struct
{
  EbHistory *history; /* (owned) (nullable) once it was returned */
  char **types;       /* (owned) (nullable) */
  guint limit;
  guint64 position; /* everything up to it was looked at */
  gsize found;      /* bytes */
  gsize scanned;    /* bytes */
  guint n_reads;
} Reading;

static void
reading_free (Reading *reading)
{
  g_clear_pointer (&reading->history, eb_history_free);
  g_strfreev (reading->types);
  g_free (reading);
}

void
eb_history_free (EbHistory *self)
{
  g_ptr_array_unref (self->events);
  g_free (self);
}

static gboolean
is_full (Reading *reading)
{
  return reading->history->events->len >= reading->limit || reading->found >= MAX_FOUND
         || reading->scanned >= MAX_SCANNED;
}

static void
add_page (Reading *reading, EbPage *page)
{
  reading->position = MAX (reading->position, page->lost_up_to);
  for (guint i = 0; i < page->events->len && !is_full (reading); i++)
    {
      EbEvent *event = g_ptr_array_index (page->events, i);

      reading->position = eb_event_get_sequence (event);
      reading->scanned += eb_event_get_charge (event);
      if (!eb_types_match ((const char *const *) reading->types, eb_event_get_event_type (event)))
        continue;
      reading->found += eb_event_get_charge (event);
      g_ptr_array_add (reading->history->events, eb_event_ref (event));
    }
}

/* Takes @task. */
static void
finish (GTask *task)
{
  EbBus *self = g_task_get_source_object (task);
  Reading *reading = g_task_get_task_data (task);

  if (reading->position < eb_bus_get_head (self))
    reading->history->next = reading->position;
  g_task_return_pointer (task, g_steal_pointer (&reading->history),
                         (GDestroyNotify) eb_history_free);
  g_object_unref (task);
}

static void read_on (GTask *task);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (EbPage) page = eb_log_read_finish (EB_LOG (source), result, &error);
  guint64 before = reading->position;

  if (page == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  add_page (reading, page);
  if (reading->position == before || is_full (reading) || reading->n_reads == MAX_READS)
    finish (g_steal_pointer (&task));
  else
    read_on (g_steal_pointer (&task));
}

/* Takes @task. */
static void
read_on (GTask *task)
{
  EbBus *self = g_task_get_source_object (task);
  Reading *reading = g_task_get_task_data (task);

  reading->n_reads++;
  eb_log_read_async (self->log, reading->position, READ_SIZE, EB_LOG_NO_WAIT, NULL, read_cb, task);
}

/**
 * eb_bus_read_async:
 * @after: a sequence; 0 for the earliest event that there is
 * @types: (nullable) (array zero-terminated=1): patterns of which one must match; NULL for all
 * @limit: how many events, from 1 to %EB_HISTORY_MAX
 *
 * Reads what was published, until @limit or the bounds of one call are reached.
 */
void
eb_bus_read_async (EbBus *self,
                   guint64 after,
                   const char *const *types,
                   guint limit,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Reading *reading = g_new0 (Reading, 1);
  GError *error = NULL;

  g_task_set_source_tag (task, eb_bus_read_async);
  reading->history = g_new0 (EbHistory, 1);
  reading->history->events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  reading->types = g_strdupv ((char **) types);
  reading->limit = limit;
  reading->position = after;
  g_task_set_task_data (task, reading, (GDestroyNotify) reading_free);
  if (eb_types_check (types, &error))
    read_on (g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

/**
 * eb_bus_read_finish:
 *
 * Returns: (transfer full): what there is; NULL with %EB_ERROR_INVALID for a wrong pattern, or with
 *   the log's error
 */
EbHistory *
eb_bus_read_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* One event */

static void
event_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const guint64 *sequence = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (EbPage) page = eb_log_read_finish (EB_LOG (source), result, &error);
  EbEvent *event = page != NULL && page->events->len > 0 ? page->events->pdata[0] : NULL;

  if (page == NULL)
    g_task_return_error (task, error);
  else if (event != NULL && eb_event_get_sequence (event) == *sequence)
    g_task_return_pointer (task, eb_event_ref (event), (GDestroyNotify) eb_event_unref);
  else
    g_task_return_new_error (task, EB_ERROR, EB_ERROR_NOT_FOUND,
                             "There is no event %" G_GUINT64_FORMAT ", or it is there no more",
                             *sequence);
}

/**
 * eb_bus_get_event_async:
 * @sequence: from 1
 */
void
eb_bus_get_event_async (EbBus *self,
                        guint64 sequence,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, eb_bus_get_event_async);
  g_task_set_task_data (task, g_memdup2 (&sequence, sizeof sequence), g_free);
  /* A page holds one event at least. */
  eb_log_read_async (self->log, sequence - 1, 1, EB_LOG_NO_WAIT, NULL, event_read_cb, task);
}

/**
 * eb_bus_get_event_finish:
 *
 * Returns: (transfer full): the event; NULL with %EB_ERROR_NOT_FOUND, or with the log's error
 */
EbEvent *
eb_bus_get_event_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
