/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-transport.h"

G_BEGIN_DECLS

/**
 * EbAnswerRecord:
 * @arrived: there is one
 * @allowed: the origin and the rate that the sink allows
 *
 * The last answer of a transport.
 */
typedef struct
{
  gboolean arrived;
  EbAnswerKind kind;
  guint status;
  char *reason;
  char *allowed;
} EbAnswerRecord;

void eb_answer_record_clear (EbAnswerRecord *self);
void eb_answer_record_wait (EbAnswerRecord *self);

/* An EbAnswerFunc, whose user data is an EbAnswerRecord. */
void eb_answer_record_cb (EbDelivery *delivery, const EbAnswer *answer, gpointer self);

G_END_DECLS
