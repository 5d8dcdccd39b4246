/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/eb-arrival.h"

/* A delivery that waits for its answer: the event and the request that brought
 * it. Whoever holds one must accept or refuse it, which also frees it. */

struct _EbArrival
{
  SoupServerMessage *message; /* (owned) paused */
  EbReceivedEvent *event;     /* (owned) */
};

/**
 * eb_arrival_new:
 * @message: a request that has come in whole
 *
 * Makes an arrival of @message and holds its answer back.
 *
 * Returns: (transfer full): the arrival; answer it
 */
EbArrival *
eb_arrival_new (SoupServerMessage *message)
{
  EbArrival *self = g_new0 (EbArrival, 1);
  g_autoptr (GBytes) data =
      soup_message_body_flatten (soup_server_message_get_request_body (message));

  self->message = g_object_ref (message);
  self->event = eb_received_event_new (soup_server_message_get_request_headers (message), data);
  soup_server_message_pause (message);
  return self;
}

/**
 * eb_arrival_get_event:
 * @self: an arrival
 *
 * Returns: (transfer none): the event that it brought
 */
const EbReceivedEvent *
eb_arrival_get_event (const EbArrival *self)
{
  return self->event;
}

/**
 * eb_arrival_get_message:
 * @self: an arrival
 *
 * Returns: (transfer none): the request that it came with
 */
SoupServerMessage *
eb_arrival_get_message (const EbArrival *self)
{
  return self->message;
}

static void
answer (EbArrival *self, guint status)
{
  soup_server_message_set_status (self->message, status, NULL);
  soup_server_message_unpause (self->message);
  g_object_unref (self->message);
  eb_received_event_free (self->event);
  g_free (self);
}

/**
 * eb_arrival_accept:
 * @self: (transfer full): an arrival
 *
 * Tells the bus that the event has arrived.
 */
void
eb_arrival_accept (EbArrival *self)
{
  /* After a 204 SoupServer closes the connection, on which the next event may be on its way. */
  answer (self, SOUP_STATUS_OK);
}

/**
 * eb_arrival_refuse:
 * @self: (transfer full): an arrival
 *
 * Tells the bus to come again in a second.
 */
void
eb_arrival_refuse (EbArrival *self)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                "Retry-After", "1");
  answer (self, SOUP_STATUS_SERVICE_UNAVAILABLE);
}
