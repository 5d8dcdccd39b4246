/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_query_get (const char *query, const char *name, char **value, GError **error);
char *eb_query_find_bad_escape (const char *text);
char **eb_query_get_all (const char *query, const char *name, GError **error);
gboolean eb_query_get_once (const char *query, const char *name, char **value, GError **error);
gboolean eb_query_get_number (
    const char *query, const char *name, guint64 min, guint64 max, guint64 *number, GError **error);
gboolean eb_query_check_names (const char *query, const char *const *names, GError **error);

G_END_DECLS
