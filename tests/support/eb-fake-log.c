/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-fake-log.h"

#include "core/eb-error.h"
#include "store/eb-memory-log.h"

/* Later than whatever is ready when a read ends. */
#define LATE_BY_MS 20

/* A log in memory that cannot be read, or only late, for as long as a test says so. */
struct _EbFakeLog
{
  GObject parent_instance;

  EbLog *log;    /* (owned) */
  gint failing;  /* (atomic) */
  gint n_failed; /* (atomic) reads that did */
  gint late;     /* (atomic) reads are answered late */
};

static void eb_fake_log_iface_init (EbLogInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbFakeLog,
                               eb_fake_log,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LOG, eb_fake_log_iface_init))

static void
append_async (EbLog *log,
              GPtrArray *drafts,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  eb_log_append_async (EB_FAKE_LOG (log)->log, drafts, cancellable, callback, user_data);
}

/* Takes @task. */
static gboolean
answer (GTask *task, EbPage *page, GError *error)
{
  if (page != NULL)
    g_task_return_pointer (task, page, (GDestroyNotify) eb_page_unref);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
  return G_SOURCE_REMOVE;
}

typedef struct
{
  GTask *task;
  EbPage *page;
  GError *error;
} LateAnswer;

static gboolean
answer_late_cb (gpointer user_data)
{
  g_autofree LateAnswer *late = user_data;

  return answer (late->task, late->page, late->error);
}

/* In the context of whoever reads, when it has nothing else to do. */
static void
answer_late (GTask *task, EbPage *page, GError *error)
{
  LateAnswer *late = g_new (LateAnswer, 1);
  g_autoptr (GSource) timer = g_timeout_source_new (LATE_BY_MS);

  *late = (LateAnswer){ task, page, error };
  g_source_set_callback (timer, answer_late_cb, late, NULL);
  g_source_attach (timer, g_main_context_get_thread_default ());
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  EbFakeLog *self = g_task_get_source_object (task);
  GError *error = NULL;
  EbPage *page = eb_log_read_finish (EB_LOG (source), result, &error);

  if (page != NULL && g_atomic_int_get (&self->failing))
    {
      g_clear_pointer (&page, eb_page_unref);
      g_atomic_int_inc (&self->n_failed);
      g_set_error (&error, EB_ERROR, EB_ERROR_IO, "fake: cannot be read");
      g_main_context_wakeup (NULL);
    }
  if (g_atomic_int_get (&self->late))
    answer_late (task, page, error);
  else
    answer (task, page, error);
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
  eb_log_read_async (EB_FAKE_LOG (log)->log, after, max_bytes, wait, cancellable, read_cb,
                     g_task_new (log, NULL, callback, user_data));
}

static void
get_extent (EbLog *log, EbExtent *extent)
{
  eb_log_get_extent (EB_FAKE_LOG (log)->log, extent);
}

static void
eb_fake_log_iface_init (EbLogInterface *iface)
{
  iface->append_async = append_async;
  iface->read_async = read_async;
  iface->get_extent = get_extent;
}

static void
eb_fake_log_finalize (GObject *object)
{
  g_object_unref (EB_FAKE_LOG (object)->log);

  G_OBJECT_CLASS (eb_fake_log_parent_class)->finalize (object);
}

static void
eb_fake_log_class_init (EbFakeLogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_fake_log_finalize;
}

static void
eb_fake_log_init (EbFakeLog *self)
{
}

EbLog *
eb_fake_log_new (EbClock *clock)
{
  EbFakeLog *self = g_object_new (EB_TYPE_FAKE_LOG, NULL);

  self->log = eb_memory_log_new (clock);
  return EB_LOG (self);
}

/**
 * eb_fake_log_set_failing:
 *
 * Reads that end from now on fail, or do not any more.
 */
void
eb_fake_log_set_failing (EbFakeLog *self, gboolean failing)
{
  g_atomic_int_set (&self->failing, failing);
}

guint
eb_fake_log_get_n_failed (EbFakeLog *self)
{
  return (guint) g_atomic_int_get (&self->n_failed);
}

/**
 * eb_fake_log_delay_answers:
 *
 * Reads that end from now on are answered some time later, also when they were cancelled.
 */
void
eb_fake_log_delay_answers (EbFakeLog *self)
{
  g_atomic_int_set (&self->late, TRUE);
}

/**
 * eb_fake_log_keep_last:
 *
 * Retention takes everything but the newest event away, with the next append or read.
 */
void
eb_fake_log_keep_last (EbFakeLog *self)
{
  eb_memory_log_configure (EB_MEMORY_LOG (self->log), 1, G_TIME_SPAN_DAY);
}
