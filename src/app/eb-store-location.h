/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_store_location_parse (const char *value, char **path, GError **error);
char *eb_store_location_dup_default_path (void);

G_END_DECLS
