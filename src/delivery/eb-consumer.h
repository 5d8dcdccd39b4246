/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-agenda.h"
#include "core/eb-log.h"
#include "core/eb-subscription.h"
#include "delivery/eb-handshake.h"
#include "delivery/eb-inspection.h"
#include "delivery/eb-retry-policy.h"
#include "delivery/eb-transport.h"
#include "delivery/eb-worker-pool.h"

G_BEGIN_DECLS

typedef struct _EbConsumer EbConsumer;

/**
 * EbConsumerOwner:
 * @clock: (unowned): what time it is
 * @agenda: (unowned): where consumers wait; eb_consumer_handle_due() is to be called with what
 *   comes due
 * @read: has the log read from @after on for @consumer, and calls eb_consumer_take_page() with what
 *   comes, unless the consumer was freed meanwhile
 * @fetch: has the event @sequence read for @consumer, and calls eb_consumer_take_fetched(), unless
 *   the consumer was freed meanwhile
 * @settled: @consumer owes nothing any more, or owes something again
 * @judge: says what becomes of @delivery after @answer, and counts and logs it
 * @get_transport: what sinks of that kind are sent to through; must outlive the consumer
 * @judge_consent: reads @answer to that question, and says after which delay it may be asked again
 * @record: (transfer full): what the ledger is to be told at once
 * @fix: (nullable): has the ledger told what a batch consists of, and calls
 *   eb_consumer_confirm_batch() when it knows, unless the consumer was freed meanwhile; %NULL if
 *   there is no ledger that would know after a crash
 * @progressed: eb_consumer_take_progress() may have something to say from now on
 * @lost: retention took @n_lost events away before they were delivered
 * @gone: there is nobody any more behind the subscription, as an attempt has shown that began at
 *   @sent_us (monotonic)
 * @failing: for how long its attempts have failed, if the bus does not know; an empty streak if the
 *   bus takes it for failing and it is not
 *
 * What a consumer needs of its worker.
 */
typedef struct
{
  EbClock *clock;
  EbAgenda *agenda;
  gpointer user_data;
  void (*read) (EbConsumer *consumer, guint64 after, gpointer user_data);
  void (*fetch) (EbConsumer *consumer, guint64 sequence, gpointer user_data);
  void (*settled) (EbConsumer *consumer, gboolean settled, gpointer user_data);
  EbVerdict (*judge) (EbConsumer *consumer,
                      EbDelivery *delivery,
                      const EbAnswer *answer,
                      guint n_probes,
                      gpointer user_data);
  EbTransport *(*get_transport) (EbSinkKind kind, gpointer user_data);
  GTimeSpan (*judge_consent) (EbConsumer *consumer,
                              const EbAnswer *answer,
                              guint n_asked,
                              EbConsent *consent,
                              gpointer user_data);
  void (*record) (EbConsumer *consumer, EbChange *change, gpointer user_data);
  void (*fix) (EbConsumer *consumer, const EbBatchRange *batch, gpointer user_data);
  void (*progressed) (EbConsumer *consumer, gpointer user_data);
  void (*lost) (EbConsumer *consumer, guint64 n_lost, gpointer user_data);
  void (*gone) (EbConsumer *consumer, const char *reason, gint64 sent_us, gpointer user_data);
  void (*failing) (EbConsumer *consumer, const EbStreak *streak, gpointer user_data);
} EbConsumerOwner;

EbConsumer *eb_consumer_new (EbSubscription *subscription, const EbConsumerOwner *owner);
void eb_consumer_free (EbConsumer *self);
guint eb_consumer_hash (gconstpointer key);
gboolean eb_consumer_equal (gconstpointer a, gconstpointer b);
EbSubscription *eb_consumer_get_subscription (EbConsumer *self);
const char *eb_consumer_get_refusal (EbConsumer *self);
GList *eb_consumer_get_link (EbConsumer *self);
void eb_consumer_start (EbConsumer *self, const EbStart *start, guint64 tail);
void eb_consumer_pass (EbConsumer *self, guint64 up_to);
void eb_consumer_offer (EbConsumer *self, EbParcel *parcel);
void eb_consumer_lose (EbConsumer *self, guint64 up_to);
void eb_consumer_take_page (EbConsumer *self, EbPage *page, guint64 tail, GHashTable *parcels);
EbChange *eb_consumer_take_progress (EbConsumer *self, guint64 tail);

void eb_consumer_replace (EbConsumer *self, EbSubscription *subscription);
gboolean eb_consumer_claim_ping (EbConsumer *self, GError **error);
EbInspection *eb_consumer_inspect (EbConsumer *self);
EbStart *eb_consumer_get_start (EbConsumer *self);

void eb_consumer_answer (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data);
void
eb_consumer_take_fetched (EbConsumer *self, guint64 sequence, EbPage *page, GHashTable *parcels);
void eb_consumer_handle_due (EbDue *due);
void eb_consumer_nudge (EbConsumer *self);
void eb_consumer_finish (EbConsumer *self);
void eb_consumer_redrive (EbConsumer *self, GPtrArray *exceptions);
void eb_consumer_remember (EbConsumer *self);
void eb_consumer_confirm_batch (EbConsumer *self, const EbBatchRange *batch);

G_END_DECLS
