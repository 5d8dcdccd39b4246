/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/eb-subscription-actions.h"

#include "bus/eb-bus-defaults.h"
#include "codec/eb-subscription-actions-json.h"
#include "codec/eb-subscription-json.h"

/* What is asked of one subscription that there is: keep alive, pause, resume, replay, test, rotate
 * its secret. */

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
  g_autoptr (EbExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *secret = eb_bus_rotate_secret_finish (EB_BUS (source), result, &error);

  if (secret != NULL)
    eb_exchange_reply_json (exchange, eb_secret_to_json (NULL));
  else
    eb_exchange_reply_error (exchange, error);
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
