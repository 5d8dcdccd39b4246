/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus.h"
#include "delivery/eb-attempt-record.h"
#include "delivery/eb-ping.h"

G_BEGIN_DECLS

/* In one answer. */
#define EB_SUBSCRIPTIONS_MAX 1000

/**
 * EbSubscriptionInfo:
 * @subscription: (owned)
 * @state: `active`; `paused`; `disabled`: every attempt has failed for days; `unreachable`: nobody
 *   was there; `held`: the sink asked to be left alone, or strict order waits for a retry;
 *   `lagging`: its queue in memory is full
 * @cursor: everything up to it has ended or is an exception
 * @lag: how many events there are after it
 * @expires_us: real time at which the lease ends; 0 for never
 * @last_error: (owned) (nullable): of the last attempt, if that failed, for people
 *
 * What the bus knows of one subscription.
 */
typedef struct
{
  EbSubscription *subscription;
  const char *state;
  guint64 cursor;
  guint64 lag;
  gint64 expires_us;
  char *last_error;
} EbSubscriptionInfo;

void eb_subscription_info_free (EbSubscriptionInfo *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSubscriptionInfo, eb_subscription_info_free)

/**
 * EbPutMode:
 * @EB_PUT_CREATE: there may be none with that id
 * @EB_PUT_REPLACE: it takes the place of one with that id, if there is one
 */
typedef enum
{
  EB_PUT_CREATE,
  EB_PUT_REPLACE,
} EbPutMode;

/**
 * EbReplayFrom:
 * @by_time: whether @real_us counts, and not @after
 * @after: a sequence: the first event that comes again is the one after it
 * @real_us: the first event that comes again is the first that was accepted then or later
 */
typedef struct
{
  gboolean by_time;
  guint64 after;
  gint64 real_us;
} EbReplayFrom;

void eb_bus_put_async (EbBus *self,
                       EbSubscription *subscription,
                       EbPutMode mode,
                       guint64 after,
                       GAsyncReadyCallback callback,
                       gpointer user_data);
EbSubscriptionInfo *
eb_bus_put_finish (EbBus *self, GAsyncResult *result, gboolean *created, GError **error);

void eb_bus_list_subscriptions_async (EbBus *self,
                                      const char *after_id,
                                      guint limit,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
GPtrArray *eb_bus_list_subscriptions_finish (EbBus *self,
                                             GAsyncResult *result,
                                             gboolean *more,
                                             GError **error);
void eb_bus_get_subscription_async (EbBus *self,
                                    const char *id,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
EbSubscriptionInfo *
eb_bus_get_subscription_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_list_attempts_async (EbBus *self,
                                 const char *id,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
GPtrArray *eb_bus_list_attempts_finish (EbBus *self, GAsyncResult *result, GError **error);

void eb_bus_keep_alive_async (EbBus *self,
                              const char *id,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean eb_bus_keep_alive_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_pause_async (
    EbBus *self, const char *id, gboolean paused, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_bus_pause_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_rotate_secret_async (EbBus *self,
                                 const char *id,
                                 const char *secret,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
char *eb_bus_rotate_secret_finish (EbBus *self, GAsyncResult *result, GError **error);

void eb_bus_replay_async (EbBus *self,
                          const char *id,
                          const EbReplayFrom *from,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
gboolean eb_bus_replay_finish (EbBus *self, GAsyncResult *result, guint64 *after, GError **error);
void
eb_bus_ping_async (EbBus *self, const char *id, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_bus_ping_finish (EbBus *self, GAsyncResult *result, EbPing *ping, GError **error);

void
eb_bus_delete_async (EbBus *self, const char *id, GAsyncReadyCallback callback, gpointer user_data);
gboolean eb_bus_delete_finish (EbBus *self, GAsyncResult *result, GError **error);

gboolean eb_bus_check_known (EbBus *self, const char *id, GError **error);
gboolean eb_bus_is_kept (EbBus *self, const char *id);

G_END_DECLS
