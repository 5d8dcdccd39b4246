/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Preloaded into the daemon, ends it with SIGKILL at the N-th passage of a named point of its
 * SQLite calls: EB_CRASH_AT=POINT:N.
 *
 *   before-commit  a COMMIT has not begun
 *   after-commit   a COMMIT has returned, and its caller knows nothing of it yet
 *   in-checkpoint  a write or a sync within a checkpoint
 *   in-migration   before the COMMIT of a transaction that changed the schema
 *
 * So the daemon needs no hooks for it. It stands between the daemon and two libraries and is known
 * to neither: what it remembers can only be static. */

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;

int sqlite3_step (sqlite3_stmt *statement);
int sqlite3_wal_checkpoint_v2 (sqlite3 *db, const char *name, int mode, int *size, int *done);
/* The library's, which the daemon has loaded; looked up, so that this needs nothing to link with.
 */
typedef const char *(*SqlOf) (sqlite3_stmt *);

typedef enum
{
  POINT_NONE,
  POINT_BEFORE_COMMIT,
  POINT_AFTER_COMMIT,
  POINT_IN_CHECKPOINT,
  POINT_IN_MIGRATION,
} Point;

static Point wanted;
static atomic_long passages_left;
static _Thread_local bool in_checkpoint;
static _Thread_local bool schema_changed;

__attribute__ ((constructor)) static void
read_environment (void)
{
  static const char *const names[] = {
    [POINT_BEFORE_COMMIT] = "before-commit:",
    [POINT_AFTER_COMMIT] = "after-commit:",
    [POINT_IN_CHECKPOINT] = "in-checkpoint:",
    [POINT_IN_MIGRATION] = "in-migration:",
  };
  const char *text = getenv ("EB_CRASH_AT");

  if (text == NULL)
    return;
  for (Point point = POINT_BEFORE_COMMIT; point <= POINT_IN_MIGRATION; point++)
    if (strncmp (text, names[point], strlen (names[point])) == 0)
      {
        atomic_store (&passages_left, atol (text + strlen (names[point])));
        wanted = point;
        return;
      }
  fprintf (stderr, "EB_CRASH_AT is “%s”, which names no point\n", text);
  abort ();
}

static void
pass (Point point)
{
  if (point == wanted && atomic_fetch_sub (&passages_left, 1) == 1)
    kill (getpid (), SIGKILL);
}

static void *
next_of (const char *name)
{
  void *next = dlsym (RTLD_NEXT, name);

  if (next == NULL)
    abort ();
  return next;
}

static bool
commits (const char *sql)
{
  return sql != NULL && strcasestr (sql, "COMMIT") != NULL;
}

static bool
changes_schema (const char *sql)
{
  return sql != NULL
         && (strcasestr (sql, "CREATE TABLE") != NULL
             || (strcasestr (sql, "user_version") != NULL && strchr (sql, '=') != NULL));
}

static void
before (const char *sql)
{
  if (changes_schema (sql))
    schema_changed = true;
  if (!commits (sql))
    return;
  if (schema_changed)
    pass (POINT_IN_MIGRATION);
  pass (POINT_BEFORE_COMMIT);
}

static void
after (const char *sql)
{
  if (!commits (sql))
    return;
  schema_changed = false;
  pass (POINT_AFTER_COMMIT);
}

/* sqlite3_exec() comes here as well, once for each of its statements. */
int
sqlite3_step (sqlite3_stmt *statement)
{
  int (*next) (sqlite3_stmt *) = next_of ("sqlite3_step");
  SqlOf sql_of = (SqlOf) next_of ("sqlite3_sql");
  const char *sql = sql_of (statement);
  int result;

  before (sql);
  result = next (statement);
  after (sql);
  return result;
}

int
sqlite3_wal_checkpoint_v2 (sqlite3 *db, const char *name, int mode, int *size, int *done)
{
  int (*next) (sqlite3 *, const char *, int, int *, int *) = next_of ("sqlite3_wal_checkpoint_v2");
  int result;

  in_checkpoint = true;
  result = next (db, name, mode, size, done);
  in_checkpoint = false;
  return result;
}

/* SQLite on Linux writes with this one; off64_t is what its own build says. */
ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  ssize_t (*next) (int, const void *, size_t, off64_t) = next_of ("pwrite64");

  if (in_checkpoint)
    pass (POINT_IN_CHECKPOINT);
  return next (fd, data, size, offset);
}

int
fdatasync (int fd)
{
  int (*next) (int) = next_of ("fdatasync");

  if (in_checkpoint)
    pass (POINT_IN_CHECKPOINT);
  return next (fd);
}
