/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Attempts of one subscription that are remembered: enough to see what its sink says. */
#define EB_ATTEMPTS_KEPT 20

/**
 * EbAttemptRecord:
 * @number: counts the subscription's attempts, from 1
 * @sequence: of the event; of a batch, of its last one
 * @attempt: 1 for the first
 * @started_us: real time
 * @duration_us: how long it took
 * @status: the sink's HTTP status; 0 if there was no answer
 * @reason: (owned) (nullable): what went wrong, for people; NULL if it was delivered
 *
 * One of the last attempts at deliveries of a subscription.
 */
typedef struct
{
  guint64 number;
  guint64 sequence;
  guint attempt;
  guint status;
  gint64 started_us;
  gint64 duration_us;
  char *reason;
} EbAttemptRecord;

EbAttemptRecord *eb_attempt_record_copy (const EbAttemptRecord *self);
void eb_attempt_record_free (EbAttemptRecord *self);

G_END_DECLS
