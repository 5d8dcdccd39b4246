/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-ledger.h"

G_BEGIN_DECLS

/**
 * EbDeadLetter:
 * @event_id: (owned): the event's id
 * @exception: (owned): why its delivery was given up
 *
 * A delivery that was given up, with what people know the event by.
 */
typedef struct
{
  char *event_id;
  EbException *exception;
} EbDeadLetter;

EbDeadLetter *eb_dead_letter_new (const char *event_id, const EbException *exception);
void eb_dead_letter_free (EbDeadLetter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDeadLetter, eb_dead_letter_free)

G_END_DECLS
