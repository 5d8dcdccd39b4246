/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bus/eb-bus-private.h"
#include "core/eb-error.h"
#include "delivery/eb-aside.h"
#include "delivery/eb-batch-plan.h"

/* Subscriptions that asked for it keep their state when their lease ends: whoever takes the id
 * again goes on where they stood. */

/* Of those after the cursor, which the log brings again; more than a queue and what is under way
 * can have left. Those beyond it are delivered once more. */
#define MAX_DEAD_AHEAD 10000

/* What may be aside, and what was under way, all of which may have come back and hold the line. */
#define MAX_ASIDE (EB_MAX_ASIDE + EB_MAX_CONCURRENCY * EB_BATCH_MAX_LENGTH)

/* Forgetting */

static void
forget (EbBus *self, EbExpiredEntry *entry)
{
  EbProgress *progress = eb_progress_writer_get_progress (self->progress);

  eb_progress_forget (progress, entry->subscription);
  eb_progress_add_ended (progress, eb_subscription_get_id (entry->subscription));
  eb_expired_remove (self->expired, entry);
}

static gboolean
has_had_its_time (EbBus *self, const EbExpiredEntry *entry)
{
  return eb_clock_get_real (self->clock) - entry->expired_us > EB_EXPIRED_KEPT;
}

/* Those that expired first go first. What may come back costs no more than what there may be. */
static void
make_room (EbBus *self)
{
  EbExpiredEntry *first;

  while ((first = eb_expired_first (self->expired)) != NULL
         && (eb_expired_get_size (self->expired) > self->limits.max_subscriptions
             || has_had_its_time (self, first)))
    forget (self, first);
  eb_progress_writer_write (self->progress);
}

/**
 * eb_bus_forget_expired:
 * @id: that the ledger has forgotten
 */
void
eb_bus_forget_expired (EbBus *self, const char *id)
{
  EbExpiredEntry *entry = eb_expired_lookup (self->expired, id);

  if (entry == NULL)
    return;
  eb_progress_forget (eb_progress_writer_get_progress (self->progress), entry->subscription);
  eb_expired_remove (self->expired, entry);
}

/* Expiring */

/* The last that the ledger is told of it, after all that was said of it before. */
static void
note_expired (EbBus *self, EbExpiredEntry *entry, const EbStart *stood)
{
  g_autoptr (EbChange) change =
      eb_change_new_position (EB_CHANGE_EXPIRED, eb_subscription_get_id (entry->subscription),
                              stood->after, stood->previous, entry->expired_us);

  entry->detaching = FALSE;
  entry->cursor = stood->after;
  entry->previous = stood->previous;
  entry->batches = g_array_ref (stood->batches);
  eb_progress_add (eb_progress_writer_get_progress (self->progress), entry->subscription, change);
  make_room (self);
}

typedef struct
{
  EbBus *bus;                   /* (owned) */
  EbSubscription *subscription; /* (owned) */
} Expiry;

static void
expiry_free (Expiry *expiry)
{
  eb_subscription_unref (expiry->subscription);
  g_object_unref (expiry->bus);
  g_free (expiry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Expiry, expiry_free)

static void
detached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Expiry) expiry = user_data;
  EbBus *self = expiry->bus;
  const char *id = eb_subscription_get_id (expiry->subscription);
  g_autoptr (EbStart) stood = eb_worker_pool_detach_finish (EB_WORKER_POOL (source), result);

  if (!eb_expired_has (self->expired, expiry->subscription))
    g_debug ("“%s” was forgotten before its worker had let go", id);
  else if (stood != NULL)
    note_expired (self, eb_expired_lookup (self->expired, id), stood);
  else /* the daemon ends, and the ledger does not know that the lease has */
    eb_expired_remove (self->expired, eb_expired_lookup (self->expired, id));
  eb_bus_next_turn (self, id);
}

/**
 * eb_bus_expire:
 * @subscription: asked to be kept; the registry does not have it any more
 */
void
eb_bus_expire (EbBus *self, EbSubscription *subscription)
{
  Expiry *expiry;

  /* Somebody is just changing it: that is a sign of life, and would cross the expiry's way. */
  if (g_hash_table_contains (self->changing, eb_subscription_get_id (subscription)))
    {
      eb_registry_add (self->registry, subscription);
      return;
    }
  g_message ("%s has not kept alive; its deliveries wait until it comes back",
             eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  eb_expired_add (self->expired, subscription, eb_clock_get_real (self->clock))->detaching = TRUE;
  expiry = g_new (Expiry, 1);
  expiry->bus = g_object_ref (self);
  expiry->subscription = eb_subscription_ref (subscription);
  eb_worker_pool_detach_async (self->workers, subscription, detached_cb, expiry);
  eb_bus_tell_ended (self, subscription, "expired");
}

/**
 * eb_bus_load_expired:
 * @entry: of one whose lease has ended
 */
void
eb_bus_load_expired (EbBus *self, const EbLedgerEntry *entry)
{
  EbExpiredEntry *expired = eb_expired_add (self->expired, entry->subscription, entry->expired_us);

  expired->cursor = entry->cursor;
  expired->previous = entry->previous;
  expired->batches = g_array_ref (entry->batches);
  make_room (self);
}

/* Coming back */

typedef struct
{
  EbBus *bus;                   /* (owned) */
  EbSubscription *subscription; /* (owned): that comes */
  EbSubscription *expired;      /* (owned): that it goes on for */
  EbStart start;                /* where; what is in it is (owned) (nullable) */
  gboolean begun;               /* its id is in the bus's table */
} Return;

static void
return_end (Return *job)
{
  if (job->begun)
    eb_bus_end_change (job->bus, eb_subscription_get_id (job->subscription));
  job->begun = FALSE;
}

static void
return_free (Return *job)
{
  return_end (job);
  g_clear_pointer (&job->start.aside, g_ptr_array_unref);
  g_clear_pointer (&job->start.batches, g_array_unref);
  eb_subscription_unref (job->expired);
  eb_subscription_unref (job->subscription);
  g_object_unref (job->bus);
  g_free (job);
}

/* Takes @task and @error. */
static void
return_failure (GTask *task, GError *error)
{
  Return *job = g_task_get_task_data (task);

  eb_bus_tell_fenced (job->bus, error);
  return_end (job);
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Returns: FALSE with %EB_ERROR_BUSY if its state is not there any more */
static gboolean
is_waiting (Return *job, GError **error)
{
  const char *id = eb_subscription_get_id (job->subscription);

  if (eb_expired_has (job->bus->expired, job->expired)
      && eb_registry_lookup (job->bus->registry, id) == NULL)
    return TRUE;
  g_set_error (error, EB_ERROR, EB_ERROR_BUSY,
               "Somebody else has taken the id “%s” just now; try again", id);
  return FALSE;
}

static void
put_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Return *job = g_task_get_task_data (task);
  EbBus *bus = job->bus;
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error) || !is_waiting (job, &error))
    {
      return_failure (task, error);
      return;
    }
  eb_expired_remove (bus->expired,
                     eb_expired_lookup (bus->expired, eb_subscription_get_id (job->expired)));
  eb_bus_begin (bus, job->subscription, &job->start);
  return_end (job);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
