/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-checkpoint.h"

/* So many pages of 4 KiB are written back at a time: few enough to take only milliseconds, enough
 * for pages that change with every commit to be written once. */
#define DUE_FRAMES 1000

/* Somebody who reads can keep the log from starting over, so that it grows. From here on whoever
 * writes waits for him. */
#define MAX_FRAMES 16000

#define RETRY_INTERVAL G_TIME_SPAN_SECOND

static int
committed_cb (void *user_data, sqlite3 *handle, const char *name, int n_frames)
{
  EbSqliteCheckpoint *self = user_data;

  if (n_frames < self->n_frames)
    self->n_done = 0; /* the log has started over */
  self->n_frames = n_frames;
  return SQLITE_OK;
}

/**
 * eb_sqlite_checkpoint_init:
 *
 * From now on commits are counted.
 */
void
eb_sqlite_checkpoint_init (EbSqliteCheckpoint *self, EbClock *clock, EbSqliteDatabase *database)
{
  *self = (EbSqliteCheckpoint){ .clock = clock, .database = database };
  sqlite3_wal_hook (eb_sqlite_database_get_handle (database), committed_cb, self);
}

/* What was committed is safe where it is, so nobody is refused for this. */
static void
report (EbSqliteCheckpoint *self, gboolean failed)
{
  const char *path = eb_sqlite_database_get_path (self->database);

  if (failed && !self->failed)
    g_warning ("%s: cannot write the log back, and it grows: %s", path,
               sqlite3_errmsg (eb_sqlite_database_get_handle (self->database)));
  else if (!failed && self->failed)
    g_message ("%s: the log is written back again", path);
  self->failed = failed;
}

/**
 * eb_sqlite_checkpoint_run:
 * @mode: of sqlite3_wal_checkpoint_v2()
 *
 * Waits for those who read, a few seconds.
 */
EbSqliteCheckpointResult
eb_sqlite_checkpoint_run (EbSqliteCheckpoint *self, int mode)
{
  int n_frames = 0, n_done = 0;
  int code = sqlite3_wal_checkpoint_v2 (eb_sqlite_database_get_handle (self->database), NULL, mode,
                                        &n_frames, &n_done);

  report (self, code != SQLITE_OK && code != SQLITE_BUSY);
  if (self->failed)
    return EB_SQLITE_CHECKPOINT_FAILED;
  self->n_done = MAX (n_done, 0);
  return code == SQLITE_OK ? EB_SQLITE_CHECKPOINT_DONE : EB_SQLITE_CHECKPOINT_BUSY;
}

/**
 * eb_sqlite_checkpoint_try:
 *
 * Like eb_sqlite_checkpoint_run(), but waits for nobody.
 */
EbSqliteCheckpointResult
eb_sqlite_checkpoint_try (EbSqliteCheckpoint *self, int mode)
{
  EbSqliteCheckpointResult result;

  eb_sqlite_database_set_patience (self->database, EB_SQLITE_WAITS_FOR_NOBODY);
  result = eb_sqlite_checkpoint_run (self, mode);
  eb_sqlite_database_set_patience (self->database, EB_SQLITE_WAITS);
  return result;
}

/**
 * eb_sqlite_checkpoint_run_if_due:
 *
 * To be called when nobody waits for the last commit any more.
 */
void
eb_sqlite_checkpoint_run_if_due (EbSqliteCheckpoint *self)
{
  gint64 now_us;

  if (self->n_frames - self->n_done < DUE_FRAMES)
    return;
  now_us = eb_clock_get_monotonic (self->clock);
  if (now_us < self->next_us)
    return;
  if (eb_sqlite_checkpoint_run (self, self->n_frames >= MAX_FRAMES ? SQLITE_CHECKPOINT_TRUNCATE
                                                                   : SQLITE_CHECKPOINT_PASSIVE)
      != EB_SQLITE_CHECKPOINT_DONE)
    self->next_us = now_us + RETRY_INTERVAL;
}
