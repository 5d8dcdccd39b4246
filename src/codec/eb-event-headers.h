/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-delivery-options.h"
#include "core/eb-event.h"

G_BEGIN_DECLS

/**
 * EbHeaderFunc:
 * @value: valid as an HTTP field value: printable ASCII, but for what a publisher's Content-Type
 *   has of tabs and other bytes
 */
typedef void (*EbHeaderFunc) (const char *name, const char *value, gpointer user_data);

void eb_event_foreach_header (EbEvent *event, EbMode mode, EbHeaderFunc func, gpointer user_data);
char *eb_event_header_decode (const char *value, GError **error);

G_END_DECLS
