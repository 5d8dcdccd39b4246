/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-batch-writer.h"

#include "core/eb-error.h"

/* A ledger that refuses may take it in a moment; a full disk is not worth asking more often. */
#define RETRY_INTERVAL G_TIME_SPAN_SECOND

/* Writes into the ledger what batches consist of, and says when it has. Somebody waits for that
 * before he sends one, so it goes at once and not with the progress, which it always comes before.
 * What the ledger refuses is tried again until it takes it.
 *
 * What waits is bounded by what is in the queues of the subscriptions.
 *
 * Lives in the thread of its owner. */
struct _EbBatchWriter
{
  GObject parent_instance;

  EbClock *clock;     /* (owned) */
  EbLedger *ledger;   /* (owned) */
  GSource *timer;     /* (owned) due when what waits is tried again */
  guint64 epoch;      /* of the ledger; 0 while nothing may be written */
  GPtrArray *waiting; /* (owned) (element-type Request) in order: refused, or after one that was */
  gboolean resting;   /* the timer is set, so what comes waits */
  gboolean refused;   /* something was, and that was logged */
};

/* One batch. */
typedef struct
{
  EbSubscription *subscription; /* (owned) */
  EbBatchRange batch;
} Request;

/* Those that the ledger is asked to take together. */
typedef struct
{
  EbBatchWriter *writer; /* (owned) */
  GPtrArray *requests;   /* (owned) (element-type Request) */
} Writing;

enum
{
  FIXED,
  FENCED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbBatchWriter, eb_batch_writer, G_TYPE_OBJECT)

static void
request_free (Request *request)
{
  eb_subscription_unref (request->subscription);
  g_free (request);
}

static GPtrArray *
requests_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) request_free);
}

static void
writing_free (Writing *writing)
{
  g_ptr_array_unref (writing->requests);
  g_object_unref (writing->writer);
  g_free (writing);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Writing, writing_free)

static void
note_success (EbBatchWriter *self, GPtrArray *requests)
{
  if (self->refused)
    g_message ("The store takes again what batches consist of");
  self->refused = FALSE;
  for (guint i = 0; i < requests->len; i++)
    {
      Request *request = g_ptr_array_index (requests, i);

      g_signal_emit (self, signals[FIXED], 0, request->subscription, &request->batch);
    }
}

/* Takes what is in @requests. */
static void
note_failure (EbBatchWriter *self, GPtrArray *requests, const GError *error)
{
  if (g_error_matches (error, EB_ERROR, EB_ERROR_FENCED))
    {
      self->epoch = 0;
      g_signal_emit (self, signals[FENCED], 0, error->message);
      return;
    }
  if (!self->refused)
    g_warning ("Cannot store what batches consist of, trying again every second; until then none "
               "begins: %s",
               error->message);
  self->refused = self->resting = TRUE;
  g_ptr_array_extend_and_steal (self->waiting, g_ptr_array_ref (requests));
  eb_clock_set_timer (self->clock, self->timer,
                      eb_clock_get_monotonic (self->clock) + RETRY_INTERVAL);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Writing) writing = user_data;
  EbBatchWriter *self = writing->writer;
  g_autoptr (GError) error = NULL;

  if (eb_ledger_apply_finish (EB_LEDGER (source), result, &error))
    note_success (self, writing->requests);
  else
    note_failure (self, writing->requests, error);
}

/* Takes @requests. */
static void
write_all (EbBatchWriter *self, GPtrArray *requests)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  Writing *writing = g_new (Writing, 1);

  writing->writer = g_object_ref (self);
  writing->requests = requests;
  for (guint i = 0; i < requests->len; i++)
    {
      const Request *request = g_ptr_array_index (requests, i);

      g_ptr_array_add (changes, eb_change_new_fixed (eb_subscription_get_id (request->subscription),
                                                     request->batch.first, request->batch.last));
    }
  eb_ledger_apply_async (self->ledger, self->epoch, changes, NULL, applied_cb, writing);
}

static void
write_waiting (EbBatchWriter *self)
{
  if (self->epoch == 0 || self->resting || self->waiting->len == 0)
    return;
  write_all (self, g_steal_pointer (&self->waiting));
  self->waiting = requests_new ();
}

static gboolean
retry_cb (gpointer user_data)
{
  EbBatchWriter *self = user_data;

  eb_clock_set_timer (self->clock, self->timer, -1);
  self->resting = FALSE;
  write_waiting (self);
  return G_SOURCE_CONTINUE;
}

/**
 * eb_batch_writer_start:
 * @epoch: the ledger's, now that it is known
 */
void
eb_batch_writer_start (EbBatchWriter *self, guint64 epoch)
{
  self->epoch = epoch;
  write_waiting (self);
}

/**
 * eb_batch_writer_fix:
 * @subscription: one that the ledger has, or has been told of
 *
 * See #EbBatchWriter::fixed.
 */
void
eb_batch_writer_fix (EbBatchWriter *self, EbSubscription *subscription, const EbBatchRange *batch)
{
  Request *request = g_new (Request, 1);

  request->subscription = eb_subscription_ref (subscription);
  request->batch = *batch;
  g_ptr_array_add (self->waiting, request);
  write_waiting (self);
}

static void
eb_batch_writer_finalize (GObject *object)
{
  EbBatchWriter *self = EB_BATCH_WRITER (object);

  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_ptr_array_unref (self->waiting);
  g_clear_object (&self->ledger);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (eb_batch_writer_parent_class)->finalize (object);
}

static void
eb_batch_writer_class_init (EbBatchWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_batch_writer_finalize;

  /**
   * EbBatchWriter::fixed:
   * @subscription: (type EbSubscription): whose it is
   * @batch: (type EbBatchRange): the ledger has it; valid during the emission
   */
  signals[FIXED] = g_signal_new ("fixed", EB_TYPE_BATCH_WRITER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_POINTER);
  /**
   * EbBatchWriter::fenced:
   * @reason: for people
   *
   * Another daemon has the ledger; nothing is written any more.
   */
  signals[FENCED] = g_signal_new ("fenced", EB_TYPE_BATCH_WRITER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
eb_batch_writer_init (EbBatchWriter *self)
{
  self->waiting = requests_new ();
}

/**
 * eb_batch_writer_new:
 *
 * Lives in the thread-default context of its caller.
 *
 * Returns: (transfer full): a writer that eb_batch_writer_start() starts
 */
EbBatchWriter *
eb_batch_writer_new (EbClock *clock, EbLedger *ledger)
{
  EbBatchWriter *self = g_object_new (EB_TYPE_BATCH_WRITER, NULL);

  self->clock = g_object_ref (clock);
  self->ledger = g_object_ref (ledger);
  self->timer = eb_clock_create_timer (clock);
  g_source_set_callback (self->timer, retry_cb, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  return self;
}
