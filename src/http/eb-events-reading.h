/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/eb-exchange.h"

G_BEGIN_DECLS

void eb_events_reading_handle_history (EbExchange *taken);
void eb_events_reading_handle_event (EbExchange *taken, const char *text);

G_END_DECLS
