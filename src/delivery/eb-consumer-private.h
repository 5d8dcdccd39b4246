/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-consumer.h"
#include "delivery/eb-outbox.h"

G_BEGIN_DECLS

/* After a failed read: an outage of the log shall not keep a processor busy. */
#define EB_CONSUMER_READ_AGAIN (1 * G_TIME_SPAN_SECOND)

/* A subscription as its worker sees it: what it was offered, what is under way, and how far it got.
 *
 * It takes events from the tail that its worker reads for all, into a bounded queue. When that is
 * full it lags: it forgets the tail and reads the log from its own position, page by page as the
 * queue empties, until it has caught up with the tail. So what a slow sink costs is its queue.
 *
 * What went wrong is in its #EbRecovery, which most consumers do not have. A delivery that failed
 * waits aside there, or goes back to its place in the queue, which is then held. The code is in
 * several files: eb-consumer-take.c takes, eb-consumer.c sends, eb-consumer-verdict.c does what
 * answers mean, eb-consumer-aside.c has what waits and comes back, eb-consumer-batch.c what travels
 * together, of which eb-consumer-fix.c has the ledger told, eb-consumer-streak.c counts for how
 * long nothing went well, eb-consumer-consent.c asks first, eb-consumer-change.c lets another
 * subscription take its place, and eb-consumer-report.c says how it is.
 *
 * Lives in its worker's thread. Made by the million: what one has that never had anything to send
 * is in here, and the rest in its #EbOutbox. */
struct _EbConsumer
{
  EbSubscription *subscription; /* (owned) first, see eb_consumer_hash() */
  GList link;                   /* in its worker's list; data is the consumer itself */
  const EbConsumerOwner *owner;
  EbOutbox *outbox; /* (owned) or nobody's: to be read as it is, and obtained to be written to */

  guint64 position;      /* the last event that it took, or passed over; see eb_consumer_pass() */
  guint64 previous;      /* the last event that it took, or lost; 0 at first */
  guint64 told_cursor;   /* what the ledger was told last; EB_CURSOR_FLOOR for none of its own */
  guint64 told_previous; /* and with it */
  guint allowed_rate;    /* deliveries a minute, as the sink said when it agreed; 0 for any */
  guint lagging : 1;
  guint reading : 1;    /* lagging, and a page is on its way */
  guint settled : 1;    /* as its worker was told */
  guint progressed : 1; /* as its worker was told, too */
  guint finishing : 1;  /* the daemon ends: nothing more is sent */
  guint gone : 1;       /* nobody is there any more: nothing is sent */
  guint outdated : 1;   /* the channel is that of a subscription before this one */
};

/* What malloc() takes for it is 96 bytes; with one more field, 16 MB more for a million. What is
 * not needed before there is something to send belongs into the outbox. */
G_STATIC_ASSERT (sizeof (struct _EbConsumer) <= 88);
G_STATIC_ASSERT (G_STRUCT_OFFSET (struct _EbConsumer, subscription) == 0);

EbOutbox *eb_consumer_obtain_outbox (EbConsumer *self);
void eb_consumer_apply_rate (EbConsumer *self);
void eb_consumer_proceed (EbConsumer *self);
void eb_consumer_note_progress (EbConsumer *self);
EbDelivery *eb_consumer_enqueue (EbConsumer *self, EbParcel *parcel);
void eb_consumer_put_back (EbConsumer *self, EbDelivery *delivery);
EbDelivery *eb_consumer_find_first (EbConsumer *self);

void eb_consumer_renew_channel (EbConsumer *self);

void eb_consumer_note_answer (EbConsumer *self, EbDelivery *delivery, const EbAnswer *answer);
guint64 eb_consumer_get_cursor (EbConsumer *self, guint64 *previous);

void eb_consumer_record_aside (EbConsumer *self,
                               EbDelivery *delivery,
                               const EbAnswer *answer,
                               GTimeSpan delay);

