/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-audience.h"
#include "delivery/eb-consumer.h"
#include "delivery/eb-dispatcher.h"
#include "delivery/eb-judge.h"
#include "delivery/eb-log-follower.h"
#include "delivery/eb-pinger.h"
#include "delivery/eb-reporter.h"

G_BEGIN_DECLS

#define EB_DISPATCHER_TRANSPORTS (EB_SINK_PEER + 1)

/* Delivers to a worker's share of the subscriptions: it follows the log's tail once for all of
 * them, and reads for those that are behind it.
 *
 * The code is in several files: eb-dispatcher.c begins, follows the tail and ends,
 * eb-dispatcher-calls.c does what is asked of one subscription, eb-dispatcher-owner.c is what
 * consumers need, and eb-dispatcher-report.c tells the owner. Lives in its worker's thread. */
struct _EbDispatcher
{
  GMainContext *context; /* (owned) the thread's */
  EbNotices *notices;    /* (unowned) for the worker's owner */

  EbClock *clock;               /* (owned) */
  EbDeliverySettings *settings; /* (owned) */
  EbTransportFactory factory;
  gpointer factory_data;
  EbTransport *
      transports[EB_DISPATCHER_TRANSPORTS]; /* (owned) (nullable) by EbSinkKind; made when needed */

  EbConsumerOwner consumer_owner; /* what consumers need */
  EbAgenda *agenda;               /* (owned) what they, and the follower, wait for */
  EbLogFollower *follower;        /* (owned) */
  GHashTable *consumers;          /* (owned) (element-type EbConsumer) a set, by identity */
  EbAudience *audience;           /* (owned) of the tail: the same */
  GHashTable *parcels;            /* (owned) of all events in the queues */
  guint64 n_started;              /* subscriptions that were ever added */
  guint64 tail;                   /* the last event that was offered to all */
  guint n_unsettled;              /* consumers that owe something */

  EbReporter *reporter; /* (owned) what the owner does not know yet */
  EbJudge *judge;       /* (owned) */
  EbPinger *pinger;     /* (owned) */

  GTask *drain; /* (owned) (nullable) done when nothing up to drain_up_to is owed */
  guint64 drain_up_to;
};

EbTransport *eb_dispatcher_get_transport (EbDispatcher *self, EbSinkKind kind);
EbConsumer *eb_dispatcher_find_consumer (EbDispatcher *self, EbSubscription *subscription);
void eb_dispatcher_remove_consumer (EbDispatcher *self, EbConsumer *consumer);
void eb_dispatcher_init_consumer_owner (EbDispatcher *self);
void eb_dispatcher_flush_report (EbDispatcher *self);
void eb_dispatcher_check_drained (EbDispatcher *self);

G_END_DECLS
