/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-transaction.h"

#include "core/eb-error.h"
#include "store/eb-sqlite-ledger.h"
#include "store/eb-sqlite-names.h"
#include "store/eb-sqlite-retention.h"

/* The transactions there are, each from its begin to its commit. One that fails is rolled back by
 * the caller, who has to do with the failure anyway. */

/**
 * eb_sqlite_state_read:
 * @state: (out): what is committed
 */
gboolean
eb_sqlite_state_read (EbSqliteState *state, EbSqliteDatabase *database, GError **error)
{
  gint64 epoch = 0;

  if (!eb_sqlite_events_get_extent (database, &state->extent, error)
      || !eb_sqlite_database_query_integer (database, "SELECT epoch FROM state", &epoch, error))
    return FALSE;
  state->epoch = (guint64) epoch;
  return TRUE;
}

/**
 * eb_sqlite_state_read_log_id:
 * @log_id: (out): the log's random id
 */
gboolean
eb_sqlite_state_read_log_id (EbSqliteDatabase *database, char log_id[37], GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "SELECT log_id FROM state", error);
  EbSqliteStep step;

  if (statement == NULL)
    return FALSE;
  step = eb_sqlite_database_step (database, statement, error);
  if (step == EB_SQLITE_ROW)
    g_strlcpy (log_id, (const char *) sqlite3_column_text (statement, 0), 37);
  else if (step == EB_SQLITE_DONE)
    g_set_error (error, EB_ERROR, EB_ERROR_IO,
                 "%s: the log's id is missing from it; restore it from a copy, or move it away",
                 eb_sqlite_database_get_path (database));
  sqlite3_reset (statement);
  return step == EB_SQLITE_ROW;
}

static gboolean
run (EbSqliteDatabase *database, const char *sql, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, sql, error);

  return statement != NULL && eb_sqlite_database_run (database, statement, error);
}

static gboolean
begin (EbSqliteDatabase *database, GError **error)
{
  return run (database, "BEGIN IMMEDIATE", error);
}

static gboolean
commit (EbSqliteDatabase *database, GError **error)
{
  return run (database, "COMMIT", error);
}

static gboolean
insert (EbSqliteDatabase *database,
        EbSqliteState *state,
        const EbDraft *draft,
        GPtrArray *events,
        EbReceipt *receipt,
        GError **error)
{
  EbEvent *event;

  *receipt = (EbReceipt){ ++state->extent.head, FALSE };
  event = eb_event_new (draft, receipt->sequence, state->extent.accepted_us);
  g_ptr_array_add (events, event);
  return eb_sqlite_events_insert (database, event, error);
}

/* What is there already is not inserted again, also when it came earlier in this transaction: the
 * one fails with the other then. */
static gboolean
insert_named (EbSqliteDatabase *database,
              EbSqliteState *state,
              const EbDraft *draft,
              GPtrArray *events,
              EbReceipt *receipt,
              GError **error)
{
  EbEventName name;
  guint64 first;

  eb_event_name_init (&name, draft);
  if (!eb_sqlite_names_find (database, &name, state->names_after_us, &first, error))
    return FALSE;
  if (first != 0)
    {
      *receipt = (EbReceipt){ first, TRUE };
      return TRUE;
    }
  return insert (database, state, draft, events, receipt, error)
         && eb_sqlite_names_add (database, &name, receipt->sequence, state->extent.accepted_us,
                                 error);
}

static gboolean
append (EbSqliteDatabase *database,
        EbSqliteState *state,
        EbOperation *operation,
        GPtrArray *events,
        GError **error)
{
  GArray *receipts = g_array_sized_new (FALSE, TRUE, sizeof (EbReceipt), operation->items->len);
  gboolean knows_names = state->names_after_us < state->extent.accepted_us;

  operation->result = receipts;
  operation->result_free = (GDestroyNotify) g_array_unref;
  for (guint i = 0; i < operation->items->len; i++)
    {
      const EbDraft *draft = operation->items->pdata[i];
      EbReceipt receipt;

      if (!(draft->named && knows_names ? insert_named : insert) (database, state, draft, events,
                                                                  &receipt, error))
        return FALSE;
      g_array_append_val (receipts, receipt);
    }
  return TRUE;
}

