/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-database.h"

#include <errno.h>

#include "core/eb-error.h"

/* A connection to a database, its prepared statements, and what its errors mean to people. One
 * thread at a time uses it. */
struct _EbSqliteDatabase
{
  sqlite3 *handle;        /* (owned) */
  char *path;             /* (owned) */
  GHashTable *statements; /* (owned) (element-type utf8 sqlite3_stmt) by the SQL's address */
};

/* How long a connection waits for the other one. Neither holds anything longer than it takes to
 * read a chunk or to restart the write-ahead log. */
#define BUSY_TIMEOUT_MS 5000

static gboolean
is_out_of_space (sqlite3 *handle, int code)
{
  int system_errno = sqlite3_system_errno (handle);

  if ((code & 0xff) == SQLITE_FULL)
    return TRUE;
  return (code & 0xff) == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT);
}

static void
set_error (EbSqliteDatabase *self, GError **error)
{
  int code = sqlite3_extended_errcode (self->handle);

  if (is_out_of_space (self->handle, code))
    g_set_error (error, EB_ERROR, EB_ERROR_NO_SPACE,
                 "%s: there is no space left on its disk; free some, or lower store.retention-size",
                 self->path);
  else if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
    g_set_error (error, EB_ERROR, EB_ERROR_IO,
                 "%s: the file is damaged (%s); restore it from a copy, or move it away",
                 self->path, sqlite3_errmsg (self->handle));
  else
    g_set_error (error, EB_ERROR, EB_ERROR_IO, "%s: %s (code %d); check its disk and permissions",
                 self->path, sqlite3_errmsg (self->handle), code);
}

static gboolean
configure (EbSqliteDatabase *self, EbSqliteAccess access, GError **error)
{
  eb_sqlite_database_set_patience (self, EB_SQLITE_WAITS);
  sqlite3_extended_result_codes (self->handle, 1);
  if (access == EB_SQLITE_READ_ONLY)
    {
      /* Only the connection that writes may write the log back. */
      sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
      return eb_sqlite_database_execute (self, "PRAGMA query_only=1", error);
    }
  return TRUE;
}

/**
 * eb_sqlite_database_open:
 * @vfs: (nullable): what SQLite reaches files through; NULL for its own
 *
 * Returns: (transfer full): a connection, or NULL with %EB_ERROR_IO or %EB_ERROR_NO_SPACE
 */
EbSqliteDatabase *
eb_sqlite_database_open (const char *path, const char *vfs, EbSqliteAccess access, GError **error)
{
  g_autoptr (EbSqliteDatabase) self = g_new0 (EbSqliteDatabase, 1);
  int flags = access == EB_SQLITE_READ_ONLY ? SQLITE_OPEN_READONLY
                                            : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

  self->path = g_strdup (path);
  self->statements = g_hash_table_new (NULL, NULL);
  if (sqlite3_open_v2 (path, &self->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                       vfs)
      != SQLITE_OK)
    {
      set_error (self, error);
      return NULL;
    }
  return configure (self, access, error) ? g_steal_pointer (&self) : NULL;
}

void
eb_sqlite_database_close (EbSqliteDatabase *self)
{
  GHashTableIter iter;
  sqlite3_stmt *statement;

  g_hash_table_iter_init (&iter, self->statements);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &statement))
    sqlite3_finalize (statement);
  g_hash_table_unref (self->statements);
  sqlite3_close (self->handle);
  g_free (self->path);
  g_free (self);
}

sqlite3 *
eb_sqlite_database_get_handle (EbSqliteDatabase *self)
{
  return self->handle;
}

const char *
eb_sqlite_database_get_path (EbSqliteDatabase *self)
{
  return self->path;
}

void
eb_sqlite_database_set_patience (EbSqliteDatabase *self, EbSqlitePatience patience)
{
  sqlite3_busy_timeout (self->handle, patience == EB_SQLITE_WAITS ? BUSY_TIMEOUT_MS : 0);
}

