/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "core/eb-due-heap.h"
#include "core/eb-ledger.h"
#include "delivery/eb-parcel.h"

G_BEGIN_DECLS

/* Deliveries of one subscription that others may have passed; with more of them it holds the
 * line. */
#define EB_MAX_ASIDE 1000

/**
 * EbAsideState:
 * @EB_ASIDE_AHEAD: the log was not read up to its event again since the daemon started
 * @EB_ASIDE_WAITING: until it is due
 * @EB_ASIDE_FETCHING: for its event
 * @EB_ASIDE_FETCHED: for the other events of its batch
 */
typedef enum
{
  EB_ASIDE_AHEAD,
  EB_ASIDE_WAITING,
  EB_ASIDE_FETCHING,
  EB_ASIDE_FETCHED,
} EbAsideState;

/**
 * EbAsideEntry:
 * @due: monotonic time; set in the heap only while WAITING
 * @attempts: made so far
 * @n_failures: of those, how many the retry schedule counts
 * @dead: it was given up, so it is passed over; only while AHEAD
 * @held: its sink had asked to be left alone; only while AHEAD
 * @stopped: the daemon ended while it was under way: no sink refused it; only while AHEAD
 * @first_us: real time at which the first one failed
 * @batch: the last sequence of the batch that it is of; 0 for none
 * @parcel: (owned) (nullable): its event; only while FETCHED
 *
 * An event that waits for its retry, alone or with its batch. It is in the log, not here.
 */
typedef struct
{
  EbDue due;
  guint64 sequence;
  guint64 previous;
  guint64 batch;
  EbParcel *parcel;
  gint64 first_us;
  guint attempts;
  guint n_failures;
  gboolean dead;
  gboolean held;
  gboolean stopped;
  EbAsideState state;
} EbAsideEntry;

/**
 * EbAside:
 *
 * The deliveries of one subscription that wait aside.
 */
typedef struct _EbAside EbAside;

EbAside *eb_aside_new (void);
void eb_aside_free (EbAside *self);
EbAsideEntry *
eb_aside_add (EbAside *self, const EbAsideEntry *entry, EbAsideState state, gint64 due_us);
EbAsideEntry *eb_aside_lookup (EbAside *self, guint64 sequence);
EbAsideEntry *eb_aside_lookup_ahead (EbAside *self, guint64 sequence);
void eb_aside_set_state (EbAside *self, EbAsideEntry *entry, EbAsideState state, gint64 due_us);
void eb_aside_set_fetched (EbAside *self, EbAsideEntry *entry, EbParcel *parcel);
GPtrArray *eb_aside_find_batch (EbAside *self, guint64 batch);
void eb_aside_remove (EbAside *self, EbAsideEntry *entry);
GArray *eb_aside_lose (EbAside *self, guint64 up_to);
guint eb_aside_get_size (EbAside *self);
guint eb_aside_get_n_passed (EbAside *self);
EbAsideEntry *eb_aside_first (EbAside *self);
void eb_aside_foreach (EbAside *self,
                       void (*func) (EbAsideEntry *entry, gpointer user_data),
                       gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbAside, eb_aside_free)

G_END_DECLS
