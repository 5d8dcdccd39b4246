/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

void eb_json_writer_add_string (JsonBuilder *builder, const char *name, const char *value);
void eb_json_writer_add_integer (JsonBuilder *builder, const char *name, gint64 value);
void eb_json_writer_add_time (JsonBuilder *builder, const char *name, gint64 real_us);
char *eb_json_writer_finish (JsonBuilder *builder);

G_END_DECLS
