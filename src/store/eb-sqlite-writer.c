/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-writer-private.h"

#include "store/eb-sqlite-schema.h"

/* How it is made, started, told what to do, and stopped. */

#define DEFAULT_MAX_BYTES (1024 * 1024 * 1024)
#define DEFAULT_MAX_AGE   (7 * G_TIME_SPAN_DAY)
#define DEFAULT_NAME_AGE  (10 * G_TIME_SPAN_MINUTE)

static gboolean
work_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1); /* before, as more may come meanwhile */
  return callback (user_data);
}

static GSourceFuncs work_funcs = { .dispatch = work_dispatch };

static void
add_source (EbSqliteWriter *self, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, self->context);
}

static void
add_sources (EbSqliteWriter *self)
{
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->work = g_source_new (&work_funcs, sizeof (GSource));
  self->retention = eb_clock_create_timer (self->clock);
  self->recovery = eb_clock_create_timer (self->clock);
  add_source (self, self->work, eb_sqlite_writer_work);
  add_source (self, self->retention, eb_sqlite_writer_retain);
  add_source (self, self->recovery, eb_sqlite_writer_recover);
  eb_sqlite_writer_set_due_in (self, self->retention, EB_SQLITE_RETENTION_INTERVAL);
}

/**
 * eb_sqlite_writer_new:
 * @vfs: (nullable): what SQLite reaches files through
 *
 * Opens the database and brings it to this program's format. Blocks.
 *
 * Returns: (transfer full): a writer without its thread, or NULL with %EB_ERROR_IO or
 *   %EB_ERROR_NO_SPACE
 */
EbSqliteWriter *
eb_sqlite_writer_new (EbClock *clock, const char *path, const char *vfs, GError **error)
{
  g_autoptr (EbSqliteWriter) self = g_new0 (EbSqliteWriter, 1);

  g_mutex_init (&self->lock);
  self->clock = g_object_ref (clock);
  self->queue = eb_sqlite_queue_new ();
  self->settings = (EbSqliteSettings){ EB_DURABILITY_FULL, DEFAULT_MAX_BYTES, DEFAULT_MAX_AGE,
                                       DEFAULT_NAME_AGE };
  self->wanted = self->settings;
  self->fence = eb_clock_get_real (clock);
  add_sources (self);

  self->database = eb_sqlite_database_open (path, vfs, EB_SQLITE_READ_WRITE, error);
  if (self->database == NULL || !eb_sqlite_schema_prepare (self->database, error)
      || !eb_sqlite_state_read (&self->state, self->database, error))
    return NULL;
  eb_sqlite_checkpoint_init (&self->checkpoint, clock, self->database);
  return g_steal_pointer (&self);
}

/**
 * eb_sqlite_writer_close:
 * @self: stopped
 *
 * Closes the connection, when no other one is open any more.
 */
void
eb_sqlite_writer_close (EbSqliteWriter *self)
{
  g_clear_pointer (&self->database, eb_sqlite_database_close);
}

/**
 * eb_sqlite_writer_free:
 * @self: not started, or stopped
 */
void
eb_sqlite_writer_free (EbSqliteWriter *self)
{
  g_return_if_fail (self->thread == NULL);

  g_source_destroy (self->work);
  g_source_unref (self->work);
  g_source_destroy (self->retention);
  g_source_unref (self->retention);
  g_source_destroy (self->recovery);
  g_source_unref (self->recovery);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_clear_pointer (&self->database, eb_sqlite_database_close);
  eb_sqlite_queue_free (self->queue);
  g_clear_error (&self->failure);
  g_mutex_clear (&self->lock);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_sqlite_writer_get_database:
 *
 * Returns: (transfer none): its connection, while the thread does not run
 */
EbSqliteDatabase *
eb_sqlite_writer_get_database (EbSqliteWriter *self)
{
  g_return_val_if_fail (self->thread == NULL, NULL);
  return self->database;
}

/**
 * eb_sqlite_writer_get_extent:
 *
 * Returns: (transfer none): what the log has, before the start
 */
const EbSqliteExtent *
eb_sqlite_writer_get_extent (EbSqliteWriter *self)
{
  return &self->state.extent;
}

/**
 * eb_sqlite_writer_start:
 * @window: gets what is committed
 */
void
eb_sqlite_writer_start (EbSqliteWriter *self, EbWindow *window)
{
  self->window = window;
  eb_sqlite_retainer_init (&self->retainer, self->database, window);
  self->thread = g_thread_new ("store", eb_sqlite_writer_run, self);
  g_source_set_ready_time (self->work, 0); /* retention */
}

/**
 * eb_sqlite_writer_push:
 * @operation: (transfer full): is done, or fails at once if too much waits or the writer is stopped
 */
void
eb_sqlite_writer_push (EbSqliteWriter *self, EbOperation *operation)
{
  if (eb_sqlite_queue_push (self->queue, operation))
    g_source_set_ready_time (self->work, 0);
}

/**
 * eb_sqlite_writer_configure:
 * @settings: all but how long names are known
 *
 * Takes effect with the next transaction.
 */
void
eb_sqlite_writer_configure (EbSqliteWriter *self, const EbSqliteSettings *settings)
{
  g_mutex_lock (&self->lock);
  self->wanted.durability = settings->durability;
  self->wanted.max_bytes = settings->max_bytes;
  self->wanted.max_age = settings->max_age;
  g_mutex_unlock (&self->lock);
  g_source_set_ready_time (self->work, 0);
}

/**
 * eb_sqlite_writer_set_name_age:
 *
 * Takes effect with the next transaction.
 */
void
eb_sqlite_writer_set_name_age (EbSqliteWriter *self, GTimeSpan name_age)
{
  g_mutex_lock (&self->lock);
  self->wanted.name_age = name_age;
  g_mutex_unlock (&self->lock);
  g_source_set_ready_time (self->work, 0);
}

/**
 * eb_sqlite_writer_stop:
 *
 * Takes nothing new, writes what waits, writes the log back, and ends the thread. Blocks.
 */
void
eb_sqlite_writer_stop (EbSqliteWriter *self)
{
  eb_sqlite_queue_close (self->queue);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_mutex_unlock (&self->lock);
  g_source_set_ready_time (self->work, 0);
  g_clear_pointer (&self->thread, g_thread_join);
}
