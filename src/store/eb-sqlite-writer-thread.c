/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-writer-private.h"

/* The part of EbSqliteWriter that is the store's thread. */

#define RECOVERY_INTERVAL G_TIME_SPAN_SECOND

/* Each commit costs a sync and a good part of a processor. Where several publish at the same time,
 * the next one waits until as many have come as shared the last ones, for a moment at most; who is
 * alone, and waits for each answer, never waits for that. It is a pace, and no time that anybody
 * sees, so it goes by the system's clock. */
#define PAUSE (10 * G_TIME_SPAN_MILLISECOND)

/* Of retention without traffic: when the oldest event is due, but not all the time. */
#define MIN_RETENTION_INTERVAL G_TIME_SPAN_SECOND

/* Steps of retention between two transactions, which take away more than one can add. */
#define MAX_RETENTION_STEPS 8

/**
 * eb_sqlite_writer_set_due_in:
 * @timer: one of its own
 */
void
eb_sqlite_writer_set_due_in (EbSqliteWriter *self, GSource *timer, GTimeSpan interval)
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
  eb_sqlite_writer_set_due_in (self, self->recovery, RECOVERY_INTERVAL);
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

/**
 * eb_sqlite_writer_recover:
 *
 * A #GSourceFunc that tries whether the store works again.
 */
gboolean
eb_sqlite_writer_recover (gpointer user_data)
{
  EbSqliteWriter *self = user_data;

  if (self->failure == NULL)
    return G_SOURCE_CONTINUE;
  if (!is_mended (self))
    {
      eb_sqlite_writer_set_due_in (self, self->recovery, RECOVERY_INTERVAL);
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
  gint64 left_us = EB_SQLITE_RETENTION_INTERVAL;

  if (oldest_us != G_MININT64)
    left_us = oldest_us + self->settings.max_age - eb_clock_get_real (self->clock) + 1;
  self->awaited_us = oldest_us;
  eb_sqlite_writer_set_due_in (
      self, self->retention, CLAMP (left_us, MIN_RETENTION_INTERVAL, EB_SQLITE_RETENTION_INTERVAL));
}

/**
 * eb_sqlite_writer_retain:
 *
 * A #GSourceFunc that takes away what is too much or too old.
 */
gboolean
eb_sqlite_writer_retain (gpointer user_data)
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

/**
 * eb_sqlite_writer_work:
 *
 * A #GSourceFunc that writes what waits.
 */
gboolean
eb_sqlite_writer_work (gpointer user_data)
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

/**
 * eb_sqlite_writer_run:
 *
 * A #GThreadFunc: the store's thread.
 */
gpointer
eb_sqlite_writer_run (gpointer user_data)
{
  EbSqliteWriter *self = user_data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  refuse_undecided (self);
  eb_sqlite_checkpoint_run (&self->checkpoint, SQLITE_CHECKPOINT_TRUNCATE);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}
