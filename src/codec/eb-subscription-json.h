/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-subscription.h"

G_BEGIN_DECLS

/* For eb_subscription_parse(): it begins with the next event. */
#define EB_SUBSCRIPTION_START_NOW G_MAXUINT64

/**
 * EbSubscriptionView:
 * @subscription: (unowned)
 * @state: what it does
 * @cursor: everything up to it has ended or is an exception
 * @lag: how many events there are after it
 * @expires_us: real time at which its lease ends; 0 for never
 * @last_error: (unowned) (nullable): of the last attempt, if that failed
 * @timeout: microseconds that an attempt may take if it does not say
 * @retry: (unowned) (element-type GTimeSpan): when attempts are repeated if it does not say
 *
 * What anybody may see of a subscription.
 */
typedef struct
{
  EbSubscription *subscription;
  const char *state;
  guint64 cursor;
  guint64 lag;
  gint64 expires_us;
  const char *last_error;
  GTimeSpan timeout;
  GArray *retry;
} EbSubscriptionView;

EbSubscription *eb_subscription_parse (GBytes *body,
                                       const char *id_from_path,
                                       GTimeSpan default_lease,
                                       guint64 *start,
                                       GError **error);
char *eb_subscription_view_to_json (const EbSubscriptionView *view);

char *eb_subscription_to_json (const EbSubscription *self);
EbSubscription *eb_subscription_from_json (const char *text, GError **error);

G_END_DECLS
