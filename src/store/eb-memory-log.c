/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-log.h"

#include <string.h>

#include "core/eb-error.h"

#define DEFAULT_MAX_BYTES (64 * 1024 * 1024)
#define DEFAULT_MAX_AGE   (7 * G_TIME_SPAN_DAY)

/* A log that lives as long as the process. It keeps the newest events up to a size and an age;
 * what waits for the next event waits in it.
 *
 * Any thread may call it; the lock is held for as long as it takes to copy pointers. */
struct _EbMemoryLog
{
  GObject parent_instance;

  EbClock *clock;  /* (owned) */
  char log_id[37]; /* a new one each time: this log remembers nothing */
  GMutex lock;     /* guards all below */
  GPtrArray *ring; /* (owned) (element-type EbEvent): sequence s at index s & (len - 1) */
  guint64 first;   /* sequence of the oldest event here */
  guint64 head;    /* sequence of the newest; first - 1 when empty */
  gsize bytes;     /* the events' charges together */
  gsize max_bytes; /* retention; the newest event stays whatever its size */
  GTimeSpan max_age;
  GQueue waiting; /* (element-type GTask) reads at the head */
};

typedef struct
{
  guint64 after;
  gsize max_bytes;
  gulong cancelled_id; /* 0 without a cancellable */
} Read;

static void eb_memory_log_iface_init (EbLogInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbMemoryLog,
                               eb_memory_log,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LOG, eb_memory_log_iface_init))

static EbEvent **
slot (EbMemoryLog *self, guint64 sequence)
{
  return (EbEvent **) &self->ring->pdata[sequence & (self->ring->len - 1)];
}

static void
grow (EbMemoryLog *self)
{
  GPtrArray *old = self->ring;
  guint old_len = old->len;

  self->ring = g_ptr_array_sized_new (2 * old_len);
  g_ptr_array_set_size (self->ring, (int) (2 * old_len));
  for (guint64 s = self->first; s <= self->head; s++)
    *slot (self, s) = old->pdata[s & (old_len - 1)];
  g_ptr_array_unref (old);
}

static void
drop_first (EbMemoryLog *self)
{
  EbEvent **event = slot (self, self->first);

  self->bytes -= eb_event_get_charge (*event);
  g_clear_pointer (event, eb_event_unref);
  self->first++;
}

static void
apply_retention (EbMemoryLog *self, gint64 now_us)
{
  while (self->first < self->head
         && (self->bytes > self->max_bytes
             || now_us - eb_event_get_accepted (*slot (self, self->first)) > self->max_age))
    drop_first (self);
}

static guint64
append (EbMemoryLog *self, const EbDraft *draft, gint64 now_us)
{
  EbEvent *event;

  if (self->head - self->first + 1 == self->ring->len)
    grow (self);
  event = eb_event_new (draft, ++self->head, now_us);
  *slot (self, self->head) = event;
  self->bytes += eb_event_get_charge (event);
  return self->head;
}

static EbPage *
build_page (EbMemoryLog *self, guint64 after, gsize max_bytes)
{
  EbPage *page = eb_page_new (after + 1 < self->first ? self->first - 1 : 0);
  gsize bytes = 0;

  for (guint64 s = MAX (after + 1, self->first); s <= self->head; s++)
    {
      EbEvent *event = *slot (self, s);

      bytes += eb_event_get_charge (event);
      if (bytes > max_bytes && page->events->len > 0)
        break;
      g_ptr_array_add (page->events, eb_event_ref (event));
    }
  return page;
}

static void
return_page (GTask *task, EbPage *page)
{
  Read *read = g_task_get_task_data (task);

  /* Not g_cancellable_disconnect(), which would wait for a handler that waits for our lock. */
  if (read->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), read->cancelled_id);
  g_task_return_pointer (task, page, (GDestroyNotify) eb_page_unref);
  g_object_unref (task);
}

/* Those who wait at the same place share a page: in general all of them do. */
static void
answer_waiting (EbMemoryLog *self, GQueue *waiting)
{
  g_autoptr (EbPage) page = NULL;
  Read shared = { 0 };
  GTask *task;

  while ((task = g_queue_pop_head (waiting)) != NULL)
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
      return_page (task, eb_page_ref (page));
    }
}

