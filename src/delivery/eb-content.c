/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-content.h"

#include "codec/eb-event-json.h"
#include "codec/eb-event-headers.h"

/* A small body goes right behind its head: one piece less for the kernel to gather, for every
 * subscriber. */
#define MAX_COPIED 2048

struct _EbContent
{
  GBytes *text; /* (owned) the head, and the body if that is small */
  GBytes *data; /* (owned) (nullable) the body, if it is large */
  struct iovec head;
  struct iovec body;
};

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  GString *head = user_data;

  g_string_append (head, name);
  g_string_append (head, ": ");
  g_string_append (head, value);
  g_string_append (head, "\r\n");
}

static EbContent *
create (EbEvent *event, EbMode mode, GBytes *data)
{
  EbContent *self = g_rc_box_new0 (EbContent);
  gsize size = g_bytes_get_size (data);
  gboolean copied = size <= MAX_COPIED;
  GString *text = g_string_sized_new (384 + (copied ? size : 0));
  gsize head_length;

  eb_event_foreach_header (event, mode, append_header, text);
  g_string_append_printf (text, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", size);
  head_length = text->len;
  if (copied)
    g_string_append_len (text, g_bytes_get_data (data, NULL), (gssize) size);
  else
    self->data = g_bytes_ref (data);

  self->text = g_string_free_to_bytes (text);
  self->head = (struct iovec){ (gpointer) g_bytes_get_data (self->text, NULL), head_length };
  self->body.iov_base = copied ? (char *) self->head.iov_base + head_length
                               : (gpointer) g_bytes_get_data (data, NULL);
  self->body.iov_len = size;
  return self;
}

/**
 * eb_content_new_binary:
 *
 * Returns: (transfer full): the data as body and the attributes as header lines
 */
EbContent *
eb_content_new_binary (EbEvent *event)
{
  return create (event, EB_MODE_BINARY, eb_event_get_data (event));
}

/**
 * eb_content_new_structured:
 *
 * Returns: (transfer full): data and attributes as a JSON object
 */
EbContent *
eb_content_new_structured (EbEvent *event)
{
  GString *text = g_string_sized_new (384 + g_bytes_get_size (eb_event_get_data (event)));
  g_autoptr (GBytes) data = NULL;

  eb_event_append_json (event, text);
  data = g_string_free_to_bytes (text);
  return create (event, EB_MODE_STRUCTURED, data);
}

/**
 * eb_content_new_batch:
 * @array: events as a JSON array
 * @last: the event of the last one
 *
 * Returns: (transfer full): @array
 */
EbContent *
eb_content_new_batch (GBytes *array, EbEvent *last)
{
  return create (last, EB_MODE_BATCH, array);
}

EbContent *
eb_content_ref (EbContent *self)
{
  return g_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  EbContent *self = data;

  g_bytes_unref (self->text);
  g_clear_pointer (&self->data, g_bytes_unref);
}

void
eb_content_unref (EbContent *self)
{
  g_rc_box_release_full (self, clear);
}

/**
 * eb_content_get_head:
 *
 * Returns: (transfer none): the header lines that depend on the event, Content-Length, and the
 *   empty line that ends a head
 */
const struct iovec *
eb_content_get_head (const EbContent *self)
{
  return &self->head;
}

/**
 * eb_content_get_body:
 *
 * Returns: (transfer none): the body; right behind the head if it is small
 */
const struct iovec *
eb_content_get_body (const EbContent *self)
{
  return &self->body;
}

/**
 * eb_content_dup_body:
 *
 * Returns: (transfer full): the body, without a copy
 */
GBytes *
eb_content_dup_body (const EbContent *self)
{
  if (self->data != NULL)
    return g_bytes_ref (self->data);
  return g_bytes_new_from_bytes (self->text, self->head.iov_len, self->body.iov_len);
}
