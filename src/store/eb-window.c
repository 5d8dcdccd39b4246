/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-window.h"

#include "core/eb-error.h"

/* The newest committed events of a log, by reference, and the reads that wait for the next one. A
 * log owns it; what the log has besides is behind it.
 *
 * Any thread may call it; the lock is held for as long as it takes to copy pointers. Events that
 * leave are freed when it no longer is. */
struct _EbWindow
{
  EbWindowBehindFunc behind; /* (nullable): NULL when nothing is behind the window, ever */
  gpointer behind_data;

  GMutex lock;     /* guards all below */
  GPtrArray *ring; /* (owned) (element-type EbEvent): sequence s at index s & (len - 1) */
  EbWindowBounds bounds;
  gsize bytes;     /* the events' charges together */
  gsize max_bytes; /* the newest event stays whatever its size */
  GTimeSpan max_age;
  GQueue waiting; /* (element-type GTask) reads at the head */
  gboolean closed;
};

/* A task's data. */
typedef struct
{
  EbWindow *window;
  guint64 after;
  gsize max_bytes;
  gulong cancelled_id; /* 0 while it does not wait, and without a cancellable */
} Read;

static EbEvent **
slot (EbWindow *self, guint64 sequence)
{
  return (EbEvent **) &self->ring->pdata[sequence & (self->ring->len - 1)];
}

static void
grow (EbWindow *self)
{
  GPtrArray *old = self->ring;
  guint old_len = old->len;

  self->ring = g_ptr_array_sized_new (2 * old_len);
  g_ptr_array_set_size (self->ring, (int) (2 * old_len));
  for (guint64 s = self->bounds.first; s <= self->bounds.head; s++)
    *slot (self, s) = old->pdata[s & (old_len - 1)];
  g_ptr_array_unref (old);
}

/* @dropped: (inout) (nullable): gets the event, and is made for the first one */
static void
drop_first (EbWindow *self, GPtrArray **dropped)
{
  EbEvent **event = slot (self, self->bounds.first);

  if (*dropped == NULL)
    *dropped = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  self->bytes -= eb_event_get_charge (*event);
  g_ptr_array_add (*dropped, g_steal_pointer (event));
  self->bounds.first++;
}

static void
trim (EbWindow *self, gint64 now_us, GPtrArray **dropped)
{
  while (self->bounds.first <= self->bounds.head
         && ((self->bytes > self->max_bytes && self->bounds.first < self->bounds.head)
             || now_us - eb_event_get_accepted (*slot (self, self->bounds.first)) > self->max_age))
    drop_first (self, dropped);
  if (self->behind == NULL)
    self->bounds.oldest = self->bounds.first;
}

/**
 * eb_window_new:
 * @oldest: the oldest event that the log has; @head + 1 when there is none
 * @head: the newest; the window begins behind it, empty
 * @behind: (nullable): answers reads that begin before the window; NULL if what leaves the window
 *   is gone from the log
 * @user_data: for @behind
 *
 * Returns: (transfer full): a window without bounds on its size
 */
EbWindow *
eb_window_new (guint64 oldest, guint64 head, EbWindowBehindFunc behind, gpointer user_data)
{
  EbWindow *self = g_new0 (EbWindow, 1);

  g_mutex_init (&self->lock);
  self->behind = behind;
  self->behind_data = user_data;
  self->ring = g_ptr_array_new ();
  g_ptr_array_set_size (self->ring, 64);
  self->bounds = (EbWindowBounds){ .oldest = oldest, .first = head + 1, .head = head };
  self->max_bytes = G_MAXSIZE;
  self->max_age = G_MAXINT64;
  return self;
}

