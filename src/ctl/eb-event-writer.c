/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-event-writer.h"

#include <gio/gunixoutputstream.h>

/* Prints deliveries one after the other and accepts each once it is printed. The
 * writing itself is done in a thread: a pager or a stopped terminal may hold it up
 * for as long as it likes, and the lease must be kept alive meanwhile. */

/* A bus sends one at a time unless told otherwise; more than these are too many. */
#define MAX_WAITING 64

/* As many as a bus lets wait for their retry while others pass. */
#define MAX_REMEMBERED 1000

struct _EbEventWriter
{
  GObject parent_instance;

  GOutputStream *stream; /* (owned) */
  EbEventFormat format;
  guint count;           /* events to print, 0 for no end */
  guint taken;           /* events printed or about to be */
  gboolean is_open;      /* may print */
  GQueue waiting;        /* (element-type EbArrival) (owned) */
  EbArrival *current;    /* (owned) (nullable) being printed */
  GHashTable *known;     /* (owned) (element-type utf8) deliveries that were taken: a set */
  GQueue order;          /* (element-type utf8) the same, the last one taken first */
  guint64 last_sequence; /* the highest of the log that was taken, 0 when unknown */
};

enum
{
  SIGNAL_FINISHED,
  SIGNAL_FAILED,
  SIGNAL_GAP,
  SIGNAL_NEW_LOG,
  SIGNAL_IDLE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbEventWriter, eb_event_writer, G_TYPE_OBJECT)

static void write_next (EbEventWriter *self);

static void
eb_event_writer_finalize (GObject *object)
{
  EbEventWriter *self = EB_EVENT_WRITER (object);

  g_queue_clear_full (&self->waiting, (GDestroyNotify) eb_arrival_refuse);
  g_clear_pointer (&self->current, eb_arrival_refuse);
  g_queue_clear (&self->order);
  g_clear_pointer (&self->known, g_hash_table_unref);
  g_clear_object (&self->stream);
  G_OBJECT_CLASS (eb_event_writer_parent_class)->finalize (object);
}

