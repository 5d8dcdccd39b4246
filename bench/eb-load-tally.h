/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench/eb-load-histogram.h"

G_BEGIN_DECLS

#define EB_LOAD_PHASES 2

/**
 * EbLoadPhase:
 * @first_event: the first event of the phase
 * @n_events: how many events it has
 * @start_ns: when its first event was begun to be sent; 0 before any arrived
 * @end_ns: when the last delivery arrived
 * @deliveries: how many arrived, repeats not counted
 * @head_bytes: what their request heads were, together
 * @latency: publish to delivery, in nanoseconds
 *
 * A part of a run that is measured by itself: the first includes connecting, the second does not.
 */
typedef struct
{
  guint first_event;
  guint n_events;
  guint64 start_ns;
  guint64 end_ns;
  guint64 deliveries;
  guint64 head_bytes;
  EbLoadHistogram latency;
} EbLoadPhase;

typedef struct _EbLoadTally EbLoadTally;

EbLoadTally *eb_load_tally_new (guint n_sinks, guint warmup_events, guint events);
void eb_load_tally_free (EbLoadTally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbLoadTally, eb_load_tally_free)

void eb_load_tally_acked (EbLoadTally *tally, guint event);
void eb_load_tally_arrived (
    EbLoadTally *tally, guint sink, const char *body, gsize size, gsize head_bytes);

const EbLoadPhase *eb_load_tally_get_phase (EbLoadTally *tally, guint phase);
gboolean eb_load_tally_phase_is_complete (EbLoadTally *tally, guint phase);
guint eb_load_tally_get_n_complete (EbLoadTally *tally);
guint64 eb_load_tally_get_last_arrival_ns (EbLoadTally *tally);
guint64 eb_load_tally_count_lost (EbLoadTally *tally);
guint64 eb_load_tally_get_repeats (EbLoadTally *tally);
guint64 eb_load_tally_get_corrupt (EbLoadTally *tally);

G_END_DECLS
