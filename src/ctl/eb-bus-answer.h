/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

GBytes *eb_bus_answer_check (
    const char *bus, SoupMessage *message, GBytes *body, const GError *failure, GError **error);

G_END_DECLS