listed_dead_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Return *job = g_task_get_task_data (task);
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_change_free);
  GError *error = NULL;
  GPtrArray *dead = eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);

  if (dead == NULL || !is_waiting (job, &error))
    {
      g_clear_pointer (&dead, g_ptr_array_unref);
      return_failure (task, error);
      return;
    }
  g_ptr_array_extend_and_steal (job->start.aside, dead);
  g_ptr_array_add (changes, eb_change_new_put (job->subscription, job->start.after));
  eb_ledger_apply_async (job->bus->ledger, job->bus->epoch, changes, NULL, put_cb, task);
}

static void
listed_aside_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Return *job = g_task_get_task_data (task);
  GError *error = NULL;

  job->start.aside = eb_ledger_list_exceptions_finish (EB_LEDGER (source), result, &error);
  if (job->start.aside == NULL)
    {
      return_failure (task, error);
      return;
    }
  eb_ledger_list_exceptions_async (EB_LEDGER (source), eb_subscription_get_id (job->expired),
                                   EB_EXCEPTIONS_DEAD, job->start.after, MAX_DEAD_AHEAD, NULL,
                                   listed_dead_cb, task);
}

/* The ledger knows all of it now. */
static void
told_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Return *job = g_task_get_task_data (task);
  GError *error = NULL;

  if (!eb_ledger_apply_finish (EB_LEDGER (source), result, &error) || !is_waiting (job, &error))
    {
      return_failure (task, error);
      return;
    }
  eb_progress_forget (eb_progress_writer_get_progress (job->bus->progress), job->expired);
  eb_ledger_list_exceptions_async (EB_LEDGER (source), eb_subscription_get_id (job->expired),
                                   EB_EXCEPTIONS_ASIDE, 0, MAX_ASIDE, NULL, listed_aside_cb, task);
}

/* What the log was replaced with says nothing of where it stood. */
static EbStart
get_start (EbBus *self, const EbExpiredEntry *entry)
{
  guint64 head = eb_bus_get_head (self);

  if (entry->cursor > head)
    return (EbStart){ .after = head, .has_cursor = TRUE };
  return (EbStart){ .after = entry->cursor,
                    .previous = entry->previous,
                    .has_cursor = TRUE,
                    .batches = g_array_ref (entry->batches) };
}

/**
 * eb_bus_find_expired:
 *
 * Returns: (transfer none) (nullable): the one that had that id and may come back
 */
EbSubscription *
eb_bus_find_expired (EbBus *self, const char *id)
{
  EbExpiredEntry *entry;

  make_room (self);
  entry = eb_expired_lookup (self->expired, id);
  return entry != NULL ? entry->subscription : NULL;
}

/**
 * eb_bus_resume_async:
 * @subscription: that takes the id of one that eb_bus_find_expired() has found, in its turn
 *
 * It goes on where that stood.
 */
void
eb_bus_resume_async (EbBus *self,
                     EbSubscription *subscription,
                     GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  const char *id = eb_subscription_get_id (subscription);
  EbExpiredEntry *entry = eb_expired_lookup (self->expired, id);
  g_autoptr (GPtrArray) pending = NULL;
  GError *error = NULL;
  Return *job;

  g_task_set_source_tag (task, eb_bus_resume_async);
  if (!eb_bus_check_room (self, &error)
      || !eb_bus_check_literal (self, eb_subscription_get_sink (subscription), &error)
      || !eb_bus_begin_change (self, id, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  job = g_new0 (Return, 1);
  job->bus = g_object_ref (self);
  job->subscription = eb_subscription_ref (subscription);
  job->expired = eb_subscription_ref (entry->subscription);
  job->start = get_start (self, entry);
  job->begun = TRUE;
  g_task_set_task_data (task, job, (GDestroyNotify) return_free);
  pending =
      eb_progress_list (eb_progress_writer_get_progress (self->progress), entry->subscription);
  eb_ledger_apply_async (self->ledger, self->epoch, pending, NULL, told_cb,
                         g_steal_pointer (&task));
}

/**
 * eb_bus_resume_finish:
 *
 * Returns: FALSE with %EB_ERROR_LIMIT, %EB_ERROR_FORBIDDEN, %EB_ERROR_BUSY, or what the store says;
 *   then it may still come back
 */
gboolean
eb_bus_resume_finish (EbBus *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
