/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-delivery-options.h"
#include "core/eb-filter.h"
#include "core/eb-sink.h"
#include "core/eb-streak.h"

G_BEGIN_DECLS

/**
 * EbOrder:
 * @EB_ORDER_RELAXED: events leave in order; one that failed waits aside for its retry while later
 *   ones go on
 * @EB_ORDER_STRICT: nothing passes an event that has not ended
 */
typedef enum
{
  EB_ORDER_RELAXED,
  EB_ORDER_STRICT,
} EbOrder;

/* Deliveries under way at once, each of which may have a connection of its own. */
#define EB_MAX_CONCURRENCY 1000

typedef struct _EbSubscription EbSubscription;

/**
 * EbSubscriptionSpec:
 * @id: unique among the subscriptions of a bus
 * @sink: where its deliveries go
 * @types: (nullable) (array zero-terminated=1): type patterns; NULL or empty means all
 * @filter: (nullable): what else must match
 * @lease: microseconds without a keep-alive after which it ends; 0 for never
 * @concurrency: deliveries under way at once, 1 or more
 * @order: what a delivery that failed does to those behind it
 * @ephemeral: never stored: it ends with its peer, or with the daemon
 * @paused: nothing is sent; events are kept
 * @options: (nullable): how it wants its deliveries; NULL for what most want
 * @streak: how its attempts have failed so far; kept only of one that is stored and has no lease
 * @replaces: (nullable): the subscription of that id which it takes the place of, with its progress
 *
 * What a subscriber asks for, on its way into an #EbSubscription.
 */
typedef struct
{
  const char *id;
  EbSink *sink;
  const char *const *types;
  EbFilter *filter;
  GTimeSpan lease;
  guint concurrency;
  EbOrder order;
  gboolean ephemeral;
  gboolean paused;
  EbDeliveryOptions *options;
  EbStreak streak;
  EbSubscription *replaces;
} EbSubscriptionSpec;

EbSubscription *eb_subscription_new (const EbSubscriptionSpec *spec, GError **error);
EbSubscription *eb_subscription_ref (EbSubscription *self);
void eb_subscription_unref (EbSubscription *self);

void eb_subscription_fill_spec (EbSubscription *self, EbSubscriptionSpec *spec);
const char *eb_subscription_get_id (const EbSubscription *self);
EbSink *eb_subscription_get_sink (const EbSubscription *self);
GTimeSpan eb_subscription_get_lease (const EbSubscription *self);
guint eb_subscription_get_concurrency (const EbSubscription *self);
EbOrder eb_subscription_get_order (const EbSubscription *self);
const char *const *eb_subscription_get_types (const EbSubscription *self);
EbFilter *eb_subscription_get_filter (const EbSubscription *self);
const EbDeliveryOptions *eb_subscription_get_options (const EbSubscription *self);
gboolean eb_subscription_is_paused (const EbSubscription *self);
const EbStreak *eb_subscription_get_streak (const EbSubscription *self);
gboolean eb_subscription_is_disabled (const EbSubscription *self);
gboolean eb_subscription_may_be_disabled (const EbSubscription *self);
gpointer eb_subscription_get_identity (EbSubscription *self);
gboolean eb_subscription_takes_all (const EbSubscription *self);
gboolean eb_subscription_is_ephemeral (const EbSubscription *self);
gboolean eb_subscription_matches (const EbSubscription *self, const EbEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSubscription, eb_subscription_unref)

G_END_DECLS
