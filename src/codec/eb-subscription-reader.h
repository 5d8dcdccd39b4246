/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "codec/eb-json-value.h"
#include "core/eb-subscription.h"

G_BEGIN_DECLS

/**
 * EbSubscriptionReader:
 * @id: (owned) (nullable)
 * @sink: (owned) (nullable)
 * @types: (owned) (element-type utf8)
 * @filter: (owned) (nullable)
 * @options: (owned)
 * @start: the event to begin with; 0 for the first there is, %G_MAXUINT64 for the next
 *
 * What has been read of a subscription's object.
 */
typedef struct
{
  char *id;
  EbSink *sink;
  GPtrArray *types;
  EbFilter *filter;
  EbDeliveryOptions *options;
  GTimeSpan lease;
  guint concurrency;
  EbOrder order;
  gboolean paused;
  EbStreak streak;
  guint64 start;
} EbSubscriptionReader;

void eb_subscription_reader_init (EbSubscriptionReader *self, GTimeSpan default_lease);
void eb_subscription_reader_clear (EbSubscriptionReader *self);
gboolean eb_subscription_reader_read_request (EbSubscriptionReader *self,
                                              const EbJsonValue *value,
                                              GError **error);
gboolean eb_subscription_reader_read_row (EbSubscriptionReader *self,
                                          const EbJsonValue *value,
                                          GError **error);
EbSubscription *eb_subscription_reader_make (EbSubscriptionReader *self, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EbSubscriptionReader, eb_subscription_reader_clear)

G_END_DECLS
