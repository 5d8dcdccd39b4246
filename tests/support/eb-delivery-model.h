/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "support/eb-delivery-fixture.h"

G_BEGIN_DECLS

/* “a.b”, and another one. */
#define EB_DELIVERY_MODEL_N_TYPES 2

/**
 * EbDeliveryModelSubscriber:
 * @start: it gets what comes after
 * @dead: (element-type guint64): given up, as was reported
 */
typedef struct
{
  EbSubscription *subscription;
  char *uri;
  guint64 start;
  GHashTable *dead;
} EbDeliveryModelSubscriber;

/**
 * EbDeliveryModel:
 * @epoch: of the ledger's last load
 * @subscribers: (element-type EbDeliveryModelSubscriber)
 * @types: (element-type guint): of the events; by sequence, from 1
 *
 * What the ledger knows is enough: after every report, whatever a restart would deliver, and what
 * has ended, are together everything.
 */
typedef struct
{
  EbDeliveryFixture delivery;
  EbLedger *ledger;
  guint64 epoch;
  GPtrArray *subscribers;
  GArray *types;
} EbDeliveryModel;

void eb_delivery_model_set_up (EbDeliveryModel *self, gconstpointer data);
void eb_delivery_model_tear_down (EbDeliveryModel *self, gconstpointer data);
void eb_delivery_model_apply (EbDeliveryModel *self, EbChange *change);
void eb_delivery_model_add (EbDeliveryModel *self, EbSubscription *subscription, guint64 start);
void eb_delivery_model_publish (EbDeliveryModel *self, guint type, guint n);
void eb_delivery_model_restart (EbDeliveryModel *self, gboolean kill);
guint64 eb_delivery_model_find_previous (EbDeliveryModel *self,
                                         const EbDeliveryModelSubscriber *subscriber,
                                         guint64 sequence);
gboolean eb_delivery_model_is_over (EbDeliveryModel *self);
void eb_delivery_model_check (EbDeliveryModel *self);
void eb_delivery_model_check_batches (EbDeliveryModel *self);

G_END_DECLS
