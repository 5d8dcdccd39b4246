/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-log.h"

G_BEGIN_DECLS

typedef struct _EbWindow EbWindow;

/**
 * EbWindowBounds:
 * @oldest: sequence of the oldest event that the log has, in the window or behind it; @head + 1
 *   when there is none
 * @first: sequence of the oldest event in the window; @head + 1 when there is none
 * @head: sequence of the newest event
 */
typedef struct
{
  guint64 oldest;
  guint64 first;
  guint64 head;
} EbWindowBounds;

/**
 * EbWindowBehindFunc:
 * @task: (transfer full): returns an #EbPage
 * @after: the page begins with the first event after it
 * @max_bytes: bound on the events' charges together
 *
 * Answers a read that begins behind the window. Called from any thread, without locks.
 */
typedef void (*EbWindowBehindFunc) (GTask *task,
                                    guint64 after,
                                    gsize max_bytes,
                                    gpointer user_data);

EbWindow *
eb_window_new (guint64 oldest, guint64 head, EbWindowBehindFunc behind, gpointer user_data);
void eb_window_free (EbWindow *self);
void eb_window_configure (EbWindow *self, gsize max_bytes, GTimeSpan max_age);
void eb_window_add (EbWindow *self, EbEvent *const *events, guint n_events, gint64 now_us);
void eb_window_wake (EbWindow *self);
void eb_window_read (
    EbWindow *self, GTask *task, guint64 after, gsize max_bytes, EbLogWait wait, gint64 now_us);
void eb_window_forget (EbWindow *self, guint64 oldest);
void eb_window_get_bounds (EbWindow *self, EbWindowBounds *bounds);
void eb_window_close (EbWindow *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbWindow, eb_window_free)

G_END_DECLS
