/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_uri_is_reference (const char *value);
gboolean eb_uri_is_absolute (const char *value);

G_END_DECLS
