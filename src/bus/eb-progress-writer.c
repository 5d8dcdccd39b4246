/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-progress-writer.h"

#include "core/eb-error.h"

/* A ledger that refuses may take it in a moment; a full disk is not worth asking more often. */
#define RETRY_INTERVAL G_TIME_SPAN_SECOND

/* Writes progress into the ledger, a batch at a time, and does not give up: what the ledger
 * refuses is tried again until it takes it.
 *
 * Lives in the thread of its owner. */
struct _EbProgressWriter
{
  GObject parent_instance;

  EbClock *clock;       /* (owned) */
  EbLedger *ledger;     /* (owned) */
  EbProgress *progress; /* (owned) */
  GSource *timer;       /* (owned) due when a batch that was refused is tried again */
  guint64 epoch;        /* of the ledger; 0 while nothing may be written */
  gboolean writing;     /* a batch is out */
  gboolean waiting;     /* the timer is set */
  guint n_holds;        /* while there are some, no batch goes out */
  gboolean refused;     /* the last batch was, and that was logged */
  GTask *flush;         /* (owned) (nullable) done when all is written */
};

enum
{
  FENCED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbProgressWriter, eb_progress_writer, G_TYPE_OBJECT)

static void
note_success (EbProgressWriter *self)
{
  if (self->refused)
    g_message ("The store takes again how far deliveries got");
  self->refused = FALSE;
  eb_progress_done (self->progress);
}

static void
note_failure (EbProgressWriter *self, const GError *error)
{
  if (g_error_matches (error, EB_ERROR, EB_ERROR_FENCED))
    {
      self->epoch = 0;
      g_signal_emit (self, signals[FENCED], 0, error->message);
      return;
    }
  if (!self->refused)
    g_warning ("Cannot store how far deliveries got, trying again every second; what is delivered "
               "until then is delivered again after a restart: %s",
               error->message);
  self->refused = TRUE;
  self->waiting = TRUE;
  eb_clock_set_timer (self->clock, self->timer,
                      eb_clock_get_monotonic (self->clock) + RETRY_INTERVAL);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbProgressWriter) self = user_data;
  g_autoptr (GError) error = NULL;

  self->writing = FALSE;
  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    note_success (self);
  else
    note_failure (self, error);
  eb_progress_writer_write (self);
}

static void
end_flush (EbProgressWriter *self)
{
  g_autoptr (GTask) flush = g_steal_pointer (&self->flush);

  if (flush != NULL)
    g_task_return_boolean (flush, TRUE);
}

/**
 * eb_progress_writer_write:
 *
 * To be called when there is progress. It is written when what was written before is.
 */
void
eb_progress_writer_write (EbProgressWriter *self)
{
  g_autoptr (GPtrArray) batch = NULL;

  if (self->epoch == 0)
    end_flush (self); /* nothing was begun, or somebody else goes on */
  if (self->epoch == 0 || self->writing || self->waiting || self->n_holds > 0)
    return;
  batch = eb_progress_take (self->progress);
  if (batch == NULL)
    {
      end_flush (self);
      return;
    }
  self->writing = TRUE;
  eb_ledger_apply_async (self->ledger, self->epoch, batch, NULL, applied_cb, g_object_ref (self));
}

/**
 * eb_progress_writer_hold:
 *
 * Until eb_progress_writer_release() the ledger is told nothing but what is on its way already.
 */
void
eb_progress_writer_hold (EbProgressWriter *self)
{
  self->n_holds++;
}

void
eb_progress_writer_release (EbProgressWriter *self)
{
  self->n_holds--;
  eb_progress_writer_write (self);
}

static gboolean
retry_cb (gpointer user_data)
{
  EbProgressWriter *self = user_data;

  self->waiting = FALSE;
  eb_clock_set_timer (self->clock, self->timer, -1);
  eb_progress_writer_write (self);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_progress_writer_get_progress:
 *
 * Returns: (transfer none): what is still to be written; after adding to it call
 *   eb_progress_writer_write()
 */
EbProgress *
eb_progress_writer_get_progress (EbProgressWriter *self)
{
  return self->progress;
}

/**
 * eb_progress_writer_start:
 * @epoch: the ledger's, now that it is known
 */
void
eb_progress_writer_start (EbProgressWriter *self, guint64 epoch)
{
  self->epoch = epoch;
  eb_progress_writer_write (self);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  EbProgressWriter *self = user_data;
  g_autoptr (GTask) flush = g_steal_pointer (&self->flush);

  if (flush != NULL)
    g_task_return_error_if_cancelled (flush);
}

/**
 * eb_progress_writer_flush_async:
 * @cancellable: to be cancelled in this thread
 *
 * Done when all progress is in the ledger. One at a time.
 */
void
eb_progress_writer_flush_async (EbProgressWriter *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (self->flush == NULL);

  self->flush = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->flush, eb_progress_writer_flush_async);
  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (cancelled_cb), self, 0);
  if (g_cancellable_is_cancelled (cancellable))
    cancelled_cb (cancellable, self);
  else
    eb_progress_writer_write (self);
}

/**
 * eb_progress_writer_flush_finish:
 *
 * Returns: FALSE with %G_IO_ERROR_CANCELLED if there is more to write
 */
gboolean
eb_progress_writer_flush_finish (EbProgressWriter *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
eb_progress_writer_finalize (GObject *object)
{
  EbProgressWriter *self = EB_PROGRESS_WRITER (object);

  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  eb_progress_free (self->progress);
  g_clear_object (&self->ledger);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (eb_progress_writer_parent_class)->finalize (object);
}

static void
eb_progress_writer_class_init (EbProgressWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_progress_writer_finalize;

  /**
   * EbProgressWriter::fenced:
   * @reason: for people
   *
   * Another daemon has the ledger; nothing is written any more.
   */
  signals[FENCED] = g_signal_new ("fenced", EB_TYPE_PROGRESS_WRITER, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
eb_progress_writer_init (EbProgressWriter *self)
{
  self->progress = eb_progress_new ();
}

/**
 * eb_progress_writer_new:
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a writer that eb_progress_writer_start() starts
 */
EbProgressWriter *
eb_progress_writer_new (EbClock *clock, EbLedger *ledger)
{
  EbProgressWriter *self = g_object_new (EB_TYPE_PROGRESS_WRITER, NULL);

  self->clock = g_object_ref (clock);
  self->ledger = g_object_ref (ledger);
  self->timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->timer, retry_cb, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  return self;
}
