/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-due-heap.h"

G_BEGIN_DECLS

typedef struct _EbAgenda EbAgenda;

/**
 * EbAgendaFunc:
 * @due: what has come due; no longer set, and may be set again or freed from here
 */
typedef void (*EbAgendaFunc) (EbDue *due, gpointer user_data);

EbAgenda *
eb_agenda_new (EbClock *clock, GMainContext *context, EbAgendaFunc passed, gpointer user_data);
void eb_agenda_free (EbAgenda *self);
void eb_agenda_set (EbAgenda *self, EbDue *due, gint64 due_us);
void eb_agenda_clear (EbAgenda *self, EbDue *due);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbAgenda, eb_agenda_free)

G_END_DECLS
