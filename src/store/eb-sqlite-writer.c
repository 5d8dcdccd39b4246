/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-writer.h"

#include <sys/resource.h>
#include <unistd.h>

#include "store/eb-sqlite-checkpoint.h"
#include "store/eb-sqlite-retainer.h"
#include "store/eb-sqlite-schema.h"
#include "store/eb-sqlite-transaction.h"

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

#define DEFAULT_MAX_BYTES (1024 * 1024 * 1024)
#define DEFAULT_MAX_AGE   (7 * G_TIME_SPAN_DAY)
#define DEFAULT_NAME_AGE  (10 * G_TIME_SPAN_MINUTE)

#define RECOVERY_INTERVAL G_TIME_SPAN_SECOND

/* Each commit costs a sync and a good part of a processor. Where several publish at the same time,
 * the next one waits until as many have come as shared the last ones, for a moment at most; who is
 * alone, and waits for each answer, never waits for that. It is a pace, and no time that anybody
 * sees, so it goes by the system's clock. */
#define PAUSE (10 * G_TIME_SPAN_MILLISECOND)

/* Of the store's thread, against the workers' 0: what it takes from them while all processors are
 * busy, deliveries wait for, and their sinks after them. */
#define NICE 10

/* Of retention without traffic: when the oldest event is due, but neither all the time nor so late
 * that a clock that was set forward is not noticed. */
#define MIN_RETENTION_INTERVAL G_TIME_SPAN_SECOND
#define RETENTION_INTERVAL     G_TIME_SPAN_MINUTE

/* Steps of retention between two transactions, which take away more than one can add. */
#define MAX_RETENTION_STEPS 8

static void
set_due_in (EbSqliteWriter *self, GSource *timer, GTimeSpan interval)
{
  eb_clock_set_timer (self->clock, timer, eb_clock_get_monotonic (self->clock) + interval);
}

/* Failure and recovery */

static void
refuse (GPtrArray *batch, const GError *error)
{
  for (guint i = 0; i < batch->len; i++)
    eb_operation_fail (batch->pdata[i], error);
}

static void
fail (EbSqliteWriter *self, const GError *error)
{
  eb_sqlite_database_roll_back (self->database);
  if (self->failure == NULL)
    g_warning ("The store does not work; publishers are refused until it does: %s", error->message);
  g_clear_error (&self->failure);
  self->failure = g_error_copy (error);
  set_due_in (self, self->recovery, RECOVERY_INTERVAL);
}

/* Whoever is told that something was refused may rely on it. So what could come back with a crash
 * is refused when a fence lies over it; until then nobody knows, and nobody is told. Takes @batch.
 */
static void
refuse_fenced (EbSqliteWriter *self, GPtrArray *batch, gboolean may_come_back)
{
  if (eb_sqlite_transaction_fence (self->database, ++self->fence, NULL) || !may_come_back)
    {
      refuse (batch, self->failure);
      g_ptr_array_unref (batch);
    }
  else
    self->undecided = batch;
}

/* Of the end, or of a fence. */
static void
refuse_undecided (EbSqliteWriter *self)
{
  if (self->undecided != NULL)
    refuse (self->undecided, self->failure);
  g_clear_pointer (&self->undecided, g_ptr_array_unref);
}

/* Writing the log back makes room in it; and what a failed write has left in the system's cache
 * alone goes to the disk by another way. Somebody who reads may keep it from being written back as
 * a whole, and keeps nobody from writing: publishers, who are refused, do not wait for him. */
static gboolean
is_mended (EbSqliteWriter *self)
{
  return eb_sqlite_checkpoint_try (&self->checkpoint, SQLITE_CHECKPOINT_TRUNCATE)
             != EB_SQLITE_CHECKPOINT_FAILED
         && eb_sqlite_transaction_fence (self->database, ++self->fence, NULL);
}

static gboolean
recover_cb (gpointer user_data)
{
  EbSqliteWriter *self = user_data;

  if (self->failure == NULL)
    return G_SOURCE_CONTINUE;
  if (!is_mended (self))
    {
      set_due_in (self, self->recovery, RECOVERY_INTERVAL);
      return G_SOURCE_CONTINUE;
    }
  g_message ("%s: the store works again", eb_sqlite_database_get_path (self->database));
  refuse_undecided (self);
  g_clear_error (&self->failure);
  return G_SOURCE_CONTINUE;
}

/* What waits */

/* Takes @batch. */
static void
finish (EbSqliteWriter *self, GPtrArray *batch, GPtrArray *events)
{
  if (events->len > 0)
    eb_window_add (self->window, (EbEvent *const *) events->pdata, events->len,
                   self->state.extent.accepted_us);
  eb_operations_succeed (batch);
  if (events->len > 0)
    eb_window_wake (self->window);
  g_ptr_array_set_free_func (events, NULL); /* the window has them now */
}

/* A load stands alone. */
static gboolean
is_load (GPtrArray *batch)
{
  return ((EbOperation *) batch->pdata[0])->kind == EB_OPERATION_LOAD;
}

static guint
count_publishers (GPtrArray *batch)
{
  guint n_publishers = 0;

  for (guint i = 0; i < batch->len; i++)
    n_publishers += ((EbOperation *) batch->pdata[i])->kind == EB_OPERATION_APPEND;
  return n_publishers;
}

