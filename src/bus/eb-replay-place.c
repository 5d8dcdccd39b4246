/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-replay-place.h"

#include "core/eb-error.h"

/* Finds the place in the log at which a replay begins, and the event before it that the subscriber
 * would have had. */

/* Events before the place, among which the one that matches is looked for at first; then among four
 * times as many before those, and so on, up to so many. Whoever wants fewer does not learn whether
 * there was one before. */
#define LOOK_BACK     256
#define MAX_LOOK_BACK 1000000

#define ONE_EVENT  1           /* bytes: the first one comes whatever its size, and no other */
#define PAGE_BYTES (64 * 1024) /* a look back is a few reads */

typedef struct
{
  EbSubscription *subscription; /* (owned) */
  gint64 real_us;               /* the first one accepted then or later is looked for */
  guint64 low, high;            /* it is one of these; @high may be the one after the head */
  guint64 limit;                /* the place is not after this one */
  guint64 after;                /* the place, once it is known */
  guint64 from, until;          /* while looking back: among the events after @from up to @until */
  guint64 read;                 /* and the last of them that was seen */
  guint64 previous;             /* the last of them that matched */
} Search;

static void
search_free (Search *search)
{
  eb_subscription_unref (search->subscription);
  g_free (search);
}

/* Returns: (nullable): the page, or @task was answered and is unreferenced */
static EbPage *
finish_read (GObject *source, GAsyncResult *result, GTask *task)
{
  GError *error = NULL;
  EbPage *page = eb_log_read_finish (EB_LOG (source), result, &error);

  if (page != NULL)
    return page;
  g_task_return_error (task, error);
  g_object_unref (task);
  return NULL;
}

/* Looking back */

static void look_back (EbLog *log, GTask *task);

static void
looked_back_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (EbPage) page = finish_read (source, result, task);
  guint64 before = search->read;

  if (page == NULL)
    return;
  search->read = MAX (search->read, page->lost_up_to);
  for (guint i = 0; i < page->events->len; i++)
    {
      EbEvent *event = g_ptr_array_index (page->events, i);

      search->read = eb_event_get_sequence (event);
      if (search->read <= search->until && eb_subscription_matches (search->subscription, event))
        search->previous = search->read;
    }
  if (search->read == before)
    search->read = search->until; /* there is nothing more */
  if (page->lost_up_to > search->from)
    search->from = 0; /* and nothing before it */
  look_back (EB_LOG (source), task);
}

static void
look_further_back (Search *search)
{
  guint64 span = 4 * (search->until - search->from);

  if (search->from == 0 || search->after - search->from >= MAX_LOOK_BACK)
    return;
  search->until = search->from;
  search->from -= MIN (search->from, span);
  search->read = search->from;
}

/* Takes @task. */
static void
look_back (EbLog *log, GTask *task)
{
  Search *search = g_task_get_task_data (task);

  if (search->read >= search->until && search->previous == 0)
    look_further_back (search);
  if (search->read < search->until)
    {
      eb_log_read_async (log, search->read, PAGE_BYTES, EB_LOG_NO_WAIT, NULL, looked_back_cb, task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Takes @task. */
static void
settle (EbLog *log, GTask *task, guint64 after)
{
  Search *search = g_task_get_task_data (task);

  after = MIN (after, search->limit);
  search->after = search->until = after;
  search->from = search->read = after - MIN (after, LOOK_BACK);
  if (eb_subscription_takes_all (search->subscription))
    search->previous = search->read = after;
  look_back (log, task);
}

/* By time */

static void bisect (EbLog *log, GTask *task);

static void
bisected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (EbPage) page = finish_read (source, result, task);
  guint64 middle = search->low + (search->high - search->low) / 2;
  EbEvent *event;

  if (page == NULL)
    return;
  event = page->events->len > 0 ? g_ptr_array_index (page->events, 0) : NULL;
  if (event == NULL || eb_event_get_accepted (event) >= search->real_us)
    search->high = middle;
  else
    search->low = eb_event_get_sequence (event) + 1;
  search->low = MAX (search->low, page->lost_up_to + 1);
  bisect (EB_LOG (source), task);
}

/* Takes @task. Times of acceptance never go back. */
static void
bisect (EbLog *log, GTask *task)
{
  Search *search = g_task_get_task_data (task);

  if (search->low < search->high)
    eb_log_read_async (log, search->low + (search->high - search->low) / 2 - 1, ONE_EVENT,
                       EB_LOG_NO_WAIT, NULL, bisected_cb, task);
  else
    settle (log, task, search->low - 1);
}

/**
 * eb_replay_place_find_async:
 * @subscription: that goes back
 * @limit: where it is: it goes nowhere after that
 */
void
eb_replay_place_find_async (EbLog *log,
                            EbSubscription *subscription,
                            const EbReplayFrom *from,
                            guint64 limit,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task = g_task_new (log, NULL, callback, user_data);
  Search *search = g_new0 (Search, 1);
  EbExtent extent;

  g_task_set_source_tag (task, eb_replay_place_find_async);
  search->subscription = eb_subscription_ref (subscription);
  search->limit = limit;
  g_task_set_task_data (task, search, (GDestroyNotify) search_free);
  eb_log_get_extent (log, &extent);
  if (from->by_time)
    {
      search->real_us = from->real_us;
      search->low = extent.first;
      search->high = extent.head + 1;
      bisect (log, task);
      return;
    }
  if (from->after <= extent.head)
    {
      settle (log, task, from->after);
      return;
    }
  g_task_return_new_error (task, EB_ERROR, EB_ERROR_INVALID,
                           "“after” is %" G_GUINT64_FORMAT
                           ", but the newest event is %" G_GUINT64_FORMAT,
                           from->after, extent.head);
  g_object_unref (task);
}

/**
 * eb_replay_place_find_finish:
 * @after: (out): what comes after this event is to be delivered
 * @previous: (out): the last event up to there that matches; 0 if none of the last few does
 *
 * Returns: FALSE with %EB_ERROR_INVALID for a place after the newest event, or %EB_ERROR_IO
 */
gboolean
eb_replay_place_find_finish (
    EbLog *log, GAsyncResult *result, guint64 *after, guint64 *previous, GError **error)
{
  const Search *search = g_task_get_task_data (G_TASK (result));

  *after = search->after;
  *previous = search->previous;
  return g_task_propagate_boolean (G_TASK (result), error);
}