static gboolean
apply (EbSqliteDatabase *database, EbSqliteState *state, EbOperation *operation, GError **error)
{
  if (operation->epoch != state->epoch)
    {
      operation->refusal = eb_ledger_new_fenced_error (operation->epoch);
      return TRUE;
    }
  for (guint i = 0; i < operation->items->len; i++)
    if (!eb_sqlite_ledger_apply (database, operation->items->pdata[i], state->extent.first, error))
      return FALSE;
  return TRUE;
}

static EbLedgerLoad *
read_ledger (EbSqliteDatabase *database,
             EbSqliteState *state,
             EbOperation *operation,
             GError **error)
{
  EbLedgerLoad *result = g_new0 (EbLedgerLoad, 1);

  g_clear_pointer (&operation->result, operation->result_free);
  operation->result = result;
  operation->result_free = (GDestroyNotify) eb_ledger_load_free;
  result->epoch = ++state->epoch;
  result->entries = eb_sqlite_ledger_load (database, error);
  return result->entries != NULL ? result : NULL;
}

static gboolean
load (EbSqliteDatabase *database, EbSqliteState *state, EbOperation *operation, GError **error)
{
  const EbLedgerLoad *result = read_ledger (database, state, operation, error);

  return result != NULL && eb_sqlite_ledger_begin_epoch (database, result->epoch, error);
}

/**
 * eb_sqlite_transaction_load:
 * @operation: a load whose transaction has failed
 *
 * A daemon that starts on a full disk has much to deliver all the same. Nobody else has the
 * database, so that the new epoch is not written down does no harm.
 *
 * Returns: FALSE if the ledger cannot be read either
 */
gboolean
eb_sqlite_transaction_load (EbSqliteDatabase *database,
                            EbSqliteState *state,
                            EbOperation *operation)
{
  return read_ledger (database, state, operation, NULL) != NULL;
}

static gboolean
perform (EbSqliteDatabase *database,
         EbSqliteState *state,
         EbOperation *operation,
         GPtrArray *events,
         GError **error)
{
  switch (operation->kind)
    {
    case EB_OPERATION_APPEND:
      return append (database, state, operation, events, error);
    case EB_OPERATION_APPLY:
      return apply (database, state, operation, error);
    case EB_OPERATION_LOAD:
      return load (database, state, operation, error);
    default:
      g_return_val_if_reached (FALSE);
    }
}

/**
 * eb_sqlite_transaction_run:
 * @state: (inout): what it will be; on failure anything
 * @batch: (element-type EbOperation): get their results
 * @events: (element-type EbEvent): gets those that were appended, in order
 */
gboolean
eb_sqlite_transaction_run (EbSqliteDatabase *database,
                           EbSqliteState *state,
                           GPtrArray *batch,
                           GPtrArray *events,
                           GError **error)
{
  if (!begin (database, error))
    return FALSE;
  for (guint i = 0; i < batch->len; i++)
    if (!perform (database, state, batch->pdata[i], events, error))
      return FALSE;
  return commit (database, error);
}

/**
 * eb_sqlite_transaction_forget:
 * @first: the oldest event that stays
 */
gboolean
eb_sqlite_transaction_forget (EbSqliteDatabase *database, guint64 first, GError **error)
{
  return begin (database, error) && eb_sqlite_retention_delete (database, first, error)
         && commit (database, error);
}

/**
 * eb_sqlite_transaction_forget_names:
 * @last: the newest event whose name is forgotten, and those of all before
 */
gboolean
eb_sqlite_transaction_forget_names (EbSqliteDatabase *database, guint64 last, GError **error)
{
  return begin (database, error) && eb_sqlite_names_delete (database, last, error)
         && commit (database, error);
}

/**
 * eb_sqlite_transaction_fence:
 * @number: never the same twice
 *
 * A commit whose last step failed may lie complete in the write-ahead log, and would come back
 * after a crash although it was refused. Whatever is written next lies over it: this.
 */
gboolean
eb_sqlite_transaction_fence (EbSqliteDatabase *database, gint64 number, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "UPDATE state SET fence = ?1", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, number);
  return eb_sqlite_database_run (database, statement, error);
}
