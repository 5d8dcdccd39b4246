/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-shim-vfs.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "support/eb-disk-image.h"

/* A way for SQLite to reach files that can fail on demand. It passes everything on to the default
 * one, but for syncing, which only marks what would be on the disk: with that it knows what a power
 * cut may lose. Memory that connections share is passed through, and lost with the power. */
struct _EbShimVfs
{
  sqlite3_vfs vfs;   /* the first member: SQLite's handle on it */
  sqlite3_vfs *real; /* the default one */
  char *name;        /* (owned) */
  GRand *random;     /* (owned) */

  GMutex lock;        /* guards all below */
  GHashTable *images; /* (owned) (element-type utf8 EbDiskImage) by path */
  guint n_calls;
  guint fail_at; /* which call fails; 0 for none */
  EbShimFault fault;
  gboolean failed;
};

typedef struct
{
  sqlite3_file file; /* the first member */
  EbShimVfs *shim;
  EbDiskImage *image; /* (nullable): NULL for a temporary file */
  sqlite3_file *real; /* lies behind */
} ShimFile;

typedef enum
{
  CALL_WRITE, /* needs space */
  CALL_SYNC,
  CALL_OTHER,
} Call;

static gboolean
fails (EbShimVfs *self, Call call)
{
  if (self->fail_at == 0 || self->n_calls < self->fail_at)
    return FALSE;
  switch (self->fault)
    {
    case EB_SHIM_EIO_ONCE:
      return self->n_calls == self->fail_at;
    case EB_SHIM_ENOSPC:
      return call == CALL_WRITE;
    case EB_SHIM_CUT:
      return TRUE;
    case EB_SHIM_CUT_AT_SYNC:
      return self->failed || call == CALL_SYNC;
    default:
      g_return_val_if_reached (FALSE);
    }
}

/* Returns: SQLITE_OK, or @io_error or SQLITE_FULL if this call is one that fails */
static int
count_call (EbShimVfs *self, Call call, int io_error)
{
  self->n_calls++;
  if (!fails (self, call))
    return SQLITE_OK;
  if (!self->failed)
    g_main_context_wakeup (NULL); /* somebody may wait for it there */
  self->failed = TRUE;
  return self->fault == EB_SHIM_ENOSPC ? SQLITE_FULL : io_error;
}

static gboolean
is_cut (EbShimVfs *self)
{
  return self->failed && (self->fault == EB_SHIM_CUT || self->fault == EB_SHIM_CUT_AT_SYNC);
}

static int
shim_close (sqlite3_file *file)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods != NULL ? self->real->pMethods->xClose (self->real) : SQLITE_OK;
}

static int
shim_read (sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
  ShimFile *self = (ShimFile *) file;
  int code;

  g_mutex_lock (&self->shim->lock);
  code = count_call (self->shim, CALL_OTHER, SQLITE_IOERR_READ);
  g_mutex_unlock (&self->shim->lock);
  return code != SQLITE_OK ? code : self->real->pMethods->xRead (self->real, buffer, size, offset);
}

static int
shim_write (sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
  ShimFile *self = (ShimFile *) file;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->shim->lock);
  int code = count_call (self->shim, CALL_WRITE, SQLITE_IOERR_WRITE);

  if (code != SQLITE_OK)
    return code;
  if (self->image != NULL)
    eb_disk_image_write (self->image, offset, bytes, (gsize) size);
  return self->real->pMethods->xWrite (self->real, bytes, size, offset);
}

static int
shim_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  ShimFile *self = (ShimFile *) file;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->shim->lock);
  int code = count_call (self->shim, CALL_OTHER, SQLITE_IOERR_TRUNCATE);

  if (code != SQLITE_OK)
    return code;
  if (self->image != NULL)
    eb_disk_image_truncate (self->image, size);
  return self->real->pMethods->xTruncate (self->real, size);
}

static int
shim_sync (sqlite3_file *file, int flags)
{
  ShimFile *self = (ShimFile *) file;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->shim->lock);
  int code = count_call (self->shim, CALL_SYNC, SQLITE_IOERR_FSYNC);

  if (code == SQLITE_OK && self->image != NULL)
    eb_disk_image_sync (self->image);
  return code;
}

static int
shim_file_size (sqlite3_file *file, sqlite3_int64 *size)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xFileSize (self->real, size);
}

static int
shim_lock (sqlite3_file *file, int level)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xLock (self->real, level);
}

