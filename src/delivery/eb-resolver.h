/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "core/eb-clock.h"

G_BEGIN_DECLS

/**
 * EbLookupFunc:
 * @name: a host name in lower case
 *
 * Finds the addresses of a name. It is called in a thread of its own and may block.
 *
 * Returns: (transfer full) (element-type GInetAddress): at least one address, or NULL with an error
 */
typedef GList *(*EbLookupFunc) (const char *name, gpointer user_data, GError **error);

#define EB_TYPE_RESOLVER (eb_resolver_get_type ())
G_DECLARE_FINAL_TYPE (EbResolver, eb_resolver, EB, RESOLVER, GResolver)

GResolver *eb_resolver_new (EbClock *clock, EbLookupFunc lookup, gpointer user_data);

G_END_DECLS
