/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_types_check (const char *const *patterns, GError **error);
gboolean eb_types_match (const char *const *patterns, const char *type);
gboolean eb_types_match_start (const char *pattern, const char **type);

G_END_DECLS
