/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-event.h"

#include <string.h>

/* An accepted event. It never changes, so any thread may read it and hold references to it.
 *
 * The struct, its table of attributes and all its strings are one allocation: a million of them
 * wait in the log. */
struct _EbEvent
{
  gatomicrefcount ref_count;
  guint64 sequence;
  gint64 accepted_us; /* real time */
  gsize charge;       /* bytes that it costs whoever holds it */
  const char *id;
  const char *source;
  const char *type;
  const char *content_type; /* (nullable) */
  GBytes *data;             /* (owned) */
  guint n_attributes;
  gboolean is_json;         /* the data is JSON although there is no content_type */
  EbAttribute attributes[]; /* all others, sorted by name; the strings follow it */
};

/* Besides the event and its data: the GBytes around the data, what malloc() keeps of each of the
 * three, and the event's place in a log's ring. */
#define OVERHEAD 112

typedef struct
{
  EbEvent *event;
  char *end; /* where the next string goes */
} Packer;

static const char *
pack (Packer *packer, const char *string)
{
  const char *packed = packer->end;

  if (string == NULL)
    return NULL;
  packer->end = stpcpy (packer->end, string) + 1;
  return packed;
}

static void
pack_attribute (Packer *packer, const char *name, EbAttributeKind kind, const char *value)
{
  EbAttribute *attribute = &packer->event->attributes[packer->event->n_attributes++];

  attribute->name = pack (packer, name);
  attribute->value = pack (packer, value);
  attribute->kind = kind;
}

static gboolean
pack_draft_value (gpointer name, gpointer data, gpointer user_data)
{
  const EbDraftValue *value = data;

  pack_attribute (user_data, name, value->kind, value->text);
  return FALSE;
}

/**
 * eb_event_new:
 * @draft: complete; its data is shared, its strings are copied
 * @sequence: the event's place in the log, from 1
 * @accepted_us: real time of acceptance
 *
 * Only a log makes events.
 *
 * Returns: (transfer full): the event
 */
EbEvent *
eb_event_new (const EbDraft *draft, guint64 sequence, gint64 accepted_us)
{
  gsize n_attributes = (gsize) g_tree_nnodes (draft->attributes);
  gsize table = sizeof (EbEvent) + n_attributes * sizeof (EbAttribute);
  /* draft->size counts each name and value, of all attributes, without its NUL. */
  gsize size = table + draft->size + 2 * (n_attributes + 4);
  EbEvent *self = g_malloc (size);
  Packer packer = { self, (char *) self + table };

  g_atomic_ref_count_init (&self->ref_count);
  self->sequence = sequence;
  self->accepted_us = accepted_us;
  self->data = g_bytes_ref (draft->data);
  self->charge = size + g_bytes_get_size (draft->data) + OVERHEAD;
  self->n_attributes = 0;
  self->is_json = draft->content_type == NULL && draft->is_json;
  self->id = pack (&packer, draft->id);
  self->source = pack (&packer, draft->source);
  self->type = pack (&packer, draft->type);
  self->content_type = pack (&packer, draft->content_type);
  g_tree_foreach (draft->attributes, pack_draft_value, &packer);

  return self;
}

static gsize
packed_size (const char *string)
{
  return string != NULL ? strlen (string) + 1 : 0;
}

/**
 * eb_event_new_stored:
 * @fields: of an event that was accepted before; its data is shared, its strings are copied
 *
 * Returns: (transfer full): that event again
 */
EbEvent *
eb_event_new_stored (const EbEventFields *fields, guint64 sequence, gint64 accepted_us)
{
  gsize table = sizeof (EbEvent) + fields->n_attributes * sizeof (EbAttribute);
  gsize size = table + packed_size (fields->id) + packed_size (fields->source)
               + packed_size (fields->type) + packed_size (fields->content_type);
  EbEvent *self;
  Packer packer;

  for (gsize i = 0; i < fields->n_attributes; i++)
    size += packed_size (fields->attributes[i].name) + packed_size (fields->attributes[i].value);

  self = g_malloc (size);
  packer = (Packer){ self, (char *) self + table };
  g_atomic_ref_count_init (&self->ref_count);
  self->sequence = sequence;
  self->accepted_us = accepted_us;
  self->data = g_bytes_ref (fields->data);
  self->charge = size + g_bytes_get_size (fields->data) + OVERHEAD;
  self->n_attributes = 0;
  self->is_json = fields->is_json;
  self->id = pack (&packer, fields->id);
  self->source = pack (&packer, fields->source);
  self->type = pack (&packer, fields->type);
  self->content_type = pack (&packer, fields->content_type);
  for (gsize i = 0; i < fields->n_attributes; i++)
    pack_attribute (&packer, fields->attributes[i].name, fields->attributes[i].kind,
                    fields->attributes[i].value);
  return self;
}

