/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-retention.h"

/* Which events go, and how. In small steps, between which publishers have their turn. */

#define STEP_EVENTS "256"

/* What a row takes besides what it holds, roughly: its header, its cell, its share of the tree. */
#define ROW_BYTES 64

/* Returns: how many pages the connection has written since the count was last reset */
static guint
count_writes (EbSqliteDatabase *database, gboolean reset)
{
  int n_writes = 0, highest;

  sqlite3_db_status (eb_sqlite_database_get_handle (database), SQLITE_DBSTATUS_CACHE_WRITE,
                     &n_writes, &highest, reset);
  return (guint) n_writes;
}

static gboolean
measure (EbSqliteDatabase *database, EbSqliteUsage *usage, GError **error)
{
  gint64 n_pages = 0, n_free = 0, page_size = 0;

  if (!eb_sqlite_database_query_integer (database, "PRAGMA page_count", &n_pages, error)
      || !eb_sqlite_database_query_integer (database, "PRAGMA freelist_count", &n_free, error)
      || !eb_sqlite_database_query_integer (database, "PRAGMA page_size", &page_size, error))
    return FALSE;
  count_writes (database, TRUE);
  usage->page_size = (gsize) page_size;
  usage->bytes = (gsize) ((n_pages - n_free) * page_size);
  return TRUE;
}

/* Whatever page came into use since was written. */
static gboolean
is_within (EbSqliteDatabase *database, const EbSqliteUsage *usage, gsize max_bytes)
{
  return usage->page_size > 0 && usage->bytes <= max_bytes
         && count_writes (database, FALSE) <= (max_bytes - usage->bytes) / usage->page_size;
}

/**
 * eb_sqlite_retention_get_excess:
 * @usage: (inout): what is known of it; zero-filled at first
 * @max_bytes: of the database's used pages
 * @excess: (out): how many bytes are too many; 0 for none
 *
 * To measure costs as much as some events, so it is only done when there could be too much.
 */
gboolean
eb_sqlite_retention_get_excess (EbSqliteDatabase *database,
                                EbSqliteUsage *usage,
                                gsize max_bytes,
                                gsize *excess,
                                GError **error)
{
  *excess = 0;
  if (is_within (database, usage, max_bytes))
    return TRUE;
  if (!measure (database, usage, error))
    return FALSE;
  if (usage->bytes > max_bytes)
    *excess = usage->bytes - max_bytes;
  return TRUE;
}

/**
 * eb_sqlite_retention_find:
 * @head: the newest event, which goes by its age alone
 * @excess: so many bytes must go
 * @oldest_us: what was accepted before that must go
 * @expiry: (out): what the next step would leave
 */
gboolean
eb_sqlite_retention_find (EbSqliteDatabase *database,
                          guint64 head,
                          gsize excess,
                          gint64 oldest_us,
                          EbSqliteExpiry *expiry,
                          GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "SELECT sequence, accepted, length(data) + length(attributes) + length(id) + length(source)"
      " FROM event ORDER BY sequence LIMIT 1 + " STEP_EVENTS,
      error);
  EbSqliteStep step;
  gsize freed = 0;

  *expiry = (EbSqliteExpiry){ 0, G_MININT64 };
  if (statement == NULL)
    return FALSE;
  while ((step = eb_sqlite_database_step (database, statement, error)) == EB_SQLITE_ROW)
    {
      expiry->first = (guint64) sqlite3_column_int64 (statement, 0);
      expiry->accepted_us = sqlite3_column_int64 (statement, 1);
      if (expiry->accepted_us >= oldest_us && (expiry->first >= head || freed >= excess))
        break;
      freed += (gsize) sqlite3_column_int64 (statement, 2) + ROW_BYTES;
      if (expiry->first == head)
        expiry->first++; /* nothing is left */
    }
  if (step != EB_SQLITE_FAILED)
    sqlite3_reset (statement);
  return step != EB_SQLITE_FAILED;
}

static gboolean
delete_before (EbSqliteDatabase *database, const char *sql, guint64 first, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, sql, error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64) first);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_retention_delete:
 * @database: in a transaction
 * @first: the oldest event that stays; the exceptions of those that go, go with them
 */
gboolean
eb_sqlite_retention_delete (EbSqliteDatabase *database, guint64 first, GError **error)
{
  return delete_before (database, "DELETE FROM event WHERE sequence < ?1", first, error)
         && delete_before (database, "DELETE FROM exception WHERE sequence < ?1", first, error);
}
