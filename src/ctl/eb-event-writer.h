/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

#include "ctl/eb-arrival.h"
#include "ctl/eb-event-format.h"

G_BEGIN_DECLS

#define EB_TYPE_EVENT_WRITER (eb_event_writer_get_type ())
G_DECLARE_FINAL_TYPE (EbEventWriter, eb_event_writer, EB, EVENT_WRITER, GObject)

EbEventWriter *eb_event_writer_new (int fd, EbEventFormat format, guint count);
void eb_event_writer_open (EbEventWriter *self);
void eb_event_writer_take (EbEventWriter *self, EbArrival *arrival);
gboolean eb_event_writer_is_busy (EbEventWriter *self);

G_END_DECLS
