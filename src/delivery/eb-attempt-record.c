/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-attempt-record.h"

EbAttemptRecord *
eb_attempt_record_copy (const EbAttemptRecord *self)
{
  EbAttemptRecord *copy = g_memdup2 (self, sizeof *self);

  copy->reason = g_strdup (self->reason);
  return copy;
}

void
eb_attempt_record_free (EbAttemptRecord *self)
{
  g_free (self->reason);
  g_free (self);
}
