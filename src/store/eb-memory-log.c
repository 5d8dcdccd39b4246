/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-log.h"

#include <string.h>

#include "store/eb-memory-names.h"
#include "store/eb-window.h"

#define DEFAULT_MAX_BYTES (64 * 1024 * 1024)
#define DEFAULT_MAX_AGE   (7 * G_TIME_SPAN_DAY)
#define DEFAULT_NAME_AGE  (10 * G_TIME_SPAN_MINUTE)

/* A log that lives as long as the process: a window with nothing behind it, which keeps the newest
 * events up to a size and an age.
 *
 * Any thread may call it. */
struct _EbMemoryLog
{
  GObject parent_instance;

  EbClock *clock;   /* (owned) */
  EbWindow *window; /* (owned) */
  char log_id[37];  /* a new one each time: this log remembers nothing */
  GMutex lock; /* held while events get their places, which are those after the window's head; and
                  guards all below */
  EbMemoryNames *names; /* (owned) */
  guint64 max_names;
  GTimeSpan name_age; /* 0: none are kept */
};

static void eb_memory_log_iface_init (EbLogInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbMemoryLog,
                               eb_memory_log,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LOG, eb_memory_log_iface_init))

/* Returns: 0 if it is a new one */
static guint64
find_duplicate (EbMemoryLog *self, const EbDraft *draft, guint64 next, gint64 now_us)
{
  EbEventName name;
  guint64 sequence;

  if (!draft->named || self->name_age == 0)
    return 0;
  eb_event_name_init (&name, draft);
  sequence = eb_memory_names_find (self->names, &name);
  if (sequence == 0)
    eb_memory_names_add (self->names, &name, next, now_us);
  return sequence;
}

/* With the lock held.
 *
 * Returns: how many of @drafts are new: they are @events */
static guint
place (EbMemoryLog *self, GPtrArray *drafts, EbEvent **events, GArray *receipts, gint64 now_us)
{
  guint n_events = 0;
  EbWindowBounds bounds;

  eb_memory_names_forget (self->names, now_us - self->name_age, self->max_names);
  eb_window_get_bounds (self->window, &bounds);
  for (guint i = 0; i < drafts->len; i++)
    {
      const EbDraft *draft = g_ptr_array_index (drafts, i);
      guint64 next = bounds.head + 1 + n_events;
      guint64 first = find_duplicate (self, draft, next, now_us);
      EbReceipt receipt = { first != 0 ? first : next, first != 0 };

      if (!receipt.duplicate)
        events[n_events++] = eb_event_new (draft, next, now_us);
      g_array_append_val (receipts, receipt);
    }
  return n_events;
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
  g_autofree EbEvent **events = g_new (EbEvent *, drafts->len);
  gint64 now_us = eb_clock_get_real (self->clock);
  guint n_events;

  g_task_set_source_tag (task, append_async);

  g_mutex_lock (&self->lock);
  n_events = place (self, drafts, events, receipts, now_us);
  eb_window_add (self->window, events, n_events, now_us);
  g_mutex_unlock (&self->lock);

  g_task_return_pointer (task, receipts, (GDestroyNotify) g_array_unref);
  eb_window_wake (self->window);
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
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, read_async);
  eb_window_read (self->window, task, after, max_bytes, wait, eb_clock_get_real (self->clock));
}

static void
get_extent (EbLog *log, EbExtent *extent)
{
  EbMemoryLog *self = EB_MEMORY_LOG (log);
  EbWindowBounds bounds;

  eb_window_get_bounds (self->window, &bounds);
  memcpy (extent->log_id, self->log_id, sizeof extent->log_id);
  extent->first = bounds.oldest;
  extent->head = bounds.head;
}

static void
eb_memory_log_iface_init (EbLogInterface *iface)
{
  iface->append_async = append_async;
  iface->read_async = read_async;
  iface->get_extent = get_extent;
}

static void
eb_memory_log_finalize (GObject *object)
{
  EbMemoryLog *self = EB_MEMORY_LOG (object);

  g_clear_pointer (&self->window, eb_window_free);
  g_clear_pointer (&self->names, eb_memory_names_free);
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
  self->window = eb_window_new (1, 0, NULL, NULL);
  self->names = eb_memory_names_new ();
  self->name_age = DEFAULT_NAME_AGE;
  eb_memory_log_configure (self, DEFAULT_MAX_BYTES, DEFAULT_MAX_AGE);
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
  eb_window_configure (self->window, max_bytes, max_age);
  g_mutex_lock (&self->lock);
  self->max_names = eb_event_name_get_limit (max_bytes);
  g_mutex_unlock (&self->lock);
}

/**
 * eb_memory_log_set_deduplication:
 * @window: for how long after an event's acceptance another one with its source and id is a
 *   duplicate, if the publishers gave both; 0: none ever is
 *
 * Takes effect with the next append; without it, the window is 10 minutes. What it takes to tell
 * comes on top of the events: a quarter of what they may take at most, for the newest names.
 */
void
eb_memory_log_set_deduplication (EbMemoryLog *self, GTimeSpan window)
{
  g_mutex_lock (&self->lock);
  self->name_age = window;
  g_mutex_unlock (&self->lock);
}
