/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-queue.h"

#include <string.h>

#include "core/eb-draft.h"
#include "core/eb-error.h"
#include "core/eb-ledger.h"

/* What waits to be written, bounded. Any thread adds to it, the store's thread takes from it: as
 * much at a time as goes into one transaction. */
struct _EbSqliteQueue
{
  GMutex lock;                          /* guards all below */
  GQueue waiting;                       /* (owned) (element-type EbOperation) */
  gsize bytes[EB_OPERATION_LOAD + 1];   /* by kind: the charges of what waits */
  guint n_items[EB_OPERATION_LOAD + 1]; /* by kind: drafts, or changes */
  gboolean closed;
};

/* A publisher that is told to come again costs less than memory that is full. One operation alone
 * always fits, whatever its size. */
#define MAX_BYTES   (64 * 1024 * 1024)
#define MAX_DRAFTS  10000
#define MAX_CHANGES 100000

/* So much goes into a transaction: its commit is paid for many times over, and nobody waits long
 * for others. */
#define BATCH_OPERATIONS 1000
#define BATCH_BYTES      (8 * 1024 * 1024)

/* What a draft, a change, a subscription or a part of its filter takes besides its strings,
 * roughly. */
#define ITEM_BYTES 256

static gsize
get_filter_charge (const EbFilter *filter)
{
  gsize charge = ITEM_BYTES;

  for (guint i = 0; i < eb_filter_get_n_attributes (filter); i++)
    {
      EbAttribute attribute = eb_filter_get_attribute (filter, i);

      charge += strlen (attribute.name) + strlen (attribute.value);
    }
  for (guint i = 0; i < eb_filter_get_n_children (filter); i++)
    charge += get_filter_charge (eb_filter_get_child (filter, i));
  return charge;
}

/* Others may have it too, but nobody keeps it for as long as the change waits. */
static gsize
get_subscription_charge (const EbSubscription *subscription)
{
  const char *const *types = eb_subscription_get_types (subscription);
  const EbFilter *filter = eb_subscription_get_filter (subscription);
  gsize charge = ITEM_BYTES;

  charge += strlen (eb_sink_get_uri (eb_subscription_get_sink (subscription)));
  for (; types != NULL && *types != NULL; types++)
    charge += strlen (*types);
  return filter != NULL ? charge + get_filter_charge (filter) : charge;
}

static gsize
get_draft_charge (const EbDraft *draft)
{
  return ITEM_BYTES + draft->size + g_bytes_get_size (draft->data);
}

static gsize
get_change_charge (const EbChange *change)
{
  gsize charge = ITEM_BYTES;

  if (change->id != NULL)
    charge += strlen (change->id);
  if (change->exception.reason != NULL)
    charge += strlen (change->exception.reason);
  if (change->subscription != NULL)
    charge += get_subscription_charge (change->subscription);
  return charge;
}

static gsize
get_charge (EbOperationKind kind, GPtrArray *items)
{
  gsize charge = 0;

  for (guint i = 0; items != NULL && i < items->len; i++)
    charge += kind == EB_OPERATION_APPEND ? get_draft_charge (items->pdata[i])
                                          : get_change_charge (items->pdata[i]);
  return charge;
}

/**
 * eb_operation_new:
 * @task: (transfer full): returns the result
 * @items: (nullable) (element-type EbDraft or EbChange): what to write; only read
 */
EbOperation *
eb_operation_new (EbOperationKind kind, GTask *task, GPtrArray *items)
{
  EbOperation *self = g_new0 (EbOperation, 1);

  self->kind = kind;
  self->task = task;
  self->items = items != NULL ? g_ptr_array_ref (items) : NULL;
  self->charge = get_charge (kind, items);
  return self;
}

void
eb_operation_free (EbOperation *self)
{
  g_clear_object (&self->task);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  if (self->result != NULL)
    self->result_free (self->result);
  g_clear_error (&self->refusal);
  g_free (self);
}

/**
 * eb_operation_succeed:
 *
 * Returns the task, after which nothing of what the caller gave is touched any more.
 */
void
eb_operation_succeed (EbOperation *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  if (self->refusal != NULL)
    g_task_return_error (task, g_steal_pointer (&self->refusal));
  else if (self->kind == EB_OPERATION_APPLY)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_pointer (task, g_steal_pointer (&self->result), self->result_free);
}

