/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-batches.h"

static gboolean
run (EbSqliteDatabase *database, const char *sql, const EbChange *change, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, sql, error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, change->id);
  sqlite3_bind_int64 (statement, 2, (gint64) change->first);
  sqlite3_bind_int64 (statement, 3, (gint64) change->exception.sequence);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_batches_fix:
 * @database: in a transaction
 * @change: FIXED
 *
 * What the subscription has passed goes then, too, so that there are never many.
 */
gboolean
eb_sqlite_batches_fix (EbSqliteDatabase *database, const EbChange *change, GError **error)
{
  return run (database,
              "DELETE FROM batch WHERE subscription = ?1"
              " AND ((first <= ?3 AND last >= ?2)"
              "  OR last <= (SELECT coalesce (cursor, max (start, floor))"
              "              FROM subscription, state WHERE id = ?1))",
              change, error)
         && run (database,
                 "INSERT INTO batch (subscription, first, last) SELECT ?1, ?2, ?3"
                 " WHERE EXISTS (SELECT 1 FROM subscription WHERE id = ?1)",
                 change, error);
}

/**
 * eb_sqlite_batches_forget:
 * @database: in a transaction
 * @id: whose batches go, all of them
 */
gboolean
eb_sqlite_batches_forget (EbSqliteDatabase *database, const char *id, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "DELETE FROM batch WHERE subscription = ?1", error);

  if (statement == NULL)
    return FALSE;
  eb_sqlite_bind_text (statement, 1, id);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_batches_load:
 * @cursor: of the subscription
 *
 * Returns: (transfer full) (element-type EbBatchRange): those that end after it, in order
 */
GArray *
eb_sqlite_batches_load (EbSqliteDatabase *database, const char *id, guint64 cursor, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "SELECT first, last FROM batch WHERE subscription = ?1 AND last > ?2 ORDER BY last",
      error);
  g_autoptr (GArray) batches = g_array_new (FALSE, FALSE, sizeof (EbBatchRange));
  EbSqliteStep step;

  if (statement == NULL)
    return NULL;
  eb_sqlite_bind_text (statement, 1, id);
  sqlite3_bind_int64 (statement, 2, (gint64) MIN (cursor, G_MAXINT64));
  while ((step = eb_sqlite_database_step (database, statement, error)) == EB_SQLITE_ROW)
    {
      EbBatchRange batch = { (guint64) sqlite3_column_int64 (statement, 0),
                             (guint64) sqlite3_column_int64 (statement, 1) };

      g_array_append_val (batches, batch);
    }
  return step == EB_SQLITE_DONE ? g_steal_pointer (&batches) : NULL;
}
