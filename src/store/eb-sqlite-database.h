/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct _EbSqliteDatabase EbSqliteDatabase;

/**
 * EbSqliteAccess:
 * @EB_SQLITE_READ_WRITE: the one connection that writes and checkpoints; makes the file
 * @EB_SQLITE_READ_ONLY: any other
 */
typedef enum
{
  EB_SQLITE_READ_WRITE,
  EB_SQLITE_READ_ONLY,
} EbSqliteAccess;

/**
 * EbSqlitePatience:
 * @EB_SQLITE_WAITS: a connection waits for another one, which holds nothing for long
 * @EB_SQLITE_WAITS_FOR_NOBODY: it is told at once that it would have to
 */
typedef enum
{
  EB_SQLITE_WAITS,
  EB_SQLITE_WAITS_FOR_NOBODY,
} EbSqlitePatience;

/**
 * EbSqliteStep:
 * @EB_SQLITE_ROW: the statement stands at a row
 * @EB_SQLITE_DONE: there is none any more
 * @EB_SQLITE_FAILED: an error
 */
typedef enum
{
  EB_SQLITE_ROW,
  EB_SQLITE_DONE,
  EB_SQLITE_FAILED,
} EbSqliteStep;

EbSqliteDatabase *
eb_sqlite_database_open (const char *path, const char *vfs, EbSqliteAccess access, GError **error);
void eb_sqlite_database_close (EbSqliteDatabase *self);

sqlite3 *eb_sqlite_database_get_handle (EbSqliteDatabase *self);
const char *eb_sqlite_database_get_path (EbSqliteDatabase *self);
void eb_sqlite_database_set_patience (EbSqliteDatabase *self, EbSqlitePatience patience);
gboolean eb_sqlite_database_execute (EbSqliteDatabase *self, const char *sql, GError **error);
sqlite3_stmt *eb_sqlite_database_prepare (EbSqliteDatabase *self, const char *sql, GError **error);
void eb_sqlite_bind_text (sqlite3_stmt *statement, int parameter, const char *text);
EbSqliteStep
eb_sqlite_database_step (EbSqliteDatabase *self, sqlite3_stmt *statement, GError **error);
gboolean eb_sqlite_database_run (EbSqliteDatabase *self, sqlite3_stmt *statement, GError **error);
gboolean eb_sqlite_database_query_integer (EbSqliteDatabase *self,
                                           const char *sql,
                                           gint64 *value,
                                           GError **error);
gboolean eb_sqlite_database_may_have_committed (EbSqliteDatabase *self);
void eb_sqlite_database_roll_back (EbSqliteDatabase *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EbSqliteDatabase, eb_sqlite_database_close)

G_END_DECLS
