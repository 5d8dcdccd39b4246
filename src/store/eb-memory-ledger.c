/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-ledger.h"

#include "core/eb-error.h"
#include "core/eb-sequence.h"

/* A ledger that lives as long as the process. What it holds is bounded by whoever writes it: the
 * number of subscriptions, and of exceptions each may have.
 *
 * Any thread may call it. */
struct _EbMemoryLedger
{
  GObject parent_instance;

  EbLog *log;       /* (owned): an exception goes with its event */
  GMutex lock;      /* guards all below */
  guint64 epoch;    /* of the last load; 0 before the first */
  guint64 floor;    /* what every row without a cursor has passed */
  GHashTable *rows; /* (owned) (element-type utf8 Row) by subscription id */
};

typedef struct
{
  EbSubscription *subscription; /* (owned); its id is the key in rows */
  guint64 start;                /* it gets what comes after */
  guint64 cursor;               /* EB_CURSOR_FLOOR: it goes with the floor */
  guint64 previous;             /* as the last CURSOR said */
  gint64 expired_us;            /* 0 while its lease has not ended */
  GTree *exceptions;            /* (owned) (nullable) (element-type guint64 EbException) */
  GArray *batches;              /* (owned) (nullable) (element-type EbBatchRange) in order */
} Row;

static void eb_memory_ledger_iface_init (EbLedgerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (EbMemoryLedger,
                               eb_memory_ledger,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (EB_TYPE_LEDGER, eb_memory_ledger_iface_init))

static void
row_free (Row *row)
{
  eb_subscription_unref (row->subscription);
  g_clear_pointer (&row->exceptions, g_tree_unref);
  g_clear_pointer (&row->batches, g_array_unref);
  g_free (row);
}

static int
compare_sequences (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return eb_sequence_compare (a, b);
}

static void
row_put_exception (Row *row, const EbException *exception)
{
  EbException *copy = eb_exception_copy (exception);

  if (row->exceptions == NULL)
    row->exceptions =
        g_tree_new_full (compare_sequences, NULL, NULL, (GDestroyNotify) eb_exception_free);
  g_tree_replace (row->exceptions, &copy->sequence, copy);
}

/* Exceptions whose events are gone: they are the first ones. */
static void
row_forget_before (Row *row, guint64 oldest)
{
  GTreeNode *node;

  while (row->exceptions != NULL && (node = g_tree_node_first (row->exceptions)) != NULL
         && *(const guint64 *) g_tree_node_key (node) < oldest)
    g_tree_remove (row->exceptions, g_tree_node_key (node));
}

/* What it goes back over, it will get again. */
static void
row_forget_after (Row *row, guint64 last)
{
  GTreeNode *node;

  while (row->exceptions != NULL && (node = g_tree_node_last (row->exceptions)) != NULL
         && *(const guint64 *) g_tree_node_key (node) > last)
    g_tree_remove (row->exceptions, g_tree_node_key (node));
}

static guint64
row_get_cursor (EbMemoryLedger *self, const Row *row)
{
  return row->cursor != EB_CURSOR_FLOOR ? row->cursor : MAX (row->start, self->floor);
}

/* Those that it has passed are of no use any more. */
static void
row_fix_batch (EbMemoryLedger *self, Row *row, const EbBatchRange *batch)
{
  guint64 cursor = row_get_cursor (self, row);
  guint place = 0;

  if (row->batches == NULL)
    row->batches = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));
  while (place < row->batches->len)
    {
      const EbBatchRange *known = &g_array_index (row->batches, EbBatchRange, place);

      if (known->last <= cursor || (known->first <= batch->last && known->last >= batch->first))
        g_array_remove_index (row->batches, place);
      else if (known->first > batch->last)
        break;
      else
        place++;
    }
  g_array_insert_val (row->batches, place, *batch);
}

static GArray *
row_list_batches (Row *row, guint64 cursor)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));

  for (guint i = 0; row->batches != NULL && i < row->batches->len; i++)
    if (g_array_index (row->batches, EbBatchRange, i).last > cursor)
      g_array_append_val (list, g_array_index (row->batches, EbBatchRange, i));
  return list;
}

static guint64
get_oldest (EbMemoryLedger *self)
{
  EbExtent extent;

  eb_log_get_extent (self->log, &extent);
  return extent.first;
}

