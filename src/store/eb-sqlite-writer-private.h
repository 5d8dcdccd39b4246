/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/eb-sqlite-checkpoint.h"
#include "store/eb-sqlite-retainer.h"
#include "store/eb-sqlite-transaction.h"
#include "store/eb-sqlite-writer.h"

/* What the files of EbSqliteWriter share. */

G_BEGIN_DECLS

/* The store's thread and its connection, the only one that writes. One transaction takes all that
 * waits; then, in this order: commit, answers to those who asked, delivery to those who read.
 *
 * When a transaction fails, nothing of it remains, and everybody is refused until it works again,
 * which is tried every second. */
struct _EbSqliteWriter
{
  EbClock *clock;             /* (owned) */
  EbWindow *window;           /* gets what was committed; NULL before the start */
  EbSqliteDatabase *database; /* (owned) */
  EbSqliteQueue *queue;       /* (owned) */

  GThread *thread;       /* (owned) (nullable): NULL before the start and once it was joined */
  GMainContext *context; /* (owned): the thread's */
  GMainLoop *loop;       /* (owned) */
  GSource *work;         /* (owned): ready when there is something to do */
  GSource *retention;    /* (owned): a timer: when to look for events that are too old */
  GSource *recovery;     /* (owned): a timer: when to try again after a failure */

  GMutex lock; /* guards these two */
  EbSqliteSettings wanted;
  gboolean stopping;

  /* From here on the thread's alone. */
  EbSqliteSettings settings;
  EbSqliteState state; /* as of the last commit */
  EbSqliteCheckpoint checkpoint;
  EbSqliteRetainer retainer;
  gint64 awaited_us;    /* when the event was accepted that retention waits for */
  guint n_expected;     /* publishers who share a transaction, as the last ones did */
  GError *failure;      /* (owned) (nullable): why everybody is refused */
  GPtrArray *undecided; /* (owned) (nullable) (element-type EbOperation): what failed then, and
                           could come back with a crash as long as no fence is over it */
  gint64 fence;         /* the last number that was written over a failed commit */
};

/* Of retention without traffic: at the latest, lest a clock that was set forward is not noticed. */
#define EB_SQLITE_RETENTION_INTERVAL G_TIME_SPAN_MINUTE

void eb_sqlite_writer_set_due_in (EbSqliteWriter *self, GSource *timer, GTimeSpan interval);
gboolean eb_sqlite_writer_work (gpointer user_data);
gboolean eb_sqlite_writer_retain (gpointer user_data);
gboolean eb_sqlite_writer_recover (gpointer user_data);
gpointer eb_sqlite_writer_run (gpointer user_data);

G_END_DECLS
