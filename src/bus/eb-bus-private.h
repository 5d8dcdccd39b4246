/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-batch-writer.h"
#include "bus/eb-bus-subscriptions.h"
#include "bus/eb-bus.h"
#include "bus/eb-expired.h"
#include "bus/eb-progress-writer.h"
#include "core/eb-registry.h"

/* What the files of EbBus share: one file for each group of use cases, and nobody else. */

G_BEGIN_DECLS

struct _EbBus
{
  GObject parent_instance;

  EbClock *clock;             /* (owned) */
  EbLog *log;                 /* (owned) */
  EbLedger *ledger;           /* (owned) */
  EbWorkerPool *workers;      /* (owned) */
  EbRegistry *registry;       /* (owned) */
  EbExpired *expired;         /* (owned) those that may come back */
  EbProgressWriter *progress; /* (owned) */
  EbBatchWriter *batches;     /* (owned) */
  EbAddressPolicy *policy;    /* (owned) (nullable) until configured: everything is allowed */
  EbBusLimits limits;
  guint64 epoch;        /* of the ledger; 0 until started */
  GHashTable *changing; /* (owned) (element-type utf8): ids of which something is being changed */
  GHashTable *removals; /* (owned) (element-type utf8 Removal): by id, those under way */
  GHashTable *turns;    /* (owned) (element-type utf8 GQueue): by id, who waits for these; no empty
                           ones */
  gboolean closing;     /* takes nothing any more */
  EbBusStats stats;     /* the counts; what can be asked for is not kept up to date */
};

/* eb-bus.c */
gboolean eb_bus_check_open (EbBus *self, GError **error);
guint64 eb_bus_get_head (EbBus *self);
gboolean eb_bus_has (EbBus *self, EbSubscription *subscription);
void eb_bus_tell_begun (EbBus *self, EbSubscription *subscription);
void eb_bus_tell_replaced (EbBus *self, EbSubscription *before, EbSubscription *subscription);
void eb_bus_tell_ended (EbBus *self, EbSubscription *subscription, const char *reason);

void eb_bus_tell_fenced (EbBus *self, const GError *error);

/* eb-bus-turn.c */

typedef enum
{
  EB_BUS_TURN_LAST,
  EB_BUS_TURN_FIRST,
} EbBusTurnPlace;

/* Takes @task, and changes what there is, or returns why not. */
typedef void (*EbBusTurn) (EbBus *self, GTask *task);

void
eb_bus_await_turn (EbBus *self, const char *id, EbBusTurnPlace place, EbBusTurn take, GTask *task);
void eb_bus_next_turn (EbBus *self, const char *id);
void eb_bus_end_turns (EbBus *self);
gboolean eb_bus_begin_change (EbBus *self, const char *id, GError **error);
void eb_bus_end_change (EbBus *self, const char *id);

/* eb-bus-change.c */
void eb_bus_swap_async (EbBus *self,
                        EbSubscription *subscription,
                        EbRenewal renewal,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
gboolean eb_bus_swap_finish (EbBus *self, GAsyncResult *result, GError **error);
void eb_bus_swap_for (EbBus *self, EbSubscription *subscription, EbRenewal renewal, GTask *task);

/* eb-bus-end.c */
void eb_bus_remove (EbBus *self, const char *id, const char *reason, GTask *task);
void eb_bus_end (EbBus *self, EbSubscription *subscription, const char *reason);
void eb_bus_end_peers (EbBus *self, EbSubscription *subscription, const char *reason, GTask *task);
gboolean eb_bus_is_removing (EbBus *self, const char *id);

/* eb-bus-disable.c */
void eb_bus_failing_cb (EbWorkerPool *workers,
                        EbSubscription *subscription,
                        const EbStreak *streak,
                        EbBus *self);
void eb_bus_enable (EbBus *self, EbSubscription *disabled, GTask *task);

/* eb-bus-look.c */
void eb_bus_describe_async (EbBus *self,
                            GPtrArray *subscriptions,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
GPtrArray *eb_bus_describe_finish (EbBus *self, GAsyncResult *result);
EbSubscriptionInfo *eb_bus_describe_ended (EbBus *self, EbSubscription *subscription);

/* eb-bus-registrations.c */
gboolean eb_bus_is_registration (EbSubscription *subscription, const char *address);
void eb_bus_register_again (EbBus *self, const char *address);
void eb_bus_renew (EbBus *self, EbSubscription *subscription, GTask *task);

/* eb-bus-lifecycle.c */
gboolean eb_bus_is_listed (EbSubscription *subscription);
void eb_bus_begin (EbBus *self, EbSubscription *subscription, const EbStart *start);
void eb_bus_commit (EbBus *self, EbSubscription *subscription, guint64 after, GTask *task);
void eb_bus_expired_cb (EbRegistry *registry, EbSubscription *subscription, EbBus *self);
void eb_bus_gone_cb (EbWorkerPool *workers,
                     EbSubscription *subscription,
                     const char *reason,
                     gint64 sent_us,
                     EbBus *self);

/* eb-bus-resume.c */
void eb_bus_expire (EbBus *self, EbSubscription *subscription);
void eb_bus_load_expired (EbBus *self, const EbLedgerEntry *entry);
void eb_bus_forget_expired (EbBus *self, const char *id);
EbSubscription *eb_bus_find_expired (EbBus *self, const char *id);
void eb_bus_resume_async (EbBus *self,
                          EbSubscription *subscription,
                          GAsyncReadyCallback callback,
                          gpointer user_data);
gboolean eb_bus_resume_finish (EbBus *self, GAsyncResult *result, GError **error);

/* eb-bus-subscriptions.c */
EbSubscription *eb_bus_find_stored (EbBus *self, const char *id, GError **error);
gboolean eb_bus_check_room (EbBus *self, GError **error);
gboolean eb_bus_check_literal (EbBus *self, EbSink *sink, GError **error);

G_END_DECLS
