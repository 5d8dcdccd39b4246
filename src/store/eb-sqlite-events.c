/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-events.h"

#include <string.h>
#include <zlib.h>

/* Events and their rows. */

enum
{
  COLUMN_SEQUENCE,
  COLUMN_ACCEPTED,
  COLUMN_ID,
  COLUMN_SOURCE,
  COLUMN_TYPE,
  COLUMN_CONTENT_TYPE,
  COLUMN_ATTRIBUTES,
  COLUMN_DATA,
  COLUMN_CHECKSUM,
};

/* Of each text its NUL too, so that no two events look alike one after the other. */
static uLong
add_text (uLong checksum, const char *text)
{
  return text != NULL ? crc32_z (checksum, (const Bytef *) text, strlen (text) + 1) : checksum;
}

static uLong
add_bytes (uLong checksum, gconstpointer bytes, gsize size)
{
  guint64 size_le = GUINT64_TO_LE (size);

  checksum = crc32_z (checksum, (const Bytef *) &size_le, sizeof size_le);
  return size > 0 ? crc32_z (checksum, bytes, size) : checksum;
}

static gint64
compute_checksum (guint64 sequence,
                  gint64 accepted_us,
                  const EbEventFields *fields,
                  gconstpointer attributes,
                  gsize attributes_size)
{
  guint64 numbers[] = { GUINT64_TO_LE (sequence), (guint64) GINT64_TO_LE (accepted_us) };
  gsize size;
  gconstpointer data = g_bytes_get_data (fields->data, &size);
  uLong checksum = crc32_z (0, (const Bytef *) numbers, sizeof numbers);

  checksum = add_text (checksum, fields->id);
  checksum = add_text (checksum, fields->source);
  checksum = add_text (checksum, fields->type);
  checksum = add_text (checksum, fields->content_type);
  checksum = add_bytes (checksum, attributes, attributes_size);
  return (gint64) add_bytes (checksum, data, size);
}

/* NULL would be no blob but a NULL. */
static void
bind_blob (sqlite3_stmt *statement, int column, gconstpointer bytes, gsize size)
{
  sqlite3_bind_blob64 (statement, column + 1, size > 0 ? bytes : "", size, SQLITE_STATIC);
}

/* In a row, the content type of data that is JSON although the event does not say so. */
#define IMPLIED ""

/* Says in a row, before an attribute's name, that it is no string. A name has letters and digits
 * only, so rows that were written before there were kinds read as they always did. */
#define BOOLEAN_MARK '?'
#define INTEGER_MARK '#'

static void
pack_kind (GByteArray *packed, EbAttributeKind kind)
{
  guint8 mark = kind == EB_ATTRIBUTE_BOOLEAN ? BOOLEAN_MARK : INTEGER_MARK;

  if (kind != EB_ATTRIBUTE_STRING)
    g_byte_array_append (packed, &mark, 1);
}

/* Leaves @name at what follows the mark. */
static EbAttributeKind
unpack_kind (const char **name)
{
  if (**name != BOOLEAN_MARK && **name != INTEGER_MARK)
    return EB_ATTRIBUTE_STRING;
  return *(*name)++ == BOOLEAN_MARK ? EB_ATTRIBUTE_BOOLEAN : EB_ATTRIBUTE_INTEGER;
}

static GByteArray *
pack_attributes (const EbEventFields *fields)
{
  GByteArray *packed = g_byte_array_new ();

  for (gsize i = 0; i < fields->n_attributes; i++)
    {
      const EbAttribute *attribute = &fields->attributes[i];

      pack_kind (packed, attribute->kind);
      g_byte_array_append (packed, (const guint8 *) attribute->name,
                           (guint) strlen (attribute->name) + 1);
      g_byte_array_append (packed, (const guint8 *) attribute->value,
                           (guint) strlen (attribute->value) + 1);
    }
  return packed;
}

/**
 * eb_sqlite_events_insert:
 * @event: follows the newest one
 */
