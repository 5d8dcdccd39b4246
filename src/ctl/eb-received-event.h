/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _EbReceivedEvent EbReceivedEvent;

EbReceivedEvent *eb_received_event_new (SoupMessageHeaders *headers, GBytes *data);
void eb_received_event_free (EbReceivedEvent *self);

const char *eb_received_event_get_attribute (const EbReceivedEvent *self, const char *name);
GList *eb_received_event_list_extensions (const EbReceivedEvent *self);
const char *eb_received_event_get_content_type (const EbReceivedEvent *self);
const char *eb_received_event_get_delivery_id (const EbReceivedEvent *self);
guint64 eb_received_event_get_sequence (const EbReceivedEvent *self);
guint64 eb_received_event_get_previous (const EbReceivedEvent *self);
gboolean eb_received_event_is_repeat (const EbReceivedEvent *self);
GBytes *eb_received_event_get_data (const EbReceivedEvent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbReceivedEvent, eb_received_event_free)

G_END_DECLS
