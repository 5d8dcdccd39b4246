/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean eb_browser_guard_check (const char *host,
                                 const char *origin,
                                 const char *const *names,
                                 const char *const *origins,
                                 GError **error);

G_END_DECLS
