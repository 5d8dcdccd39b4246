/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-names.h"

/* The names that publishers gave their events, each with the event that has it: a repeat is told by
 * them, also when retention has taken the event. They are in a table of their own, so that an event
 * without a name costs nothing here. */

/* So many go at a time, and only when so many can: one commit for all of them. What is left until
 * then is no harm, as its time says that it does not count any more. */
#define STEP_NAMES "1024"

/**
 * eb_sqlite_names_find:
 * @after_us: what was accepted then or before is not known any more
 * @sequence: (out): of the event that has @name; 0 if none has
 */
gboolean
eb_sqlite_names_find (EbSqliteDatabase *database,
                      const EbEventName *name,
                      gint64 after_us,
                      guint64 *sequence,
                      GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "SELECT sequence FROM name WHERE digest = ?1 AND accepted > ?2", error);
  EbSqliteStep step;

  *sequence = 0;
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_blob (statement, 1, name->bytes, sizeof name->bytes, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, after_us);
  step = eb_sqlite_database_step (database, statement, error);
  if (step == EB_SQLITE_FAILED)
    return FALSE;
  if (step == EB_SQLITE_ROW)
    *sequence = (guint64) sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

/**
 * eb_sqlite_names_add:
 * @name: another event may have had it, which is forgotten
 * @sequence: of the newest event
 */
gboolean
eb_sqlite_names_add (EbSqliteDatabase *database,
                     const EbEventName *name,
                     guint64 sequence,
                     gint64 accepted_us,
                     GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "INSERT OR REPLACE INTO name VALUES (?1, ?2, ?3)", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) sequence);
  sqlite3_bind_int64 (statement, 2, accepted_us);
  sqlite3_bind_blob (statement, 3, name->bytes, sizeof name->bytes, SQLITE_STATIC);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_names_find_step:
 * @last: (inout): the newest one that the next step would take, which is the oldest but so many; as
 *   it was if there are fewer
 */
gboolean
eb_sqlite_names_find_step (EbSqliteDatabase *database, EbSqliteNameStep *last, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "SELECT sequence, accepted FROM name ORDER BY sequence LIMIT 1 OFFSET " STEP_NAMES " - 1",
      error);
  EbSqliteStep step;

  if (statement == NULL)
    return FALSE;
  step = eb_sqlite_database_step (database, statement, error);
  if (step == EB_SQLITE_FAILED)
    return FALSE;
  if (step == EB_SQLITE_ROW)
    {
      last->sequence = (guint64) sqlite3_column_int64 (statement, 0);
      last->accepted_us = sqlite3_column_int64 (statement, 1);
    }
  sqlite3_reset (statement);
  return TRUE;
}

/**
 * eb_sqlite_names_delete:
 * @database: in a transaction
 * @last: the newest event whose name goes, and all before
 */
gboolean
eb_sqlite_names_delete (EbSqliteDatabase *database, guint64 last, GError **error)
{
  sqlite3_stmt *statement =
      eb_sqlite_database_prepare (database, "DELETE FROM name WHERE sequence <= ?1", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) last);
  return eb_sqlite_database_run (database, statement, error);
}