EbRecovery *eb_consumer_obtain_recovery (EbConsumer *self);
void eb_consumer_record_ended (EbConsumer *self, guint64 sequence);
void eb_consumer_load_aside (EbConsumer *self, GPtrArray *exceptions);
void eb_consumer_meet_exception (EbConsumer *self, EbAsideEntry *entry, EbParcel *parcel);
guint eb_consumer_lose_aside (EbConsumer *self, guint64 up_to);
void eb_consumer_leave_if_passed (EbConsumer *self, EbDelivery *delivery);
void eb_consumer_leave_passed (EbConsumer *self, GTimeSpan age);
void eb_consumer_fetch_due (EbConsumer *self);
void eb_consumer_update_recovery (EbConsumer *self);
EbDelivery *eb_consumer_take_back (EbConsumer *self, const EbAsideEntry *entry, EbParcel *parcel);

void eb_consumer_load_streak (EbConsumer *self);
void eb_consumer_note_failure (EbConsumer *self);
void eb_consumer_note_success (EbConsumer *self);
void eb_consumer_follow_streak (EbConsumer *self, EbSubscription *before);
char *eb_consumer_describe_disabled (EbConsumer *self);

void eb_consumer_begin_handshake (EbConsumer *self);
void eb_consumer_ask (EbConsumer *self);
void eb_consumer_take_consent (EbConsumer *self, const EbAnswer *answer);

gboolean eb_consumer_takes_batches (EbConsumer *self);
gboolean eb_consumer_is_fresh (const EbDelivery *delivery);
gboolean eb_consumer_fixes_batches (EbConsumer *self);
void eb_consumer_load_batches (EbConsumer *self, GArray *batches);
void eb_consumer_plan_batch (EbConsumer *self, EbDelivery *delivery);
gboolean eb_consumer_fix_batch (EbConsumer *self, EbDelivery *delivery);
void eb_consumer_fill_batch (EbConsumer *self, EbDelivery *delivery);
GArray *eb_consumer_list_batches (EbConsumer *self);
EbDelivery *eb_consumer_split_batch (EbConsumer *self, EbDelivery *delivery);
void eb_consumer_split_unwanted (EbConsumer *self);
gboolean eb_consumer_is_incomplete (EbConsumer *self, const EbDelivery *delivery);
EbDelivery *eb_consumer_find_batch (EbConsumer *self, guint64 batch);
void eb_consumer_requeue (EbConsumer *self, const EbAsideEntry *entry, EbParcel *parcel);
void eb_consumer_remember_batches (EbConsumer *self);
void eb_consumer_fetch_batch (EbConsumer *self, guint64 batch);
void eb_consumer_postpone_batch (EbConsumer *self, guint64 batch);
void eb_consumer_assemble_batch (EbConsumer *self, guint64 batch);

static inline gint64
eb_consumer_get_now (const EbConsumer *self)
{
  return eb_clock_get_monotonic (self->owner->clock);
}

/* Takes @change. */
static inline void
eb_consumer_record (EbConsumer *self, EbChange *change)
{
  self->owner->record (self, change, self->owner->user_data);
}

static inline gboolean
eb_consumer_is_held (const EbConsumer *self)
{
  return self->outbox->recovery != NULL && self->outbox->recovery->hold != EB_HOLD_NONE;
}

/* Whether somebody must say so before anything is sent again. */
static inline gboolean
eb_consumer_is_stopped (const EbConsumer *self)
{
  return eb_subscription_is_paused (self->subscription)
         || eb_subscription_is_disabled (self->subscription);
}

/* Whether strict order waits for what was aside before there was any, or is redriven. */
static inline gboolean
eb_consumer_waits_for_aside (const EbConsumer *self)
{
  return self->outbox->recovery != NULL
         && eb_subscription_get_order (self->subscription) == EB_ORDER_STRICT
         && eb_aside_get_n_passed (self->outbox->recovery->aside) > 0;
}

static inline gboolean
eb_consumer_is_paced (const EbConsumer *self)
{
  return self->outbox->recovery != NULL && self->outbox->recovery->paced;
}

G_END_DECLS
