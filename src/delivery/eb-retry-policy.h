/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-delivery.h"

G_BEGIN_DECLS

/**
 * EbVerdictKind:
 * @EB_VERDICT_DELIVERED: the delivery has ended
 * @EB_VERDICT_GONE: so has the subscription
 * @EB_VERDICT_UNREACHABLE: nobody was there; the attempt does not count, and the subscription's
 *   next one may be made after the delay
 * @EB_VERDICT_HOLD: nothing may be sent to the subscription until the delay has passed
 * @EB_VERDICT_RETRY: this delivery may be attempted again after the delay
 * @EB_VERDICT_DEAD: the delivery is given up
 */
typedef enum
{
  EB_VERDICT_DELIVERED,
  EB_VERDICT_GONE,
  EB_VERDICT_UNREACHABLE,
  EB_VERDICT_HOLD,
  EB_VERDICT_RETRY,
  EB_VERDICT_DEAD,
} EbVerdictKind;

typedef struct
{
  EbVerdictKind kind;
  GTimeSpan delay; /* of UNREACHABLE, HOLD and RETRY */
} EbVerdict;

/**
 * EbAttempt:
 * @retry: (element-type GTimeSpan): what is waited after the first failure, the second, …
 * @number: 1 for the first
 * @n_failures: how many attempts before this one failed; those that found nobody, or a sink that
 *   was busy, are none
 * @n_probes: how many attempts before this one, in a row, found nobody
 * @answer: what became of it
 * @random: from 0 to 1
 * @now_us: real time
 *
 * An attempt that was made.
 */
typedef struct
{
  GArray *retry;
  guint number;
  guint n_failures;
  guint n_probes;
  const EbAnswer *answer;
  double random;
  gint64 now_us;
} EbAttempt;

gboolean eb_status_asks_to_wait (guint status);
GTimeSpan eb_retry_policy_get_ask_delay (guint n_asked, double random);
EbVerdict eb_retry_policy_judge (const EbAttempt *attempt);

G_END_DECLS
