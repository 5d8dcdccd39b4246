/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bus/eb-bus-private.h"

G_BEGIN_DECLS

typedef struct _EbDeadLetterJob EbDeadLetterJob;

/**
 * EbDeadLetterFunc:
 * @task: (transfer full): whose data @job is
 *
 * What is to be done when it is a job's turn.
 */
typedef void (*EbDeadLetterFunc) (GTask *task, EbDeadLetterJob *job);

/**
 * EbDeadLetterJob:
 * @bus: (owned)
 * @id: (owned): whose dead letters
 * @subscription: (owned) (nullable): that has @id; NULL until it is the job's turn
 * @sequences: (owned) (nullable) (element-type guint64): in order, each once; NULL for all
 * @letters: (owned) (nullable) (element-type EbException): chosen
 * @after: of all, those after this sequence
 * @room: how many may be set aside
 * @left: how many more there are, counted up to %EB_DEAD_LETTERS_MAX
 * @begun: its id is in the bus's table
 * @go_on: when it is the job's turn
 *
 * Of a caller who wants to end some of the dead letters of a subscription.
 */
struct _EbDeadLetterJob
{
  EbBus *bus;
  char *id;
  EbSubscription *subscription;
  GArray *sequences;
  GPtrArray *letters;
  guint64 after;
  guint room;
  guint left;
  gboolean begun;
  EbDeadLetterFunc go_on;
};

void eb_dead_letter_job_run (EbBus *self,
                             const char *id,
                             GArray *sequences,
                             guint64 after,
                             EbDeadLetterFunc go_on,
                             GTask *task);
gboolean eb_dead_letter_job_is_current (EbDeadLetterJob *job, GError **error);
void eb_dead_letter_job_return_done (GTask *task);
void eb_dead_letter_job_return_failure (GTask *task, GError *error);

G_END_DECLS