EbEvent *
eb_event_ref (EbEvent *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_event_unref (EbEvent *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_bytes_unref (self->data);
  g_free (self);
}

guint64
eb_event_get_sequence (const EbEvent *self)
{
  return self->sequence;
}

/**
 * eb_event_format_sequence:
 * @text: where to write it
 *
 * Returns: @text: the CloudEvents extension `sequence` that every delivery carries, whose order as
 *   text is that of the numbers
 */
char *
eb_event_format_sequence (const EbEvent *self, char text[EB_EVENT_SEQUENCE_SIZE])
{
  guint64 left = self->sequence;

  text[EB_EVENT_SEQUENCE_SIZE - 1] = '\0';
  for (guint i = EB_EVENT_SEQUENCE_SIZE - 1; i > 0; i--, left /= 10)
    text[i - 1] = (char) ('0' + left % 10);
  return text;
}

/**
 * eb_event_get_accepted:
 *
 * Returns: when the log took it, in microseconds since 1970 in UTC
 */
gint64
eb_event_get_accepted (const EbEvent *self)
{
  return self->accepted_us;
}

const char *
eb_event_get_id (const EbEvent *self)
{
  return self->id;
}

const char *
eb_event_get_source (const EbEvent *self)
{
  return self->source;
}

/**
 * eb_event_get_event_type:
 *
 * Returns: the CloudEvents attribute `type`
 */
const char *
eb_event_get_event_type (const EbEvent *self)
{
  return self->type;
}

/**
 * eb_event_get_content_type:
 *
 * Returns: (nullable): the CloudEvents attribute `datacontenttype`. From an HTTP publisher it may
 *   hold tabs, and bytes that are not UTF-8.
 */
const char *
eb_event_get_content_type (const EbEvent *self)
{
  return self->content_type;
}

/**
 * eb_event_get_media_type:
 *
 * Returns: (nullable): what says outside the event what its data is: `datacontenttype`, or without
 *   it `application/json` if the event was published in a format in which that goes without saying
 */
const char *
eb_event_get_media_type (const EbEvent *self)
{
  return self->is_json ? "application/json" : self->content_type;
}

/**
 * eb_event_get_attribute:
 * @name: any CloudEvents attribute, those with a function of their own included
 *
 * Returns: (nullable): its value, NULL if the event has none
 */
const char *
eb_event_get_attribute (const EbEvent *self, const char *name)
{
  if (g_str_equal (name, "type"))
    return self->type;
  if (g_str_equal (name, "source"))
    return self->source;
  if (g_str_equal (name, "id"))
    return self->id;
  if (g_str_equal (name, "datacontenttype"))
    return self->content_type;
  if (g_str_equal (name, "specversion"))
    return "1.0";
  for (gsize i = 0; i < self->n_attributes; i++)
    if (g_str_equal (name, self->attributes[i].name))
      return self->attributes[i].value;
  return NULL;
}

/**
 * eb_event_get_attributes:
 * @n_attributes: (out): how many
 *
 * Returns: (array length=n_attributes) (transfer none): the attributes that have no function of
 *   their own: subject, time, dataschema and the extensions, sorted by name
 */
const EbAttribute *
eb_event_get_attributes (const EbEvent *self, gsize *n_attributes)
{
  *n_attributes = self->n_attributes;
  return self->attributes;
}

/**
 * eb_event_get_data:
 *
 * Returns: (transfer none): the bytes as published
 */
GBytes *
eb_event_get_data (const EbEvent *self)
{
  return self->data;
}

/**
 * eb_event_get_charge:
 *
 * Returns: the bytes of memory that the event takes, all told
 */
gsize
eb_event_get_charge (const EbEvent *self)
{
  return self->charge;
}
