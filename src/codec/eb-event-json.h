/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-event.h"

G_BEGIN_DECLS

#define EB_EVENT_JSON_TYPE  "application/cloudevents+json"
#define EB_EVENTS_JSON_TYPE "application/cloudevents-batch+json"

void eb_event_append_json (EbEvent *event, GString *text);
char *eb_events_to_json (GPtrArray *events);

G_END_DECLS
