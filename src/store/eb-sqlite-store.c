/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/eb-error.h"
#include "store/eb-lock-file.h"
#include "store/eb-sqlite-reader.h"
#include "store/eb-sqlite-transaction.h"
#include "store/eb-sqlite-writer.h"
#include "store/eb-window.h"

/* The log and the ledger in one SQLite database: one transaction serves both. Here is what both
 * interfaces ask, and who does it: the writer in its thread, the reader in another one, and the
 * window, where the newest events are, at once.
 *
 * Any thread may call it. Its owner closes it. */
struct _EbSqliteStore
{
  GObject parent_instance;

  EbClock *clock; /* (owned) */
  char log_id[37];
  int lock_fd;            /* (owned): -1 when not held */
  EbWindow *window;       /* (owned) */
  EbSqliteWriter *writer; /* (owned) (nullable): NULL only if it could not be opened */

  GMutex lock;            /* guards the one below */
  EbSqliteReader *reader; /* (owned) (nullable): NULL once closed */
};

/* What the tail reads, and everybody who keeps up. */
#define WINDOW_BYTES (32 * 1024 * 1024)

static void eb_sqlite_store_log_init (EbLogInterface *iface);
static void eb_sqlite_store_ledger_init (EbLedgerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbSqliteStore,
                               eb_sqlite_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LOG, eb_sqlite_store_log_init)
                                   G_IMPLEMENT_INTERFACE (EB_TYPE_LEDGER,
                                                          eb_sqlite_store_ledger_init))

static void
return_closed (GTask *task)
{
  g_task_return_new_error (task, EB_ERROR, EB_ERROR_CLOSED, "The store is closed");
}

/* The log */

static void
append_async (EbLog *log,
              GPtrArray *drafts,
              GCancellable *cancellable,
              GAsyncReadyCallback callback,
              gpointer user_data)
{
  EbSqliteStore *self = EB_SQLITE_STORE (log);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, append_async);
  /* Once it waits it will be written, so it says so. */
  g_task_set_check_cancellable (task, FALSE);
  eb_sqlite_writer_push (self->writer, eb_operation_new (EB_OPERATION_APPEND, task, drafts));
}

static void
read_behind (GTask *task, guint64 after, gsize max_bytes, gpointer user_data)
{
  EbSqliteStore *self = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->reader != NULL)
    {
      eb_sqlite_reader_read (self->reader, task, after, max_bytes);
      return;
    }
  return_closed (task);
  g_object_unref (task);
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
  EbSqliteStore *self = EB_SQLITE_STORE (log);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, read_async);
  eb_window_read (self->window, task, after, max_bytes, wait, 0);
}

static void
get_extent (EbLog *log, EbExtent *extent)
{
  EbSqliteStore *self = EB_SQLITE_STORE (log);
  EbWindowBounds bounds;

  eb_window_get_bounds (self->window, &bounds);
  memcpy (extent->log_id, self->log_id, sizeof extent->log_id);
  extent->first = bounds.oldest;
  extent->head = bounds.head;
}

static void
eb_sqlite_store_log_init (EbLogInterface *iface)
{
  iface->append_async = append_async;
  iface->read_async = read_async;
  iface->get_extent = get_extent;
}

/* The ledger */

static void
load_async (EbLedger *ledger,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  EbSqliteStore *self = EB_SQLITE_STORE (ledger);
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, load_async);
  eb_sqlite_writer_push (self->writer, eb_operation_new (EB_OPERATION_LOAD, task, NULL));
}

static void
apply_async (EbLedger *ledger,
             guint64 epoch,
             GPtrArray *changes,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  EbSqliteStore *self = EB_SQLITE_STORE (ledger);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  EbOperation *operation;

  g_task_set_source_tag (task, apply_async);
  g_task_set_check_cancellable (task, FALSE);
  operation = eb_operation_new (EB_OPERATION_APPLY, task, changes);
  operation->epoch = epoch;
  eb_sqlite_writer_push (self->writer, operation);
}

static void
list_exceptions_async (EbLedger *ledger,
                       const char *id,
                       EbExceptionKinds kinds,
                       guint64 after,
                       guint limit,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  EbSqliteStore *self = EB_SQLITE_STORE (ledger);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_task_set_source_tag (task, list_exceptions_async);
  if (self->reader != NULL)
    eb_sqlite_reader_list_exceptions (self->reader, g_steal_pointer (&task), id, kinds, after,
                                      limit);
  else
    return_closed (task);
}

static gboolean
is_durable (EbLedger *ledger)
{
  return TRUE;
}

static void
eb_sqlite_store_ledger_init (EbLedgerInterface *iface)
{
  iface->load_async = load_async;
  iface->apply_async = apply_async;
  iface->list_exceptions_async = list_exceptions_async;
  iface->is_durable = is_durable;
}

/* The object */

static void
eb_sqlite_store_dispose (GObject *object)
{
  eb_sqlite_store_close (EB_SQLITE_STORE (object));

  G_OBJECT_CLASS (eb_sqlite_store_parent_class)->dispose (object);
}

static void
eb_sqlite_store_finalize (GObject *object)
{
  EbSqliteStore *self = EB_SQLITE_STORE (object);

  g_clear_pointer (&self->writer, eb_sqlite_writer_free);
  g_clear_pointer (&self->window, eb_window_free);
  if (self->lock_fd >= 0) /* it could not be opened */
    close (self->lock_fd);
  g_mutex_clear (&self->lock);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (eb_sqlite_store_parent_class)->finalize (object);
}

