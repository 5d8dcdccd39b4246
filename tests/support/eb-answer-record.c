/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "support/eb-answer-record.h"

#include "support/eb-test-wait.h"

/**
 * eb_answer_record_clear:
 *
 * Forgets the last answer: another one is to come.
 */
void
eb_answer_record_clear (EbAnswerRecord *self)
{
  g_free (self->reason);
  g_free (self->allowed);
  *self = (EbAnswerRecord){ 0 };
}

void
eb_answer_record_cb (EbDelivery *delivery, const EbAnswer *answer, gpointer user_data)
{
  EbAnswerRecord *self = user_data;

  eb_answer_record_clear (self);
  self->arrived = TRUE;
  self->kind = answer->kind;
  self->status = answer->status;
  self->reason = g_strdup (answer->reason);
  self->allowed = g_strdup_printf ("%s %s", answer->allowed_origin, answer->allowed_rate);
}

static gboolean
has_arrived (gpointer data)
{
  return ((const EbAnswerRecord *) data)->arrived;
}

void
eb_answer_record_wait (EbAnswerRecord *self)
{
  eb_test_wait_for (has_arrived, self);
}