gboolean
eb_sqlite_events_insert (EbSqliteDatabase *database, EbEvent *event, GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database, "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", error);
  guint64 sequence = eb_event_get_sequence (event);
  gint64 accepted_us = eb_event_get_accepted (event);
  EbEventFields fields = {
    .id = eb_event_get_id (event),
    .source = eb_event_get_source (event),
    .type = eb_event_get_event_type (event),
    .content_type = eb_event_get_content_type (event),
    .data = eb_event_get_data (event),
  };
  g_autoptr (GByteArray) attributes = NULL;
  gsize size;
  gconstpointer data = g_bytes_get_data (fields.data, &size);

  if (statement == NULL)
    return FALSE;
  if (fields.content_type == NULL && eb_event_get_media_type (event) != NULL)
    fields.content_type = IMPLIED;
  fields.attributes = eb_event_get_attributes (event, &fields.n_attributes);
  attributes = pack_attributes (&fields);

  sqlite3_bind_int64 (statement, COLUMN_SEQUENCE + 1, (gint64) sequence);
  sqlite3_bind_int64 (statement, COLUMN_ACCEPTED + 1, accepted_us);
  eb_sqlite_bind_text (statement, COLUMN_ID + 1, fields.id);
  eb_sqlite_bind_text (statement, COLUMN_SOURCE + 1, fields.source);
  eb_sqlite_bind_text (statement, COLUMN_TYPE + 1, fields.type);
  eb_sqlite_bind_text (statement, COLUMN_CONTENT_TYPE + 1, fields.content_type);
  bind_blob (statement, COLUMN_ATTRIBUTES, attributes->data, attributes->len);
  bind_blob (statement, COLUMN_DATA, data, size);
  sqlite3_bind_int64 (
      statement, COLUMN_CHECKSUM + 1,
      compute_checksum (sequence, accepted_us, &fields, attributes->data, attributes->len));
  return eb_sqlite_database_run (database, statement, error);
}

/* Returns: FALSE if @packed is not names and values in turn */
static gboolean
unpack_attributes (const char *packed, gsize size, GArray *attributes)
{
  const char *at = packed, *end;

  g_array_set_size (attributes, 0);
  if (size == 0)
    return TRUE;
  end = packed + size;
  if (end[-1] != '\0')
    return FALSE;
  while (at < end)
    {
      EbAttribute attribute = { .name = at };

      attribute.kind = unpack_kind (&attribute.name);
      at += strlen (at) + 1;
      if (at == end)
        return FALSE;
      attribute.value = at;
      at += strlen (at) + 1;
      g_array_append_val (attributes, attribute);
    }
  return TRUE;
}

static const char *
column_text (sqlite3_stmt *statement, int column)
{
  return (const char *) sqlite3_column_text (statement, column);
}

/* Returns: (nullable): NULL if the row is not what was written */
static EbEvent *
event_from_row (sqlite3_stmt *statement, GArray *attributes)
{
  guint64 sequence = (guint64) sqlite3_column_int64 (statement, COLUMN_SEQUENCE);
  gint64 accepted_us = sqlite3_column_int64 (statement, COLUMN_ACCEPTED);
  const char *packed = sqlite3_column_blob (statement, COLUMN_ATTRIBUTES);
  gsize packed_size = (gsize) sqlite3_column_bytes (statement, COLUMN_ATTRIBUTES);
  gconstpointer bytes = sqlite3_column_blob (statement, COLUMN_DATA);
  gsize size = (gsize) sqlite3_column_bytes (statement, COLUMN_DATA);
  g_autoptr (GBytes) data = g_bytes_new (bytes, bytes != NULL ? size : 0);
  EbEventFields fields = {
    .id = column_text (statement, COLUMN_ID),
    .source = column_text (statement, COLUMN_SOURCE),
    .type = column_text (statement, COLUMN_TYPE),
    .content_type = column_text (statement, COLUMN_CONTENT_TYPE),
    .data = data,
  };

  if (fields.id == NULL || fields.source == NULL || fields.type == NULL
      || !unpack_attributes (packed, packed != NULL ? packed_size : 0, attributes)
      || compute_checksum (sequence, accepted_us, &fields, packed, packed_size)
             != sqlite3_column_int64 (statement, COLUMN_CHECKSUM))
    return NULL;
  if (g_strcmp0 (fields.content_type, IMPLIED) == 0)
    {
      fields.content_type = NULL;
      fields.is_json = TRUE;
    }
  fields.attributes = (gconstpointer) attributes->data;
  fields.n_attributes = attributes->len;
  return eb_event_new_stored (&fields, sequence, accepted_us);
}

