/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_sequence_parse (const char *text, guint64 min, guint64 *sequence);
GArray *eb_sequences_parse_list (const char *text, GError **error);
gboolean eb_sequences_parse_json (GBytes *bytes, GArray **sequences, GError **error);

G_END_DECLS
