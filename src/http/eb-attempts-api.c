/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-attempts-api.h"

#include "bus/eb-bus-subscriptions.h"
#include "codec/eb-subscription-actions-json.h"
#include "http/eb-paging.h"
#include "http/eb-query.h"

/* The last attempts at deliveries of a subscription:
 *
 *   GET, HEAD /v1/subscriptions/ID/deliveries */

/* Of the newest first; those after one are those before it in time. Numbers count from 1. */
#define FROM_THE_NEWEST 0

typedef struct
{
  guint64 after; /* a number, or FROM_THE_NEWEST */
  guint64 limit;
} Paging;

static gboolean
read_paging (EbExchange *exchange, Paging *paging, GError **error)
{
  *paging = (Paging){ FROM_THE_NEWEST, EB_PAGING_LIMIT };
  return eb_query_get_number (exchange->query, "after", FROM_THE_NEWEST, G_MAXINT64, &paging->after,
                              error)
         && eb_query_get_number (exchange->query, "limit", 1, EB_SUBSCRIPTIONS_MAX, &paging->limit,
                                 error);
}

static void
reply_attempts (EbExchange *exchange, GPtrArray *records, const Paging *paging)
{
  EbAttemptView views[EB_ATTEMPTS_KEPT];
  gsize n = 0;

  for (guint i = 0; i < records->len; i++)
    {
      const EbAttemptRecord *record = g_ptr_array_index (records, i);

      if (paging->after != FROM_THE_NEWEST && record->number >= paging->after)
        continue;
      if (n == MIN (paging->limit, G_N_ELEMENTS (views)))
        {
          eb_paging_add_next_number (exchange, views[n - 1].number, paging->limit);
          break;
        }
      views[n++] = (EbAttemptView){
        .number = record->number,
        .sequence = record->sequence,
        .attempt = record->attempt,
        .status = record->status,
        .started_us = record->started_us,
        .duration_us = record->duration_us,
        .reason = record->reason,
      };
    }
  eb_exchange_reply_json (exchange, eb_attempts_to_json (views, n));
}

static void
attempts_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  Paging paging;
  g_autoptr (GPtrArray) records = eb_bus_list_attempts_finish (EB_BUS (source), result, &error);

  if (records == NULL)
    eb_exchange_reply_error (exchange, error);
  else if (read_paging (exchange, &paging, NULL))
    reply_attempts (exchange, records, &paging);
}

/**
 * eb_attempts_api_list:
 * @exchange: (transfer full)
 */
void
eb_attempts_api_list (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GError) error = NULL;
  Paging paging;

  if (!read_paging (exchange, &paging, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_list_attempts_async (exchange->bus, id, attempts_cb, exchange);
  g_steal_pointer (&exchange);
}
