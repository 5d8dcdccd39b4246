/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery.h"

#include <libsoup/soup.h>

/* A dead letter's reason is kept for as long as its event: a line for people, not a page. */
#define MAX_REASON_SIZE 200

/* There is one for each event and subscription, so they are slices: malloc() keeps too few of a
 * size at hand. */

/**
 * eb_delivery_new:
 * @consumer: whose it is
 * @parcel: is referenced
 * @previous: sequence of the matching event before it
 *
 * Returns: (transfer full): a delivery that was not attempted yet
 */
EbDelivery *
eb_delivery_new (gpointer consumer, EbParcel *parcel, guint64 previous)
{
  EbDelivery *self = g_slice_new0 (EbDelivery);

  self->link.data = self;
  self->consumer = consumer;
  self->parcel = eb_parcel_ref (parcel);
  self->previous = previous;
  return self;
}

/**
 * eb_delivery_new_question:
 * @consumer: whose it is
 *
 * Returns: (transfer full): what asks a sink whether it agrees to deliveries
 */
EbDelivery *
eb_delivery_new_question (gpointer consumer)
{
  EbDelivery *self = g_slice_new0 (EbDelivery);

  self->link.data = self;
  self->consumer = consumer;
  self->attempt = 1;
  return self;
}

gboolean
eb_delivery_is_question (const EbDelivery *self)
{
  return self->parcel == NULL;
}

void
eb_delivery_free (EbDelivery *self)
{
  g_clear_pointer (&self->parcels, g_ptr_array_unref);
  g_clear_pointer (&self->previouses, g_array_unref);
  g_clear_pointer (&self->parcel, eb_parcel_unref);
  g_slice_free (EbDelivery, self);
}

static void
append (EbDelivery *self, EbParcel *parcel, guint64 previous)
{
  g_ptr_array_add (self->parcels, eb_parcel_ref (parcel));
  g_array_append_val (self->previouses, previous);
}

/**
 * eb_delivery_add:
 * @parcel: is referenced; of an event that comes after those that are there
 * @previous: sequence of the matching event before it
 *
 * Lets one more event travel with it, which makes it a batch.
 */
void
eb_delivery_add (EbDelivery *self, EbParcel *parcel, guint64 previous)
{
  if (self->parcels == NULL)
    {
      self->parcels = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_parcel_unref);
      self->previouses = g_array_new (FALSE, FALSE, sizeof (guint64));
      append (self, self->parcel, self->previous);
    }
  append (self, parcel, previous);
  eb_parcel_unref (self->parcel);
  self->parcel = eb_parcel_ref (parcel);
}

/**
 * eb_delivery_get_size:
 *
 * Returns: how many events it is of: 1 or more
 */
guint
eb_delivery_get_size (const EbDelivery *self)
{
  return self->parcels != NULL ? self->parcels->len : 1;
}

/**
 * eb_delivery_get_parcel:
 * @index: below its size
 *
 * Returns: (transfer none): its event at that place, in order
 */
EbParcel *
eb_delivery_get_parcel (const EbDelivery *self, guint index)
{
  return self->parcels != NULL ? g_ptr_array_index (self->parcels, index) : self->parcel;
}

/**
 * eb_delivery_set_previous:
 * @previous: sequence of the matching event before its first one, as it is now
 */
void
eb_delivery_set_previous (EbDelivery *self, guint64 previous)
{
  self->previous = previous;
  if (self->previouses != NULL)
    g_array_index (self->previouses, guint64, 0) = previous;
}

/**
 * eb_delivery_get_previous:
 * @index: below its size
 *
 * Returns: sequence of the matching event before the one at that place; 0 at first
 */
guint64
eb_delivery_get_previous (const EbDelivery *self, guint index)
{
  return self->previouses != NULL ? g_array_index (self->previouses, guint64, index)
                                  : self->previous;
}

/**
 * eb_delivery_get_sequence:
 *
 * Returns: its event's; of a batch the last one's
 */
guint64
eb_delivery_get_sequence (const EbDelivery *self)
{
  return eb_event_get_sequence (eb_parcel_get_event (self->parcel));
}

/**
 * eb_delivery_get_first:
 *
 * Returns: sequence of its event; of a batch of the first one
 */
guint64
eb_delivery_get_first (const EbDelivery *self)
{
  return eb_event_get_sequence (eb_parcel_get_event (eb_delivery_get_parcel (self, 0)));
}

/**
 * eb_delivery_get_charge:
 *
 * Returns: bytes that its events are charged with
 */
