/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "codec/eb-draft-json.h"
#include "fuzz/eb-fuzz.h"
#include "store/eb-sqlite-events.h"
#include "store/eb-sqlite-schema.h"

/* Where there is room for one page with everything. */
#define MAX_BYTES (1024 * 1024)

static EbSqliteDatabase *
open_database (void)
{
  g_autoptr (GError) error = NULL;
  EbSqliteDatabase *database =
      eb_sqlite_database_open (":memory:", NULL, EB_SQLITE_READ_WRITE, &error);

  g_assert_no_error (error);
  eb_sqlite_schema_prepare (database, &error);
  g_assert_no_error (error);
  return database;
}

/* Returns: (transfer none): without events; one for all inputs, as to make one takes much longer
 * than all else here */
static EbSqliteDatabase *
get_database (void)
{
  static EbSqliteDatabase *database = NULL;

  if (g_once_init_enter (&database))
    g_once_init_leave (&database, open_database ());
  g_assert_true (eb_sqlite_database_execute (database, "DELETE FROM event", NULL));
  return database;
}

/* Returns: (transfer full): the event @text says, or one that says little */
static EbEvent *
create_event (const char *text, gsize size)
{
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (EbDraft) draft = eb_draft_from_json (text, size, NULL);

  if (draft == NULL || !eb_draft_complete (draft, NULL))
    {
      g_clear_pointer (&draft, eb_draft_free);
      draft = eb_draft_new (nothing);
      eb_draft_complete (draft, NULL);
    }
  return eb_event_new (draft, 1, 1);
}

/* Returns: (transfer full) (nullable): NULL if it is lost */
static EbEvent *
read_event (EbSqliteDatabase *database)
{
  g_autoptr (GError) error = NULL;
  guint64 damaged;
  g_autoptr (EbPage) page = eb_sqlite_events_read (database, 1, 2, MAX_BYTES, &damaged, &error);

  g_assert_no_error (error);
  if (page->events->len == 0)
    {
      g_assert_cmpuint (damaged, ==, 1);
      g_assert_cmpuint (page->lost_up_to, ==, 1);
      return NULL;
    }
  g_assert_cmpuint (damaged, ==, 0);
  g_assert_cmpuint (page->events->len, ==, 1);
  return eb_event_ref (page->events->pdata[0]);
}

static void
check_same (EbEvent *event, EbEvent *again)
{
  gsize n, n_again;
  const EbAttribute *attributes = eb_event_get_attributes (event, &n);
  const EbAttribute *attributes_again = eb_event_get_attributes (again, &n_again);

  g_assert_cmpstr (eb_event_get_id (event), ==, eb_event_get_id (again));
  g_assert_cmpstr (eb_event_get_source (event), ==, eb_event_get_source (again));
  g_assert_cmpstr (eb_event_get_event_type (event), ==, eb_event_get_event_type (again));
  g_assert_cmpstr (eb_event_get_content_type (event), ==, eb_event_get_content_type (again));
  g_assert_true (g_bytes_equal (eb_event_get_data (event), eb_event_get_data (again)));
  g_assert_cmpuint (n, ==, n_again);
  for (gsize i = 0; i < n; i++)
    {
      g_assert_cmpstr (attributes[i].name, ==, attributes_again[i].name);
      g_assert_cmpstr (attributes[i].value, ==, attributes_again[i].value);
    }
}

/* As a disk may do. */
static void
damage (EbSqliteDatabase *database, guint choice, const uint8_t *data, size_t size)
{
  static const char *const updates[] = {
    "UPDATE event SET id = ?1",           "UPDATE event SET source = ?1",
    "UPDATE event SET type = ?1",         "UPDATE event SET content_type = ?1",
    "UPDATE event SET attributes = ?1",   "UPDATE event SET data = ?1",
    "UPDATE event SET accepted = ?1 + 0",
  };
  guint i = choice % G_N_ELEMENTS (updates);
  g_autoptr (GError) error = NULL;
  sqlite3_stmt *statement = eb_sqlite_database_prepare (database, updates[i], &error);

  g_assert_no_error (error);
  if (i == 4 || i == 5)
    sqlite3_bind_blob (statement, 1, size > 0 ? (gconstpointer) data : "", (int) size,
                       SQLITE_STATIC);
  else
    sqlite3_bind_text (statement, 1, (const char *) data, (int) size, SQLITE_STATIC);
  /* A number may be none that the column takes. */
  eb_sqlite_database_run (database, statement, NULL);
}

/* An event as JSON and a NUL; then which column is damaged, and what is there then. A row is read
 * as what was written, or as lost. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const uint8_t *end = size > 0 ? memchr (data, '\0', size) : NULL;
  gsize length = end != NULL ? (gsize) (end - data) : size;
  EbSqliteDatabase *database = get_database ();
  g_autoptr (EbEvent) event = create_event ((const char *) data, length);
  g_autoptr (EbEvent) again = NULL;
  g_autoptr (EbEvent) damaged = NULL;
  g_autoptr (GError) error = NULL;

  eb_sqlite_events_insert (database, event, &error);
  g_assert_no_error (error);
  again = read_event (database);
  g_assert_nonnull (again);
  check_same (event, again);
  if (size < length + 2)
    return 0;
  damage (database, end[1], end + 2, size - length - 2);
  damaged = read_event (database);
  if (damaged != NULL)
    check_same (event, damaged);
  return 0;
}
