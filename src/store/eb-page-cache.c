/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-page-cache.h"

/* Pages that were read for one and serve others who are near: those who lag together share what is
 * read. The page used least recently makes room. One thread at a time uses it. */
struct _EbPageCache
{
  GQueue chunks; /* (owned) (element-type Chunk) the one used last first */
  gsize bytes;   /* of all together */
  guint max_pages;
  gsize max_bytes;
};

typedef struct
{
  guint64 start; /* what was asked for; before the first event are those that are lost */
  guint64 last;  /* the last one that the page says something of */
  EbPage *page;  /* (owned) */
  gsize bytes;   /* the events' charges together */
} Chunk;

static void
chunk_free (Chunk *chunk)
{
  eb_page_unref (chunk->page);
  g_free (chunk);
}

EbPageCache *
eb_page_cache_new (guint max_pages, gsize max_bytes)
{
  EbPageCache *self = g_new0 (EbPageCache, 1);

  self->max_pages = max_pages;
  self->max_bytes = max_bytes;
  return self;
}

void
eb_page_cache_free (EbPageCache *self)
{
  g_queue_clear_full (&self->chunks, (GDestroyNotify) chunk_free);
  g_free (self);
}

static void
drop_last (EbPageCache *self)
{
  Chunk *chunk = g_queue_pop_tail (&self->chunks);

  self->bytes -= chunk->bytes;
  chunk_free (chunk);
}

/**
 * eb_page_cache_add:
 * @start: the first sequence that was asked for
 * @page: what there is from there on
 */
void
eb_page_cache_add (EbPageCache *self, guint64 start, EbPage *page)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->start = start;
  chunk->page = eb_page_ref (page);
  chunk->last = page->lost_up_to;
  for (guint i = 0; i < page->events->len; i++)
    {
      chunk->bytes += eb_event_get_charge (page->events->pdata[i]);
      chunk->last = eb_event_get_sequence (page->events->pdata[i]);
    }
  self->bytes += chunk->bytes;
  g_queue_push_head (&self->chunks, chunk);
  while (self->chunks.length > 1
         && (self->chunks.length > self->max_pages || self->bytes > self->max_bytes))
    drop_last (self);
}

/* The part of a page that begins at @start. */
static EbPage *
cut (const Chunk *chunk, guint64 start, gsize max_bytes)
{
  gboolean is_lost = start <= chunk->page->lost_up_to;
  guint64 first = chunk->last + 1 - chunk->page->events->len;
  EbPage *page;
  gsize bytes = 0;

  if (start == chunk->start && chunk->bytes <= max_bytes)
    return eb_page_ref (chunk->page);
  page = eb_page_new (is_lost ? chunk->page->lost_up_to : 0);
  for (guint64 s = is_lost ? first : start; s <= chunk->last; s++)
    {
      EbEvent *event = chunk->page->events->pdata[s - first];

      bytes += eb_event_get_charge (event);
      if (bytes > max_bytes && page->events->len > 0)
        break;
      g_ptr_array_add (page->events, eb_event_ref (event));
    }
  return page;
}

/**
 * eb_page_cache_lookup:
 * @start: the first sequence wanted
 * @max_bytes: bound on the events' charges together; the first event comes whatever its size
 *
 * Returns: (transfer full) (nullable): what there is from there on, if a page here knows
 */
EbPage *
eb_page_cache_lookup (EbPageCache *self, guint64 start, gsize max_bytes)
{
  for (GList *link = self->chunks.head; link != NULL; link = link->next)
    {
      const Chunk *chunk = link->data;

      if (start < chunk->start || start > chunk->last)
        continue;
      g_queue_unlink (&self->chunks, link);
      g_queue_push_head_link (&self->chunks, link);
      return cut (chunk, start, max_bytes);
    }
  return NULL;
}