void
eb_window_free (EbWindow *self)
{
  g_autoptr (GPtrArray) dropped = NULL;

  g_warn_if_fail (g_queue_is_empty (&self->waiting)); /* each of them holds the log */
  while (self->bounds.first <= self->bounds.head)
    drop_first (self, &dropped);
  g_ptr_array_unref (self->ring);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * eb_window_configure:
 * @max_bytes: of all events here together; the newest one stays whatever its size
 * @max_age: of an event since its acceptance
 *
 * Takes effect with the next event or read.
 */
void
eb_window_configure (EbWindow *self, gsize max_bytes, GTimeSpan max_age)
{
  g_mutex_lock (&self->lock);
  self->max_bytes = max_bytes;
  self->max_age = max_age;
  g_mutex_unlock (&self->lock);
}

/**
 * eb_window_add:
 * @events: (array length=n_events) (transfer full): what was committed, in order; the first one
 *   follows the head
 * @now_us: real time
 *
 * Those who wait are told by eb_window_wake(), so that the publisher can be told before.
 */
void
eb_window_add (EbWindow *self, EbEvent *const *events, guint n_events, gint64 now_us)
{
  g_autoptr (GPtrArray) dropped = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < n_events; i++)
    {
      if (self->bounds.head - self->bounds.first + 1 == self->ring->len)
        grow (self);
      *slot (self, ++self->bounds.head) = events[i];
      self->bytes += eb_event_get_charge (events[i]);
    }
  trim (self, now_us, &dropped);
  g_mutex_unlock (&self->lock);
}

/* Returns: NULL if the page begins behind the window */
static EbPage *
build_page (EbWindow *self, guint64 after, gsize max_bytes)
{
  EbPage *page;
  gsize bytes = 0;
  guint64 start;

  if (after >= self->bounds.head)
    return eb_page_new (0);
  start = MAX (after + 1, self->bounds.oldest);
  if (start < self->bounds.first)
    return NULL;
  page = eb_page_new (start > after + 1 ? start - 1 : 0);
  for (guint64 s = start; s <= self->bounds.head; s++)
    {
      EbEvent *event = *slot (self, s);

      bytes += eb_event_get_charge (event);
      if (bytes > max_bytes && page->events->len > 0)
        break;
      g_ptr_array_add (page->events, eb_event_ref (event));
    }
  return page;
}

/* Takes @task, and @page, which is NULL if what it wants is behind the window. */
static void
answer (EbWindow *self, GTask *task, EbPage *page)
{
  Read *read = g_task_get_task_data (task);

  /* Not g_cancellable_disconnect(), which would wait for a handler that waits for our lock. */
  if (read->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), read->cancelled_id);
  if (page == NULL)
    {
      self->behind (task, read->after, read->max_bytes, self->behind_data);
      return;
    }
  g_task_return_pointer (task, page, (GDestroyNotify) eb_page_unref);
  g_object_unref (task);
}

/* With the lock held: those for whom there is something now. */
static void
take_waiting (EbWindow *self, GQueue *taken)
{
  GList *next;

  for (GList *link = self->waiting.head; link != NULL; link = next)
    {
      const Read *read = g_task_get_task_data (link->data);

      next = link->next;
      if (read->after >= self->bounds.head)
        continue;
      g_queue_unlink (&self->waiting, link);
      g_queue_push_tail_link (taken, link);
    }
}

/**
 * eb_window_wake:
 *
 * Answers the reads that waited for what was added. Those who wait at the same place share a page:
 * in general all of them do.
 */
void
eb_window_wake (EbWindow *self)
{
  g_autoptr (EbPage) page = NULL;
  GQueue taken = G_QUEUE_INIT;
  Read shared = { 0 };
  GTask *task;

  g_mutex_lock (&self->lock);
  take_waiting (self, &taken);
  g_mutex_unlock (&self->lock);

  while ((task = g_queue_pop_head (&taken)) != NULL)
    {
      const Read *read = g_task_get_task_data (task);

      if (page == NULL || shared.after != read->after || shared.max_bytes != read->max_bytes)
        {
          g_clear_pointer (&page, eb_page_unref);
          g_mutex_lock (&self->lock);
          page = build_page (self, read->after, read->max_bytes);
          g_mutex_unlock (&self->lock);
          shared = *read;
        }
      answer (self, task, page != NULL ? eb_page_ref (page) : NULL);
    }
}

