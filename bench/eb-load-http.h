/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_load_http_frame (const char *data, gsize size, gsize *head, gsize *body);
int eb_load_http_status (const char *data, gsize size);

G_END_DECLS
