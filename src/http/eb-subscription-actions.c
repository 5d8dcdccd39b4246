/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-subscription-actions.h"

#include "bus/eb-bus-defaults.h"
#include "codec/eb-subscription-actions-json.h"
#include "codec/eb-subscription-json.h"
#include "http/eb-query.h"

#define DEFAULT_LIMIT 100

/* What is asked of one subscription that there is: keep alive, pause, resume, replay, test, rotate
 * its secret, list its last attempts. */

/**
 * eb_subscription_info_to_json:
 *
 * Returns: (transfer full): what anybody may see of it
 */
char *
eb_subscription_info_to_json (EbBus *bus, const EbSubscriptionInfo *info)
{
  EbDeliverySettings *settings = eb_bus_get_delivery_settings (bus);
  EbSubscriptionView view = {
    .subscription = info->subscription,
    .state = info->state,
    .cursor = info->cursor,
    .lag = info->lag,
    .expires_us = info->expires_us,
    .last_error = info->last_error,
    .timeout = settings->timeout,
    .retry = settings->retry,
  };

  return eb_subscription_view_to_json (&view);
}

/**
 * eb_exchange_get_body:
 *
 * Returns: (transfer full): what was sent, maybe nothing. Its Content-Type is no matter: what a
 * path takes is JSON, and people's tools say something else unasked.
 */
GBytes *
eb_exchange_get_body (EbExchange *exchange)
{
  return soup_message_body_flatten (soup_server_message_get_request_body (exchange->message));
}

/**
 * eb_subscription_show_cb:
 * @user_data: (transfer full): an #EbExchange that is paused
 *
 * For eb_bus_get_subscription_async(): answers with the subscription as it is.
 */
void
eb_subscription_show_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscriptionInfo) info =
      eb_bus_get_subscription_finish (EB_BUS (source), result, &error);

  if (info != NULL)
    eb_exchange_reply_json (exchange, eb_subscription_info_to_json (exchange->bus, info));
  else
    eb_exchange_reply_error (exchange, error);
}

/* An action under way; for the id, which an exchange does not have. */
typedef struct
{
  EbExchange *exchange; /* (owned) (nullable) until it is answered, or passed on */
  char *id;             /* (owned) */
} Action;

static void
action_free (Action *self)
{
  g_clear_pointer (&self->exchange, eb_exchange_free);
  g_free (self->id);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Action, action_free)

/* Takes @exchange, whose answer waits from now on. */
static Action *
begin (EbExchange *exchange, const char *id)
{
  Action *self = g_new (Action, 1);

  self->exchange = exchange;
  self->id = g_strdup (id);
  eb_exchange_pause (exchange);
  return self;
}

/* @error: (nullable): why nothing was done */
static void
answer (Action *self, const GError *error)
{
  EbBus *bus = self->exchange->bus;

  if (error == NULL)
    eb_bus_get_subscription_async (bus, self->id, eb_subscription_show_cb,
                                   g_steal_pointer (&self->exchange));
  else
    eb_exchange_reply_error (self->exchange, error);
}

/* Returns: whether there is no body, or one that says nothing; else it is answered */
static gboolean
check_empty (EbExchange *exchange)
{
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autoptr (GError) error = NULL;

  if (eb_empty_request_check (body, &error))
    return TRUE;
  eb_exchange_reply_error (exchange, error);
  return FALSE;
}

/* Keep alive */

static void
kept_alive_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Action) action = user_data;
  g_autoptr (GError) error = NULL;

  eb_bus_keep_alive_finish (EB_BUS (source), result, &error);
  answer (action, error);
}

/**
 * eb_subscription_action_keep_alive:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_keep_alive (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  EbBus *bus = exchange->bus;

  if (check_empty (exchange))
    eb_bus_keep_alive_async (bus, id, kept_alive_cb, begin (g_steal_pointer (&exchange), id));
}

/* Pause and resume */

static void
paused_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Action) action = user_data;
  g_autoptr (GError) error = NULL;

  eb_bus_pause_finish (EB_BUS (source), result, &error);
  answer (action, error);
}

