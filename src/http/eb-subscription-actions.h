/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-subscriptions.h"
#include "http/eb-exchange.h"

G_BEGIN_DECLS

char *eb_subscription_info_to_json (EbBus *bus, const EbSubscriptionInfo *info);

void eb_subscription_action_keep_alive (EbExchange *exchange, const char *id);
void eb_subscription_action_pause (EbExchange *exchange, const char *id);
void eb_subscription_action_resume (EbExchange *exchange, const char *id);
void eb_subscription_action_replay (EbExchange *exchange, const char *id);
void eb_subscription_action_test (EbExchange *exchange, const char *id);
void eb_subscription_action_rotate (EbExchange *exchange, const char *id);

void eb_subscription_show_cb (GObject *source, GAsyncResult *result, gpointer user_data);

G_END_DECLS
