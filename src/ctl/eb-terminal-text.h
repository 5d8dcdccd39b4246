/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void eb_terminal_text_append (GString *out, const char *text, gsize length);
char *eb_terminal_text_line (const char *text);

G_END_DECLS
