/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * EbLogModel:
 *
 * Which publications are which events, as publishers, subscribers and readers are told, over all
 * the daemon's lives. What must not be so ends the program, with what was wrong.
 */
typedef struct _EbLogModel EbLogModel;

EbLogModel *eb_log_model_new (void);
void eb_log_model_free (EbLogModel *self);
guint eb_log_model_publish (EbLogModel *self, guint n_events);
void eb_log_model_refuse (EbLogModel *self, guint serial, guint n_events);
void eb_log_model_see (EbLogModel *self, guint64 sequence, guint serial);
void eb_log_model_check (EbLogModel *self, guint64 head);

G_END_DECLS
