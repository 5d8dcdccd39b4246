/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-agenda.h"
#include "core/eb-log.h"
#include "core/eb-subscription.h"

G_BEGIN_DECLS

/**
 * EbLogFollowerOwner:
 * @take_tail: takes the next page of the tail; returns the last event that it has taken now
 * @listens: whether the next event of the tail is wanted at once
 * @take_page: @page is what a subscription asked for; NULL if it could not be read. @sequence is
 *   that of the event that was fetched, or 0. The subscription may have ended meanwhile.
 *
 * Who follows the log.
 */
typedef struct
{
  gpointer user_data;
  guint64 (*take_tail) (EbPage *page, gpointer user_data);
  gboolean (*listens) (gpointer user_data);
  void (*take_page) (EbSubscription *subscription,
                     guint64 sequence,
                     EbPage *page,
                     gpointer user_data);
} EbLogFollowerOwner;

/**
 * EbLogFollower:
 *
 * A worker's reads of the log: its tail, once for all, and what single subscriptions need.
 */
typedef struct _EbLogFollower EbLogFollower;

EbLogFollower *
eb_log_follower_new (EbLog *log, EbClock *clock, EbAgenda *agenda, const EbLogFollowerOwner *owner);
void eb_log_follower_free (EbLogFollower *self);
void eb_log_follower_start (EbLogFollower *self, guint64 after);
void eb_log_follower_wake (EbLogFollower *self);
void eb_log_follower_cancel (EbLogFollower *self);
void eb_log_follower_wait (EbLogFollower *self, GMainContext *context);
void eb_log_follower_read (EbLogFollower *self, EbSubscription *subscription, guint64 after);
void eb_log_follower_fetch (EbLogFollower *self, EbSubscription *subscription, guint64 sequence);
gboolean eb_log_follower_handle_due (EbLogFollower *self, EbDue *due);

G_END_DECLS
