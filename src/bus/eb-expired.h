/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-subscription.h"

G_BEGIN_DECLS

/* After that nobody comes back: much longer than the log keeps events unless told otherwise. */
#define EB_EXPIRED_KEPT (30 * G_TIME_SPAN_DAY)

/**
 * EbExpiredEntry:
 * @subscription: (owned): as it was
 * @detaching: its worker has not said yet where it stood
 * @cursor: where it goes on
 * @previous: and the last event before that which it matched; 0 for none
 * @batches: (owned) (nullable) (element-type EbBatchRange): what the ledger knows of batches after
 *   that
 * @expired_us: real time at which its lease ended
 *
 * A subscription whose lease has ended, and whose state stays.
 */
typedef struct
{
  GList link; /* in the order in which they expired; data is the entry itself */
  EbSubscription *subscription;
  gboolean detaching;
  guint64 cursor;
  guint64 previous;
  GArray *batches;
  gint64 expired_us;
} EbExpiredEntry;

/**
 * EbExpired:
 *
 * The subscriptions that may come back.
 */
typedef struct _EbExpired EbExpired;

EbExpired *eb_expired_new (void);
void eb_expired_free (EbExpired *self);
EbExpiredEntry *eb_expired_add (EbExpired *self, EbSubscription *subscription, gint64 expired_us);
EbExpiredEntry *eb_expired_lookup (EbExpired *self, const char *id);
gboolean eb_expired_has (EbExpired *self, EbSubscription *subscription);
EbExpiredEntry *eb_expired_first (EbExpired *self);
guint eb_expired_get_size (EbExpired *self);
void eb_expired_remove (EbExpired *self, EbExpiredEntry *entry);

G_END_DECLS
