/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-pinger.h"

#include "core/eb-error.h"

/* Each ping has a channel of its own, so it neither waits for deliveries nor holds them up, and no
 * consumer hears of it. Lives in its worker's thread. */
struct _EbPinger
{
  EbClock *clock;      /* (owned) */
  GHashTable *parcels; /* (owned) of the events that are under way */
  GHashTable *pings;   /* (owned) (element-type EbDelivery Ping) that are under way */
};

typedef struct
{
  EbTransport *transport; /* (unowned) the worker's */
  EbChannel *channel;     /* (owned) */
  EbDelivery *delivery;   /* (owned) */
  GTask *task;            /* (owned) */
} Ping;

static void
ping_free (Ping *ping)
{
  eb_transport_close (ping->transport, ping->channel);
  eb_delivery_free (ping->delivery);
  g_object_unref (ping->task);
  g_free (ping);
}

EbPinger *
eb_pinger_new (EbClock *clock)
{
  EbPinger *self = g_new0 (EbPinger, 1);

  self->clock = g_object_ref (clock);
  self->parcels = eb_parcels_new ();
  self->pings = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) ping_free);
  return self;
}

/**
 * eb_pinger_free:
 *
 * Nothing may be under way any more.
 */
void
eb_pinger_free (EbPinger *self)
{
  g_hash_table_unref (self->pings);
  g_hash_table_unref (self->parcels);
  g_object_unref (self->clock);
  g_free (self);
}

/**
 * eb_pinger_send:
 * @transport: to the sink of @subscription; its answers are to be given to eb_pinger_answer()
 * @event: what is sent
 * @task: returns an #EbPing when the sink has answered, or %EB_ERROR_BUSY if there are too many
 */
void
eb_pinger_send (EbPinger *self,
                EbTransport *transport,
                EbSubscription *subscription,
                EbEvent *event,
                GTask *task)
{
  g_autoptr (EbParcel) parcel = NULL;
  Ping *ping;

  if (g_hash_table_size (self->pings) == EB_PINGS_MAX)
    {
      g_task_return_new_error (task, EB_ERROR, EB_ERROR_BUSY,
                               "Too many subscriptions are being tested; try again in a moment");
      return;
    }
  parcel = eb_parcels_obtain (self->parcels, event);
  ping = g_new (Ping, 1);
  ping->transport = transport;
  ping->channel = eb_transport_open (transport, subscription);
  ping->delivery = eb_delivery_new (NULL, parcel, 0);
  ping->task = g_object_ref (task);
  g_hash_table_insert (self->pings, ping->delivery, ping);
  ping->delivery->attempt = 1;
  ping->delivery->sent_us = eb_clock_get_monotonic (self->clock);
  eb_transport_send (transport, ping->channel, ping->delivery);
}

/**
 * eb_pinger_answer:
 *
 * Returns: FALSE if @delivery is none of its own
 */
gboolean
eb_pinger_answer (EbPinger *self, EbDelivery *delivery, const EbAnswer *answer)
{
  Ping *under_way;
  EbPing *ping;

  if (delivery->consumer != NULL)
    return FALSE;
  under_way = g_hash_table_lookup (self->pings, delivery);
  ping = g_new0 (EbPing, 1);
  ping->status = answer->kind == EB_ANSWER_RESPONSE ? answer->status : 0;
  ping->reason = eb_answer_is_success (answer) ? NULL : eb_answer_describe (answer);
  ping->duration_us = eb_clock_get_monotonic (self->clock) - delivery->sent_us;
  g_task_return_pointer (under_way->task, ping, (GDestroyNotify) eb_ping_free);
  g_hash_table_remove (self->pings, delivery);
  return TRUE;
}

/**
 * eb_pinger_stop:
 *
 * Breaks off what is under way.
 */
void
eb_pinger_stop (EbPinger *self)
{
  GHashTableIter iter;
  Ping *ping;

  g_hash_table_iter_init (&iter, self->pings);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &ping))
    {
      g_task_return_new_error (ping->task, EB_ERROR, EB_ERROR_CLOSED, "The bus is shutting down");
      g_hash_table_iter_remove (&iter);
    }
}