static gboolean
is_of (const EbException *exception, EbExceptionKinds kinds)
{
  return kinds == EB_EXCEPTIONS_ALL || exception->dead == (kinds == EB_EXCEPTIONS_DEAD);
}

static GPtrArray *
row_list_exceptions (Row *row, EbExceptionKinds kinds, guint64 after, guint limit)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  GTreeNode *node = row->exceptions != NULL ? g_tree_upper_bound (row->exceptions, &after) : NULL;

  for (; node != NULL && list->len < limit; node = g_tree_node_next (node))
    if (is_of (g_tree_node_value (node), kinds))
      g_ptr_array_add (list, eb_exception_copy (g_tree_node_value (node)));
  return list;
}

static void
put (EbMemoryLedger *self, const EbChange *change)
{
  Row *row = g_hash_table_lookup (self->rows, change->id);

  if (row == NULL)
    {
      row = g_new0 (Row, 1);
      row->start = change->exception.sequence;
      row->cursor = row->start < self->floor ? row->start : EB_CURSOR_FLOOR;
    }
  else
    g_hash_table_steal (self->rows, change->id);

  g_clear_pointer (&row->subscription, eb_subscription_unref);
  row->subscription = eb_subscription_ref (change->subscription);
  row->expired_us = 0;
  g_hash_table_insert (self->rows, (gpointer) eb_subscription_get_id (row->subscription), row);
}

/* The floor leaves it behind, so it gets a cursor of its own, whatever it had. */
static void
expire (EbMemoryLedger *self, Row *row, const EbException *position)
{
  if (position->sequence != EB_CURSOR_FLOOR)
    row->cursor = position->sequence;
  else
    row->cursor = row_get_cursor (self, row);
  row->previous = position->previous;
  row->expired_us = position->last_us;
}

/* It gets what came before it was made, too. */
static void
rewind_cursor (Row *row, const EbException *position)
{
  row->start = MIN (row->start, position->sequence);
  row->cursor = position->sequence;
  row->previous = position->previous;
  row_forget_after (row, position->sequence);
  g_clear_pointer (&row->batches, g_array_unref);
}

static void
apply_to_row (EbMemoryLedger *self, Row *row, const EbChange *change, guint64 oldest)
{
  row_forget_before (row, oldest);
  switch (change->kind)
    {
    case EB_CHANGE_CURSOR:
      row->cursor = change->exception.sequence;
      row->previous = change->exception.previous;
      break;
    case EB_CHANGE_ASIDE:
    case EB_CHANGE_DEAD:
      if (change->exception.sequence >= oldest)
        row_put_exception (row, &change->exception);
      break;
    case EB_CHANGE_ENDED:
      if (row->exceptions != NULL)
        g_tree_remove (row->exceptions, &change->exception.sequence);
      break;
    case EB_CHANGE_EXPIRED:
      expire (self, row, &change->exception);
      break;
    case EB_CHANGE_REWIND:
      rewind_cursor (row, &change->exception);
      break;
    case EB_CHANGE_FIXED:
      row_fix_batch (self, row, &(EbBatchRange){ change->first, change->exception.sequence });
      break;
    case EB_CHANGE_PUT:
    case EB_CHANGE_REMOVE:
    case EB_CHANGE_FLOOR:
    default:
      g_assert_not_reached ();
    }
}

static void
apply (EbMemoryLedger *self, const EbChange *change, guint64 oldest)
{
  Row *row;

  switch (change->kind)
    {
    case EB_CHANGE_PUT:
      put (self, change);
      break;
    case EB_CHANGE_REMOVE:
      g_hash_table_remove (self->rows, change->id);
      break;
    case EB_CHANGE_FLOOR:
      self->floor = MAX (self->floor, change->exception.sequence);
      break;
    case EB_CHANGE_CURSOR:
    case EB_CHANGE_ASIDE:
    case EB_CHANGE_DEAD:
    case EB_CHANGE_ENDED:
    case EB_CHANGE_EXPIRED:
    case EB_CHANGE_REWIND:
    case EB_CHANGE_FIXED:
    default:
      row = g_hash_table_lookup (self->rows, change->id);
      if (row != NULL)
        apply_to_row (self, row, change, oldest);
      break;
    }
}

static GPtrArray *
row_list_for_start (Row *row, guint64 cursor)
{
  GPtrArray *list = row_list_exceptions (row, EB_EXCEPTIONS_ASIDE, 0, G_MAXUINT);

  g_ptr_array_extend_and_steal (list,
                                row_list_exceptions (row, EB_EXCEPTIONS_DEAD, cursor, G_MAXUINT));
  return list;
}

