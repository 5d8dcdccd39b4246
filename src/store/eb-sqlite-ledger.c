/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-ledger.h"

#include "codec/eb-subscription-json.h"
#include "core/eb-error.h"
#include "store/eb-sqlite-batches.h"

/* What the ledger keeps, and its rows. */

static gboolean
put (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "INSERT INTO subscription VALUES"
      " (?1, ?2, ?3, (SELECT CASE WHEN ?3 < floor THEN ?3 END FROM state), 0, 0)"
      " ON CONFLICT (id) DO UPDATE SET body = excluded.body, expired = 0",
      error);
  g_autofree char *body = NULL;

  if (statement == NULL)
    return FALSE;
  body = eb_subscription_to_json (change->subscription);
  eb_sqlite_bind_text (statement, 1, change->id);
  eb_sqlite_bind_text (statement, 2, body);
  sqlite3_bind_int64 (statement, 3, (gint64) change->exception.sequence);
  return eb_sqlite_database_run (database, statement, error);
}

static gboolean
run_for_id (EbSqliteDatabase *database, const char *sql, const char *id, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, sql, error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, id);
  return eb_sqlite_database_run (database, statement, error);
}

static gboolean
remove_subscription (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  return run_for_id (database, "DELETE FROM exception WHERE subscription = ?1", change->id, error)
         && eb_sqlite_batches_forget (database, change->id, error)
         && run_for_id (database, "DELETE FROM subscription WHERE id = ?1", change->id, error);
}

static gboolean
set_cursor (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "UPDATE subscription SET cursor = ?2, previous = ?3 WHERE id = ?1", error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  if (change->exception.sequence != EB_CURSOR_FLOOR)
    sqlite3_bind_int64 (statement, 2, (gint64) change->exception.sequence);
  sqlite3_bind_int64 (statement, 3, (gint64) change->exception.previous);
  return eb_sqlite_database_run (database, statement, error);
}

/* The floor leaves it behind, so it gets a cursor of its own, whatever it had. */
static gboolean
expire (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "UPDATE subscription SET previous = ?3, expired = ?4,"
      " cursor = coalesce (?2, cursor, (SELECT max (start, floor) FROM state)) WHERE id = ?1",
      error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  if (change->exception.sequence != EB_CURSOR_FLOOR)
    sqlite3_bind_int64 (statement, 2, (gint64) change->exception.sequence);
  sqlite3_bind_int64 (statement, 3, (gint64) change->exception.previous);
  sqlite3_bind_int64 (statement, 4, change->exception.last_us);
  return eb_sqlite_database_run (database, statement, error);
}

/* @sql: about the exceptions of ?1 at or around ?2 */
static gboolean
run_for_place (EbSqliteDatabase *database, const char *sql, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, sql, error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  sqlite3_bind_int64 (statement, 2, (gint64) change->exception.sequence);
  return eb_sqlite_database_run (database, statement, error);
}

static gboolean
end_exceptions_after (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  return run_for_place (database, "DELETE FROM exception WHERE subscription = ?1 AND sequence > ?2",
                        change, error);
}

/* It gets what came before it was made, too. */
static gboolean
rewind_cursor (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "UPDATE subscription SET start = min (start, ?2), cursor = ?2, previous = ?3 WHERE id = ?1",
      error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  sqlite3_bind_int64 (statement, 2, (gint64) change->exception.sequence);
  sqlite3_bind_int64 (statement, 3, (gint64) change->exception.previous);
  return eb_sqlite_database_run (database, statement, error)
         && end_exceptions_after (database, change, error)
         && eb_sqlite_batches_forget (database, change->id, error);
}

static gboolean
put_exception (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  const EbException *exception = &change->exception;
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "INSERT OR REPLACE INTO exception (subscription, sequence, previous, dead, attempts,"
      " failures, last_status, reason, first, last, due, batch)"
      " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12"
      " WHERE EXISTS (SELECT 1 FROM subscription WHERE id = ?1)",
      error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  sqlite3_bind_int64 (statement, 2, (gint64) exception->sequence);
  sqlite3_bind_int64 (statement, 3, (gint64) exception->previous);
  sqlite3_bind_int64 (statement, 4, exception->dead != FALSE);
  sqlite3_bind_int64 (statement, 5, exception->attempts);
  sqlite3_bind_int64 (statement, 6, exception->failures);
  sqlite3_bind_int64 (statement, 7, exception->last_status);
  eb_sqlite_bind_text (statement, 8, exception->reason);
  sqlite3_bind_int64 (statement, 9, exception->first_us);
  sqlite3_bind_int64 (statement, 10, exception->last_us);
  sqlite3_bind_int64 (statement, 11, exception->due_us);
  sqlite3_bind_int64 (statement, 12, (gint64) exception->batch);
  return eb_sqlite_database_run (database, statement, error);
}

