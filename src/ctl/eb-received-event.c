/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-received-event.h"

#include <string.h>

/* One event as a delivery brought it: CloudEvents attributes from the ce-*
 * headers, the data from the body. All strings are valid UTF-8, whatever was
 * sent. Immutable. */

struct _EbReceivedEvent
{
  GHashTable *attributes; /* (owned) (element-type utf8 utf8) without the "ce-" */
  char *content_type;     /* (owned) (nullable) */
  char *delivery_id;      /* (owned) (nullable) the same for every attempt */
  guint64 sequence;       /* 0 when the bus sent none */
  guint64 previous;       /* 0 when there was none */
  guint64 attempt;        /* 0 when unknown */
  GBytes *data;           /* (owned) */
};

/* A larger one than the bus can have counts as none: JSON shows it as a number with a sign. */
static guint64
parse_sequence (const char *text)
{
  guint64 number = 0;

  if (text != NULL)
    g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL);
  return number;
}

static char *
dup_valid (const char *text)
{
  return text != NULL ? g_utf8_make_valid (text, -1) : NULL;
}

static void
take_header_cb (const char *name, const char *value, gpointer user_data)
{
  EbReceivedEvent *self = user_data;
  g_autofree char *decoded = NULL;

  if (g_ascii_strncasecmp (name, "ce-", strlen ("ce-")) != 0 || name[3] == '\0')
    return;
  /* Attributes are percent-encoded in headers; what does not decode stands for itself. */
  decoded = g_uri_unescape_string (value, NULL);
  g_hash_table_insert (self->attributes, g_ascii_strdown (name + strlen ("ce-"), -1),
                       dup_valid (decoded != NULL ? decoded : value));
}

/**
 * eb_received_event_new:
 * @headers: a delivery's headers
 * @data: its body
 *
 * Returns: (transfer full): the event
 */
EbReceivedEvent *
eb_received_event_new (SoupMessageHeaders *headers, GBytes *data)
{
  EbReceivedEvent *self = g_new0 (EbReceivedEvent, 1);

  self->attributes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  soup_message_headers_foreach (headers, take_header_cb, self);
  self->content_type = dup_valid (soup_message_headers_get_one (headers, "Content-Type"));
  self->delivery_id = dup_valid (soup_message_headers_get_one (headers, "webhook-id"));
  self->sequence = parse_sequence (eb_received_event_get_attribute (self, "sequence"));
  self->previous = parse_sequence (soup_message_headers_get_one (headers, "eventbus-previous"));
  self->attempt = parse_sequence (soup_message_headers_get_one (headers, "eventbus-attempt"));
  self->data = g_bytes_ref (data);
  return self;
}

/**
 * eb_received_event_free:
 * @self: an event
 *
 * Frees @self.
 */
void
eb_received_event_free (EbReceivedEvent *self)
{
  g_hash_table_unref (self->attributes);
  g_free (self->content_type);
  g_free (self->delivery_id);
  g_bytes_unref (self->data);
  g_free (self);
}

/**
 * eb_received_event_get_attribute:
 * @self: an event
 * @name: a CloudEvents attribute's name
 *
 * Returns: (transfer none) (nullable): its value
 */
const char *
eb_received_event_get_attribute (const EbReceivedEvent *self, const char *name)
{
  return g_hash_table_lookup (self->attributes, name);
}

static gboolean
has_a_place_of_its_own (const char *name)
{
  /* The last two are no attributes, whoever says so in a header. */
  static const char *const names[] = { "id",   "sequence",    "type", "source", "datacontenttype",
                                       "data", "data_base64", NULL };

  return g_strv_contains (names, name);
}

/**
 * eb_received_event_list_extensions:
 * @self: an event
 *
 * Returns: (transfer container) (element-type utf8): the names of the attributes
 *   other than id, sequence, type, source and datacontenttype, in order; none has the name of data
 */
GList *
eb_received_event_list_extensions (const EbReceivedEvent *self)
{
  GList *names = NULL;
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->attributes);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!has_a_place_of_its_own (name))
      names = g_list_prepend (names, name);
  return g_list_sort (names, (GCompareFunc) strcmp);
}

/**
 * eb_received_event_get_content_type:
 * @self: an event
 *
 * Returns: (transfer none) (nullable): the media type of the data
 */
const char *
eb_received_event_get_content_type (const EbReceivedEvent *self)
{
  return self->content_type;
}

/**
 * eb_received_event_get_delivery_id:
 * @self: an event
 *
 * Returns: (transfer none) (nullable): what all attempts of one delivery share
 */
const char *
eb_received_event_get_delivery_id (const EbReceivedEvent *self)
{
  return self->delivery_id;
}

/**
 * eb_received_event_get_sequence:
 * @self: an event
 *
 * Returns: its number in the bus's log, 0 when unknown
 */
guint64
eb_received_event_get_sequence (const EbReceivedEvent *self)
{
  return self->sequence;
}

/**
 * eb_received_event_get_previous:
 * @self: an event
 *
 * Returns: the number of the event that should have come before, 0 at first
 */
guint64
eb_received_event_get_previous (const EbReceivedEvent *self)
{
  return self->previous;
}

/**
 * eb_received_event_is_repeat:
 * @self: an event
 *
 * Returns: whether the bus has sent it before; others may have come since
 */
gboolean
eb_received_event_is_repeat (const EbReceivedEvent *self)
{
  return self->attempt > 1;
}

/**
 * eb_received_event_get_data:
 * @self: an event
 *
 * Returns: (transfer none): the data
 */
GBytes *
eb_received_event_get_data (const EbReceivedEvent *self)
{
  return self->data;
}