/* Takes the row that @statement stands at into @page. What comes before the page's first event is
 * lost; a page ends before the next one that is.
 *
 * @next: the sequence that should be in the row
 *
 * Returns: whether the page goes on */
static gboolean
take_row (sqlite3_stmt *statement, EbPage *page, GArray *attributes, guint64 next, guint64 *damaged)
{
  guint64 sequence = (guint64) sqlite3_column_int64 (statement, COLUMN_SEQUENCE);
  gboolean begun = page->events->len > 0;
  EbEvent *event = begun && sequence != next ? NULL : event_from_row (statement, attributes);

  if (event == NULL)
    *damaged = begun ? next : sequence;
  else if (sequence != next)
    *damaged = sequence - 1;
  if (!begun)
    page->lost_up_to = *damaged;
  if (event != NULL)
    g_ptr_array_add (page->events, event);
  return event != NULL || !begun;
}

/**
 * eb_sqlite_events_read:
 * @start: the first one wanted
 * @end: the first one not wanted any more
 * @max_bytes: bound on the events' charges together; the first event comes whatever its size
 * @damaged: (out): an event that is not there or not as it was written; 0 for none
 *
 * Returns: (transfer full): consecutive events; those before them, from @start, are lost. A page
 *   without events has lost all
 */
EbPage *
eb_sqlite_events_read (EbSqliteDatabase *database,
                       guint64 start,
                       guint64 end,
                       gsize max_bytes,
                       guint64 *damaged,
                       GError **error)
{
  sqlite3_stmt *statement = eb_sqlite_database_prepare (
      database,
      "SELECT sequence, accepted, id, source, type, content_type, attributes, data, checksum"
      " FROM event WHERE sequence >= ?1 AND sequence < ?2 ORDER BY sequence",
      error);
  g_autoptr (EbPage) page = eb_page_new (0);
  g_autoptr (GArray) attributes = g_array_new (FALSE, FALSE, sizeof (EbAttribute));
  EbSqliteStep step;
  gsize bytes = 0;
  guint64 next = start;

  *damaged = 0;
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, (gint64) start);
  sqlite3_bind_int64 (statement, 2, (gint64) end);
  while ((step = eb_sqlite_database_step (database, statement, error)) == EB_SQLITE_ROW)
    {
      if (!take_row (statement, page, attributes, next, damaged))
        break;
      next = (guint64) sqlite3_column_int64 (statement, COLUMN_SEQUENCE) + 1;
      if (page->events->len == 0)
        continue;
      bytes += eb_event_get_charge (g_ptr_array_index (page->events, page->events->len - 1));
      if (bytes > max_bytes && page->events->len > 1)
        g_ptr_array_set_size (page->events, (int) page->events->len - 1);
      if (bytes >= max_bytes)
        break;
    }
  if (step == EB_SQLITE_FAILED)
    return NULL;
  sqlite3_reset (statement);
  if (page->events->len == 0)
    *damaged = page->lost_up_to = end - 1;
  return g_steal_pointer (&page);
}

/**
 * eb_sqlite_events_get_extent:
 * @extent: (out): what there is
 */
gboolean
eb_sqlite_events_get_extent (EbSqliteDatabase *database, EbSqliteExtent *extent, GError **error)
{
  gint64 head = 0, first, accepted_us = 0;

  if (!eb_sqlite_database_query_integer (
          database, "SELECT seq FROM sqlite_sequence WHERE name = 'event'", &head, error))
    return FALSE;
  first = head + 1;
  if (!eb_sqlite_database_query_integer (database, "SELECT min(sequence) FROM event", &first, error)
      || !eb_sqlite_database_query_integer (
          database, "SELECT accepted FROM event ORDER BY sequence DESC LIMIT 1", &accepted_us,
          error))
    return FALSE;
  *extent = (EbSqliteExtent){ (guint64) first, (guint64) head, accepted_us };
  return TRUE;
}
