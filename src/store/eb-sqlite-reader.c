/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-sqlite-reader.h"

#include "core/eb-error.h"
#include "store/eb-page-cache.h"
#include "store/eb-sqlite-events.h"
#include "store/eb-sqlite-ledger.h"

/* Reads what is not in the window, in a thread and over a connection of its own. One request after
 * the other, so that the next one finds what was read for the one before. How many wait is bounded
 * by who asks: a consumer has a page and a few single events under way at a time, and whoever looks
 * from outside asks for one thing after the other. */
struct _EbSqliteReader
{
  char *path;        /* (owned) */
  char *vfs;         /* (owned) (nullable) */
  EbWindow *window;  /* says what there is, and from where on nobody asks here */
  GThreadPool *pool; /* (owned): one thread */

  /* From here on the thread's alone. */
  EbSqliteDatabase *database; /* (owned) (nullable): NULL before the first use and after an error */
  EbPageCache *cache;         /* (owned) */
  guint64 damaged;            /* the last one that was logged */
};

/* Many times what a consumer takes at once, so that the next ones are there already. */
#define CHUNK_BYTES     (512 * 1024)
#define MAX_PAGES       16
#define MAX_CACHE_BYTES (MAX_PAGES * CHUNK_BYTES)

/* Who takes no more wants an event or two and none of those that follow: for him a chunk would be
 * read in vain, and put one out that others are using. */
#define FEW_BYTES 1024

typedef struct
{
  GTask *task; /* (owned) */
  guint64 after;
  gsize max_bytes; /* of a read */
  char *id;        /* (owned) (nullable): NULL for a read, else whose exceptions */
  EbExceptionKinds kinds;
  guint limit;
} Request;

static void
request_free (Request *request)
{
  g_object_unref (request->task);
  g_free (request->id);
  g_free (request);
}

static EbSqliteDatabase *
get_database (EbSqliteReader *self, GError **error)
{
  if (self->database == NULL)
    self->database = eb_sqlite_database_open (self->path, self->vfs, EB_SQLITE_READ_ONLY, error);
  return self->database;
}

/* Those that follow one another are one damage. */
static void
report_damage (EbSqliteReader *self, guint64 damaged)
{
  if (damaged == 0 || damaged == self->damaged)
    return;
  if (damaged != self->damaged + 1)
    g_warning ("%s: event %" G_GUINT64_FORMAT " is damaged or missing, and treated as lost",
               self->path, damaged);
  self->damaged = damaged;
}

/* Returns: (transfer full): what there is from @start on, or NULL with an error */
static EbPage *
read_events (EbSqliteReader *self, guint64 start, guint64 end, gsize max_bytes, GError **error)
{
  EbSqliteDatabase *database = get_database (self, error);
  EbPage *page;
  guint64 damaged;
  EbWindowBounds bounds;

  if (database == NULL)
    return NULL;
  page = eb_sqlite_events_read (database, start, end, max_bytes, &damaged, error);
  if (page == NULL)
    return NULL;
  eb_window_get_bounds (self->window, &bounds);
  if (damaged >= bounds.oldest) /* else retention has taken it meanwhile */
    report_damage (self, damaged);
  return page;
}

/* Returns: (transfer full): the same, from the cache or through it */
static EbPage *
get_events (EbSqliteReader *self, guint64 start, guint64 end, gsize max_bytes, GError **error)
{
  EbPage *page = eb_page_cache_lookup (self->cache, start, max_bytes);
  g_autoptr (EbPage) chunk = NULL;

  if (page != NULL)
    return page;
  if (max_bytes <= FEW_BYTES)
    return read_events (self, start, end, max_bytes, error);
  chunk = read_events (self, start, end, CHUNK_BYTES, error);
  if (chunk == NULL)
    return NULL;
  eb_page_cache_add (self->cache, start, chunk);
  return eb_page_cache_lookup (self->cache, start, max_bytes);
}

