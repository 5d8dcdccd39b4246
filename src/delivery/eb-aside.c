/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "delivery/eb-aside.h"

#include "core/eb-sequence.h"

/* A thousand of these wait for a sink that fails, and there may be thousands of such sinks: an
 * entry is numbers only. Lives in its worker's thread. */
struct _EbAside
{
  GHashTable *entries; /* (owned) (element-type guint64 EbAsideEntry) by sequence */
  EbDueHeap *waiting;  /* (owned) those that wait */
  guint n_ahead;
};

static void
entry_free (EbAsideEntry *entry)
{
  g_clear_pointer (&entry->parcel, eb_parcel_unref);
  g_free (entry);
}

EbAside *
eb_aside_new (void)
{
  EbAside *self = g_new0 (EbAside, 1);

  self->entries =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) entry_free);
  self->waiting = eb_due_heap_new ();
  return self;
}

void
eb_aside_free (EbAside *self)
{
  eb_due_heap_free (self->waiting);
  g_hash_table_unref (self->entries);
  g_free (self);
}

/* Takes it out of what its state has put it in. */
static void
leave_state (EbAside *self, EbAsideEntry *entry)
{
  if (entry->state == EB_ASIDE_AHEAD)
    self->n_ahead--;
  eb_due_heap_clear (self->waiting, &entry->due);
  g_clear_pointer (&entry->parcel, eb_parcel_unref);
}

static void
enter_state (EbAside *self, EbAsideEntry *entry, EbAsideState state, gint64 due_us)
{
  entry->state = state;
  entry->due.due_us = due_us;
  if (state == EB_ASIDE_AHEAD)
    self->n_ahead++;
  else if (state == EB_ASIDE_WAITING)
    eb_due_heap_set (self->waiting, &entry->due, due_us);
}

/**
 * eb_aside_add:
 * @entry: its numbers are copied
 * @due_us: monotonic time
 *
 * Returns: (transfer none): what is kept
 */
EbAsideEntry *
eb_aside_add (EbAside *self, const EbAsideEntry *entry, EbAsideState state, gint64 due_us)
{
  EbAsideEntry *copy = g_memdup2 (entry, sizeof *entry);

  copy->due.place = 0;
  copy->parcel = NULL;
  g_hash_table_insert (self->entries, &copy->sequence, copy);
  enter_state (self, copy, state, due_us);
  return copy;
}

/**
 * eb_aside_lookup:
 *
 * Returns: (transfer none) (nullable): the entry of the event, whatever its state
 */
EbAsideEntry *
eb_aside_lookup (EbAside *self, guint64 sequence)
{
  return g_hash_table_lookup (self->entries, &sequence);
}

/**
 * eb_aside_lookup_ahead:
 *
 * Returns: (transfer none) (nullable): the entry of the event, if it is ahead
 */
EbAsideEntry *
eb_aside_lookup_ahead (EbAside *self, guint64 sequence)
{
  EbAsideEntry *entry = self->n_ahead > 0 ? eb_aside_lookup (self, sequence) : NULL;

  return entry != NULL && entry->state == EB_ASIDE_AHEAD ? entry : NULL;
}

void
eb_aside_set_state (EbAside *self, EbAsideEntry *entry, EbAsideState state, gint64 due_us)
{
  leave_state (self, entry);
  enter_state (self, entry, state, due_us);
}

/**
 * eb_aside_set_fetched:
 * @parcel: its event; is referenced
 */
void
eb_aside_set_fetched (EbAside *self, EbAsideEntry *entry, EbParcel *parcel)
{
  eb_aside_set_state (self, entry, EB_ASIDE_FETCHED, 0);
  entry->parcel = eb_parcel_ref (parcel);
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const EbAsideEntry *const *entry_a = a, *const *entry_b = b;

  return eb_sequence_compare (&(*entry_a)->sequence, &(*entry_b)->sequence);
}

/**
 * eb_aside_find_batch:
 * @batch: not 0
 *
 * Returns: (transfer container) (element-type EbAsideEntry): the events of a batch, in order, that
 *   are not ahead
 */
GPtrArray *
eb_aside_find_batch (EbAside *self, guint64 batch)
{
  GPtrArray *found = g_ptr_array_new ();
  GHashTableIter iter;
  EbAsideEntry *entry;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &entry))
    if (entry->batch == batch && entry->state != EB_ASIDE_AHEAD)
      g_ptr_array_add (found, entry);
  g_ptr_array_sort (found, compare_entries);
  return found;
}

void
eb_aside_remove (EbAside *self, EbAsideEntry *entry)
{
  leave_state (self, entry);
  g_hash_table_remove (self->entries, &entry->sequence);
}

/**
 * eb_aside_lose:
 * @up_to: the log has no events up to this one any more
 *
 * Removes what waits for one of them. What was fetched, or is being, stays: the fetch says what
 * became of it.
 *
 * Returns: (transfer full) (element-type guint64): the sequences of those that were not given up,
 *   in order
 */
GArray *
eb_aside_lose (EbAside *self, guint64 up_to)
{
  GArray *lost = g_array_new (FALSE, FALSE, sizeof (guint64));
  GHashTableIter iter;
  EbAsideEntry *entry;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &entry))
    if (entry->sequence <= up_to && entry->state != EB_ASIDE_FETCHING
        && entry->state != EB_ASIDE_FETCHED)
      {
        if (!entry->dead)
          g_array_append_val (lost, entry->sequence);
        leave_state (self, entry);
        g_hash_table_iter_remove (&iter);
      }
  g_array_sort (lost, eb_sequence_compare);
  return lost;
}

guint
eb_aside_get_size (EbAside *self)
{
  return g_hash_table_size (self->entries);
}

/**
 * eb_aside_get_n_passed:
 *
 * Returns: how many are not ahead
 */
guint
eb_aside_get_n_passed (EbAside *self)
{
  return g_hash_table_size (self->entries) - self->n_ahead;
}

/**
 * eb_aside_first:
 *
 * Returns: (transfer none) (nullable): the one that is due first among those that wait
 */
EbAsideEntry *
eb_aside_first (EbAside *self)
{
  EbDue *first = eb_due_heap_first (self->waiting);

  return first != NULL ? eb_due_get_owner (first, EbAsideEntry, due) : NULL;
}

/**
 * eb_aside_foreach:
 * @func: must not add or remove any
 *
 * In no particular order.
 */
void
eb_aside_foreach (EbAside *self,
                  void (*func) (EbAsideEntry *entry, gpointer user_data),
                  gpointer user_data)
{
  GHashTableIter iter;
  EbAsideEntry *entry;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &entry))
    func (entry, user_data);
}
