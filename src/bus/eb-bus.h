/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-dead-letter.h"
#include "core/eb-ledger.h"
#include "core/eb-log.h"
#include "core/eb-subscription.h"
#include "delivery/eb-worker-pool.h"

G_BEGIN_DECLS

/**
 * EbBusLimits:
 * @lease: the lease of who does not ask for another, in microseconds
 * @max_subscriptions: how many there may be
 * @max_event_size: bytes of data in one event
 */
typedef struct
{
  GTimeSpan lease;
  guint max_subscriptions;
  gsize max_event_size;
} EbBusLimits;

/**
 * EbBusStats:
 *
 * What the bus has done since it started.
 */
typedef struct
{
  guint subscriptions; /* alive now, of every kind */
  guint64 published;   /* events accepted */
  guint64 delivered;   /* deliveries that ended as delivered */
  guint64 failed;      /* attempts at deliveries that failed */
  guint64 dead;        /* deliveries that were given up */
  guint64 lost;        /* deliveries that retention took away */
  guint64 head;        /* sequence of the newest event, 0 before the first */
} EbBusStats;

/**
 * EbSubscriber:
 * @label: how the tutorial's list shows it: its address, or its URL
 * @renewed_us: real time of its last keep-alive
 */
typedef struct
{
  char *label;
  gint64 renewed_us;
} EbSubscriber;

void eb_subscriber_free (EbSubscriber *self);

/* For eb_bus_subscribe_async(): the events from now on. */
#define EB_START_NOW G_MAXUINT64

/**
 * EbRedriven:
 * @n: how many dead letters are delivered again
 * @left: how many more there are, counted up to %EB_DEAD_LETTERS_MAX
 * @last: the sequence of the last of them: all before it that were wanted are redriven
 */
typedef struct
{
  guint n;
  guint left;
  guint64 last;
} EbRedriven;

/**
 * EbDrain:
 * @EB_DRAIN_DELIVER: what was taken goes with the log, so it is delivered while there is time
 * @EB_DRAIN_LEAVE: what is not delivered soon is delivered after the next start; no delivery starts
 *   after a part of the time, so that those under way can end
 *
 * What becomes of events that are not delivered yet when the bus ends.
 */
typedef enum
{
  EB_DRAIN_DELIVER,
  EB_DRAIN_LEAVE,
} EbDrain;

#define EB_TYPE_BUS (eb_bus_get_type ())
G_DECLARE_FINAL_TYPE (EbBus, eb_bus, EB, BUS, GObject)

EbBus *eb_bus_new (EbClock *clock, EbLog *log, EbLedger *ledger, EbWorkerPool *workers);
void eb_bus_configure (EbBus *self, const EbBusLimits *limits, EbAddressPolicy *policy);

void eb_bus_start_async (EbBus *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_bus_start_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_drain_async (
    EbBus *self, EbDrain kind, GTimeSpan limit, GAsyncReadyCallback callback, gpointer user_data);
void eb_bus_drain_finish (EbBus *self, GAsyncResult *result);

void eb_bus_publish_async (EbBus *self,
                           GPtrArray *drafts,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
GArray *eb_bus_publish_finish (EbBus *self, GAsyncResult *result, GError **error);

void eb_bus_register_async (EbBus *self,
                            const char *address,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean eb_bus_register_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_deregister_async (EbBus *self,
                              const char *address,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean eb_bus_deregister_finish (EbBus *self, GAsyncResult *result, GError **error);

gboolean eb_bus_check_subscription (EbBus *self,
                                    EbSubscription *subscription,
                                    guint64 after,
                                    GError **error);
void eb_bus_subscribe_async (EbBus *self,
                             EbSubscription *subscription,
                             guint64 after,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean eb_bus_subscribe_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_unsubscribe_async (EbBus *self,
                               const char *id,
                               const char *reason,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean eb_bus_unsubscribe_finish (EbBus *self, GAsyncResult *result, GError **error);

void eb_bus_list_dead_letters_async (EbBus *self,
                                     const char *id,
                                     guint64 after,
                                     guint limit,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
GPtrArray *
eb_bus_list_dead_letters_finish (EbBus *self, GAsyncResult *result, guint64 *next, GError **error);
void eb_bus_redrive_async (EbBus *self,
                           const char *id,
                           GArray *sequences,
                           guint64 after,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean
eb_bus_redrive_finish (EbBus *self, GAsyncResult *result, EbRedriven *redriven, GError **error);
void eb_bus_drop_dead_letters_async (EbBus *self,
                                     const char *id,
                                     GArray *sequences,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean eb_bus_drop_dead_letters_finish (EbBus *self, GAsyncResult *result, GError **error);

GPtrArray *eb_bus_list_subscribers (EbBus *self);
void eb_bus_get_stats (EbBus *self, EbBusStats *stats);

G_END_DECLS
