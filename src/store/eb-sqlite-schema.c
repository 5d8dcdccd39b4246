/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-schema.h"

#include "core/eb-error.h"

/* "EvBs": marks a database file as ours. */
#define APPLICATION_ID 0x45764273

/* The attributes of an event are name, NUL, value, NUL in turn, sorted by name: most events have
 * none or few, and nobody searches for them here. The checksum covers all other columns.
 *
 * AUTOINCREMENT remembers the highest sequence there ever was, also when its event is gone. */
static const char format_1[] =
    "CREATE TABLE event ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  accepted INTEGER NOT NULL," /* microseconds since 1970 */
    "  id TEXT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  content_type TEXT,"
    "  attributes BLOB NOT NULL,"
    "  data BLOB NOT NULL,"
    "  checksum INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE subscription ("
    "  id TEXT PRIMARY KEY,"
    "  body TEXT NOT NULL," /* the subscription as JSON */
    "  start INTEGER NOT NULL,"
    "  cursor INTEGER," /* NULL: it goes with the floor */
    "  previous INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE exception ("
    "  subscription TEXT NOT NULL,"
    "  sequence INTEGER NOT NULL,"
    "  previous INTEGER NOT NULL,"
    "  dead INTEGER NOT NULL,"
    "  attempts INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL," /* of the attempts, those that the retry schedule counts */
    "  last_status INTEGER NOT NULL,"
    "  reason TEXT,"
    "  first INTEGER NOT NULL," /* these three in microseconds since 1970 */
    "  last INTEGER NOT NULL,"
    "  due INTEGER NOT NULL,"
    "  PRIMARY KEY (subscription, sequence)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX exception_sequence ON exception (sequence);"
    "CREATE TABLE state ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  log_id TEXT NOT NULL,"
    "  floor INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL,"
    "  fence INTEGER NOT NULL" /* written over what a failed commit may have left */
    ") STRICT;";

/* Names: what tells the repeat of an event, by its sequence so that the oldest go without a search.
 * The index has those that wait aside alone, as a start looks for them among all that are dead. */
static const char format_2[] =
    "ALTER TABLE subscription ADD COLUMN"
    "  expired INTEGER NOT NULL DEFAULT 0;" /* microseconds since 1970; 0: it has not */
    "CREATE TABLE name ("
    "  sequence INTEGER PRIMARY KEY,"
    "  accepted INTEGER NOT NULL," /* microseconds since 1970 */
    "  digest BLOB NOT NULL"       /* of source and id */
    ") STRICT;"
    "CREATE UNIQUE INDEX name_digest ON name (digest);"
    "CREATE INDEX exception_aside ON exception (subscription, sequence) WHERE dead = 0;";

/* An exception that waits with others says so: they are one delivery. */
static const char format_3[] = "ALTER TABLE exception ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;";

/* What a batch consists of: all that its subscription matches from the first to the last. Those
 * that it has passed go with its next one. */
static const char format_4[] = "CREATE TABLE batch ("
                               "  subscription TEXT NOT NULL,"
                               "  last INTEGER NOT NULL,"
                               "  first INTEGER NOT NULL,"
                               "  PRIMARY KEY (subscription, last)"
                               ") STRICT, WITHOUT ROWID;";

/* Step n makes format n + 1 of format n; each is one transaction. Steps are only ever added. */
static const char *const migrations[] = { format_1, format_2, format_3, format_4 };

/* A database that has nothing in it may become ours; any other must be. */
static gboolean
check_identity (EbSqliteDatabase *database, gint64 format, gint64 newest, GError **error)
{
  const char *path = eb_sqlite_database_get_path (database);
  gint64 application_id = 0, objects = 0;

  if (!eb_sqlite_database_query_integer (database, "PRAGMA application_id", &application_id, error)
      || !eb_sqlite_database_query_integer (database, "SELECT count(*) FROM sqlite_schema",
                                            &objects, error))
    return FALSE;
  if (application_id != APPLICATION_ID && (application_id != 0 || format != 0 || objects != 0))
    g_set_error (error, EB_ERROR, EB_ERROR_IO,
                 "%s is a database of another program; name another file", path);
  else if (format > newest)
    g_set_error (error, EB_ERROR, EB_ERROR_IO,
                 "%s was written by a newer eventbusd (format %" G_GINT64_FORMAT
                 ", this one knows %" G_GINT64_FORMAT "): install that version, or name another "
                 "file",
                 path, format, newest);
  else
    return TRUE;
  return FALSE;
}

static gboolean
take_step (EbSqliteDatabase *database, const char *step, gint64 to, GError **error)
{
  g_autofree char *marks =
      g_strdup_printf ("PRAGMA application_id=%d; PRAGMA user_version=%" G_GINT64_FORMAT "; COMMIT",
                       APPLICATION_ID, to);

  if (eb_sqlite_database_execute (database, "BEGIN IMMEDIATE", error)
      && eb_sqlite_database_execute (database, step, error)
      && eb_sqlite_database_execute (database, marks, error))
    return TRUE;
  eb_sqlite_database_roll_back (database);
  g_prefix_error (error, "Cannot bring the store to format %" G_GINT64_FORMAT ": ", to);
  return FALSE;
}

/**
 * eb_sqlite_schema_migrate:
 * @database: a connection that may write
 * @steps: (array length=n_steps): the one at n makes format n + 1 of format n; each is one
 *   transaction
 *
 * Sets the connection up, and makes the file one of format @n_steps.
 *
 * Returns: FALSE with %EB_ERROR_IO or %EB_ERROR_NO_SPACE. The file is then as it was if it is not
 *   one of ours, or newer, and else as the last step that worked has left it.
 */
gboolean
eb_sqlite_schema_migrate (EbSqliteDatabase *database,
                          const char *const *steps,
                          guint n_steps,
                          GError **error)
{
  gint64 format = 0;

  if (!eb_sqlite_database_query_integer (database, "PRAGMA user_version", &format, error)
      || !check_identity (database, format, n_steps, error)
      /* In this order: the page size is settled once the file has a page. The log is written back
       * when nobody waits for it, so not by whichever commit makes it long. */
      || !eb_sqlite_database_execute (database,
                                      "PRAGMA page_size=4096;"
                                      "PRAGMA journal_mode=WAL;"
                                      "PRAGMA synchronous=FULL;"
                                      "PRAGMA wal_autocheckpoint=0;"
                                      "PRAGMA journal_size_limit=67108864",
                                      error))
    return FALSE;
  for (; format < n_steps; format++)
    if (!take_step (database, steps[format], format + 1, error))
      return FALSE;
  return TRUE;
}

static gboolean
add_state (EbSqliteDatabase *database, GError **error)
{
  g_autofree char *log_id = g_uuid_string_random ();
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "INSERT OR IGNORE INTO state VALUES (1, ?1, 0, 0, 0)", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, log_id, -1, SQLITE_TRANSIENT);
  return eb_sqlite_database_run (database, statement, error);
}

/**
 * eb_sqlite_schema_prepare:
 * @database: a connection that may write
 *
 * Makes the file one of the format that this program knows.
 *
 * Returns: FALSE with %EB_ERROR_IO, and the file as it was, if it is not one of ours, or newer
 */
gboolean
eb_sqlite_schema_prepare (EbSqliteDatabase *database, GError **error)
{
  return eb_sqlite_schema_migrate (database, migrations, G_N_ELEMENTS (migrations), error)
         && add_state (database, error);
}
