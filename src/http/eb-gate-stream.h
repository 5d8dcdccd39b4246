/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define EB_TYPE_GATE_STREAM (eb_gate_stream_get_type ())
G_DECLARE_FINAL_TYPE (EbGateStream, eb_gate_stream, EB, GATE_STREAM, GIOStream)

/**
 * EbGateClosedFunc:
 *
 * Whoever had the stream is done with the connection too.
 */
typedef void (*EbGateClosedFunc) (gpointer user_data);

EbGateStream *eb_gate_stream_new (const guint8 *request,
                                  gsize n_bytes,
                                  GOutputStream *output,
                                  EbGateClosedFunc closed,
                                  gpointer user_data);
void eb_gate_stream_release (EbGateStream *self);

G_END_DECLS
