/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"

G_BEGIN_DECLS

typedef struct _EbDeadlines EbDeadlines;
typedef struct _EbDeadlineClass EbDeadlineClass;

/**
 * EbDeadline:
 *
 * One thing's deadline. Embed it in the thing, zero-filled; only #EbDeadlines reads or writes it.
 */
typedef struct
{
  GList link;             /* in its class's queue; data is the EbDeadline itself */
  EbDeadlineClass *klass; /* (nullable): NULL while not set */
  gint64 due_us;
} EbDeadline;

/**
 * EbDeadlineFunc:
 * @deadline: what has passed; no longer set, and may be set again or freed from here
 */
typedef void (*EbDeadlineFunc) (EbDeadline *deadline, gpointer user_data);

EbDeadlines *
eb_deadlines_new (EbClock *clock, GMainContext *context, EbDeadlineFunc passed, gpointer user_data);
void eb_deadlines_free (EbDeadlines *self);
void eb_deadlines_set (EbDeadlines *self, EbDeadline *deadline, GTimeSpan length);
void eb_deadlines_clear (EbDeadlines *self, EbDeadline *deadline);

/**
 * eb_deadline_get_owner:
 * @Type: the struct that @deadline is embedded in
 * @field: its name there
 *
 * Returns: (type gpointer): that struct
 */
#define eb_deadline_get_owner(deadline, Type, field)                                               \
  ((Type *) (gpointer) ((char *) (deadline) -G_STRUCT_OFFSET (Type, field)))

static inline gboolean
eb_deadline_is_set (const EbDeadline *deadline)
{
  return deadline->klass != NULL;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbDeadlines, eb_deadlines_free)

G_END_DECLS
