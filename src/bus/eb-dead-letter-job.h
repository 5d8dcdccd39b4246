/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-private.h"

G_BEGIN_DECLS

/**
 * EbDeadLetterJob:
 * @bus: (owned)
 * @subscription: (owned)
 * @sequences: (owned) (nullable) (element-type guint64): in order, each once; NULL for all
 * @letters: (owned) (nullable) (element-type EbException): chosen
 * @after: of all, those after this sequence
 * @room: how many may be set aside
 * @left: how many more there are, counted up to %EB_DEAD_LETTERS_MAX
 * @begun: its id is in the bus's table
 *
 * Of a caller who wants to end some of the dead letters of a subscription.
 */
typedef struct
{
  EbBus *bus;
  EbSubscription *subscription;
  GArray *sequences;
  GPtrArray *letters;
  guint64 after;
  guint room;
  guint left;
  gboolean begun;
} EbDeadLetterJob;

gboolean eb_dead_letter_job_begin (EbBus *self, GTask *task, const char *id, GArray *sequences);
const char *eb_dead_letter_job_get_id (EbDeadLetterJob *job);
gboolean eb_dead_letter_job_is_current (EbDeadLetterJob *job, GError **error);
void eb_dead_letter_job_return_done (GTask *task);
void eb_dead_letter_job_return_failure (GTask *task, GError *error);

G_END_DECLS
