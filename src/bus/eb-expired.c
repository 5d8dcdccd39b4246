/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-expired.h"

/* Lives in the thread of its owner, who sees to it that there are not too many. */
struct _EbExpired
{
  GHashTable *entries; /* (owned) (element-type utf8 EbExpiredEntry) by subscription id */
  GQueue order;        /* (element-type EbExpiredEntry) the first to expire first */
};

static void
entry_free (EbExpiredEntry *entry)
{
  eb_subscription_unref (entry->subscription);
  g_clear_pointer (&entry->batches, g_array_unref);
  g_free (entry);
}

EbExpired *
eb_expired_new (void)
{
  EbExpired *self = g_new0 (EbExpired, 1);

  self->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) entry_free);
  return self;
}

void
eb_expired_free (EbExpired *self)
{
  g_hash_table_unref (self->entries);
  g_free (self);
}

/**
 * eb_expired_add:
 * @subscription: of whose id there is none
 * @expired_us: real time
 *
 * Returns: (transfer none): its entry, to be filled
 */
EbExpiredEntry *
eb_expired_add (EbExpired *self, EbSubscription *subscription, gint64 expired_us)
{
  EbExpiredEntry *entry = g_new0 (EbExpiredEntry, 1);
  GList *later = NULL;

  entry->link.data = entry;
  entry->subscription = eb_subscription_ref (subscription);
  entry->expired_us = expired_us;
  g_hash_table_insert (self->entries, (gpointer) eb_subscription_get_id (subscription), entry);
  /* Mostly it is the last. */
  for (GList *link = self->order.tail;
       link != NULL && ((EbExpiredEntry *) link->data)->expired_us > expired_us; link = link->prev)
    later = link;
  g_queue_insert_before_link (&self->order, later, &entry->link);
  return entry;
}

/**
 * eb_expired_lookup:
 *
 * Returns: (transfer none) (nullable): the one that had that id
 */
EbExpiredEntry *
eb_expired_lookup (EbExpired *self, const char *id)
{
  return g_hash_table_lookup (self->entries, id);
}

/**
 * eb_expired_has:
 *
 * Returns: whether @subscription is there, and not another one that had its id
 */
gboolean
eb_expired_has (EbExpired *self, EbSubscription *subscription)
{
  EbExpiredEntry *entry = eb_expired_lookup (self, eb_subscription_get_id (subscription));

  return entry != NULL
         && eb_subscription_get_identity (entry->subscription)
                == eb_subscription_get_identity (subscription);
}

/**
 * eb_expired_first:
 *
 * Returns: (transfer none) (nullable): the one that expired first
 */
EbExpiredEntry *
eb_expired_first (EbExpired *self)
{
  return g_queue_peek_head (&self->order);
}

guint
eb_expired_get_size (EbExpired *self)
{
  return self->order.length;
}

/**
 * eb_expired_remove:
 * @entry: is freed
 */
void
eb_expired_remove (EbExpired *self, EbExpiredEntry *entry)
{
  g_queue_unlink (&self->order, &entry->link);
  g_hash_table_remove (self->entries, eb_subscription_get_id (entry->subscription));
}
