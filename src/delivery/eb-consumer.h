/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-log.h"
#include "core/eb-subscription.h"
#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/* What a subscription's queue may hold; beyond it the subscription lags: it reads the log. */
#define EB_QUEUE_MAX_LENGTH 1000
#define EB_QUEUE_MAX_BYTES  (4 * 1024 * 1024)

typedef struct _EbConsumer EbConsumer;

/**
 * EbConsumerOwner:
 * @read: has the log read from @after on for @consumer, and calls eb_consumer_take_page() with what
 *   comes, unless the consumer was freed meanwhile
 * @settled: @consumer owes nothing any more, or owes something again
 * @ended: @delivery has ended, with @answer
 * @gone: there is nobody any more behind the subscription
 *
 * What a consumer needs of its worker.
 */
typedef struct
{
  void (*read) (EbConsumer *consumer, guint64 after, gpointer user_data);
  void (*settled) (EbConsumer *consumer, gboolean settled, gpointer user_data);
  void (*ended) (EbConsumer *consumer,
                 EbDelivery *delivery,
                 const EbAnswer *answer,
                 gpointer user_data);
  void (*gone) (EbConsumer *consumer, const char *reason, gpointer user_data);
} EbConsumerOwner;

EbConsumer *eb_consumer_new (EbSubscription *subscription,
                             EbTransport *transport,
                             guint64 after,
                             const EbConsumerOwner *owner,
                             gpointer user_data);
void eb_consumer_free (EbConsumer *self);
EbSubscription *eb_consumer_get_subscription (EbConsumer *self);
GList *eb_consumer_get_link (EbConsumer *self);
void eb_consumer_catch_up (EbConsumer *self);
void eb_consumer_offer (EbConsumer *self, EbParcel *parcel);
void eb_consumer_lose (EbConsumer *self, guint64 up_to);
void eb_consumer_take_page (EbConsumer *self, EbPage *page, guint64 tail, GHashTable *parcels);
void eb_consumer_answer (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data);

G_END_DECLS