static void
eb_event_writer_class_init (EbEventWriterClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = eb_event_writer_finalize;

  /**
   * EbEventWriter::finished:
   *
   * As many events as were asked for are printed, and the bus knows.
   */
  signals[SIGNAL_FINISHED] =
      g_signal_new ("finished", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * EbEventWriter::failed:
   * @error: why
   *
   * An event could not be printed.
   */
  signals[SIGNAL_FAILED] = g_signal_new ("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR);
  /**
   * EbEventWriter::gap:
   * @last: sequence of the last event that came
   * @previous: sequence of the one that should have come before the next
   *
   * The bus has lost events.
   */
  signals[SIGNAL_GAP] = g_signal_new ("gap", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                      G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
  /**
   * EbEventWriter::new-log:
   * @last: sequence of the last event that came
   * @sequence: that of the one that comes now, the first of a new log
   *
   * The bus counts anew.
   */
  signals[SIGNAL_NEW_LOG] = g_signal_new ("new-log", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
  /**
   * EbEventWriter::idle:
   *
   * Nothing is left to print for now.
   */
  signals[SIGNAL_IDLE] =
      g_signal_new ("idle", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
eb_event_writer_init (EbEventWriter *self)
{
  g_queue_init (&self->waiting);
  g_queue_init (&self->order);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * eb_event_writer_new:
 * @fd: where to print; stays the caller's
 * @format: how
 * @count: how many events, 0 for no end
 *
 * Makes a writer that holds everything back until it is opened.
 *
 * Returns: (transfer full): the writer
 */
EbEventWriter *
eb_event_writer_new (int fd, EbEventFormat format, guint count)
{
  EbEventWriter *self = g_object_new (EB_TYPE_EVENT_WRITER, NULL);

  self->stream = g_unix_output_stream_new (fd, FALSE);
  self->format = format;
  self->count = count;
  return self;
}

static gboolean
has_enough (EbEventWriter *self)
{
  return self->count > 0 && self->taken == self->count;
}

static void
answered_cb (EbEventWriter *self)
{
  g_signal_emit (self, signals[SIGNAL_FINISHED], 0);
}

static void
accept_current (EbEventWriter *self)
{
  /* The bus must have its answer before the program may end. */
  if (has_enough (self))
    g_signal_connect_object (eb_arrival_get_message (self->current), "finished",
                             G_CALLBACK (answered_cb), self, G_CONNECT_SWAPPED);
  eb_arrival_accept (g_steal_pointer (&self->current));
}

static void
write_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EbEventWriter *self = EB_EVENT_WRITER (source);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    accept_current (self);
  else
    {
      self->is_open = FALSE;
      g_clear_pointer (&self->current, eb_arrival_refuse);
      g_signal_emit (self, signals[SIGNAL_FAILED], 0, error);
    }
  write_next (self);
  if (!eb_event_writer_is_busy (self))
    g_signal_emit (self, signals[SIGNAL_IDLE], 0);
}

/* In a thread: touches nothing but the stream, which nobody else does meanwhile. */
static void
write_in_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  EbEventWriter *self = source;
  gsize size;
  const void *text = g_bytes_get_data (task_data, &size);
  GError *error = NULL;

  if (g_output_stream_write_all (self->stream, text, size, NULL, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
write_next (EbEventWriter *self)
{
  g_autoptr (GTask) task = NULL;

  if (!self->is_open || self->current != NULL || g_queue_is_empty (&self->waiting))
    return;
  self->current = g_queue_pop_head (&self->waiting);
  task = g_task_new (self, NULL, write_cb, NULL);
  g_task_set_source_tag (task, write_next);
  g_task_set_task_data (task, eb_event_format (self->format, eb_arrival_get_event (self->current)),
                        (GDestroyNotify) g_bytes_unref);
  g_task_run_in_thread (task, write_in_thread);
}

/**
 * eb_event_writer_open:
 * @self: a writer
 *
 * Lets it print from now on.
 */
void
eb_event_writer_open (EbEventWriter *self)
{
  self->is_open = TRUE;
  write_next (self);
}

/* An answer that got lost, or came too late, brings the same delivery again, others maybe before
 * it. A replay does, too, and is wanted; it begins with the first attempt. */
static gboolean
is_repeat (EbEventWriter *self, const EbReceivedEvent *event)
{
  const char *id = eb_received_event_get_delivery_id (event);

  if (id == NULL || !g_hash_table_contains (self->known, id))
    return FALSE;
  return eb_received_event_is_repeat (event) || g_str_equal (id, g_queue_peek_head (&self->order));
}

static void
remember (EbEventWriter *self, const char *id)
{
  gpointer known = NULL;

  if (id == NULL)
    return;
  if (g_hash_table_lookup_extended (self->known, id, &known, NULL))
    g_queue_remove (&self->order, known);
  else
    g_hash_table_add (self->known, known = g_strdup (id));
  g_queue_push_head (&self->order, known);
  if (self->order.length > MAX_REMEMBERED)
    g_hash_table_remove (self->known, g_queue_pop_tail (&self->order));
}

/* Whether it is the first that a log has for us, though it is not above what came before: the log
 * is another one. A repeat may come after others, a replay begins amid them. */
static gboolean
begins_log (EbEventWriter *self, const EbReceivedEvent *event)
{
  guint64 sequence = eb_received_event_get_sequence (event);

  return sequence != 0 && sequence <= self->last_sequence
         && eb_received_event_get_previous (event) == 0 && !eb_received_event_is_repeat (event);
}

static void
note_event (EbEventWriter *self, const EbReceivedEvent *event)
{
  guint64 sequence = eb_received_event_get_sequence (event);
  guint64 previous = eb_received_event_get_previous (event);
  guint64 last = self->last_sequence;

  remember (self, eb_received_event_get_delivery_id (event));
  if (begins_log (self, event))
    {
      self->last_sequence = sequence;
      g_signal_emit (self, signals[SIGNAL_NEW_LOG], 0, last, sequence);
      return;
    }
  self->last_sequence = MAX (last, sequence);
  if (last != 0 && previous > last)
    g_signal_emit (self, signals[SIGNAL_GAP], 0, last, previous);
}

/**
 * eb_event_writer_take:
 * @self: a writer
 * @arrival: (transfer full): what to print
 *
 * Prints @arrival in its turn and accepts it then. Once there is enough, or too
 * much is waiting, refuses it.
 */
void
eb_event_writer_take (EbEventWriter *self, EbArrival *arrival)
{
  const EbReceivedEvent *event = eb_arrival_get_event (arrival);

  if (is_repeat (self, event) && self->current == NULL && g_queue_is_empty (&self->waiting))
    eb_arrival_accept (arrival);
  else if (is_repeat (self, event) || has_enough (self)
           || g_queue_get_length (&self->waiting) >= MAX_WAITING)
    eb_arrival_refuse (arrival);
  else
    {
      note_event (self, event);
      self->taken++;
      g_queue_push_tail (&self->waiting, arrival);
      write_next (self);
    }
}

/**
 * eb_event_writer_is_busy:
 * @self: a writer
 *
 * Returns: whether something is being printed or is waiting to be
 */
gboolean
eb_event_writer_is_busy (EbEventWriter *self)
{
  return self->current != NULL || (self->is_open && !g_queue_is_empty (&self->waiting));
}
