/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

GArray *eb_service_manager_take_sockets (void);
void eb_service_manager_notify (const char *state);

G_END_DECLS
