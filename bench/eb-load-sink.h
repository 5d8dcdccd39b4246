/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench/eb-load-loop.h"
#include "bench/eb-load-tally.h"

G_BEGIN_DECLS

typedef struct _EbLoadSink EbLoadSink;

EbLoadSink *
eb_load_sink_new (EbLoadLoop *loop, EbLoadTally *tally, guint n_sinks, guint drop_every);
void eb_load_sink_free (EbLoadSink *sink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbLoadSink, eb_load_sink_free)

void eb_load_sink_open (EbLoadSink *sink);
void eb_load_sink_answer (EbLoadSink *sink);
guint16 eb_load_sink_get_port (EbLoadSink *sink);
guint16 eb_load_sink_get_refusing_port (EbLoadSink *sink);
guint eb_load_sink_get_n_accepted (EbLoadSink *sink);
guint eb_load_sink_get_n_malformed (EbLoadSink *sink);

G_END_DECLS
