/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

#include "ctl/eb-received-event.h"

G_BEGIN_DECLS

/**
 * EbEventFormat:
 * @EB_EVENT_FORMAT_HUMAN: a line about the event, then its data, indented
 * @EB_EVENT_FORMAT_RAW: the data and a newline
 * @EB_EVENT_FORMAT_JSON: a JSON object on one line
 *
 * How an event is printed.
 */
typedef enum
{
  EB_EVENT_FORMAT_HUMAN,
  EB_EVENT_FORMAT_RAW,
  EB_EVENT_FORMAT_JSON,
} EbEventFormat;

GBytes *eb_event_format (EbEventFormat format, const EbReceivedEvent *event);

G_END_DECLS
