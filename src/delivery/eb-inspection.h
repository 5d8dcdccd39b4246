/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "delivery/eb-attempt-record.h"

G_BEGIN_DECLS

/**
 * EbInspection:
 * @state: `active`, `paused`, `disabled`, `unreachable`, `held` or `lagging`
 * @cursor: everything up to it has ended or is an exception
 * @last_error: (owned) (nullable): of the last attempt, if that failed
 * @attempts: (owned) (element-type EbAttemptRecord): the last ones, the newest first
 *
 * What a worker knows of one subscription.
 */
typedef struct
{
  const char *state;
  guint64 cursor;
  char *last_error;
  GPtrArray *attempts;
} EbInspection;

void eb_inspection_free (EbInspection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbInspection, eb_inspection_free)

G_END_DECLS