static int
shim_unlock (sqlite3_file *file, int level)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xUnlock (self->real, level);
}

static int
shim_check_reserved_lock (sqlite3_file *file, int *result)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xCheckReservedLock (self->real, result);
}

static int
shim_file_control (sqlite3_file *file, int operation, void *argument)
{
  ShimFile *self = (ShimFile *) file;

  /* A hint to make the file longer at once would go past us. */
  if (operation == SQLITE_FCNTL_SIZE_HINT)
    return SQLITE_OK;
  return self->real->pMethods->xFileControl (self->real, operation, argument);
}

static int
shim_sector_size (sqlite3_file *file)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xSectorSize (self->real);
}

static int
shim_device_characteristics (sqlite3_file *file)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xDeviceCharacteristics (self->real);
}

static int
shim_shm_map (sqlite3_file *file, int region, int size, int extend, void volatile **memory)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xShmMap (self->real, region, size, extend, memory);
}

static int
shim_shm_lock (sqlite3_file *file, int offset, int n, int flags)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xShmLock (self->real, offset, n, flags);
}

static void
shim_shm_barrier (sqlite3_file *file)
{
  ShimFile *self = (ShimFile *) file;

  self->real->pMethods->xShmBarrier (self->real);
}

static int
shim_shm_unmap (sqlite3_file *file, int delete_it)
{
  ShimFile *self = (ShimFile *) file;

  return self->real->pMethods->xShmUnmap (self->real, delete_it);
}

static const sqlite3_io_methods shim_methods = {
  .iVersion = 2,
  .xClose = shim_close,
  .xRead = shim_read,
  .xWrite = shim_write,
  .xTruncate = shim_truncate,
  .xSync = shim_sync,
  .xFileSize = shim_file_size,
  .xLock = shim_lock,
  .xUnlock = shim_unlock,
  .xCheckReservedLock = shim_check_reserved_lock,
  .xFileControl = shim_file_control,
  .xSectorSize = shim_sector_size,
  .xDeviceCharacteristics = shim_device_characteristics,
  .xShmMap = shim_shm_map,
  .xShmLock = shim_shm_lock,
  .xShmBarrier = shim_shm_barrier,
  .xShmUnmap = shim_shm_unmap,
};

/* With the lock held. */
static EbDiskImage *
get_image (EbShimVfs *self, const char *path)
{
  EbDiskImage *image = g_hash_table_lookup (self->images, path);

  if (image == NULL)
    {
      image = eb_disk_image_new (path);
      g_hash_table_insert (self->images, g_strdup (path), image);
    }
  return image;
}

static int
shim_open (sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags)
{
  EbShimVfs *self = (EbShimVfs *) vfs;
  ShimFile *shim_file = (ShimFile *) file;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int code = count_call (self, CALL_OTHER, SQLITE_IOERR);

  file->pMethods = NULL;
  shim_file->shim = self;
  shim_file->image = NULL;
  shim_file->real = (sqlite3_file *) (shim_file + 1);
  if (code == SQLITE_OK)
    code = self->real->xOpen (self->real, path, shim_file->real, flags, out_flags);
  if (code != SQLITE_OK)
    return code;
  if (path != NULL)
    shim_file->image = get_image (self, path);
  file->pMethods = &shim_methods;
  return SQLITE_OK;
}

static int
shim_delete (sqlite3_vfs *vfs, const char *path, int sync_folder)
{
  EbShimVfs *self = (EbShimVfs *) vfs;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  int code = count_call (self, CALL_OTHER, SQLITE_IOERR_DELETE);

  if (code != SQLITE_OK)
    return code;
  /* Whoever has it open still writes to it. */
  if (g_hash_table_contains (self->images, path))
    {
      eb_disk_image_truncate (g_hash_table_lookup (self->images, path), 0);
      eb_disk_image_sync (g_hash_table_lookup (self->images, path));
    }
  return self->real->xDelete (self->real, path, 0);
}

static int
shim_access (sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
  EbShimVfs *self = (EbShimVfs *) vfs;

  return self->real->xAccess (self->real, path, flags, result);
}

static int
shim_full_pathname (sqlite3_vfs *vfs, const char *path, int size, char *full)
{
  EbShimVfs *self = (EbShimVfs *) vfs;

  return self->real->xFullPathname (self->real, path, size, full);
}