/**
 * eb_sqlite_database_execute:
 * @sql: statements, whose rows are dropped
 */
gboolean
eb_sqlite_database_execute (EbSqliteDatabase *self, const char *sql, GError **error)
{
  if (sqlite3_exec (self->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  set_error (self, error);
  return FALSE;
}

/**
 * eb_sqlite_database_prepare:
 * @sql: one statement, a string that lives as long as the program
 *
 * Returns: (transfer none): the statement, the same each time, reset and without values
 */
sqlite3_stmt *
eb_sqlite_database_prepare (EbSqliteDatabase *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (self->statements, sql);

  if (statement != NULL)
    {
      sqlite3_clear_bindings (statement);
      return statement;
    }
  if (sqlite3_prepare_v3 (self->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
      != SQLITE_OK)
    {
      set_error (self, error);
      return NULL;
    }
  g_hash_table_insert (self->statements, (gpointer) sql, statement);
  return statement;
}

/**
 * eb_sqlite_bind_text:
 * @parameter: from 1
 * @text: (nullable): NULL is a NULL; not copied, so it stays as it is until the statement is reset
 */
void
eb_sqlite_bind_text (sqlite3_stmt *statement, int parameter, const char *text)
{
  sqlite3_bind_text (statement, parameter, text, -1, SQLITE_STATIC);
}

/**
 * eb_sqlite_database_step:
 *
 * Unless there is a row, the statement is reset. Whoever leaves at a row resets it himself.
 */
EbSqliteStep
eb_sqlite_database_step (EbSqliteDatabase *self, sqlite3_stmt *statement, GError **error)
{
  int code = sqlite3_step (statement);

  if (code == SQLITE_ROW)
    return EB_SQLITE_ROW;
  if (code != SQLITE_DONE)
    set_error (self, error);
  sqlite3_reset (statement);
  return code == SQLITE_DONE ? EB_SQLITE_DONE : EB_SQLITE_FAILED;
}

/**
 * eb_sqlite_database_run:
 *
 * Runs a statement that has no rows.
 */
gboolean
eb_sqlite_database_run (EbSqliteDatabase *self, sqlite3_stmt *statement, GError **error)
{
  return eb_sqlite_database_step (self, statement, error) == EB_SQLITE_DONE;
}

/**
 * eb_sqlite_database_query_integer:
 * @sql: one statement, a string that lives as long as the program
 * @value: (out): the first column of its first row; as it was if there is no row, or NULL in it
 */
gboolean
eb_sqlite_database_query_integer (EbSqliteDatabase *self,
                                  const char *sql,
                                  gint64 *value,
                                  GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (self, sql, error);
  EbSqliteStep step;

  if (statement == NULL)
    return FALSE;
  step = eb_sqlite_database_step (self, statement, error);
  if (step != EB_SQLITE_ROW)
    return step == EB_SQLITE_DONE;
  if (sqlite3_column_type (statement, 0) != SQLITE_NULL)
    *value = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

/**
 * eb_sqlite_database_may_have_committed:
 *
 * To be asked before anything else is done here. A transaction is written whole before it is
 * synced, so of all failures only that of the sync leaves one that a crash could bring back.
 *
 * Returns: whether the transaction that has just failed may be complete in the write-ahead log
 */
gboolean
eb_sqlite_database_may_have_committed (EbSqliteDatabase *self)
{
  return sqlite3_extended_errcode (self->handle) == SQLITE_IOERR_FSYNC;
}

/**
 * eb_sqlite_database_roll_back:
 *
 * Ends a transaction of which nothing remains. Some errors have ended it already.
 */
void
eb_sqlite_database_roll_back (EbSqliteDatabase *self)
{
  if (!sqlite3_get_autocommit (self->handle))
    sqlite3_exec (self->handle, "ROLLBACK", NULL, NULL, NULL);
}
