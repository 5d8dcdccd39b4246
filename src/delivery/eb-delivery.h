/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-deadlines.h"
#include "delivery/eb-parcel.h"

G_BEGIN_DECLS

/**
 * EbDelivery:
 *
 * One event for one subscription. It belongs to its consumer, in its worker's thread; a transport
 * that was handed it may use the last two fields until it has answered.
 */
typedef struct
{
  GList link;          /* in its consumer's queue; data is the delivery itself */
  gpointer consumer;   /* (unowned) whose it is */
  EbParcel *parcel;    /* (owned) */
  guint64 previous;    /* sequence of the matching event before it; 0 at first */
  guint attempt;       /* 1 for the first */
  guint n_failures;    /* earlier attempts that the retry schedule counts */
  guint exception : 1; /* the ledger was told of it: others may pass it */
  guint fetched : 1;   /* it waited aside: it is in line before what the log brings */
  gint64 first_us;     /* real time at which its first attempt failed; 0 before */
  gint64 sent_us;      /* monotonic time at which the last one began */

  EbDeadline deadline;
  gpointer transport_data;
} EbDelivery;

EbDelivery *eb_delivery_new (gpointer consumer, EbParcel *parcel, guint64 previous);
void eb_delivery_free (EbDelivery *self);

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
 *
 * What became of an attempt. Valid during the call that tells it.
 */
typedef struct
{
  EbAnswerKind kind;
  guint status;
  const char *retry_after;
  const char *reason;
} EbAnswer;

static inline gboolean
eb_answer_is_success (const EbAnswer *self)
{
  return self->kind == EB_ANSWER_RESPONSE && self->status >= 200 && self->status < 300;
}

char *eb_answer_describe (const EbAnswer *self);

G_END_DECLS
