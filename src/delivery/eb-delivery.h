/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-deadlines.h"
#include "delivery/eb-parcel.h"
#include "delivery/eb-webhook-id.h"

G_BEGIN_DECLS

/**
 * EbDelivery:
 *
 * One event for one subscription, or several that travel together: a batch. It belongs to its
 * consumer, in its worker's thread; a transport that was handed it may use the last two fields
 * until it has answered.
 *
 * A batch is fixed at its first attempt: from then on its events wait, and go again, together.
 *
 * One without a parcel is a question: whether the sink agrees to deliveries.
 */
typedef struct
{
  GList link;        /* in its consumer's queue; data is the delivery itself */
  gpointer consumer; /* (unowned) whose it is */
  EbParcel *parcel;  /* (owned) (nullable) of the event; of a batch the last one's */
  guint64 previous;  /* sequence of the matching event before it, or before its first; 0 at first */
  GPtrArray *parcels;  /* (owned) (nullable) (element-type EbParcel) of a batch: all, in order */
  GArray *previouses;  /* (owned) (nullable) (element-type guint64) of a batch: of each, the same */
  guint64 batch;       /* the last sequence of the batch that it was before a restart; else 0 */
  guint attempt;       /* 1 for the first */
  guint n_failures;    /* earlier attempts that the retry schedule counts */
  guint turn;          /* which one of its consumer's attempts the last one was */
  guint exception : 1; /* the ledger was told of it: others may pass it */
  guint fetched : 1;   /* it waited aside, or others passed it: it is in line before what the log
                          brings */
  guint fixed : 1;     /* the ledger knows what it consists of, so nothing joins it */
  gint64 first_us;     /* real time at which its first attempt failed; 0 before */
  gint64 sent_us;      /* monotonic time at which the last one began */

  EbDeadline deadline;
  gpointer transport_data;
} EbDelivery;

EbDelivery *eb_delivery_new (gpointer consumer, EbParcel *parcel, guint64 previous);
EbDelivery *eb_delivery_new_question (gpointer consumer);
void eb_delivery_free (EbDelivery *self);
gboolean eb_delivery_is_question (const EbDelivery *self);
void eb_delivery_add (EbDelivery *self, EbParcel *parcel, guint64 previous);
guint eb_delivery_get_size (const EbDelivery *self);
EbParcel *eb_delivery_get_parcel (const EbDelivery *self, guint index);
void eb_delivery_set_previous (EbDelivery *self, guint64 previous);
guint64 eb_delivery_get_previous (const EbDelivery *self, guint index);
guint64 eb_delivery_get_sequence (const EbDelivery *self);
guint64 eb_delivery_get_first (const EbDelivery *self);
gsize eb_delivery_get_charge (const EbDelivery *self);
gsize eb_delivery_get_share (const EbDelivery *self);
guint32 eb_delivery_hash (const EbDelivery *self);
void eb_delivery_write_id (const EbDelivery *self, const char *prefix, char id[EB_WEBHOOK_ID_SIZE]);
EbContent *eb_delivery_get_content (const EbDelivery *self, EbMode mode);

/**
 * EbAnswerKind:
 * @EB_ANSWER_RESPONSE: the sink answered, with @status
 * @EB_ANSWER_UNREACHABLE: there was no connection (DNS, connect, TLS, policy): nothing was sent
 * @EB_ANSWER_FAILED: something was sent, and no answer came back
 * @EB_ANSWER_GONE: there is nobody any more who could be sent to: the subscription ends
 */
typedef enum
{
  EB_ANSWER_RESPONSE,
  EB_ANSWER_UNREACHABLE,
  EB_ANSWER_FAILED,
  EB_ANSWER_GONE,
} EbAnswerKind;

/**
 * EbAnswer:
 * @status: HTTP status; for %EB_ANSWER_RESPONSE only
 * @retry_after: (nullable): the field's value, unparsed
 * @reason: (nullable): what went wrong, for people
 * @allowed_origin: (nullable): of the answer to a question: whose deliveries the sink wants
 * @allowed_rate: (nullable): and how many of them
 *
 * What became of an attempt. Valid during the call that tells it.
 */
typedef struct
{
  EbAnswerKind kind;
  guint status;
  const char *retry_after;
  const char *reason;
  const char *allowed_origin;
  const char *allowed_rate;
} EbAnswer;

static inline gboolean
eb_answer_is_success (const EbAnswer *self)
{
  return self->kind == EB_ANSWER_RESPONSE && self->status >= 200 && self->status < 300;
}

char *eb_answer_describe (const EbAnswer *self);

G_END_DECLS