static int
shim_randomness (sqlite3_vfs *vfs, int size, char *bytes)
{
  EbShimVfs *self = (EbShimVfs *) vfs;

  return self->real->xRandomness (self->real, size, bytes);
}

static int
shim_sleep (sqlite3_vfs *vfs, int us)
{
  EbShimVfs *self = (EbShimVfs *) vfs;

  return self->real->xSleep (self->real, us);
}

static int
shim_current_time (sqlite3_vfs *vfs, double *julian_day)
{
  EbShimVfs *self = (EbShimVfs *) vfs;

  return self->real->xCurrentTime (self->real, julian_day);
}

static int
shim_get_last_error (sqlite3_vfs *vfs, int size, char *text)
{
  return 0;
}

/**
 * eb_shim_vfs_new:
 * @seed: decides what a power cut loses
 */
EbShimVfs *
eb_shim_vfs_new (guint32 seed)
{
  EbShimVfs *self = g_new0 (EbShimVfs, 1);

  self->real = sqlite3_vfs_find (NULL);
  self->name = g_strdup_printf ("shim-%p", (void *) self);
  self->random = g_rand_new_with_seed (seed);
  self->images =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) eb_disk_image_free);
  g_mutex_init (&self->lock);
  self->vfs = (sqlite3_vfs){
    .iVersion = 1,
    .szOsFile = (int) sizeof (ShimFile) + self->real->szOsFile,
    .mxPathname = self->real->mxPathname,
    .zName = self->name,
    .xOpen = shim_open,
    .xDelete = shim_delete,
    .xAccess = shim_access,
    .xFullPathname = shim_full_pathname,
    .xRandomness = shim_randomness,
    .xSleep = shim_sleep,
    .xCurrentTime = shim_current_time,
    .xGetLastError = shim_get_last_error,
  };
  g_assert_cmpint (sqlite3_vfs_register (&self->vfs, 0), ==, SQLITE_OK);
  return self;
}

/**
 * eb_shim_vfs_free:
 *
 * Nothing may be open through it any more.
 */
void
eb_shim_vfs_free (EbShimVfs *self)
{
  sqlite3_vfs_unregister (&self->vfs);
  g_hash_table_unref (self->images);
  g_rand_free (self->random);
  g_free (self->name);
  g_mutex_clear (&self->lock);
  g_free (self);
}

const char *
eb_shim_vfs_get_name (EbShimVfs *self)
{
  return self->name;
}

/**
 * eb_shim_vfs_fail_after:
 * @n_calls: so many more calls work
 */
void
eb_shim_vfs_fail_after (EbShimVfs *self, guint n_calls, EbShimFault fault)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (is_cut (self))
    return; /* the power stays off */
  self->fail_at = self->n_calls + n_calls + 1;
  self->fault = fault;
  self->failed = FALSE;
}

/**
 * eb_shim_vfs_cut:
 *
 * The power is off, now.
 */
void
eb_shim_vfs_cut (EbShimVfs *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->fail_at = self->n_calls + 1;
  self->fault = EB_SHIM_CUT;
  self->failed = TRUE;
}

/**
 * eb_shim_vfs_has_failed:
 *
 * Returns: whether a call has failed since eb_shim_vfs_fail_after()
 */
gboolean
eb_shim_vfs_has_failed (EbShimVfs *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->failed;
}

/**
 * eb_shim_vfs_is_cut:
 *
 * Returns: whether the power is off; nobody outside hears what is said from then on
 */
gboolean
eb_shim_vfs_is_cut (EbShimVfs *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return is_cut (self);
}

static void
lose_all (EbShimVfs *self)
{
  GHashTableIter iter;
  const char *path;
  EbDiskImage *image;

  g_hash_table_iter_init (&iter, self->images);
  while (g_hash_table_iter_next (&iter, (gpointer *) &path, (gpointer *) &image))
    {
      g_autofree char *shared_memory = g_strconcat (path, "-shm", NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        eb_disk_image_lose (image, self->random);
      g_unlink (shared_memory);
    }
}

/**
 * eb_shim_vfs_restore:
 * @loss: after a cut, when nothing is open: what the files are like
 *
 * From now on everything works again.
 */
void
eb_shim_vfs_restore (EbShimVfs *self, EbShimLoss loss)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (is_cut (self))
    {
      if (loss == EB_SHIM_LOSE_UNSYNCED)
        lose_all (self);
      g_hash_table_remove_all (self->images);
    }
  self->fail_at = 0;
  self->failed = FALSE;
}
