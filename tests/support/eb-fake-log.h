/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

#define EB_TYPE_FAKE_LOG (eb_fake_log_get_type ())
G_DECLARE_FINAL_TYPE (EbFakeLog, eb_fake_log, EB, FAKE_LOG, GObject)

EbLog *eb_fake_log_new (EbClock *clock);
void eb_fake_log_set_failing (EbFakeLog *self, gboolean failing);
guint eb_fake_log_get_n_failed (EbFakeLog *self);
void eb_fake_log_delay_answers (EbFakeLog *self);
void eb_fake_log_keep_last (EbFakeLog *self);

G_END_DECLS
