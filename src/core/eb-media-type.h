/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_media_type_is_valid (const char *value);
gboolean eb_media_type_is (const char *value, const char *essence);
gboolean eb_media_type_is_json (const char *value);
gboolean eb_media_type_is_utf8 (const char *value);
gboolean eb_media_type_is_utf8_text (const char *value);

G_END_DECLS