static EbPage *
read_page (EbSqliteReader *self, guint64 after, gsize max_bytes, GError **error)
{
  EbWindowBounds bounds;
  EbPage *page, *copy;
  guint64 start;

  eb_window_get_bounds (self->window, &bounds);
  start = MAX (after + 1, bounds.oldest);
  if (start > bounds.head)
    return eb_page_new (start - 1); /* all of it has gone since it was asked for */
  page = get_events (self, start, MAX (bounds.first, start + 1), max_bytes, error);
  if (page == NULL || page->lost_up_to != 0 || start == after + 1)
    return page;

  /* What retention took away before it is lost too. */
  copy = eb_page_new (start - 1);
  g_ptr_array_extend (copy->events, page->events, (GCopyFunc) (GCallback) eb_event_ref, NULL);
  eb_page_unref (page);
  return copy;
}

/* The next request tries with a connection of its own, unless nothing is wrong with this one. */
static void
return_error (EbSqliteReader *self, Request *request, GError *error)
{
  if (!g_error_matches (error, EB_ERROR, EB_ERROR_NOT_FOUND))
    g_clear_pointer (&self->database, eb_sqlite_database_close);
  g_task_return_error (request->task, error);
}

static void
handle_read (EbSqliteReader *self, Request *request)
{
  GError *error = NULL;
  EbPage *page = read_page (self, request->after, request->max_bytes, &error);

  if (page != NULL)
    g_task_return_pointer (request->task, page, (GDestroyNotify) eb_page_unref);
  else
    return_error (self, request, error);
}

static void
handle_list (EbSqliteReader *self, Request *request)
{
  GError *error = NULL;
  EbSqliteDatabase *database = get_database (self, &error);
  GPtrArray *list = NULL;

  if (database != NULL)
    list = eb_sqlite_ledger_list_exceptions (database, request->id, request->kinds, request->after,
                                             request->limit, &error);
  if (list != NULL)
    g_task_return_pointer (request->task, list, (GDestroyNotify) g_ptr_array_unref);
  else
    return_error (self, request, error);
}

static void
handle_cb (gpointer data, gpointer user_data)
{
  Request *request = data;

  if (g_task_return_error_if_cancelled (request->task))
    ;
  else if (request->id != NULL)
    handle_list (user_data, request);
  else
    handle_read (user_data, request);
  request_free (request);
}

/**
 * eb_sqlite_reader_new:
 * @path: a database that exists
 * @window: of the log
 *
 * Returns: (transfer full): a reader; the file is opened when something is asked
 */
EbSqliteReader *
eb_sqlite_reader_new (const char *path, const char *vfs, EbWindow *window)
{
  EbSqliteReader *self = g_new0 (EbSqliteReader, 1);

  self->path = g_strdup (path);
  self->vfs = g_strdup (vfs);
  self->window = window;
  self->cache = eb_page_cache_new (MAX_PAGES, MAX_CACHE_BYTES);
  self->pool = g_thread_pool_new (handle_cb, self, 1, FALSE, NULL);
  return self;
}

/**
 * eb_sqlite_reader_free:
 *
 * Answers what waits first. Blocks.
 */
void
eb_sqlite_reader_free (EbSqliteReader *self)
{
  g_thread_pool_free (self->pool, FALSE, TRUE);
  g_clear_pointer (&self->database, eb_sqlite_database_close);
  eb_page_cache_free (self->cache);
  g_free (self->path);
  g_free (self->vfs);
  g_free (self);
}

/**
 * eb_sqlite_reader_read:
 * @task: (transfer full): returns an #EbPage
 *
 * Does what eb_log_read_async() says for what is before the window.
 */
void
eb_sqlite_reader_read (EbSqliteReader *self, GTask *task, guint64 after, gsize max_bytes)
{
  Request *request = g_new0 (Request, 1);

  request->task = task;
  request->after = after;
  request->max_bytes = max_bytes;
  g_thread_pool_push (self->pool, request, NULL);
}

/**
 * eb_sqlite_reader_list_exceptions:
 * @task: (transfer full): returns a #GPtrArray of #EbException
 *
 * Does what eb_ledger_list_exceptions_async() says.
 */
void
eb_sqlite_reader_list_exceptions (EbSqliteReader *self,
                                  GTask *task,
                                  const char *id,
                                  EbExceptionKinds kinds,
                                  guint64 after,
                                  guint limit)
{
  Request *request = g_new0 (Request, 1);

  request->task = task;
  request->id = g_strdup (id);
  request->kinds = kinds;
  request->after = after;
  request->limit = limit;
  g_thread_pool_push (self->pool, request, NULL);
}
