/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-delivery.h"

#include <libsoup/soup.h>

/* A dead letter's reason is kept for as long as its event: a line for people, not a page. */
#define MAX_REASON_SIZE 200

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
  EbDelivery *self = g_new0 (EbDelivery, 1);

  self->link.data = self;
  self->consumer = consumer;
  self->parcel = eb_parcel_ref (parcel);
  self->previous = previous;
  return self;
}

void
eb_delivery_free (EbDelivery *self)
{
  eb_parcel_unref (self->parcel);
  g_free (self);
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
