/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-attempts.h"
#include "delivery/eb-batch-plan.h"
#include "delivery/eb-handshake.h"
#include "delivery/eb-recovery.h"

G_BEGIN_DECLS

/* What a subscription's queue may hold; beyond it the subscription lags: it reads the log. */
#define EB_QUEUE_MAX_LENGTH 1000
#define EB_QUEUE_MAX_BYTES  (4 * 1024 * 1024)

/**
 * EbOutbox:
 * @queue: (element-type EbDelivery): not sent yet, by sequence
 * @queued: the charges of the events in it
 * @under_way: (element-type EbDelivery): sent and not answered, in the order of their turns
 * @n_turns: how often something was sent
 * @transport: (unowned) (nullable): that the channel is of
 * @channel: (owned) (nullable): until there is something to send
 * @handshake: (owned) (nullable): until the sink has agreed to deliveries
 * @recovery: (owned) (nullable): while something is wrong
 * @attempts: (owned) (nullable): until the first attempt has ended
 * @plan: (owned) (nullable): of batches, until the ledger knows of some
 *
 * What a consumer has from the first event that it takes on, or from the first that goes wrong.
 * Before that it has the one that everybody has, eb_outbox_get_nothing().
 */
typedef struct
{
  GQueue queue;
  gsize queued;
  GQueue under_way;
  guint n_turns;
  EbTransport *transport;
  EbChannel *channel;
  EbHandshake *handshake;
  EbRecovery *recovery;
  EbAttempts *attempts;
  EbBatchPlan *plan;
} EbOutbox;

EbOutbox *eb_outbox_get_nothing (void);
EbOutbox *eb_outbox_new (void);
void eb_outbox_free (EbOutbox *self);
gboolean eb_outbox_is_full (const EbOutbox *self);
gboolean eb_outbox_has_room_for_page (const EbOutbox *self);
void eb_outbox_close_channel (EbOutbox *self);

G_END_DECLS
