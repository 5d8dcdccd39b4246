/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-worker-pool.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-log.h"
#include "support/eb-fake-transport.h"

G_BEGIN_DECLS

/**
 * EbDeliveryFixture:
 * @settings: those of the pool; may be changed before the first use of the pool's functions
 * @report: all reports so far, added up; the steps are those of all of them, in order
 *
 * Delivery without a network: a log in memory, two workers, sinks and time that do what the test
 * says.
 */
typedef struct
{
  EbFakeClock *clock;
  EbLog *log;
  EbFakeSinks *sinks;
  EbDeliverySettings *settings;
  EbWorkerPool *pool;
  EbReport report;
  guint n_reports;
  GString *gone; /* the reasons */
} EbDeliveryFixture;

void eb_delivery_fixture_set_up (EbDeliveryFixture *self, gconstpointer data);
void eb_delivery_fixture_tear_down (EbDeliveryFixture *self, gconstpointer data);
void eb_delivery_fixture_restart (EbDeliveryFixture *self);
void eb_delivery_fixture_publish (EbDeliveryFixture *self, const char *type, guint n);
void eb_delivery_fixture_publish_sized (EbDeliveryFixture *self, const char *type, gsize size);
EbSubscription *eb_delivery_fixture_create (const EbSubscriptionSpec *spec, const char *address);
EbSubscription *eb_delivery_fixture_add (EbDeliveryFixture *self,
                                         const EbSubscriptionSpec *spec,
                                         const char *address,
                                         const EbStart *start);
gboolean eb_delivery_fixture_drain (EbDeliveryFixture *self);
void eb_delivery_fixture_advance (EbDeliveryFixture *self, GTimeSpan by);
void eb_delivery_fixture_wait (EbDeliveryFixture *self, const char *uri, guint n_arrivals);
void eb_delivery_fixture_assert_next (
    EbDeliveryFixture *self, const char *uri, guint *index, guint64 sequence, guint attempt);
void eb_delivery_fixture_collect (EbDeliveryFixture *self);

G_END_DECLS
