/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

#include "codec/eb-json-value.h"
#include "core/eb-filter.h"

G_BEGIN_DECLS

gboolean
eb_filters_read (const EbJsonValue *value, const char *path, EbFilter **filter, GError **error);
void eb_filters_write (JsonBuilder *builder, const EbFilter *filter);

G_END_DECLS