static EbLedgerEntry *
entry_new (EbMemoryLedger *self, Row *row, guint64 oldest)
{
  EbLedgerEntry *entry = g_new0 (EbLedgerEntry, 1);

  row_forget_before (row, oldest);
  entry->subscription = eb_subscription_ref (row->subscription);
  entry->start = row->start;
  entry->has_cursor = row->cursor != EB_CURSOR_FLOOR;
  entry->cursor = row_get_cursor (self, row);
  entry->previous = row->previous;
  entry->expired_us = row->expired_us;
  entry->aside = row_list_for_start (row, entry->cursor);
  entry->batches = row_list_batches (row, entry->cursor);
  return entry;
}

static void
load_async (EbLedger *ledger,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  EbMemoryLedger *self = EB_MEMORY_LEDGER (ledger);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  EbLedgerLoad *load = g_new0 (EbLedgerLoad, 1);
  guint64 oldest = get_oldest (self);
  GHashTableIter iter;
  Row *row;

  g_task_set_source_tag (task, load_async);
  load->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_ledger_entry_free);

  g_mutex_lock (&self->lock);
  load->epoch = ++self->epoch;
  g_hash_table_iter_init (&iter, self->rows);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &row))
    g_ptr_array_add (load->entries, entry_new (self, row, oldest));
  g_mutex_unlock (&self->lock);

  g_task_return_pointer (task, load, (GDestroyNotify) eb_ledger_load_free);
}

static void
apply_async (EbLedger *ledger,
             guint64 epoch,
             GPtrArray *changes,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  EbMemoryLedger *self = EB_MEMORY_LEDGER (ledger);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  guint64 oldest = get_oldest (self);
  gboolean current;

  g_task_set_source_tag (task, apply_async);

  g_mutex_lock (&self->lock);
  current = epoch == self->epoch;
  for (guint i = 0; current && i < changes->len; i++)
    apply (self, g_ptr_array_index (changes, i), oldest);
  g_mutex_unlock (&self->lock);

  if (current)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, eb_ledger_new_fenced_error (epoch));
}

static void
list_exceptions_async (EbLedger *ledger,
                       const char *id,
                       EbExceptionKinds kinds,
                       guint64 after,
                       guint limit,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  EbMemoryLedger *self = EB_MEMORY_LEDGER (ledger);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  guint64 oldest = get_oldest (self);
  GPtrArray *list = NULL;
  Row *row;

  g_task_set_source_tag (task, list_exceptions_async);

  g_mutex_lock (&self->lock);
  row = g_hash_table_lookup (self->rows, id);
  if (row != NULL)
    {
      row_forget_before (row, oldest);
      list = row_list_exceptions (row, kinds, after, limit);
    }
  g_mutex_unlock (&self->lock);

  if (list != NULL)
    g_task_return_pointer (task, list, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, eb_error_new_no_subscription (id));
}

static gboolean
is_durable (EbLedger *ledger)
{
  return FALSE;
}

static void
eb_memory_ledger_iface_init (EbLedgerInterface *iface)
{
  iface->load_async = load_async;
  iface->apply_async = apply_async;
  iface->list_exceptions_async = list_exceptions_async;
  iface->is_durable = is_durable;
}

static void
eb_memory_ledger_finalize (GObject *object)
{
  EbMemoryLedger *self = EB_MEMORY_LEDGER (object);

  g_hash_table_unref (self->rows);
  g_mutex_clear (&self->lock);
  g_clear_object (&self->log);

  G_OBJECT_CLASS (eb_memory_ledger_parent_class)->finalize (object);
}

static void
eb_memory_ledger_class_init (EbMemoryLedgerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = eb_memory_ledger_finalize;
}

static void
eb_memory_ledger_init (EbMemoryLedger *self)
{
  g_mutex_init (&self->lock);
  self->rows = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) row_free);
}

/**
 * eb_memory_ledger_new:
 * @log: whose events the exceptions are of
 *
 * Returns: (transfer full): an empty ledger
 */
EbLedger *
eb_memory_ledger_new (EbLog *log)
{
  EbMemoryLedger *self = g_object_new (EB_TYPE_MEMORY_LEDGER, NULL);

  self->log = g_object_ref (log);
  return EB_LEDGER (self);
}