static void
write_batch (EbSqliteWriter *self)
{
  g_autoptr (GPtrArray) batch = eb_sqlite_queue_take (self->queue);
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_event_unref);
  g_autoptr (GError) error = NULL;
  EbSqliteState before = self->state;
  gboolean may_come_back;

  self->n_expected = MAX (count_publishers (batch), self->n_expected * 7 / 8);
  if (batch->len == 0)
    return;
  if (self->failure != NULL)
    {
      refuse (batch, self->failure);
      return;
    }

  /* Acceptance follows the log's order, also when somebody sets the clock back. */
  self->state.extent.accepted_us = MAX (before.extent.accepted_us, eb_clock_get_real (self->clock));
  self->state.names_after_us = self->state.extent.accepted_us - self->settings.name_age;
  if (eb_sqlite_transaction_run (self->database, &self->state, batch, events, &error))
    {
      finish (self, g_steal_pointer (&batch), events);
      return;
    }
  self->state = before;
  may_come_back = eb_sqlite_database_may_have_committed (self->database);
  fail (self, error);
  if (is_load (batch) && eb_sqlite_transaction_load (self->database, &self->state, batch->pdata[0]))
    eb_operations_succeed (g_steal_pointer (&batch));
  else
    refuse_fenced (self, g_steal_pointer (&batch), may_come_back && !is_load (batch));
}

/* Retention */

static void
retain (EbSqliteWriter *self)
{
  g_autoptr (GError) error = NULL;
  EbRetainStep step = EB_RETAIN_MORE;
  gint64 now_us = eb_clock_get_real (self->clock);

  if (self->failure != NULL)
    return;
  for (guint i = 0; step == EB_RETAIN_MORE && i < MAX_RETENTION_STEPS; i++)
    step = eb_sqlite_retainer_step (&self->retainer, &self->state.extent, &self->settings, now_us,
                                    &error);
  if (step == EB_RETAIN_FAILED)
    fail (self, error);
  else if (step == EB_RETAIN_MORE)
    g_source_set_ready_time (self->work, 0);
}

static void
await_oldest (EbSqliteWriter *self)
{
  gint64 oldest_us = self->retainer.oldest_us;
  gint64 left_us = RETENTION_INTERVAL;

  if (oldest_us != G_MININT64)
    left_us = oldest_us + self->settings.max_age - eb_clock_get_real (self->clock) + 1;
  self->awaited_us = oldest_us;
  set_due_in (self, self->retention, CLAMP (left_us, MIN_RETENTION_INTERVAL, RETENTION_INTERVAL));
}

static gboolean
retain_cb (gpointer user_data)
{
  EbSqliteWriter *self = user_data;

  retain (self);
  await_oldest (self);
  return G_SOURCE_CONTINUE;
}

/* The thread */

static gboolean
set_durability (EbSqliteWriter *self, EbDurability durability, GError **error)
{
  return eb_sqlite_database_execute (self->database,
                                     durability == EB_DURABILITY_FULL ? "PRAGMA synchronous=FULL"
                                                                      : "PRAGMA synchronous=NORMAL",
                                     error);
}

/* A durability that cannot be had is tried again with the next settings. */
static void
take_settings (EbSqliteWriter *self)
{
  EbDurability before = self->settings.durability;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  self->settings = self->wanted;
  g_mutex_unlock (&self->lock);

  if (self->settings.durability == before
      || set_durability (self, self->settings.durability, &error))
    return;
  g_warning ("store.durability stays as it was; reload the configuration to try again: %s",
             error->message);
  g_mutex_lock (&self->lock);
  if (self->wanted.durability == self->settings.durability)
    self->wanted.durability = before;
  g_mutex_unlock (&self->lock);
  self->settings.durability = before;
}

static gboolean
is_stopping (EbSqliteWriter *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->stopping;
}

/* Says when the next transaction is due. */
static void
pace (EbSqliteWriter *self, gint64 last_us)
{
  gboolean is_shared = self->n_expected > 1;

  if (eb_sqlite_queue_expect (self->queue, is_shared ? self->n_expected : 0))
    g_source_set_ready_time (self->work, 0);
  else if (is_shared)
    g_source_set_ready_time (self->work, last_us + PAUSE);
}

static gboolean
work_cb (gpointer user_data)
{
  EbSqliteWriter *self = user_data;
  gint64 now_us = g_get_monotonic_time ();

  take_settings (self);
  write_batch (self);
  retain (self);
  if (self->retainer.oldest_us != self->awaited_us)
    await_oldest (self);
  eb_sqlite_checkpoint_run_if_due (&self->checkpoint);

  if (!is_stopping (self))
    pace (self, now_us);
  else if (!eb_sqlite_queue_is_empty (self->queue))
    g_source_set_ready_time (self->work, 0);
  else
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
work_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1); /* before, as more may come meanwhile */
  return callback (user_data);
}

static GSourceFuncs work_funcs = { .dispatch = work_dispatch };

static gpointer
thread_main (gpointer user_data)
{
  EbSqliteWriter *self = user_data;

  setpriority (PRIO_PROCESS, (id_t) gettid (), NICE);
  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  refuse_undecided (self);
  eb_sqlite_checkpoint_run (&self->checkpoint, SQLITE_CHECKPOINT_TRUNCATE);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

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
  add_source (self, self->work, work_cb);
  add_source (self, self->retention, retain_cb);
  add_source (self, self->recovery, recover_cb);
  set_due_in (self, self->retention, RETENTION_INTERVAL);
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
  self->thread = g_thread_new ("store", thread_main, self);
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
