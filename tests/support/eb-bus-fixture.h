/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-subscriptions.h"
#include "support/eb-fake-clock.h"
#include "support/eb-fake-ledger.h"
#include "support/eb-fake-log.h"
#include "support/eb-fake-transport.h"

G_BEGIN_DECLS

#define SECOND G_TIME_SPAN_SECOND

/**
 * EbBusFixture:
 * @told: what the bus said of subscribers, in order
 *
 * A bus on a log and a ledger in memory, which outlive it; both of them, sinks and time do what the
 * test says.
 */
typedef struct
{
  EbFakeClock *clock;
  EbFakeSinks *sinks;
  EbLog *log;
  EbFakeLedger *fake;
  EbWorkerPool *workers;
  EbBus *bus;
  GString *told;
} EbBusFixture;

void eb_bus_fixture_set_up (EbBusFixture *self, gconstpointer data);
void eb_bus_fixture_tear_down (EbBusFixture *self, gconstpointer data);
void eb_bus_fixture_restart (EbBusFixture *self);

EbSubscription *
eb_bus_fixture_create (const char *id, const char *address, const char *const *types);
EbSubscriptionInfo *eb_bus_fixture_put (EbBusFixture *self,
                                        EbSubscription *subscription,
                                        EbPutMode mode,
                                        gboolean *created,
                                        GError **error);
void eb_bus_fixture_put_sink (EbBusFixture *self,
                              const char *id,
                              const char *address,
                              const char *const *types);
void eb_bus_fixture_put_paused (EbBusFixture *self, const char *id, gboolean paused);
EbSubscriptionInfo *eb_bus_fixture_look (EbBusFixture *self, const char *id);
gboolean eb_bus_fixture_register (EbBusFixture *self, const char *address, GError **error);
gboolean eb_bus_fixture_deregister (EbBusFixture *self, const char *address, GError **error);
GPtrArray *eb_bus_fixture_load (EbBusFixture *self);
guint eb_bus_fixture_count_stored (EbBusFixture *self);

void eb_bus_fixture_publish (EbBusFixture *self, const char *type, guint n);
gboolean eb_bus_fixture_drain (EbBusFixture *self);
void eb_bus_fixture_run (void);
void eb_bus_fixture_wait (EbBusFixture *self, const char *uri, guint n_arrivals);
void eb_bus_fixture_assert_arrival (
    EbBusFixture *self, const char *uri, guint index, guint64 sequence, guint attempt);

G_END_DECLS