/**
 * eb_operation_fail:
 *
 * Like eb_operation_succeed(), when the transaction failed.
 */
void
eb_operation_fail (EbOperation *self, const GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_task_return_error (task, g_error_copy (error));
}

EbSqliteQueue *
eb_sqlite_queue_new (void)
{
  EbSqliteQueue *self = g_new0 (EbSqliteQueue, 1);

  g_mutex_init (&self->lock);
  return self;
}

void
eb_sqlite_queue_free (EbSqliteQueue *self)
{
  g_queue_clear_full (&self->waiting, (GDestroyNotify) eb_operation_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static guint
count_items (const EbOperation *operation)
{
  return operation->items != NULL ? operation->items->len : 1;
}

/* With the lock held. Returns: (nullable): why the operation is not taken */
static GError *
check (EbSqliteQueue *self, const EbOperation *operation)
{
  guint n_waiting = self->n_items[operation->kind];
  guint max_items = operation->kind == EB_OPERATION_APPEND ? MAX_DRAFTS : MAX_CHANGES;

  if (self->closed)
    return g_error_new_literal (EB_ERROR, EB_ERROR_CLOSED, "The store is closed");
  if (n_waiting == 0
      || (n_waiting + count_items (operation) <= max_items
          && self->bytes[operation->kind] + operation->charge <= MAX_BYTES))
    return NULL;
  return g_error_new (EB_ERROR, EB_ERROR_BUSY, "%u %s wait to be written; try again", n_waiting,
                      operation->kind == EB_OPERATION_APPEND ? "events" : "changes");
}

static void
count (EbSqliteQueue *self, const EbOperation *operation, int sign)
{
  self->bytes[operation->kind] += (gsize) sign * operation->charge;
  self->n_items[operation->kind] += (guint) sign * count_items (operation);
}

/**
 * eb_sqlite_queue_push:
 * @operation: (transfer full): fails at once if it is one too many
 * @was_empty: (out): whether nothing waited before
 *
 * Returns: whether it waits now
 */
gboolean
eb_sqlite_queue_push (EbSqliteQueue *self, EbOperation *operation, gboolean *was_empty)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  *was_empty = g_queue_is_empty (&self->waiting);
  error = check (self, operation);
  if (error == NULL)
    {
      count (self, operation, 1);
      g_queue_push_tail (&self->waiting, operation);
    }
  g_mutex_unlock (&self->lock);

  if (error != NULL)
    {
      eb_operation_fail (operation, error);
      eb_operation_free (operation);
    }
  return error == NULL;
}

/* Loading stands alone: it reads what those before it have committed. */
static gboolean
goes_along (const EbOperation *operation, guint n_taken, gsize bytes)
{
  if (n_taken == 0)
    return TRUE;
  return operation->kind != EB_OPERATION_LOAD && n_taken < BATCH_OPERATIONS
         && bytes + operation->charge <= BATCH_BYTES;
}

/**
 * eb_sqlite_queue_take:
 *
 * Returns: (transfer full) (element-type EbOperation): what goes into the next transaction
 */
GPtrArray *
eb_sqlite_queue_take (EbSqliteQueue *self)
{
  GPtrArray *batch = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_operation_free);
  EbOperation *operation;
  gsize bytes = 0;

  g_mutex_lock (&self->lock);
  while ((operation = g_queue_peek_head (&self->waiting)) != NULL
         && goes_along (operation, batch->len, bytes))
    {
      g_queue_pop_head (&self->waiting);
      count (self, operation, -1);
      bytes += operation->charge;
      g_ptr_array_add (batch, operation);
      if (operation->kind == EB_OPERATION_LOAD)
        break;
    }
  g_mutex_unlock (&self->lock);
  return batch;
}

gboolean
eb_sqlite_queue_is_empty (EbSqliteQueue *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_queue_is_empty (&self->waiting);
}

/**
 * eb_sqlite_queue_close:
 *
 * Nothing more is taken; what waits is still written.
 */
void
eb_sqlite_queue_close (EbSqliteQueue *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_mutex_unlock (&self->lock);
}
