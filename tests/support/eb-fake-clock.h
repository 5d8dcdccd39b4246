/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-clock.h"

G_BEGIN_DECLS

#define EB_TYPE_FAKE_CLOCK (eb_fake_clock_get_type ())
G_DECLARE_FINAL_TYPE (EbFakeClock, eb_fake_clock, EB, FAKE_CLOCK, GObject)

EbFakeClock *eb_fake_clock_new (void);
void eb_fake_clock_advance (EbFakeClock *self, GTimeSpan by);
void eb_fake_clock_step_real (EbFakeClock *self, GTimeSpan by);

G_END_DECLS
