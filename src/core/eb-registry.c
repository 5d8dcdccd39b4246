/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "core/eb-registry.h"

#include "core/eb-deadlines.h"

/* Who is subscribed, and until when. Renewing is O(1), and a lease that ends costs only itself.
 *
 * Lives in the thread of its context. */
struct _EbRegistry
{
  GObject parent_instance;

  EbClock *clock;         /* (owned) */
  EbDeadlines *deadlines; /* (owned) of all leases that end */
  GHashTable *leases;     /* (owned) (element-type utf8 EbLease) by subscription id */
};

typedef struct
{
  EbSubscription *subscription; /* (owned); its id is the key in leases */
  gint64 renewed_us;            /* real time of the last keep-alive, for people */
  EbDeadline deadline;          /* not set if it never expires */
} EbLease;

enum
{
  EXPIRED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (EbRegistry, eb_registry, G_TYPE_OBJECT)

static void
lease_free (EbLease *lease)
{
  eb_subscription_unref (lease->subscription);
  g_free (lease);
}

static EbLease *
lease_from_deadline (EbDeadline *deadline)
{
  return eb_deadline_get_owner (deadline, EbLease, deadline);
}

static void
deadline_cb (EbDeadline *deadline, gpointer user_data)
{
  EbRegistry *self = user_data;
  EbLease *lease = lease_from_deadline (deadline);
  g_autoptr (EbSubscription) subscription = eb_subscription_ref (lease->subscription);

  g_hash_table_remove (self->leases, eb_subscription_get_id (subscription));
  g_signal_emit (self, signals[EXPIRED], 0, subscription);
}

static void
start_lease (EbRegistry *self, EbLease *lease)
{
  GTimeSpan length = eb_subscription_get_lease (lease->subscription);

  lease->renewed_us = eb_clock_get_real (self->clock);
  if (length > 0)
    eb_deadlines_set (self->deadlines, &lease->deadline, length);
}

/**
 * eb_registry_add:
 *
 * Returns: FALSE, and nothing changed, if there is a subscription with that id
 */
gboolean
eb_registry_add (EbRegistry *self, EbSubscription *subscription)
{
  const char *id = eb_subscription_get_id (subscription);
  EbLease *lease;

  if (g_hash_table_contains (self->leases, id))
    return FALSE;

  lease = g_new0 (EbLease, 1);
  lease->subscription = eb_subscription_ref (subscription);
  g_hash_table_insert (self->leases, (gpointer) id, lease);
  start_lease (self, lease);
  return TRUE;
}

/**
 * eb_registry_replace:
 * @subscription: takes the place of the one that has its id
 * @renewal: what becomes of the lease, if it is as long as the one before
 *
 * Returns: FALSE if there is no such subscription
 */
gboolean
eb_registry_replace (EbRegistry *self, EbSubscription *subscription, EbRenewal renewal)
{
  const char *id = eb_subscription_get_id (subscription);
  EbLease *lease = g_hash_table_lookup (self->leases, id);
  gboolean same_length;

  if (lease == NULL)
    return FALSE;
  same_length =
      eb_subscription_get_lease (lease->subscription) == eb_subscription_get_lease (subscription);
  g_hash_table_steal (self->leases, id);
  eb_subscription_unref (lease->subscription);
  lease->subscription = eb_subscription_ref (subscription);
  g_hash_table_insert (self->leases, (gpointer) eb_subscription_get_id (subscription), lease);
  if (renewal == EB_LEASE_STARTS_AGAIN || !same_length)
    {
      eb_deadlines_clear (self->deadlines, &lease->deadline);
      start_lease (self, lease);
    }
  return TRUE;
}

/**
 * eb_registry_renew:
 *
 * The lease starts again, in full.
 *
 * Returns: FALSE if there is no such subscription
 */
gboolean
eb_registry_renew (EbRegistry *self, const char *id)
{
  EbLease *lease = g_hash_table_lookup (self->leases, id);

  if (lease == NULL)
    return FALSE;
  start_lease (self, lease);
  return TRUE;
}

/**
 * eb_registry_get_renewed:
 * @id: of a subscription that there is
 *
 * Returns: monotonic time of its last keep-alive; 0 if it never expires
 */
gint64
eb_registry_get_renewed (EbRegistry *self, const char *id)
{
  EbLease *lease = g_hash_table_lookup (self->leases, id);

  g_return_val_if_fail (lease != NULL, 0);
  return eb_deadline_is_set (&lease->deadline)
             ? lease->deadline.due_us - eb_subscription_get_lease (lease->subscription)
             : 0;
}

/**
 * eb_registry_get_end:
 * @id: of a subscription that there is
 *
 * Returns: real time at which its lease ends, unless it is renewed; 0 for never
 */
gint64
eb_registry_get_end (EbRegistry *self, const char *id)
{
  EbLease *lease = g_hash_table_lookup (self->leases, id);

  g_return_val_if_fail (lease != NULL, 0);
  return eb_deadline_is_set (&lease->deadline)
             ? lease->deadline.due_us - eb_clock_get_monotonic (self->clock)
                   + eb_clock_get_real (self->clock)
             : 0;
}

/**
 * eb_registry_remove:
 *
 * Returns: FALSE if there is no such subscription
 */
gboolean
eb_registry_remove (EbRegistry *self, const char *id)
{
  EbLease *lease = g_hash_table_lookup (self->leases, id);

  if (lease == NULL)
    return FALSE;
  eb_deadlines_clear (self->deadlines, &lease->deadline);
  g_hash_table_remove (self->leases, id);
  return TRUE;
}

/**
 * eb_registry_lookup:
 *
 * Returns: (transfer none) (nullable): the subscription with that id
 */
EbSubscription *
eb_registry_lookup (EbRegistry *self, const char *id)
{
  EbLease *lease = g_hash_table_lookup (self->leases, id);

  return lease != NULL ? lease->subscription : NULL;
}

guint
eb_registry_get_size (EbRegistry *self)
{
  return g_hash_table_size (self->leases);
}

/**
 * eb_registry_foreach:
 * @func: must not change the registry
 *
 * In no particular order.
 */
void
eb_registry_foreach (EbRegistry *self, EbRegistryFunc func, gpointer user_data)
{
  GHashTableIter iter;
  EbLease *lease;

  g_hash_table_iter_init (&iter, self->leases);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &lease))
    func (lease->subscription, lease->renewed_us, user_data);
}

static void
eb_registry_finalize (GObject *object)
{
  EbRegistry *self = EB_REGISTRY (object);

  g_clear_pointer (&self->deadlines, eb_deadlines_free);
  g_clear_pointer (&self->leases, g_hash_table_unref);
  g_clear_object (&self->clock);

  G_OBJECT_CLASS (eb_registry_parent_class)->finalize (object);
}

static void
eb_registry_class_init (EbRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_registry_finalize;

  /**
   * EbRegistry::expired:
   * @subscription: (type EbSubscription): whose lease ended; the registry has it no more
   */
  signals[EXPIRED] = g_signal_new ("expired", EB_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
eb_registry_init (EbRegistry *self)
{
  self->leases = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) lease_free);
}

/**
 * eb_registry_new:
 * @context: whose thread it lives in
 *
 * Returns: (transfer full): an empty registry
 */
EbRegistry *
eb_registry_new (EbClock *clock, GMainContext *context)
{
  EbRegistry *self = g_object_new (EB_TYPE_REGISTRY, NULL);

  self->clock = g_object_ref (clock);
  self->deadlines = eb_deadlines_new (clock, context, deadline_cb, self);
  return self;
}
