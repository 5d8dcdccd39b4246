/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "store/eb-sqlite-database.h"

G_BEGIN_DECLS

/**
 * EbSqliteCheckpointResult:
 * @EB_SQLITE_CHECKPOINT_DONE: it was written back
 * @EB_SQLITE_CHECKPOINT_BUSY: somebody still reads it; nothing is wrong
 * @EB_SQLITE_CHECKPOINT_FAILED: it could not be written back
 */
typedef enum
{
  EB_SQLITE_CHECKPOINT_DONE,
  EB_SQLITE_CHECKPOINT_BUSY,
  EB_SQLITE_CHECKPOINT_FAILED,
} EbSqliteCheckpointResult;

/**
 * EbSqliteCheckpoint:
 * @database: the connection that writes
 * @n_frames: in the write-ahead log, as of the last commit
 * @n_done: of those, how many were written back
 * @next_us: monotonic time before which it is not tried again
 * @failed: the last one failed
 *
 * Writes the write-ahead log back into the database. Lives in its owner, in the store's thread.
 */
typedef struct
{
  EbClock *clock;
  EbSqliteDatabase *database;
  int n_frames;
  int n_done;
  gint64 next_us;
  gboolean failed;
} EbSqliteCheckpoint;

void
eb_sqlite_checkpoint_init (EbSqliteCheckpoint *self, EbClock *clock, EbSqliteDatabase *database);
void eb_sqlite_checkpoint_run_if_due (EbSqliteCheckpoint *self);
EbSqliteCheckpointResult eb_sqlite_checkpoint_run (EbSqliteCheckpoint *self, int mode);
EbSqliteCheckpointResult eb_sqlite_checkpoint_try (EbSqliteCheckpoint *self, int mode);

G_END_DECLS
