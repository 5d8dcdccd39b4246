/* SPDX-FileCopyrightText: EventBus contributors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/eb-memory-names.h"

#include <string.h>

/* The names that publishers gave their events, each with the event that has it, for a log in
 * memory: by name, and in the order in which they were given, which is the one in which they go.
 *
 * Its owner's lock guards it. */
typedef struct _Entry Entry;

struct _Entry
{
  EbEventName name; /* the key in entries */
  guint64 sequence;
  gint64 accepted_us;
  Entry *next; /* (not owned) (nullable): the one that was given after it */
};

struct _EbMemoryNames
{
  GHashTable *entries; /* (owned) (element-type EbEventName Entry) */
  Entry *first;        /* (not owned) (nullable): the oldest one */
  Entry *last;         /* (not owned) (nullable): the newest one */
};

/* Any part of a hash is one. */
static guint
hash_name (gconstpointer key)
{
  guint hash;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
equal_names (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, EB_EVENT_NAME_SIZE) == 0;
}

EbMemoryNames *
eb_memory_names_new (void)
{
  EbMemoryNames *self = g_new0 (EbMemoryNames, 1);

  self->entries = g_hash_table_new_full (hash_name, equal_names, NULL, g_free);
  return self;
}

void
eb_memory_names_free (EbMemoryNames *self)
{
  g_hash_table_unref (self->entries);
  g_free (self);
}

/**
 * eb_memory_names_find:
 *
 * Returns: the sequence of the event that has @name; 0 if none has
 */
guint64
eb_memory_names_find (EbMemoryNames *self, const EbEventName *name)
{
  const Entry *entry = g_hash_table_lookup (self->entries, name);

  return entry != NULL ? entry->sequence : 0;
}

/**
 * eb_memory_names_add:
 * @name: one that no event has
 */
void
eb_memory_names_add (EbMemoryNames *self,
                     const EbEventName *name,
                     guint64 sequence,
                     gint64 accepted_us)
{
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ *name, sequence, accepted_us, NULL };
  if (self->last != NULL)
    self->last->next = entry;
  else
    self->first = entry;
  self->last = entry;
  g_hash_table_insert (self->entries, &entry->name, entry);
}

/**
 * eb_memory_names_forget:
 * @last_us: names that were given then or before go
 * @limit: how many stay at most
 */
void
eb_memory_names_forget (EbMemoryNames *self, gint64 last_us, guint64 limit)
{
  while (self->first != NULL
         && (self->first->accepted_us <= last_us || g_hash_table_size (self->entries) > limit))
    {
      Entry *entry = self->first;

      self->first = entry->next;
      if (self->first == NULL)
        self->last = NULL;
      g_hash_table_remove (self->entries, &entry->name);
    }
}
