/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench/eb-load-tally.h"

#include "bench/eb-load-payload.h"

/* Who got what: one bit for every pair of sink and event, so that losses and repeats are counted
 * and not guessed from totals. Owned by the run; lives in its one thread. */

struct _EbLoadTally
{
  guint n_sinks;
  guint n_events;
  guint n_complete;    /* events that every sink has */
  guint8 *seen;        /* (owned): a bit for each sink of each event, event by event */
  guint32 *n_arrived;  /* (owned): by event, at how many sinks it has arrived */
  gboolean *acked;     /* (owned): by event, whether its publisher was told that it is taken */
  EbLoadPayload model; /* what the fixed bytes of every body are compared with */
  guint64 repeats;
  guint64 corrupt;         /* bodies that are not ours, or not whole */
  guint64 last_arrival_ns; /* 0 before the first */
  EbLoadPhase phases[EB_LOAD_PHASES];
};

/**
 * eb_load_tally_new:
 * @n_sinks: how many sinks every event goes to
 * @warmup_events: the events of phase 0
 * @events: the events of phase 1, numbered on from there
 *
 * Returns: (transfer full): a tally in which nothing has arrived
 */
EbLoadTally *
eb_load_tally_new (guint n_sinks, guint warmup_events, guint events)
{
  EbLoadTally *tally = g_new0 (EbLoadTally, 1);

  tally->n_sinks = n_sinks;
  tally->n_events = warmup_events + events;
  tally->seen = g_malloc0 (((gsize) n_sinks * tally->n_events + 7) / 8);
  tally->n_arrived = g_new0 (guint32, tally->n_events);
  tally->acked = g_new0 (gboolean, tally->n_events);
  eb_load_payload_init (&tally->model, 0, 0);
  tally->phases[0].n_events = warmup_events;
  tally->phases[1].first_event = warmup_events;
  tally->phases[1].n_events = events;

  return tally;
}

/**
 * eb_load_tally_free:
 * @tally: (transfer full): a tally
 */
void
eb_load_tally_free (EbLoadTally *tally)
{
  g_free (tally->seen);
  g_free (tally->n_arrived);
  g_free (tally->acked);
  g_free (tally);
}

/**
 * eb_load_tally_acked:
 * @tally: a tally
 * @event: an event that was accepted: from now on it is owed to every sink
 */
void
eb_load_tally_acked (EbLoadTally *tally, guint event)
{
  tally->acked[event] = TRUE;
}

/* Returns whether the bit was clear. */
static gboolean
mark_seen (EbLoadTally *tally, guint sink, guint event)
{
  gsize bit = (gsize) event * tally->n_sinks + sink;
  guint8 mask = (guint8) (1u << bit % 8);

  if (tally->seen[bit / 8] & mask)
    return FALSE;

  tally->seen[bit / 8] |= mask;
  return TRUE;
}

/**
 * eb_load_tally_arrived:
 * @tally: a tally
 * @sink: the sink that read it
 * @body: (array length=size): the body of the request
 * @size: its length in bytes
 * @head_bytes: the length of the request's head
 *
 * Counts a delivery at the moment of the call.
 */
void
eb_load_tally_arrived (
    EbLoadTally *tally, guint sink, const char *body, gsize size, gsize head_bytes)
{
  EbLoadPayload payload;
  EbLoadPhase *phase;
  guint64 now = eb_load_now_ns ();

  if (!eb_load_payload_parse (&payload, &tally->model, body, size)
      || payload.event >= tally->n_events)
    {
      tally->corrupt++;
      return;
    }
  if (!mark_seen (tally, sink, (guint) payload.event))
    {
      tally->repeats++;
      return;
    }
  if (++tally->n_arrived[payload.event] == tally->n_sinks)
    tally->n_complete++;

  phase = &tally->phases[payload.event >= tally->phases[1].first_event];
  if (phase->start_ns == 0 || payload.sent_ns < phase->start_ns)
    phase->start_ns = payload.sent_ns;
  phase->end_ns = now;
  phase->deliveries++;
  phase->head_bytes += head_bytes;
  eb_load_histogram_add (&phase->latency, now - payload.sent_ns);
  tally->last_arrival_ns = now;
}

/**
 * eb_load_tally_get_phase:
 * @tally: a tally
 * @phase: below %EB_LOAD_PHASES
 *
 * Returns: (transfer none): what was measured in that phase
 */
const EbLoadPhase *
eb_load_tally_get_phase (EbLoadTally *tally, guint phase)
{
  g_return_val_if_fail (phase < EB_LOAD_PHASES, NULL);

  return &tally->phases[phase];
}

/**
 * eb_load_tally_phase_is_complete:
 * @tally: a tally
 * @phase: below %EB_LOAD_PHASES
 *
 * Returns: whether every sink has every event of the phase
 */
gboolean
eb_load_tally_phase_is_complete (EbLoadTally *tally, guint phase)
{
  const EbLoadPhase *measured = eb_load_tally_get_phase (tally, phase);

  return measured->deliveries == (guint64) measured->n_events * tally->n_sinks;
}

/**
 * eb_load_tally_get_n_complete:
 * @tally: a tally
 *
 * Returns: how many events have arrived at every sink
 */
guint
eb_load_tally_get_n_complete (EbLoadTally *tally)
{
  return tally->n_complete;
}

/**
 * eb_load_tally_get_last_arrival_ns:
 * @tally: a tally
 *
 * Returns: when the last delivery arrived; 0 before the first
 */
guint64
eb_load_tally_get_last_arrival_ns (EbLoadTally *tally)
{
  return tally->last_arrival_ns;
}

/**
 * eb_load_tally_count_lost:
 * @tally: a tally
 *
 * Returns: how many deliveries of accepted events have not arrived
 */
guint64
eb_load_tally_count_lost (EbLoadTally *tally)
{
  guint64 lost = 0;

  for (guint i = 0; i < tally->n_events; i++)
    if (tally->acked[i])
      lost += tally->n_sinks - tally->n_arrived[i];

  return lost;
}

/**
 * eb_load_tally_get_repeats:
 * @tally: a tally
 *
 * Returns: how many deliveries arrived that the same sink had before
 */
guint64
eb_load_tally_get_repeats (EbLoadTally *tally)
{
  return tally->repeats;
}

/**
 * eb_load_tally_get_corrupt:
 * @tally: a tally
 *
 * Returns: how many bodies arrived that were not what was published
 */
guint64
eb_load_tally_get_corrupt (EbLoadTally *tally)
{
  return tally->corrupt;
}
