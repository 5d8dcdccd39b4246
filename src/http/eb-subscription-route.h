/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

/* The path of all subscriptions; each is below it. */
#define EB_SUBSCRIPTIONS_PATH "/v1/subscriptions"

/**
 * EbSubscriptionRoute:
 * @suffix: what follows the id in the path; may be empty
 * @method: HTTP method
 * @handle: answers; @exchange is its own to free
 * @parameters: (array zero-terminated=1): that its query may have
 *
 * One thing that can be asked of a subscription.
 */
typedef struct
{
  const char *suffix;
  const char *method;
  void (*handle) (EbExchange *exchange, const char *id);
  const char *parameters[3];
} EbSubscriptionRoute;

gboolean eb_subscription_routes_handle (EbExchange *exchange,
                                        const EbSubscriptionRoute *routes,
                                        gsize n_routes);
const char *eb_subscription_route_get_method (EbExchange *exchange);

G_END_DECLS
