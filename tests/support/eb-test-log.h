/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void eb_test_drop_log (void);
void eb_test_drop_store_failures (void);

G_END_DECLS
