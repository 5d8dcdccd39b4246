/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _EbSink EbSink;

/**
 * EbSinkKind:
 * @EB_SINK_HTTP: an http:// URL
 * @EB_SINK_HTTPS: an https:// URL
 * @EB_SINK_PEER: a D-Bus peer, by its unique name
 */
typedef enum
{
  EB_SINK_HTTP,
  EB_SINK_HTTPS,
  EB_SINK_PEER,
} EbSinkKind;

EbSink *eb_sink_new_for_address (const char *address, GError **error);
EbSink *eb_sink_new_for_uri (const char *uri, GError **error);
EbSink *eb_sink_new_for_peer (const char *unique_name);
EbSink *eb_sink_ref (EbSink *self);
void eb_sink_unref (EbSink *self);

EbSinkKind eb_sink_get_kind (const EbSink *self);
const char *eb_sink_get_uri (const EbSink *self);
const char *eb_sink_get_host (const EbSink *self);
guint16 eb_sink_get_port (const EbSink *self);
const char *eb_sink_get_target (const EbSink *self);
GInetAddress *eb_sink_dup_literal (const EbSink *self);
char *eb_sink_dup_authority (const EbSink *self);
char *eb_sink_dup_label (const EbSink *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSink, eb_sink_unref)

G_END_DECLS