static void
append_async (EbLog *log,
              GPtrArray *drafts,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  EbMemoryLog *self = EB_MEMORY_LOG (log);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GArray *receipts = g_array_sized_new (FALSE, TRUE, sizeof (EbReceipt), drafts->len);
  gint64 now_us = eb_clock_get_real (self->clock);
  GQueue waiting = G_QUEUE_INIT;

  g_task_set_source_tag (task, append_async);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < drafts->len; i++)
    {
      EbReceipt receipt = { append (self, g_ptr_array_index (drafts, i), now_us), FALSE };

      g_array_append_val (receipts, receipt);
    }
  apply_retention (self, now_us);
  if (drafts->len > 0)
    {
      waiting = self->waiting;
      g_queue_init (&self->waiting);
    }
  g_mutex_unlock (&self->lock);

  answer_waiting (self, &waiting);
  g_task_return_pointer (task, receipts, (GDestroyNotify) g_array_unref);
}

static GArray *
append_finish (EbLog *log, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
read_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  EbMemoryLog *self = g_task_get_source_object (task);
  gboolean found;

  g_mutex_lock (&self->lock);
  found = g_queue_remove (&self->waiting, task);
  g_mutex_unlock (&self->lock);

  if (found)
    {
      Read *read = g_task_get_task_data (task);

      g_signal_handler_disconnect (cancellable, read->cancelled_id);
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }
}

static void
wait_for_more (EbMemoryLog *self, GTask *task, Read *read)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL)
    read->cancelled_id =
        g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (read_cancelled_cb),
                               g_object_ref (task), (GClosureNotify) (GCallback) g_object_unref, 0);
  g_queue_push_tail (&self->waiting, g_object_ref (task));
}

static void
read_async (EbLog *log,
            guint64 after,
            gsize max_bytes,
            EbLogWait wait,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  EbMemoryLog *self = EB_MEMORY_LOG (log);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Read *read = g_new0 (Read, 1);
  EbPage *page = NULL;

  g_task_set_source_tag (task, read_async);
  read->after = after;
  read->max_bytes = max_bytes;
  g_task_set_task_data (task, read, g_free);
  if (g_task_return_error_if_cancelled (task))
    return;

  g_mutex_lock (&self->lock);
  apply_retention (self, eb_clock_get_real (self->clock));
  if (after >= self->head && wait == EB_LOG_WAIT)
    wait_for_more (self, task, read);
  else
    page = build_page (self, after, max_bytes);
  g_mutex_unlock (&self->lock);

  if (page != NULL)
    g_task_return_pointer (task, page, (GDestroyNotify) eb_page_unref);
  else if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
    read_cancelled_cb (cancellable, task); /* it was while we were not connected yet */
}

static EbPage *
read_finish (EbLog *log, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
get_extent (EbLog *log, EbExtent *extent)
{
  EbMemoryLog *self = EB_MEMORY_LOG (log);

  memcpy (extent->log_id, self->log_id, sizeof extent->log_id);
  g_mutex_lock (&self->lock);
  extent->first = self->first;
  extent->head = self->head;
  g_mutex_unlock (&self->lock);
}

static void
eb_memory_log_iface_init (EbLogInterface *iface)
{
  iface->append_async = append_async;
  iface->append_finish = append_finish;
  iface->read_async = read_async;
  iface->read_finish = read_finish;
  iface->get_extent = get_extent;
}

static void
eb_memory_log_finalize (GObject *object)
{
  EbMemoryLog *self = EB_MEMORY_LOG (object);

  while (self->first <= self->head)
    drop_first (self);
  g_ptr_array_unref (self->ring);
  g_mutex_clear (&self->lock);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (eb_memory_log_parent_class)->finalize (object);
}

static void
eb_memory_log_class_init (EbMemoryLogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_memory_log_finalize;
}

static void
eb_memory_log_init (EbMemoryLog *self)
{
  g_autofree char *log_id = g_uuid_string_random ();

  g_strlcpy (self->log_id, log_id, sizeof self->log_id);
  g_mutex_init (&self->lock);
  self->ring = g_ptr_array_new ();
  g_ptr_array_set_size (self->ring, 64);
  self->first = 1;
  self->max_bytes = DEFAULT_MAX_BYTES;
  self->max_age = DEFAULT_MAX_AGE;
}

/**
 * eb_memory_log_new:
 *
 * Returns: (transfer full): an empty log that keeps 64 MiB and 7 days
 */
EbLog *
eb_memory_log_new (EbClock *clock)
{
  EbMemoryLog *self = g_object_new (EB_TYPE_MEMORY_LOG, NULL);

  self->clock = g_object_ref (clock);
  return EB_LOG (self);
}

/**
 * eb_memory_log_configure:
 * @max_bytes: of all events together; the newest one stays whatever its size
 * @max_age: of an event since its acceptance
 *
 * Takes effect with the next append or read.
 */
void
eb_memory_log_configure (EbMemoryLog *self, gsize max_bytes, GTimeSpan max_age)
{
  g_mutex_lock (&self->lock);
  self->max_bytes = max_bytes;
  self->max_age = max_age;
  g_mutex_unlock (&self->lock);
}