static void
eb_sqlite_store_class_init (EbSqliteStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = eb_sqlite_store_dispose;
  G_OBJECT_CLASS (klass)->finalize = eb_sqlite_store_finalize;
}

static void
eb_sqlite_store_init (EbSqliteStore *self)
{
  g_mutex_init (&self->lock);
  self->lock_fd = -1;
}

/* Folder and file are their owner's alone: subscriptions may hold secrets. What SQLite puts beside
 * the file has its mode. */
static gboolean
make_folder (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_mkdir_with_parents (folder, 0700) == 0)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_IO, "Cannot make the store's folder %s: %s", folder,
               g_strerror (errno));
  return FALSE;
}

/* The lock goes by the name, so one file must have one, however it was reached. A file that is not
 * there yet has its folder's. */
static char *
resolve (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *real_path = realpath (path, NULL);
  int problem = errno; /* the next call would write over it */
  g_autofree char *real_folder = realpath (folder, NULL);

  if (real_path != NULL)
    return g_steal_pointer (&real_path);
  if (problem == ENOENT && real_folder != NULL)
    return g_build_filename (real_folder, name, NULL);
  g_set_error (error, EB_ERROR, EB_ERROR_IO, "Cannot open the store %s: %s", path,
               g_strerror (problem));
  return NULL;
}

/* With the lock taken: closing a database that this process has open elsewhere would drop that
 * one's locks. */
static gboolean
make_file (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  if (fd >= 0)
    {
      close (fd);
      return TRUE;
    }
  g_set_error (error, EB_ERROR, errno == ENOSPC ? EB_ERROR_NO_SPACE : EB_ERROR_IO,
               "Cannot make the store's file %s: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
open_store (EbSqliteStore *self, const char *given, const char *vfs, GError **error)
{
  const EbSqliteExtent *extent;
  g_autofree char *path = make_folder (given, error) ? resolve (given, error) : NULL;

  if (path == NULL)
    return FALSE;
  self->lock_fd = eb_lock_file_take (path, error);
  if (self->lock_fd < 0 || !make_file (path, error))
    return FALSE;
  self->writer = eb_sqlite_writer_new (self->clock, path, vfs, error);
  if (self->writer == NULL
      || !eb_sqlite_state_read_log_id (eb_sqlite_writer_get_database (self->writer), self->log_id,
                                       error))
    return FALSE;

  extent = eb_sqlite_writer_get_extent (self->writer);
  self->window = eb_window_new (extent->first, extent->head, read_behind, self);
  eb_window_configure (self->window, WINDOW_BYTES, G_MAXINT64);
  self->reader = eb_sqlite_reader_new (path, vfs, self->window);
  eb_sqlite_writer_start (self->writer, self->window);
  return TRUE;
}

/**
 * eb_sqlite_store_new:
 * @path: the database's file; it and folders that are missing are made
 * @vfs: (nullable): what SQLite reaches files through; for tests
 *
 * Opens the store and starts its threads. Blocks, so it is for the start. One store at a time
 * has the file.
 *
 * Returns: (transfer full): an #EbLog and #EbLedger that is durable and keeps 1 GiB and 7 days,
 *   or NULL with %EB_ERROR_IO or %EB_ERROR_NO_SPACE. Close it before the last reference goes.
 */
EbSqliteStore *
eb_sqlite_store_new (EbClock *clock, const char *path, const char *vfs, GError **error)
{
  g_autoptr (EbSqliteStore) self = g_object_new (EB_TYPE_SQLITE_STORE, NULL);

  self->clock = g_object_ref (clock);
  return open_store (self, path, vfs, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * eb_sqlite_store_configure:
 * @durability: what a commit survives
 * @max_bytes: of what is used of the database; the newest event stays whatever its size
 * @max_age: of an event since its acceptance
 *
 * Takes effect with the next transaction.
 */
void
eb_sqlite_store_configure (EbSqliteStore *self,
                           EbDurability durability,
                           gsize max_bytes,
                           GTimeSpan max_age)
{
  EbSqliteSettings settings = { durability, max_bytes, max_age, 0 };

  eb_sqlite_writer_configure (self->writer, &settings);
}

/**
 * eb_sqlite_store_set_deduplication:
 * @window: for how long after an event's acceptance another one with its source and id is a
 *   duplicate, if the publishers gave both; 0: none ever is
 *
 * Takes effect with the next transaction; without it, the window is 10 minutes. At most the newest
 * so many names are known as fit into a quarter of the size that the store keeps.
 */
void
eb_sqlite_store_set_deduplication (EbSqliteStore *self, GTimeSpan window)
{
  eb_sqlite_writer_set_name_age (self->writer, window);
}

/**
 * eb_sqlite_store_close:
 *
 * Finishes what waits, writes the log back, and ends the threads. Blocks. From here on everything
 * fails with %EB_ERROR_CLOSED.
 */
void
eb_sqlite_store_close (EbSqliteStore *self)
{
  EbSqliteReader *reader;

  if (self->writer == NULL)
    return;
  eb_sqlite_writer_stop (self->writer);
  if (self->window != NULL)
    eb_window_close (self->window);

  g_mutex_lock (&self->lock);
  reader = g_steal_pointer (&self->reader);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&reader, eb_sqlite_reader_free);
  eb_sqlite_writer_close (self->writer);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  self->lock_fd = -1;
}
