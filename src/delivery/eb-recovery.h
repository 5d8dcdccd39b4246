/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-streak.h"
#include "delivery/eb-aside.h"
#include "delivery/eb-delivery.h"
#include "delivery/eb-rate.h"

G_BEGIN_DECLS

/* Events of one subscription that are back from aside, or on their way: they are in memory, unlike
 * those that wait. */
#define EB_MAX_FETCHED 8

/**
 * EbHold:
 * @EB_HOLD_NONE: deliveries may be sent
 * @EB_HOLD_CONSENT: the sink has not agreed to deliveries
 * @EB_HOLD_UNREACHABLE: nobody was there
 * @EB_HOLD_RETRY: the delivery at the head waits for its retry, and nothing may pass it
 * @EB_HOLD_ASKED: the sink wants to be left alone
 *
 * Why nothing is sent. The later ones outweigh the earlier ones.
 */
typedef enum
{
  EB_HOLD_NONE,
  EB_HOLD_CONSENT,
  EB_HOLD_UNREACHABLE,
  EB_HOLD_RETRY,
  EB_HOLD_ASKED,
} EbHold;

/**
 * EbRecovery:
 * @due: in the worker's agenda: the earliest of the times below
 * @consumer: (unowned): whose it is
 * @hold_until_us: monotonic time; while there is a hold
 * @n_probes: attempts in a row that found nobody; until somebody is there again, one at a time
 * @read_at_us: monotonic time at which the log is read again after it could not be; 0 for none
 * @aside: (owned): what waits for its retry
 * @line: (element-type EbDelivery): those of them that are next, before what the log brings
 * @n_fetching: those of them whose events are being read
 * @n_exceptions: events that the ledger has as waiting aside, wherever they are
 * @rate: how often something may be sent; without a limit for most
 * @paced: what could be sent waits for its turn at that rate
 * @streak: of failures, up to @failing_us; empty if the last attempt did not fail
 * @failing_us: monotonic time of the first of them in this daemon's life; 0 for none
 * @told_us: monotonic time at which the bus was told of the streak; 0 once it has heard
 *
 * What a consumer has only while something is wrong with its sink, or with the log; and always if
 * its rate is limited.
 */
typedef struct
{
  EbDue due;
  gpointer consumer;
  EbHold hold;
  guint n_probes;
  gint64 hold_until_us;
  gint64 read_at_us;
  EbAside *aside;
  GQueue line;
  guint n_fetching;
  guint n_exceptions;
  EbRate rate;
  gboolean paced;
  EbStreak streak;
  gint64 failing_us;
  gint64 told_us;
} EbRecovery;

EbRecovery *eb_recovery_new (gpointer consumer);
void eb_recovery_free (EbRecovery *self);
void eb_recovery_hold (EbRecovery *self, EbHold hold, gint64 until_us);
void eb_recovery_end_streak (EbRecovery *self);
gboolean eb_recovery_is_over (EbRecovery *self);
gint64 eb_recovery_get_due (EbRecovery *self);
EbAsideEntry *eb_recovery_get_next (EbRecovery *self, gint64 now_us);

G_END_DECLS
