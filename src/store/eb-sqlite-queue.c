/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-queue.h"

#include "core/eb-error.h"

/* What waits to be written, bounded. Any thread adds to it, the store's thread takes from it: as
 * much at a time as goes into one transaction. */
struct _EbSqliteQueue
{
  GMutex lock;                          /* guards all below */
  GQueue waiting;                       /* (owned) (element-type EbOperation) */
  gsize bytes[EB_OPERATION_LOAD + 1];   /* by kind: the charges of what waits */
  guint n_items[EB_OPERATION_LOAD + 1]; /* by kind: drafts, or changes */
  guint n_publishers;                   /* who wait: each append is one's */
  guint enough;                         /* as many as these; 0: whoever waits */
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
  if (operation->kind == EB_OPERATION_APPEND)
    self->n_publishers += (guint) sign;
  self->bytes[operation->kind] += (gsize) sign * operation->charge;
  self->n_items[operation->kind] += (guint) sign * count_items (operation);
}

/* With the lock held. */
static gboolean
has_enough (EbSqliteQueue *self)
{
  return self->enough > 0 ? self->n_publishers >= self->enough : !g_queue_is_empty (&self->waiting);
}

/**
 * eb_sqlite_queue_push:
 * @operation: (transfer full): fails at once if it is one too many
 *
 * Returns: whether enough wait now, and did not before
 */
gboolean
eb_sqlite_queue_push (EbSqliteQueue *self, EbOperation *operation)
{
  g_autoptr (GError) error = NULL;
  gboolean had_enough, has;

  g_mutex_lock (&self->lock);
  had_enough = has_enough (self);
  error = check (self, operation);
  if (error == NULL)
    {
      count (self, operation, 1);
      g_queue_push_tail (&self->waiting, operation);
    }
  has = has_enough (self);
  g_mutex_unlock (&self->lock);

  if (error != NULL)
    {
      eb_operation_fail (operation, error);
      eb_operation_free (operation);
    }
  return has && !had_enough;
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

/**
 * eb_sqlite_queue_expect:
 * @n_publishers: so many make a transaction worth while; 0: anything does
 *
 * Returns: whether enough wait already
 */
gboolean
eb_sqlite_queue_expect (EbSqliteQueue *self, guint n_publishers)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->enough = n_publishers;
  return has_enough (self);
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