static void
set_paused (EbExchange *taken, const char *id, gboolean paused)
{
  g_autoptr (EbExchange) exchange = taken;
  EbBus *bus = exchange->bus;

  if (check_empty (exchange))
    eb_bus_pause_async (bus, id, paused, paused_cb, begin (g_steal_pointer (&exchange), id));
}

/**
 * eb_subscription_action_pause:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_pause (EbExchange *exchange, const char *id)
{
  set_paused (exchange, id, TRUE);
}

/**
 * eb_subscription_action_resume:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_resume (EbExchange *exchange, const char *id)
{
  set_paused (exchange, id, FALSE);
}

/* Replay */

static void
replayed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Action) action = user_data;
  g_autoptr (GError) error = NULL;
  guint64 after;

  eb_bus_replay_finish (EB_BUS (source), result, &after, &error);
  answer (action, error);
}

/**
 * eb_subscription_action_replay:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_replay (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autoptr (GError) error = NULL;
  EbBus *bus = exchange->bus;
  EbReplayRequest request;
  EbReplayFrom from;

  if (!eb_replay_request_parse (body, &request, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  from = (EbReplayFrom){ request.by_time, request.after, request.real_us };
  eb_bus_replay_async (bus, id, &from, replayed_cb, begin (g_steal_pointer (&exchange), id));
}

/* Test */

static void
tested_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_auto (EbPing) ping = { 0 };

  if (eb_bus_ping_finish (EB_BUS (source), result, &ping, &error))
    eb_exchange_reply_json (exchange, eb_ping_to_json (ping.status, ping.reason, ping.duration_us));
  else
    eb_exchange_reply_error (exchange, error);
}

/**
 * eb_subscription_action_test:
 * @exchange: (transfer full)
 *
 * What the sink says is in the answer, whose status says only that it was asked.
 */
void
eb_subscription_action_test (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;

  if (!check_empty (exchange))
    return;
  eb_exchange_pause (exchange);
  eb_bus_ping_async (exchange->bus, id, tested_cb, exchange);
  g_steal_pointer (&exchange);
}

/* Secret */

static void
made_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *secret = eb_bus_rotate_secret_finish (EB_BUS (source), result, &error);

  if (secret != NULL)
    eb_exchange_reply_json (exchange, eb_secret_to_json (secret));
  else
    eb_exchange_reply_error (exchange, error);
}

/* Who gave it knows it, so it is shown to nobody. */
static void
taken_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *secret = eb_bus_rotate_secret_finish (EB_BUS (source), result, &error);

  eb_exchange_end (user_data, error);
}

/**
 * eb_subscription_action_rotate:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_rotate (EbExchange *taken, const char *id)
{
  g_autoptr (EbExchange) exchange = taken;
  g_autoptr (GBytes) body = eb_exchange_get_body (exchange);
  g_autofree char *secret = NULL;
  g_autoptr (GError) error = NULL;

  if (!eb_secret_request_parse (body, &secret, &error))
    {
      eb_exchange_reply_error (exchange, error);
      return;
    }
  eb_exchange_pause (exchange);
  eb_bus_rotate_secret_async (exchange->bus, id, secret, secret != NULL ? taken_cb : made_cb,
                              exchange);
  g_steal_pointer (&exchange);
}

/* Attempts */

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
  *paging = (Paging){ FROM_THE_NEWEST, DEFAULT_LIMIT };
  return eb_query_get_number (exchange->query, "after", 1, G_MAXINT64, &paging->after, error)
         && eb_query_get_number (exchange->query, "limit", 1, EB_SUBSCRIPTIONS_MAX, &paging->limit,
                                 error);
}

static void
add_link (EbExchange *exchange, guint64 after, guint64 limit)
{
  g_autofree char *link =
      g_strdup_printf ("<%s?after=%" G_GUINT64_FORMAT "&limit=%" G_GUINT64_FORMAT ">; rel=\"next\"",
                       exchange->path, after, limit);

  soup_message_headers_append (soup_server_message_get_response_headers (exchange->message), "Link",
                               link);
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
          add_link (exchange, views[n - 1].number, paging->limit);
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
 * eb_subscription_action_list_attempts:
 * @exchange: (transfer full)
 */
void
eb_subscription_action_list_attempts (EbExchange *taken, const char *id)
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
