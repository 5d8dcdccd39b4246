/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"
#include "core/eb-log.h"

G_BEGIN_DECLS

#define EB_TYPE_MEMORY_LOG (eb_memory_log_get_type ())
G_DECLARE_FINAL_TYPE (EbMemoryLog, eb_memory_log, EB, MEMORY_LOG, GObject)

EbLog *eb_memory_log_new (EbClock *clock);
void eb_memory_log_configure (EbMemoryLog *self, gsize max_bytes, GTimeSpan max_age);
void eb_memory_log_set_deduplication (EbMemoryLog *self, GTimeSpan window);

G_END_DECLS