gsize
eb_delivery_get_charge (const EbDelivery *self)
{
  gsize charge = 0;

  for (guint i = 0; i < eb_delivery_get_size (self); i++)
    charge += eb_event_get_charge (eb_parcel_get_event (eb_delivery_get_parcel (self, i)));
  return charge;
}

/**
 * eb_delivery_get_share:
 *
 * Returns: bytes that its one event takes of a batch: those of its JSON, and of what is between it
 *   and the next
 */
gsize
eb_delivery_get_share (const EbDelivery *self)
{
  return eb_parcel_get_json (self->parcel)->len + 1;
}

static guint64
get_time (const EbDelivery *self)
{
  return (guint64) eb_event_get_accepted (eb_parcel_get_event (self->parcel));
}

/**
 * eb_delivery_hash:
 *
 * Returns: what tells apart batches that have the same ends and other members: FNV-1a, by words
 */
guint32
eb_delivery_hash (const EbDelivery *self)
{
  guint32 hash = 2166136261u;

  for (guint i = 0; i < eb_delivery_get_size (self); i++)
    {
      EbEvent *event = eb_parcel_get_event (eb_delivery_get_parcel (self, i));

      hash = (hash ^ (guint32) eb_event_get_sequence (event)) * 16777619u;
    }
  return hash;
}

/**
 * eb_delivery_write_id:
 * @prefix: of the subscription, from eb_webhook_id_prefix()
 * @id: (out): its `webhook-id`, the same on every attempt
 *
 * A ping's has its time. A batch's says which events it has: with others, be it that retention took
 * the first or that a subscription wants more by now, it is another one, which must not be taken
 * for it.
 */
void
eb_delivery_write_id (const EbDelivery *self, const char *prefix, char id[EB_WEBHOOK_ID_SIZE])
{
  guint64 sequence = eb_delivery_get_sequence (self);

  if (sequence == 0) /* a ping, of which there is one at a time */
    g_snprintf (id, EB_WEBHOOK_ID_SIZE, "%s-%" G_GUINT64_FORMAT "-0", prefix, get_time (self));
  else if (self->parcels == NULL || self->parcels->len == 1)
    g_snprintf (id, EB_WEBHOOK_ID_SIZE, "%s-%" G_GUINT64_FORMAT, prefix, sequence);
  else
    g_snprintf (id, EB_WEBHOOK_ID_SIZE,
                "%s-%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "-%" G_GUINT32_FORMAT, prefix,
                eb_delivery_get_first (self), sequence, eb_delivery_hash (self));
}

static EbContent *
string_batch (const EbDelivery *self)
{
  GString *text = g_string_sized_new (eb_delivery_get_charge (self) + 2);
  g_autoptr (GBytes) array = NULL;

  for (guint i = 0; i < eb_delivery_get_size (self); i++)
    {
      const GString *json = eb_parcel_get_json (eb_delivery_get_parcel (self, i));

      g_string_append_c (text, i == 0 ? '[' : ',');
      g_string_append_len (text, json->str, (gssize) json->len);
    }
  g_string_append_c (text, ']');
  array = g_string_free_to_bytes (text);
  return eb_content_new_batch (array, eb_parcel_get_event (self->parcel));
}

/**
 * eb_delivery_get_content:
 * @mode: of the subscription
 *
 * Returns: (transfer full): what a request for it carries; in batch mode, one event is a batch too
 */
EbContent *
eb_delivery_get_content (const EbDelivery *self, EbMode mode)
{
  if (mode == EB_MODE_BATCH)
    return string_batch (self);
  return eb_content_ref (eb_parcel_get_content (self->parcel, mode));
}

/* Cuts @text where a character begins. */
static void
shorten (char *text)
{
  const char *end = text + MAX_REASON_SIZE;

  if (strlen (text) > MAX_REASON_SIZE)
    text[g_utf8_find_prev_char (text, end + 1) - text] = '\0';
}

/**
 * eb_answer_describe:
 *
 * Returns: (transfer full): what became of the attempt, for people; UTF-8 of 200 bytes at most
 */
char *
eb_answer_describe (const EbAnswer *self)
{
  const char *reason = self->reason != NULL ? self->reason : "it failed";
  char *text =
      self->kind == EB_ANSWER_RESPONSE
          ? g_strdup_printf ("answered %u %s", self->status, soup_status_get_phrase (self->status))
          : g_utf8_make_valid (reason, -1);

  shorten (text);
  return text;
}