static gboolean
end_exception (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  return run_for_place (database, "DELETE FROM exception WHERE subscription = ?1 AND sequence = ?2",
                        change, error);
}

static gboolean
raise_floor (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "UPDATE state SET floor = ?1 WHERE floor < ?1", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) change->exception.sequence);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_ledger_apply:
 * @database: in a transaction
 * @oldest: of the log: an exception goes with its event, so there is none before it
 */
gboolean
eb_sqlite_ledger_apply (EbSqliteDatabase *database,
                        const EbChange *change,
                        guint64 oldest,
                        GError **error)
{
  switch (change->kind)
    {
    case EB_CHANGE_PUT:
      return put (database, change, error);
    case EB_CHANGE_REMOVE:
      return remove_subscription (database, change, error);
    case EB_CHANGE_CURSOR:
      return set_cursor (database, change, error);
    case EB_CHANGE_ASIDE:
    case EB_CHANGE_DEAD:
      return change->exception.sequence < oldest || put_exception (database, change, error);
    case EB_CHANGE_ENDED:
      return end_exception (database, change, error);
    case EB_CHANGE_FLOOR:
      return raise_floor (database, change, error);
    case EB_CHANGE_EXPIRED:
      return expire (database, change, error);
    case EB_CHANGE_REWIND:
      return rewind_cursor (database, change, error);
    case EB_CHANGE_FIXED:
      return eb_sqlite_batches_fix (database, change, error);
    default:
      g_return_val_if_reached (FALSE);
    }
}

enum
{
  COLUMN_SEQUENCE,
  COLUMN_PREVIOUS,
  COLUMN_DEAD,
  COLUMN_ATTEMPTS,
  COLUMN_FAILURES,
  COLUMN_LAST_STATUS,
  COLUMN_REASON,
  COLUMN_FIRST,
  COLUMN_LAST,
  COLUMN_DUE,
  COLUMN_BATCH,
};

static EbException *
exception_from_row (sqlite3_stmt *statement)
{
  EbException *exception = g_new0 (EbException, 1);

  exception->sequence = (guint64) sqlite3_column_int64 (statement, COLUMN_SEQUENCE);
  exception->previous = (guint64) sqlite3_column_int64 (statement, COLUMN_PREVIOUS);
  exception->dead = sqlite3_column_int (statement, COLUMN_DEAD) != 0;
  exception->attempts = (guint) sqlite3_column_int64 (statement, COLUMN_ATTEMPTS);
  exception->failures = (guint) sqlite3_column_int64 (statement, COLUMN_FAILURES);
  exception->last_status = (guint) sqlite3_column_int64 (statement, COLUMN_LAST_STATUS);
  exception->reason = g_strdup ((const char *) sqlite3_column_text (statement, COLUMN_REASON));
  exception->first_us = sqlite3_column_int64 (statement, COLUMN_FIRST);
  exception->last_us = sqlite3_column_int64 (statement, COLUMN_LAST);
  exception->due_us = sqlite3_column_int64 (statement, COLUMN_DUE);
  exception->batch = (guint64) sqlite3_column_int64 (statement, COLUMN_BATCH);
  return exception;
}

#define SELECT_FROM                                                                                \
  "SELECT sequence, previous, dead, attempts, failures, last_status, reason, first, last, due, "   \
  "batch FROM "
#define WHERE_AFTER " WHERE subscription = ?1 AND sequence > ?2"
#define IN_ORDER    " ORDER BY sequence LIMIT ?3"

/* Who waits is found without a look at the dead, who may be many. */
static const char *
get_query (EbExceptionKinds kinds)
{
  switch (kinds)
    {
    case EB_EXCEPTIONS_ASIDE:
      return SELECT_FROM "exception INDEXED BY exception_aside" WHERE_AFTER
                         " AND dead = 0" IN_ORDER;
    case EB_EXCEPTIONS_DEAD:
      return SELECT_FROM "exception" WHERE_AFTER " AND dead = 1" IN_ORDER;
    case EB_EXCEPTIONS_ALL:
    default:
      return SELECT_FROM "exception" WHERE_AFTER IN_ORDER;
    }
}

static GPtrArray *
query_exceptions (EbSqliteDatabase *database,
                  const char *id,
                  EbExceptionKinds kinds,
                  guint64 after,
                  gint64 limit,
                  GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, get_query (kinds), error);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) eb_exception_free);
  EbSqliteStep step;

  if (statement == NULL)
    return NULL;
  eb_sqlite_bind_text (statement, 1, id);
  sqlite3_bind_int64 (statement, 2, (gint64) MIN (after, G_MAXINT64));
  sqlite3_bind_int64 (statement, 3, limit);
  while ((step = eb_sqlite_database_step (database, statement, error)) == EB_SQLITE_ROW)
    g_ptr_array_add (list, exception_from_row (statement));
  return step == EB_SQLITE_DONE ? g_steal_pointer (&list) : NULL;
}

