/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "app/eb-storage.h"

#include "store/eb-memory-ledger.h"
#include "store/eb-memory-log.h"
#include "store/eb-sqlite-store.h"

/* The log and the ledger of one daemon, wherever store.location says that they are. Which of the
 * two kinds it is, only this file knows. */
struct _EbStorage
{
  EbSqliteStore *sqlite; /* (owned) (nullable) with memory: */
  EbLog *log;            /* (owned) the store, or in memory */
  EbLedger *ledger;      /* (owned) likewise */
};

/* What is kept unless store.retention-size says otherwise. Bytes. */
#define RETENTION_SIZE_MEMORY (64 * 1024 * 1024)
#define RETENTION_SIZE_DISK   (1024 * 1024 * 1024)

/**
 * eb_storage_new:
 * @path: (nullable): of the SQLite database, or NULL for one in memory
 *
 * Opens it, or makes it. Blocks.
 *
 * Returns: (transfer full): log and ledger, or NULL with %EB_ERROR_IO or %EB_ERROR_NO_SPACE
 */
EbStorage *
eb_storage_new (EbClock *clock, const char *path, GError **error)
{
  g_autoptr (EbStorage) self = g_new0 (EbStorage, 1);

  if (path == NULL)
    {
      self->log = eb_memory_log_new (clock);
      self->ledger = eb_memory_ledger_new (self->log);
      return g_steal_pointer (&self);
    }
  self->sqlite = eb_sqlite_store_new (clock, path, NULL, error);
  if (self->sqlite == NULL)
    return NULL;
  self->log = EB_LOG (g_object_ref (self->sqlite));
  self->ledger = EB_LEDGER (g_object_ref (self->sqlite));
  return g_steal_pointer (&self);
}

void
eb_storage_free (EbStorage *self)
{
  eb_storage_close (self);
  g_clear_object (&self->ledger);
  g_clear_object (&self->log);
  g_clear_object (&self->sqlite);
  g_free (self);
}

/**
 * eb_storage_get_log:
 *
 * Returns: (transfer none):
 */
EbLog *
eb_storage_get_log (EbStorage *self)
{
  return self->log;
}

/**
 * eb_storage_get_ledger:
 *
 * Returns: (transfer none):
 */
EbLedger *
eb_storage_get_ledger (EbStorage *self)
{
  return self->ledger;
}

/**
 * eb_storage_is_durable:
 *
 * Returns: whether what it has outlives the daemon
 */
gboolean
eb_storage_is_durable (EbStorage *self)
{
  return self->sqlite != NULL;
}

/**
 * eb_storage_configure:
 *
 * Takes over how much is kept, for how long, and how durably. The storage stays what it is: another
 * location takes effect with the next start only.
 */
void
eb_storage_configure (EbStorage *self, const EbConfiguration *configuration)
{
  gsize retention_size = configuration->retention_size;

  if (self->sqlite == NULL)
    {
      if (retention_size == 0)
        retention_size = RETENTION_SIZE_MEMORY;
      eb_memory_log_configure (EB_MEMORY_LOG (self->log), retention_size,
                               configuration->retention_age);
      eb_memory_log_set_deduplication (EB_MEMORY_LOG (self->log),
                                       configuration->deduplication_window);
      return;
    }
  if (retention_size == 0)
    retention_size = RETENTION_SIZE_DISK;
  eb_sqlite_store_configure (self->sqlite, configuration->durability, retention_size,
                             configuration->retention_age);
  eb_sqlite_store_set_deduplication (self->sqlite, configuration->deduplication_window);
}

/**
 * eb_storage_close:
 *
 * Writes what waits and ends the store's threads; may be called again. Blocks.
 */
void
eb_storage_close (EbStorage *self)
{
  if (self->sqlite != NULL)
    eb_sqlite_store_close (self->sqlite);
}