static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  Read *read = g_task_get_task_data (task);
  gboolean found;

  g_mutex_lock (&read->window->lock);
  found = g_queue_remove (&read->window->waiting, task);
  g_mutex_unlock (&read->window->lock);

  if (found)
    {
      g_signal_handler_disconnect (cancellable, read->cancelled_id);
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }
}

static void
wait_for_more (EbWindow *self, GTask *task, Read *read)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL)
    read->cancelled_id =
        g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (cancelled_cb),
                               g_object_ref (task), (GClosureNotify) (GCallback) g_object_unref, 0);
  g_queue_push_tail (&self->waiting, g_object_ref (task));
}

static Read *
read_new (EbWindow *self, GTask *task, guint64 after, gsize max_bytes)
{
  Read *read = g_new0 (Read, 1);

  read->window = self;
  read->after = after;
  read->max_bytes = max_bytes;
  g_task_set_task_data (task, read, g_free);
  return read;
}

static void
return_closed (GTask *task)
{
  g_task_return_new_error (task, EB_ERROR, EB_ERROR_CLOSED, "The log is closed");
}

/**
 * eb_window_read:
 * @task: (transfer full): a read of the log, without data; returns an #EbPage
 * @now_us: real time
 *
 * Does what eb_log_read_async() says.
 */
void
eb_window_read (
    EbWindow *self, GTask *task, guint64 after, gsize max_bytes, EbLogWait wait, gint64 now_us)
{
  g_autoptr (GTask) owned = task;
  GCancellable *cancellable = g_task_get_cancellable (task);
  Read *read = read_new (self, task, after, max_bytes);
  g_autoptr (GPtrArray) dropped = NULL;
  EbPage *page = NULL;
  gboolean waits, closed;

  if (g_task_return_error_if_cancelled (task))
    return;

  g_mutex_lock (&self->lock);
  trim (self, now_us, &dropped);
  closed = self->closed;
  waits = after >= self->bounds.head && wait == EB_LOG_WAIT;
  if (!closed && waits)
    wait_for_more (self, task, read);
  else if (!closed)
    page = build_page (self, after, max_bytes);
  g_mutex_unlock (&self->lock);

  if (closed)
    return_closed (task);
  else if (!waits)
    answer (self, g_steal_pointer (&owned), page);
  else if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
    cancelled_cb (cancellable, task); /* it was while we were not connected yet */
}

/**
 * eb_window_forget:
 * @oldest: the oldest event that the log still has; what is before it is gone, from here too
 */
void
eb_window_forget (EbWindow *self, guint64 oldest)
{
  g_autoptr (GPtrArray) dropped = NULL;

  g_mutex_lock (&self->lock);
  while (self->bounds.first < MIN (oldest, self->bounds.head + 1))
    drop_first (self, &dropped);
  self->bounds.oldest = MAX (self->bounds.oldest, oldest);
  g_mutex_unlock (&self->lock);
}

void
eb_window_get_bounds (EbWindow *self, EbWindowBounds *bounds)
{
  g_mutex_lock (&self->lock);
  *bounds = self->bounds;
  g_mutex_unlock (&self->lock);
}

/**
 * eb_window_close:
 *
 * From now on every read fails with %EB_ERROR_CLOSED, those that wait too.
 */
void
eb_window_close (EbWindow *self)
{
  GQueue waiting;
  GTask *task;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  waiting = self->waiting;
  g_queue_init (&self->waiting);
  g_mutex_unlock (&self->lock);

  while ((task = g_queue_pop_head (&waiting)) != NULL)
    {
      Read *read = g_task_get_task_data (task);

      if (read->cancelled_id != 0)
        g_signal_handler_disconnect (g_task_get_cancellable (task), read->cancelled_id);
      return_closed (task);
      g_object_unref (task);
    }
}