static gboolean
check_subscription (EbSqliteDatabase *database, const char *id, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "SELECT 1 FROM subscription WHERE id = ?1", error);
  EbSqliteStep step;

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, id);
  step = eb_sqlite_database_step (database, statement, error);
  sqlite3_reset (statement);
  if (step == EB_SQLITE_DONE)
    g_propagate_error (error, eb_error_new_no_subscription (id));
  return step == EB_SQLITE_ROW;
}

/**
 * eb_sqlite_ledger_list_exceptions:
 *
 * Does what eb_ledger_list_exceptions_async() says.
 */
GPtrArray *
eb_sqlite_ledger_list_exceptions (EbSqliteDatabase *database,
                                  const char *id,
                                  EbExceptionKinds kinds,
                                  guint64 after,
                                  guint limit,
                                  GError **error)
{
  if (!check_subscription (database, id, error))
    return NULL;
  return query_exceptions (database, id, kinds, after, limit, error);
}

/**
 * eb_sqlite_ledger_begin_epoch:
 * @database: in a transaction
 * @epoch: what follows the last one
 */
gboolean
eb_sqlite_ledger_begin_epoch (EbSqliteDatabase *database, guint64 epoch, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "UPDATE state SET epoch = ?1", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) epoch);
  return eb_sqlite_database_run (database, statement, error);
}

static EbLedgerEntry *
entry_from_row (sqlite3_stmt *statement, guint64 floor)
{
  const char *id = (const char *) sqlite3_column_text (statement, 0);
  const char *body = (const char *) sqlite3_column_text (statement, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (EbSubscription) subscription =
      eb_subscription_from_json (body != NULL ? body : "", &error);
  EbLedgerEntry *entry;

  if (subscription == NULL || g_strcmp0 (eb_subscription_get_id (subscription), id) != 0)
    {
      g_warning ("The stored subscription “%s” is passed over: %s", id,
                 error != NULL ? error->message : "it has another id inside");
      return NULL;
    }
  entry = g_new0 (EbLedgerEntry, 1);
  entry->subscription = g_steal_pointer (&subscription);
  entry->start = (guint64) sqlite3_column_int64 (statement, 2);
  entry->has_cursor = sqlite3_column_type (statement, 3) != SQLITE_NULL;
  entry->cursor =
      entry->has_cursor ? (guint64) sqlite3_column_int64 (statement, 3) : MAX (entry->start, floor);
  entry->previous = (guint64) sqlite3_column_int64 (statement, 4);
  entry->expired_us = sqlite3_column_int64 (statement, 5);
  return entry;
}

/* Those that wait, and the dead ones that the log brings again. */
static gboolean
load_exceptions (EbSqliteDatabase *database, EbLedgerEntry *entry, GError **error)
{
  const char *id = eb_subscription_get_id (entry->subscription);
  GPtrArray *dead;

  entry->aside = query_exceptions (database, id, EB_EXCEPTIONS_ASIDE, 0, -1, error);
  if (entry->aside == NULL)
    return FALSE;
  dead = query_exceptions (database, id, EB_EXCEPTIONS_DEAD, entry->cursor, -1, error);
  if (dead == NULL)
    return FALSE;
  g_ptr_array_extend_and_steal (entry->aside, dead);
  return TRUE;
}

static gboolean
load_batches (EbSqliteDatabase *database, EbLedgerEntry *entry, GError **error)
{
  const char *id = eb_subscription_get_id (entry->subscription);

  entry->batches = eb_sqlite_batches_load (database, id, entry->cursor, error);
  return entry->batches != NULL;
}

static GPtrArray *
load_entries (EbSqliteDatabase *database, guint64 floor, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "SELECT id, body, start, cursor, previous, expired FROM subscription", error);
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) eb_ledger_entry_free);
  EbSqliteStep step;

  if (statement == NULL)
    return NULL;
  while ((step = eb_sqlite_database_step (database, statement, error)) == EB_SQLITE_ROW)
    {
      EbLedgerEntry *entry = entry_from_row (statement, floor);

      if (entry == NULL)
        continue;
      g_ptr_array_add (entries, entry);
      if (!load_exceptions (database, entry, error) || !load_batches (database, entry, error))
        {
          sqlite3_reset (statement);
          return NULL;
        }
    }
  return step == EB_SQLITE_DONE ? g_steal_pointer (&entries) : NULL;
}

/**
 * eb_sqlite_ledger_load:
 *
 * Returns: (transfer full) (element-type EbLedgerEntry): every subscription; one that cannot be
 *   understood any more is logged and passed over
 */
GPtrArray *
eb_sqlite_ledger_load (EbSqliteDatabase *database, GError **error)
{
  gint64 floor = 0;

  if (!eb_sqlite_database_query_integer (database, "SELECT floor FROM state", &floor, error))
    return NULL;
  return load_entries (database, (guint64) floor, error);
}
