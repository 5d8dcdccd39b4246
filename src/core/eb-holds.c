/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-holds.h"

/* A front end answers its subscriber in the main thread while a worker may have the first event
 * already, and both write to the same connection. The subscriber must read the answer first, or it
 * could not tell whose event it got. So the front end adds a hold before it subscribes and
 * releases it after it has answered; the transport looks for one when it opens a channel.
 *
 * Held are a few at a time, for as long as a call takes: a lock that is never contended for long
 * is simpler than messages between threads. */
struct _EbHolds
{
  gatomicrefcount ref_count;
  GMutex mutex;
  GHashTable *released; /* (owned) (element-type utf8 GCancellable) by subscription id */
};

/**
 * eb_holds_new:
 *
 * Returns: (transfer full): no holds
 */
EbHolds *
eb_holds_new (void)
{
  EbHolds *self = g_new0 (EbHolds, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->mutex);
  self->released = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  return self;
}

EbHolds *
eb_holds_ref (EbHolds *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
eb_holds_unref (EbHolds *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->released);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * eb_holds_add:
 * @id: of a subscription that is not held
 */
void
eb_holds_add (EbHolds *self, const char *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  g_hash_table_insert (self->released, g_strdup (id), g_cancellable_new ());
}

/**
 * eb_holds_release:
 * @id: of a subscription, held or not
 */
void
eb_holds_release (EbHolds *self, const char *id)
{
  g_autoptr (GCancellable) released = NULL;
  g_autofree char *key = NULL;

  g_mutex_lock (&self->mutex);
  g_hash_table_steal_extended (self->released, id, (gpointer *) &key, (gpointer *) &released);
  g_mutex_unlock (&self->mutex);

  /* Outside the lock: it runs whatever waits for it. */
  if (released != NULL)
    g_cancellable_cancel (released);
}

/**
 * eb_holds_lookup:
 *
 * Returns: (transfer full) (nullable): what is cancelled when the subscription is released, for
 *   g_cancellable_source_new(); NULL if nothing holds it
 */
GCancellable *
eb_holds_lookup (EbHolds *self, const char *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  GCancellable *released = g_hash_table_lookup (self->released, id);

  return released != NULL ? g_object_ref (released) : NULL;
}
