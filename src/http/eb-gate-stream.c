/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-gate-stream.h"

#include <string.h>

/* What SoupServer gets to see of a connection: the bytes of one request, and a way to answer. When
 * it has read them it waits, and would wait for ever; then the connection is taken from it. */

#define EB_TYPE_GATE_INPUT (eb_gate_input_get_type ())
G_DECLARE_FINAL_TYPE (EbGateInput, eb_gate_input, EB, GATE_INPUT, GInputStream)

struct _EbGateInput
{
  GInputStream parent_instance;

  const guint8 *bytes; /* (unowned) what is left of the request */
  gsize n_bytes;
};

struct _EbGateStream
{
  GIOStream parent_instance;

  EbGateInput *input;      /* (owned) */
  GOutputStream *output;   /* (owned) the socket's */
  EbGateClosedFunc closed; /* (nullable): NULL once it was called, or released */
  gpointer user_data;
};

static void eb_gate_input_pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbGateInput,
                               eb_gate_input,
                               G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      eb_gate_input_pollable_init))
G_DEFINE_FINAL_TYPE (EbGateStream, eb_gate_stream, G_TYPE_IO_STREAM)

static gssize
gate_input_read (
    GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  EbGateInput *self = EB_GATE_INPUT (stream);
  gsize n = MIN (count, self->n_bytes);

  memcpy (buffer, self->bytes, n);
  self->bytes += n;
  self->n_bytes -= n;
  return (gssize) n;
}

static gboolean
gate_input_is_readable (GPollableInputStream *stream)
{
  return EB_GATE_INPUT (stream)->n_bytes > 0;
}

static gssize
gate_input_read_nonblocking (GPollableInputStream *stream,
                             void *buffer,
                             gsize count,
                             GError **error)
{
  if (!gate_input_is_readable (stream))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "The request ends here");
      return -1;
    }
  return gate_input_read (G_INPUT_STREAM (stream), buffer, count, NULL, error);
}

static GSource *
gate_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  /* Without a child source it is never ready. */
  g_autoptr (GSource) readable = gate_input_is_readable (stream) ? g_timeout_source_new (0) : NULL;

  return g_pollable_source_new_full (stream, readable, cancellable);
}

static void
eb_gate_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = gate_input_is_readable;
  iface->read_nonblocking = gate_input_read_nonblocking;
  iface->create_source = gate_input_create_source;
}

static void
eb_gate_input_class_init (EbGateInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = gate_input_read;
}

static void
eb_gate_input_init (EbGateInput *self)
{
}

static GInputStream *
gate_stream_get_input (GIOStream *stream)
{
  return G_INPUT_STREAM (EB_GATE_STREAM (stream)->input);
}

static GOutputStream *
gate_stream_get_output (GIOStream *stream)
{
  return EB_GATE_STREAM (stream)->output;
}

static gboolean
gate_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  EbGateStream *self = EB_GATE_STREAM (stream);
  EbGateClosedFunc closed = g_steal_pointer (&self->closed);

  if (closed != NULL)
    closed (self->user_data);
  return TRUE;
}

static void
gate_stream_close_async (GIOStream *stream,
                         int priority,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, gate_stream_close_async);
  g_task_set_priority (task, priority);
  gate_stream_close (stream, NULL, NULL);
  g_task_return_boolean (task, TRUE);
}

static gboolean
gate_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
eb_gate_stream_finalize (GObject *object)
{
  EbGateStream *self = EB_GATE_STREAM (object);

  g_clear_object (&self->input);
  g_clear_object (&self->output);

  G_OBJECT_CLASS (eb_gate_stream_parent_class)->finalize (object);
}

static void
eb_gate_stream_class_init (EbGateStreamClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = eb_gate_stream_finalize;
  stream_class->get_input_stream = gate_stream_get_input;
  stream_class->get_output_stream = gate_stream_get_output;
  stream_class->close_fn = gate_stream_close;
  stream_class->close_async = gate_stream_close_async;
  stream_class->close_finish = gate_stream_close_finish;
}

static void
eb_gate_stream_init (EbGateStream *self)
{
}

/**
 * eb_gate_stream_new:
 * @request: one request, from its first byte to its last; must stay until the stream is closed or
 *   released
 * @output: where the answer goes
 * @closed: is called at most once, when the stream is closed
 *
 * Returns: (transfer full): a stream for SoupServer
 */
EbGateStream *
eb_gate_stream_new (const guint8 *request,
                    gsize n_bytes,
                    GOutputStream *output,
                    EbGateClosedFunc closed,
                    gpointer user_data)
{
  EbGateStream *self = g_object_new (EB_TYPE_GATE_STREAM, NULL);

  self->input = g_object_new (EB_TYPE_GATE_INPUT, NULL);
  self->input->bytes = request;
  self->input->n_bytes = n_bytes;
  self->output = g_object_ref (output);
  self->closed = closed;
  self->user_data = user_data;
  return self;
}

/**
 * eb_gate_stream_release:
 *
 * From now on nothing is read, and closing it means nothing: the connection has been taken back.
 */
void
eb_gate_stream_release (EbGateStream *self)
{
  self->closed = NULL;
  self->input->n_bytes = 0;
}
