/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-dead-letter.h"

EbDeadLetter *
eb_dead_letter_new (const char *event_id, const EbException *exception)
{
  EbDeadLetter *self = g_new (EbDeadLetter, 1);

  self->event_id = g_strdup (event_id);
  self->exception = eb_exception_copy (exception);
  return self;
}

void
eb_dead_letter_free (EbDeadLetter *self)
{
  g_free (self->event_id);
  eb_exception_free (self->exception);
  g_free (self);
}
